"""The command ``demo``, beside those of nbproctor: it needs a clone of the project.

`kit.py demo` runs this file.
"""

from __future__ import annotations

import contextlib

import sample_class
import typer

from nbproctor import nbgrader
from nbproctor.cli import main
from nbproctor.cli.app import (
    CommandError,
    Container,
    command,
    console,
    find_course,
)
from nbproctor.cli.class_run import grade_class
from nbproctor.platforms.person import Person, split_name


@command("demo", "demo --container")
def demo(container: Container = False) -> None:
    """Grade a sample class and show its score table, for each assignment.

    Everything happens in the folder demo/, which each run recreates. Your own
    submissions and gradebook are not touched.
    """
    project = find_course()
    description = project / "examples" / "sample_class.toml"
    if not description.is_file():
        raise CommandError(
            f"There is no {description}. Run the demo in nbproctor's own repository: "
            "it grades the course there."
        )
    console.print("Making a sample class in demo/.")
    course = nbgrader.Course(sample_class.new_course(project))
    for name, students in sample_class.read_classes(description).items():
        console.print(f"\nThese students submit {name}:")
        course = course.for_assignment(name)
        nbgrader.generate(course, name)
        variants = project / "variants" / name
        master = course.masters[0]
        sample_class.write_class(students, course.root, master, variants)
        for student in students:
            console.print(f"  {student.name:20} {student.story}")
        names = {student.id: student.name for student in students}
        nbgrader.enrol(course, [Person(s.id, *split_name(s.name)) for s in students])
        with contextlib.suppress(typer.Exit):  # a file is cut short, as it happens
            # Weak, because this code is our own: the demo is to run on any computer.
            grade_class(course, nbgrader.RunOptions(weak_sandbox=True), names)


if __name__ == "__main__":
    main()
