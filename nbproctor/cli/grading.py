"""The verbs that grade: ``demo``, ``grade``, and ``watch`` before the deadline."""

from __future__ import annotations

import contextlib
import time
from datetime import UTC, datetime
from difflib import get_close_matches
from typing import Annotated

import typer
from typer import Option

from nbproctor.cli.app import (
    TYPED,
    Assignment,
    CommandError,
    Sandbox,
    app,
    console,
    nbgrader,
    open_course,
    say,
)
from nbproctor.cli.class_run import grade_class
from nbproctor.platforms.person import Person, split_name

SECONDS = 2.0  # between two looks of `watch`


@app.command()
def demo(assignment: Assignment = None) -> None:
    """Grade a sample class and show the table of scores.

    Everything happens in the folder demo/, which each run makes anew; your own
    submissions and gradebook are not touched.
    """
    parent_course, name = open_course(assignment)
    project = parent_course.root
    sample_class = project / "examples" / "sample_class.toml"
    if not sample_class.is_file():
        raise CommandError(
            f"There is no {sample_class}: the demo is of the course that nbproctor "
            "comes with. Run it in that folder."
        )
    console.print("Making a sample class in demo/. It hands in:")
    from nbproctor.kit import sample

    course = nbgrader.Course(sample.new_course(project, name))
    nbgrader.generate(course, name)
    students = sample.read_class(sample_class)
    master = course.masters(name)[0]
    sample.write_class(students, course.root, master, project / "variants" / name)
    for student in students:
        console.print(f"  {student.name:20} {student.story}")
    names = {student.id: student.name for student in students}
    nbgrader.enrol(course, [Person(s.id, *split_name(s.name)) for s in students])
    with contextlib.suppress(typer.Exit):  # somebody's file is cut short, as it happens
        # Weak, because this code is our own: the demo is to run on any computer.
        grade_class(course, name, nbgrader.RunOptions(weak_sandbox=True), names)


@app.command()
def grade(
    assignment: Assignment = None,
    force: Annotated[
        bool, Option("--force", help="Grade again what is graded already.")
    ] = False,
    sandbox: Sandbox = "strict",
    student: Annotated[
        list[str] | None, Option(help="Grade only this student; may be repeated.")
    ] = None,
    lower: Annotated[
        bool, Option("--lower", help="Let marks become lower for the same files.")
    ] = False,
    alike: Annotated[
        bool, Option("--alike", help="List long answers that stand out as alike.")
    ] = False,
    cluster: Annotated[
        str, Option(help="Execute on the workers of this Dask scheduler.")
    ] = "",
    container: Annotated[
        bool, Option("--container", help="In a container, by Podman or Docker: kit.py.")
    ] = False,
) -> None:
    """Grade what is in submitted/, write feedback, and show the table of scores.

    What is graded already and has not changed is left as it is. Ends with status 1 if
    somebody could not be graded.
    """
    if container:
        raise CommandError(
            "--container is an option of kit.py: kit.py grade --container"
        )
    course, name = open_course(assignment)
    for each in student or ():
        _check_handed_in(course, name, each)
    options = nbgrader.RunOptions(
        student,
        force=force,
        lower=lower,
        weak_sandbox=True if sandbox == "weak" else None,
        cluster=cluster or None,
    )
    grade_class(course, name, options, alike=alike)


def _check_handed_in(course: nbgrader.Course, assignment: str, student: str) -> None:
    """Stop where a student named on the command line handed in nothing."""
    if student in dict(course.folders("submitted", assignment)):
        return
    folder = course.folder("submitted", assignment, student)
    people = nbgrader.people(course)
    similar = get_close_matches(student, [person.student for person in people])
    similar += [p.student for p in people if student.casefold() in p.name.casefold()]
    message = f"{student!r} has handed in nothing: there is no {folder}."
    if similar:
        message += f" Did you mean {' or '.join(dict.fromkeys(similar))}?"
    raise CommandError(message)


@app.command()
def watch(
    assignment: Assignment = None,
    exchange: Annotated[
        bool,
        Option(
            "--exchange",
            help="Collect from nbgrader's exchange, and release feedback there.",
        ),
    ] = False,
    sandbox: Sandbox = "strict",
) -> None:
    """Grade what arrives until the deadline, and give back what you allow.

    Reads submitted/ and writes feedback/. What students get, and how many times a day,
    stands in nbgrader_config.py: c.Nbproctor.early_feedback and early_tries. After
    Ctrl-C, the same command goes on. Ends with status 1 if work could not be collected,
    or a page not be given back.
    """
    course, name = open_course(assignment)
    with (
        nbgrader.course_lock(course.root, f"watching {name!r}", ".watch"),
        nbgrader.Watch(course.root, name, exchange, sandbox == "weak") as watching,
    ):
        say(f"Watching {name}{_until(watching.due)}. Ctrl-C ends it.")
        say(*(f"  {s}{_until(end)}" for s, end in watching.extended.items()))
        message = ""
        problems = False
        while not watching.over(_now()):
            try:
                tries = watching.look(_now())
                say(*map(_line, tries))
                problems = problems or any(each.problem for each in tries)
                message = ""
            except nbgrader.CourseError as error:  # somebody else grades: the next look
                if str(error) != message:
                    say(error)
                message = str(error)
            time.sleep(SECONDS)
    say(f"The deadline has passed. Grade everybody: {TYPED} grade {name}")
    if problems:
        raise typer.Exit(1)


def _now() -> datetime:
    return datetime.now(UTC).replace(tzinfo=None)


def _until(moment: datetime | None) -> str:
    """Say how long; the moment is in UTC."""
    if moment is None:
        return ""
    return f" until {moment.replace(tzinfo=UTC).astimezone():%Y-%m-%d %H:%M %Z}"


def _line(attempt: nbgrader.Try) -> str:
    clock = f"{datetime.now():%H:%M:%S} {attempt.student}"
    result = attempt.result
    if attempt.problem:
        return f"{clock}: {attempt.problem}."
    if attempt.late:
        return f"{clock}: it came after the deadline, and is not tried."
    if result is None:
        return f"{clock}: no try left today."
    mark = "" if result.score is None else f"{result.score:g} of {result.max_score:g}, "
    return (
        f"{clock}: {mark}{result.status}; try {attempt.tries_today} today, "
        f"after {(_now() - attempt.noticed).total_seconds():.0f} s."
    )
