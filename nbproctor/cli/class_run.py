"""Grading of a class on the command line: its progress, its table, its changes."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

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

from nbproctor.cli.app import complaints, console
from nbproctor.cli.changes import change_lines
from nbproctor.cli.table import score_table
from nbproctor.platforms.people import letters

if TYPE_CHECKING:
    from nbproctor.nbgrader import Course
    from nbproctor.results import SubmissionResult

# nbgrader and pandas take a second to import, so each verb imports them when it runs:
# `--help` and a wrong argument are answered at once.


class _Rate(ProgressColumn):
    """Submissions a minute."""

    def render(self, task: Task) -> Text:
        return Text(f"{60 * task.speed:.0f} a minute" if task.speed else "")


def grade_class(
    course: Course,
    assignment: str,
    names: Mapping[str, str],
    students: list[str] | None = None,
    force: bool = False,
    lower: bool = False,
    alike: bool = False,
    *,
    weak_sandbox: bool,
    cluster: str = "",
    merging: bool = False,
) -> None:
    """Grade, write the feedback, and print the table.

    Ends with status 1 if somebody could not be graded.
    """
    waiting = len(students or list(course.root.glob(f"submitted/*/{assignment}")))
    if waiting and not console.is_terminal:  # on one, a bar moves instead
        console.print(f"Grading {assignment} …")
    from nbproctor import nbgrader
    from nbproctor.nbgrader.graded import report

    with Progress(
        "{task.description}",
        BarColumn(),
        MofNCompleteColumn(),
        _Rate(),
        TimeRemainingColumn(),
        console=console,
        transient=True,
        disable=not console.is_terminal,
    ) as bar:
        task = bar.add_task("Grading", total=waiting)
        results, changes = nbgrader.regrade(
            course,
            assignment,
            progress=lambda result: bar.advance(task),
            students=students,
            force=force,
            weak_sandbox=weak_sandbox,
            cluster=cluster,
            merging=merging,
            lower=lower,
        )
        bar.update(task, description="Writing feedback")
        pages = nbgrader.feedback(
            course,
            assignment,
            lambda done, all: bar.update(task, completed=done, total=all),
            students,
        )
    page, lines = report(course, assignment, alike=alike)
    enrolled = {person.student: person.name for person in nbgrader.people(course)}
    names = _names(results, {**enrolled, **names})
    results.sort(key=lambda result: (letters(names[result.student]), result.student))
    scores = nbgrader.scores(course, assignment)
    masters = course.masters(assignment)
    titles = nbgrader.exercise_titles(course, assignment)
    console.print(score_table(scores, results, masters, names, titles))
    for line in _reasons(results, names):
        console.print(escape(line), soft_wrap=True)
    for line in change_lines(changes, names):
        console.print(escape(line), soft_wrap=True)
    for each in nbgrader.unread(course, assignment):
        complaints.print(f"[yellow]Not graded:[/] {escape(str(each))}", soft_wrap=True)
    console.print()
    for line in nbgrader.places_told(masters):
        console.print(escape(f"{line}."), soft_wrap=True)
    for line in lines:
        console.print(escape(line), soft_wrap=True)
    console.print(f"Class report:   {escape(str(page))}", soft_wrap=True)
    console.print(f"Feedback pages: {escape(str(pages))}", soft_wrap=True)
    left = [names[r.student] for r in results if r.status == "ungradable"]
    if left:
        complaints.print(
            f"[red]Not graded:[/] {escape('; '.join(left))}. The reasons stand above.",
            soft_wrap=True,
        )
        raise typer.Exit(1)


def _names(
    results: Sequence[SubmissionResult], names: Mapping[str, str]
) -> dict[str, str]:
    """Return a name for each student: the id too where several are called so."""
    shown = {r.student: names.get(r.student, r.student) for r in results}
    count = Counter(shown.values())
    return {
        student: name if count[name] == 1 else f"{name} ({student})"
        for student, name in shown.items()
    }


_GRAVEST = ("ungradable", "partial", "repaired", "late", "graded", "missing")


def _reasons(
    results: Sequence[SubmissionResult], names: Mapping[str, str]
) -> Iterator[str]:
    """Yield a line a reason, with everybody whose it is; the gravest first.

    In a large class the few that need a look must not drown in "nothing handed in".
    """
    for status in _GRAVEST:
        told: dict[str, list[str]] = {}
        for result in results:
            if result.status == status and result.reason:
                told.setdefault(result.reason, []).append(names[result.student])
        for reason, who in told.items():
            if len(who) < 4:
                yield f"{'; '.join(who)}: {reason}"
            else:  # what it is comes before a long list
                yield f"{len(who)} students: {reason}"
                yield f"  {'; '.join(who)}"
