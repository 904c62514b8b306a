"""The command that gives grades back: ``export``."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.markup import escape
from typer import Argument, Option

from nbproctor import platforms
from nbproctor.cli.app import (
    PROGRAM,
    Assignment,
    CommandError,
    choose,
    command,
    console,
    echo,
    find_course,
    nbgrader,
    print_list,
    show_status,
)
from nbproctor.cli.class_run import open_lines
from nbproctor.cli.collecting import read_class_list
from nbproctor.platforms.platform import Visibility

if TYPE_CHECKING:
    import pandas as pd

    from nbproctor.platforms import FilledGradeFile

SHOWN = 40  # changes
_MADE = ", ".join(["feedback", "csv", "parquet", "term", *platforms.AUTOGRADERS])


@command("export grades.csv lab2 --write", "export feedback")
def export(
    product: Annotated[
        str,
        Argument(
            metavar="WHAT",
            help=f"The platform's grade file to fill in, or what to make: {_MADE}.",
        ),
    ],
    assignment: Assignment = "",
    column: Annotated[
        str | None, Option(help="The column to fill in: part of its header is enough.")
    ] = None,
    scale: Annotated[
        bool, Option("--scale", help="Convert marks to the platform's maximum.")
    ] = False,
    write: Annotated[
        bool,
        Option(
            "--write",
            help="Write the filled-in file. Without --write, only show the changes.",
        ),
    ] = False,
    visibility: Annotated[
        Visibility, Option(help="When Gradescope shows an exercise's result.")
    ] = "after_due_date",
    to: Annotated[Path | None, Option(help="Path of the output file.")] = None,
) -> None:
    """Fill in a platform's grade file, pack the feedback, or write a table.

    To fill in marks, give the grade file (Canvas, Blackboard, Brightspace) or the
    grading worksheet (Moodle). The file itself is never changed: --write makes a
    filled-in copy next to it. The cells of students without a mark stay as they are.

    The other exports need no grade file:

    - feedback: everybody's feedback, in a zip for the platform
    - csv, parquet: a table of the class
    - term: a table and a page of all assignments
    - gradescope, classroom: files for grading on Gradescope or GitHub Classroom
    """
    course = nbgrader.Course(find_course())
    exported = course.root / "exported"
    if product == "term":
        table, columns = nbgrader.term(course)
        path = to or exported / "term.csv"
        nbgrader.write_table(table, path)
        page = nbgrader.term_report(
            course=course,
            table=table,
            columns=columns,
        )
        echo(f"Assignments: {len(columns)}. Students: {len(table)}. {path}, {page}")
        for name in columns:
            echo(*open_lines(course.for_assignment(name)))
        return
    course = choose(course, assignment)
    name = course.assignment
    if product == "feedback":
        _pack_feedback(course, to or exported / f"{name}_feedback.zip")
    elif product in ("csv", "parquet"):
        path = to or exported / f"{name}.{product}"
        nbgrader.write_table(table := _graded(course), path)
        empty = table["total"].isna().sum()
        echo(f"{len(table)} students, {empty} of them without a mark: {path}")
    elif autograder := platforms.AUTOGRADERS.get(product):
        nbgrader.check_exportable(course)
        echo(autograder(course.root, course.folder("source"), to, visibility))
        return
    else:
        file = Path(product)
        filled = _filled(
            course=course,
            file=file,
            column=column,
            scale=scale,
        )
        echo(f"Marks of {name}:")
        _show(filled, product)
        target = to or file.with_name(f"{file.stem}_filled{file.suffix}")
        if target.exists() and target.samefile(file):
            raise CommandError(f"{file} is never changed. Give --to another path.")
        written = _write_filled(
            filled=filled,
            target=target,
            write=write,
        )
        news = sorted({*filled.excused} - course.read_column("excused").keys())
        if written and news:
            platforms.update_record(
                records=course.records,
                column="excused",
                texts=dict.fromkeys(news, "yes"),
            )
            echo(f"Now also excused here: {nbgrader.list_names(course, news)}")
    echo(*open_lines(course))


def _pack_feedback(course: nbgrader.Course, target: Path) -> None:
    """Pack everybody's feedback into one zip, named as the platform expects it."""
    with show_status("Updating the feedback pages"):  # a comment may be newer than them
        nbgrader.feedback(course, course.assignment)
    pages = nbgrader.pages(course)
    back = platforms.feedback_names(pages, course.records)
    if not back.students:
        raise CommandError(
            "No feedback can be matched to a submission on the "
            "platform. Collect the submissions again first."
        )
    platforms.write_zip(target, back.files)
    content = f"{len(back.students)} students, {target}"
    if back.platform.upload:
        echo(f"{back.platform.name}: {content}")
        echo(f"To upload it: {back.platform.upload}.")
    else:
        echo(f"A folder for each student: {content}")
        echo("Mail the pages, or attach each page to its student's submission by hand.")
    names = nbgrader.labels(course)
    print_list(
        "Not in the zip:",
        [f"{names.get(s, s)}: {reason}" for s, reason in back.unmatched],
    )


def _filled(
    course: nbgrader.Course,
    file: Path,
    column: str | None,
    scale: bool,
) -> FilledGradeFile:
    if not file.is_file():
        raise CommandError(
            f"There is no file {file}. Name a file to fill in, or one of: {_MADE}."
        )
    table = _graded(course)
    reasons = (table["status"] + ". " + table["reason"]).str.strip()
    return platforms.fill(
        data=file.read_bytes(),
        assignment=course.assignment,
        scores=dict(zip(table.index, table["total"], strict=True)),
        max_score=float(table["max_score"].max()),
        roster=read_class_list(course),
        reasons=dict(zip(table.index, reasons, strict=True)),
        excused=course.read_column("excused"),
        column=column,
        scale=scale,
    )


def _write_filled(
    filled: FilledGradeFile,
    target: Path,
    write: bool,
) -> bool:
    """Write the file if `write` is set or the user confirms; return whether it was."""
    if not filled.changes:
        console.print("Nothing to write.")
        return write
    if not write and sys.stdin.isatty() and sys.stdout.isatty():
        write = typer.confirm(f"Write {target}?")
    if write:
        target.write_bytes(filled.data)
        echo(f"Written: {target}. Import it on the platform.")
    else:
        console.print(
            "Nothing was written. To write the file, run the same command with --write."
        )
    return write


def _graded(course: nbgrader.Course) -> pd.DataFrame:
    table = nbgrader.class_table(course, nbgrader.participants(course))
    if table["total"].isna().all():
        raise CommandError(
            f"Nobody has a mark in {course.assignment!r} yet. Collect the submissions "
            "and grade them first."
        )
    # Canvas says that something was late, but not when it came.
    late = course.read_column("late")
    column = list(table.columns).index("hours_late")
    table.insert(column, "late", [student in late for student in table.index])
    return table


def _show(filled: FilledGradeFile, file: str) -> None:
    echo(f"{filled.platform}, column {filled.column!r}")
    for change in filled.changes[:SHOWN]:
        arrow = "[red]lower[/]" if change.is_lower else ""
        console.print(
            f"  {escape(change.name):30} {change.before or 'empty':>8} → "
            f"{change.after:>8} {arrow}"
        )
    if more := filled.changes[SHOWN:]:
        console.print(f"  … and {len(more)} more")
    lower = sum(change.is_lower for change in filled.changes)
    console.print(
        f"Marks that change: {len(filled.changes)}. Marks that become lower: {lower}. "
        f"Marks that stay the same: {filled.unchanged}."
    )
    print_list("Not changed:", [f"{name}: {reason}" for name, reason in filled.skipped])
    if filled.unrecognised:
        echo(
            f"If a student is not recognised, import the file first: {PROGRAM} roster "
            f"{file}"
        )
    print_list("Graded here, but not in the file:", filled.absent)
