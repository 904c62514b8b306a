"""The verb that gives grades back: ``export``."""

from __future__ import annotations

import sys
from math import isnan
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.markup import escape
from typer import Argument, Option

from nbproctor import platforms
from nbproctor.cli.app import (
    TYPED,
    Assignment,
    CommandError,
    app,
    at_work,
    choose,
    console,
    find_course,
    nbgrader,
    print_list,
    say,
)
from nbproctor.cli.class_run import late_lines
from nbproctor.cli.collecting import read_class_list
from nbproctor.platforms.platform import Visibility

if TYPE_CHECKING:
    import pandas as pd

    from nbproctor.platforms import Filled

SHOWN = 40  # changes
_MADE = ", ".join(["feedback", "csv", "parquet", "term", *platforms.AUTOGRADERS])


@app.command()
def export(
    product: Annotated[
        str,
        Argument(
            metavar="WHAT",
            help=f"The platform's file to fill in; or what to make: {_MADE}.",
        ),
    ],
    assignment: Assignment = None,
    column: Annotated[
        str | None, Option(help="The column, by a part of its title.")
    ] = None,
    scale: Annotated[
        bool, Option("--scale", help="Convert to the platform's maximum.")
    ] = False,
    write: Annotated[
        bool, Option("--write", help="Write the filled file; else only show.")
    ] = False,
    visibility: Annotated[
        Visibility, Option(help="When Gradescope shows an exercise's result.")
    ] = "after_due_date",
    to: Annotated[Path | None, Option(help="Where to write.")] = None,
) -> None:
    """Give grades back: fill in the file that a platform gave, or write a table.

    A platform's file (grade book of Canvas, Blackboard, Brightspace; grading worksheet
    of Moodle) is never changed: with --write, a filled copy stands beside it. What was
    not graded stays empty. `feedback` packs everybody's feedback as the platform takes
    it; `term` makes one table, and a page, of all assignments.
    """
    course = nbgrader.Course(find_course())
    exported = course.root / "exported"
    if product == "term":
        table, names = nbgrader.term(course)
        path = to or exported / "term.csv"
        nbgrader.write_table(table, path)
        page = nbgrader.term_report(course, table, names)
        say(f"Assignments: {len(names)}. Students: {len(table)}. {path}, {page}")
        for name in names:
            say(*late_lines(course, name))
        return
    assignment = choose(course, assignment)
    if product == "feedback":
        _give_back(course, assignment, to or exported / f"{assignment}_feedback.zip")
    elif product in ("csv", "parquet"):
        path = to or exported / f"{assignment}.{product}"
        nbgrader.write_table(table := _graded(course, assignment), path)
        empty = int(table["total"].isna().sum())
        say(f"{len(table)} students, {empty} of them without a mark: {path}")
    elif autograder := platforms.AUTOGRADERS.get(product):
        nbgrader.check_exportable(course, assignment)
        source = course.folder("source", assignment)
        say(autograder(course.root, source, to, visibility))
        return
    else:
        file = Path(product)
        filled = _filled(course, assignment, file, column, scale)
        _show(filled, product)
        target = to or file.with_name(f"{file.stem}_filled{file.suffix}")
        written = _write_filled(filled, target, write)
        news = sorted(
            {*filled.excused} - course.read_column(assignment, "excused").keys()
        )
        if written and news:
            platforms.excuse(course.records(assignment), news)
            say(f"Excused here from now on, too: {', '.join(news)}")
    say(*late_lines(course, assignment))


def _give_back(course: nbgrader.Course, assignment: str, target: Path) -> None:
    """Pack everybody's feedback into one zip, named as the platform takes it."""
    with at_work("Bringing the pages up to date"):  # a comment may be newer than them
        nbgrader.feedback(course, assignment)
    pages = nbgrader.pages(course, assignment)
    back = platforms.feedback_names(pages, course.records(assignment))
    if not back.students:
        raise CommandError("Nobody's feedback has a place there: collect again, first.")
    platforms.write_zip(target, back.files)
    takes = back.platform.upload
    by = back.platform.name if takes else "A folder for each student"
    say(f"{by}: {len(back.students)} students, {target}")
    by_hand = "Mail the pages, or attach each to its student's work by hand."
    say(f"Upload it there: {takes}." if takes else by_hand)
    names = {person.student: person.name for person in nbgrader.people(course)}
    print_list(
        "Not in it:", [f"{names.get(s, s)}: {reason}" for s, reason in back.unmatched]
    )


def _filled(
    course: nbgrader.Course,
    assignment: str,
    file: Path,
    column: str | None,
    scale: bool,
) -> Filled:
    if not file.is_file():
        raise CommandError(
            f"There is no file {file}. Say which file to fill in, or one of: {_MADE}."
        )
    table = _graded(course, assignment)
    reasons = {
        str(student): f"{row['status']}. {row['reason']}".strip()
        for student, row in table.iterrows()
        if isnan(row["total"])
    }
    return platforms.fill(
        file.read_bytes(),
        assignment,
        {str(student): score for student, score in table["total"].items()},
        float(table["max_score"].max()),
        read_class_list(course),
        reasons,
        course.read_column(assignment, "excused"),
        column,
        scale,
    )


def _write_filled(filled: Filled, target: Path, write: bool) -> bool:
    """Write it, if that was asked for or is confirmed; return whether it was."""
    if not write and filled.changes and sys.stdin.isatty() and sys.stdout.isatty():
        write = typer.confirm(f"Write {target}?")
    if not filled.changes:
        console.print("Nothing to write.")
    elif write:
        target.write_bytes(filled.data)
        say(f"Written: {target}. Import it there.")
    else:
        console.print(
            "Nothing was written. To write the file, run the same command with --write."
        )
    return write


def _graded(course: nbgrader.Course, assignment: str) -> pd.DataFrame:
    table = nbgrader.class_table(course, assignment)
    if table["total"].isna().all():
        raise CommandError(
            f"Nobody has a mark in {assignment!r} yet: collect, then grade."
        )
    # Canvas says that something was late, but not when it came.
    late = course.read_column(assignment, "late")
    column = list(table.columns).index("hours_late")
    table.insert(column, "late", [student in late for student in table.index])
    return table


def _show(filled: Filled, file: str) -> None:
    say(f"{filled.platform}, column {filled.column!r}")
    for change in filled.changes[:SHOWN]:
        arrow = "[red]lower[/]" if change.lower else ""
        console.print(
            f"  {escape(change.name):30} {change.before or 'empty':>8} → "
            f"{change.after:>8} {arrow}"
        )
    if more := filled.changes[SHOWN:]:
        console.print(f"  … and {len(more)} more")
    lower = sum(change.lower for change in filled.changes)
    console.print(
        f"{len(filled.changes)} marks change, {lower} of them to a lower one; "
        f"{filled.same} were there already."
    )
    print_list(
        "Left as they are:", [f"{name}: {reason}" for name, reason in filled.skipped]
    )
    if filled.skipped:
        say(f"If somebody is not recognised, import it first: {TYPED} roster {file}")
    print_list("Graded here, but not in the file:", filled.absent)
