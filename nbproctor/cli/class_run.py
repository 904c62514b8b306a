"""Grading of a class on the command line: progress, table, changed marks."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence
from functools import partial
from math import isnan
from typing import TYPE_CHECKING, Any

import typer
from rich import box
from rich.columns import Columns
from rich.console import Group
from rich.markup import escape
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    ProgressColumn,
    Task,
    TimeRemainingColumn,
)
from rich.table import Table
from rich.text import Text

from nbproctor.cli.app import PROGRAM, console, echo, error_console, nbgrader
from nbproctor.platforms import labels
from nbproctor.platforms.person import normalize
from nbproctor.statuses import STATUSES
from nbproctor.templates import render

if TYPE_CHECKING:
    import pandas as pd

    from nbproctor.results import SubmissionResult


class _Rate(ProgressColumn):
    """Submissions a minute."""

    def render(self, task: Task) -> Text:
        return Text(f"{60 * task.speed:.0f} a minute" if task.speed else "")


def grade_class(
    course: nbgrader.Course,
    options: nbgrader.RunOptions,
    names: Mapping[str, str] = {},
    find_similar: bool = False,
) -> None:
    """Grade, write the feedback, and print the table.

    Ends with status 1 if somebody could not be graded.
    """
    assignment = course.assignment
    students = options.students
    waiting = len(students or course.submissions())
    if waiting and not console.is_terminal:  # a terminal shows a progress bar
        console.print(f"Grading {assignment} …")
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
            course=course,
            assignment=assignment,
            progress=lambda result: bar.advance(task),
            options=options,
        )
        bar.update(task, description="Writing feedback")
        pages = nbgrader.feedback(
            course=course,
            assignment=assignment,
            progress=lambda done, all: bar.update(task, completed=done, total=all),
            students=students,
        )
    standings = nbgrader.participants(course)
    page, lines = nbgrader.report(course, standings, find_similar=find_similar)
    ids = {result.student: result.student for result in results}
    people = {student: each.person.name for student, each in standings.items()}
    names = labels({**ids, **people, **names})
    results.sort(key=lambda result: (normalize(names[result.student]), result.student))
    scores = nbgrader.scores(course, assignment, standings)
    table = score_table(
        scores=scores,
        results=results,
        course=course,
        names=names,
    )
    console.print(table)
    # Nobody waits for their marks.
    excused = course.read_column("excused").keys() - (students or ())
    changes = [change for change in changes if change.student not in excused]
    echo(*_reasons(results, names), *change_lines(changes, names, students or ()))
    echo(*doubtful_lines(course, standings))
    for each in nbgrader.describe_unread(course):
        error_console.print(f"[yellow]Not graded:[/] {escape(each)}")
    placements = [f"{line}." for line in nbgrader.describe_placement(course.masters)]
    echo("", *placements, *course.options.describe_permissions(assignment), *lines)
    echo(f"Class report:   {page}", f"Feedback pages: {pages}")
    failures = [names[r.student] for r in results if r.is_failure]
    if failures:
        error_console.print(
            f"[red]Could not be graded:[/] {escape('; '.join(failures))}. The reasons "
            "are above."
        )
        raise typer.Exit(1)


def _reasons(
    results: Sequence[SubmissionResult], names: Mapping[str, str]
) -> Iterator[str]:
    """Yield a line for each reason, with its students; the most serious reason first.

    In a large class, "Nothing submitted" must not hide the few that need attention.
    """
    for status in STATUSES:
        students_by_reason = defaultdict(list)
        for result in results:
            if result.status == status and result.reason:
                students_by_reason[result.reason].append(names[result.student])
        for reason, students in students_by_reason.items():
            students_line = "; ".join(students)
            if len(students) < 4:
                yield f"{students_line}: {reason}"
            else:  # the reason comes before a long list
                yield f"{len(students)} students: {reason}"
                yield f"  {students_line}"


def open_lines(course: nbgrader.Course) -> list[str]:
    """Return lines on marks that are out of date, unchecked, or may lack a penalty."""
    standings = nbgrader.participants(course)
    outdated = nbgrader.outdated(course, standings)
    others = {s: each for s, each in standings.items() if s not in outdated}
    unchecked = [
        student
        for student, standing in others.items()
        if standing.waiting and standing.result.score is not None
    ]
    return _lines_on_marks(
        "open.txt",
        course=course,
        standings=others,
        outdated=outdated,
        unchecked=unchecked,
    )


def doubtful_lines(
    course: nbgrader.Course,
    standings: nbgrader.Standings,
) -> list[str]:
    """Return lines on marks above a maximum, and late ones that got no penalty."""
    return _lines_on_marks("doubtful.txt", course=course, standings=standings)


def _lines_on_marks(
    template: str,
    course: nbgrader.Course,
    standings: nbgrader.Standings,
    **values: object,
) -> list[str]:
    return _lines(
        template,
        too_high=nbgrader.too_high(standings),
        late=nbgrader.late_without_time(standings),
        assignment=course.assignment,
        program=PROGRAM,
        names=partial(nbgrader.list_names, course),
        **values,
    )


def _lines(template: str, **values: object) -> list[str]:
    text = render(template, **values)
    return [line for line in text.split("\n") if line]


def score_table(
    scores: pd.DataFrame,
    results: list[SubmissionResult],
    course: nbgrader.Course,
    names: Mapping[str, str],
) -> Group:
    """Lay out students × exercises; a dash means not graded, and is never a 0.

    Each of `results` gets a row; `names` has the name to show for each id.
    """
    columns = nbgrader.exercise_columns(course)
    exercises = {
        columns[notebook, cell]: exercise
        for notebook, outline in course.outlines.items()
        for exercise in outline.exercises
        for cell in exercise.graded
        if (notebook, cell) in columns
    }
    table = Table(box=box.SIMPLE_HEAD, padding=(0, 1, 0, 0))
    table.add_column("student", min_width=12)  # wraps where the terminal is narrow
    legend = []
    for number, exercise in enumerate(exercises.values(), 1):
        table.add_column(str(number), justify="right", no_wrap=True)
        legend.append(escape(f"{number} = {exercise.name} ({exercise.points:g})"))
    table.add_column("total", justify="right", no_wrap=True)
    table.add_column("status", no_wrap=True)
    # The gradebook may have none of these students yet.
    scores = scores.reindex([result.student for result in results])
    for result in results:
        earned = scores.loc[result.student].to_dict()
        row = [_score(earned[id], each.points) for id, each in exercises.items()]
        table.add_row(
            escape(names[result.student]),
            *row,
            # From the gradebook: somebody may have graded by hand since.
            _score(earned["total"], result.max_score) + _penalty(earned),
            result.status,
        )
    return Group(table, Columns(legend, padding=(0, 2)), "")


def _penalty(earned: Mapping[Any, Any]) -> str:
    points = sum(score for column, score in earned.items() if column != "total")
    penalty = points - earned["total"]
    if penalty > 0.005:
        return f" (−{penalty:g} late)"
    return ""


def _score(score: float, most: float) -> str:
    if isnan(score):
        return "–"
    if score == most:
        return f"{score:g}"
    return f"[yellow]{score:g}[/]"


def change_lines(
    changes: Sequence[nbgrader.MarkChange],
    names: Mapping[str, str],
    students: Collection[str] = (),
) -> list[str]:
    """Return lines on changed marks: student, change, reason, and marks that stay.

    For the `students` who were named on the command line, list each test too.
    """
    return _lines(
        "changes.txt",
        changes=changes,
        names=names,
        students=students,
    )
