"""The verbs that grade: ``demo`` and ``grade``."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer
from rich.markup import escape
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    ProgressColumn,
    Task,
    TimeRemainingColumn,
)
from rich.text import Text

from nbproctor.cli.app import Assignment, app, choose, complaints, console, find_course
from nbproctor.cli.changes import change_lines
from nbproctor.cli.table import score_table

# nbgrader and pandas take a second to import, so each verb imports them when it runs:
# `--help` and a wrong argument are answered at once.


class Sandbox(StrEnum):
    """What to do where the sandbox is not whole."""

    STRICT = "strict"
    WEAK = "weak"


class _Rate(ProgressColumn):
    """Submissions a minute."""

    def render(self, task: Task) -> Text:
        return Text(f"{60 * task.speed:.0f} a minute" if task.speed else "")


@app.command()
def demo(assignment: Assignment = None) -> None:
    """Grade a sample class and show the table of scores.

    Everything happens in the folder demo/, which each run makes anew; your own
    submissions and gradebook are not touched.
    """
    console.print("Making a sample class in demo/. It hands in:")
    from nbproctor import nbgrader
    from nbproctor.kit import sample

    project = find_course()
    name = choose(project, assignment)
    course = sample.new_course(project, name)
    nbgrader.generate(course, name)
    students = sample.read_class(project / "examples" / "sample_class.toml")
    master = nbgrader.masters_of(course, name)[0]
    sample.write_class(students, course, master, project / "variants" / name)
    for student in students:
        console.print(f"  {student.name:20} {student.story}")
    names = {student.id: student.name for student in students}
    nbgrader.enrol(course, names)
    # Weak, because this code is our own: the demo is to run on any computer.
    _grade(course, name, names, weak_sandbox=True)


@app.command()
def grade(
    assignment: Assignment = None,
    force: Annotated[
        bool, typer.Option("--force", help="Grade again what is graded already.")
    ] = False,
    sandbox: Annotated[
        Sandbox, typer.Option(help="weak: grade even where the sandbox has gaps.")
    ] = Sandbox.STRICT,
    student: Annotated[
        list[str] | None, typer.Option(help="Grade only this student; may be repeated.")
    ] = None,
    lower: Annotated[
        bool, typer.Option("--lower", help="Let marks become lower for the same files.")
    ] = False,
) -> None:
    """Grade what is in submitted/, write feedback, and show the table of scores.

    What is graded already and has not changed is left as it is. Ends with status 1 if
    somebody could not be graded.
    """
    course = find_course()
    name = choose(course, assignment)
    weak = sandbox == Sandbox.WEAK
    left = _grade(course, name, {}, student, force, lower, weak_sandbox=weak)
    if left:
        told = (
            f"[red]Not graded:[/] {escape(', '.join(left))}. The reasons stand above."
        )
        complaints.print(told, soft_wrap=True)
        raise typer.Exit(1)


def _grade(
    course: Path,
    assignment: str,
    names: Mapping[str, str],
    students: list[str] | None = None,
    force: bool = False,
    lower: bool = False,
    *,
    weak_sandbox: bool,
) -> list[str]:
    """Grade, write the feedback, print the table; return who could not be graded."""
    from nbproctor import nbgrader
    from nbproctor.nbgrader.class_report import report

    with Progress(
        "{task.description}",
        BarColumn(),
        MofNCompleteColumn(),
        _Rate(),
        TimeRemainingColumn(),
        console=console,
        transient=True,
    ) as bar:
        waiting = len(students or list(course.glob(f"submitted/*/{assignment}")))
        task = bar.add_task("Grading", total=waiting)
        results, changes = nbgrader.regrade(
            course,
            assignment,
            progress=lambda result: bar.advance(task),
            students=students,
            force=force,
            weak_sandbox=weak_sandbox,
            lower=lower,
        )
        bar.update(task, description="Writing feedback")
        pages = nbgrader.feedback(
            course,
            assignment,
            lambda done, all: bar.update(task, completed=done, total=all),
        )
    page, lines = report(course, assignment)
    enrolled = {person.student: person.name for person in nbgrader.people(course)}
    names = {**enrolled, **names}
    scores = nbgrader.scores(course, assignment)
    masters = nbgrader.masters_of(course, assignment)
    console.print(score_table(scores, results, masters, names))
    for result in results:
        if result.reason:
            name = names.get(result.student, result.student)
            console.print(f"{escape(name)}: {escape(result.reason)}", soft_wrap=True)
    for line in change_lines(changes, names):
        console.print(escape(line), soft_wrap=True)
    for each in nbgrader.unread(course, assignment):
        complaints.print(f"[yellow]Not graded:[/] {escape(str(each))}", soft_wrap=True)
    console.print()
    for line in nbgrader.places_told(masters):
        console.print(escape(f"{line}."), soft_wrap=True)
    for line in lines:
        console.print(escape(line), soft_wrap=True)
    console.print(f"Class report:   {page}", soft_wrap=True)
    console.print(f"Feedback pages: {pages}", soft_wrap=True)
    return [result.student for result in results if result.status == "ungradable"]
