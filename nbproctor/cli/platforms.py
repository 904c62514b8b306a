"""The verbs between the course and a learning platform: collect, roster, export."""

from __future__ import annotations

import sys
from collections import Counter
from enum import StrEnum
from math import isnan
from pathlib import Path
from typing import TYPE_CHECKING, Annotated
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import typer
from rich.markup import escape

from nbproctor import collect as collecting
from nbproctor.cli.app import (
    Assignment,
    CommandError,
    app,
    choose,
    console,
    find_course,
)
from nbproctor.roster import Roster

if TYPE_CHECKING:
    import pandas as pd

    from nbproctor.collect import Download, Written
    from nbproctor.collect.write import State
    from nbproctor.export import Filled


class Visible(StrEnum):
    """When students see what each exercise earned."""

    VISIBLE = "visible"
    AFTER_DUE_DATE = "after_due_date"
    AFTER_PUBLISHED = "after_published"
    HIDDEN = "hidden"


ROSTER = Path("collected", "roster.csv")
SHOWN = 40


@app.command()
def collect(
    source: Annotated[
        Path, typer.Argument(help="Zip or folder, as the platform gave it.")
    ],
    assignment: Assignment = None,
    roster: Annotated[
        Path | None, typer.Option(help="Class list to import first (CSV).")
    ] = None,
    timezone: Annotated[
        str, typer.Option(help="Zone of the platform's times, as Europe/Berlin.")
    ] = "",
    replace: Annotated[
        bool, typer.Option("--replace", help="Replace what is there; it is kept aside.")
    ] = False,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Only say what would be done.")
    ] = False,
) -> None:
    """Put what a platform gives into submitted/, one folder a student.

    Canvas, Moodle, Blackboard, Brightspace, GitHub Classroom, or a folder or zip with
    a folder or a file for each student. Nothing that is there is overwritten.
    """
    from nbproctor import nbgrader

    course = find_course()
    assignment = choose(course, assignment)
    sources = sorted((course / "source" / assignment).glob("*.ipynb"))
    if not sources:
        raise CommandError(f"There is no notebook in {course / 'source' / assignment}.")
    known = _roster(course)
    if roster:
        known.merge(Roster.read(roster))
    names = [path.stem for path in sources]
    download = collecting.plan(source, assignment, names, known, _zone(timezone))
    console.print(
        f"{download.platform} ({download.certainty}: {download.fitting} of "
        f"{download.total} files are named so)."
    )
    written = collecting.write(
        download,
        lambda student: nbgrader.submission_folder(course, assignment, student),
        course / "collected" / assignment,
        source.name,
        replace=replace,
        dry_run=dry_run,
    )
    if not dry_run:
        if roster:
            _import(course, known)
        kept = {person.student for person in nbgrader.people(course)}
        named = [s.person for s in download.submissions if s.person.last]
        new = [person for person in named if person.student not in kept]
        nbgrader.enrol_people(course, new)
    _tell(download, written, known)
    console.print(
        "Nothing was written: a dry run." if dry_run else "Next: python kit.py grade"
    )


@app.command()
def roster(
    file: Annotated[Path, typer.Argument(help="Class list of a platform, as CSV.")],
) -> None:
    """Import a class list, so that everybody has a name in table and formgrader.

    Any grade book or list of participants that a platform exports. People are added
    and completed, never removed.
    """
    course = find_course()
    known = _roster(course)
    before = len(known.people)
    new, changed = known.merge(Roster.read(file))
    _import(course, known)
    console.print(
        f"{new} new, {changed} changed, {before - changed} as before: "
        f"{ROSTER}, and the gradebook.",
        soft_wrap=True,
    )


@app.command()
def export(
    what: Annotated[
        str,
        typer.Argument(
            metavar="FILE|csv|parquet|gradescope|classroom",
            help="The platform's file to fill in, or what to make.",
        ),
    ],
    assignment: Assignment = None,
    column: Annotated[
        str | None, typer.Option(help="The column, by a part of its title.")
    ] = None,
    scale: Annotated[
        bool, typer.Option("--scale", help="Convert to the platform's maximum.")
    ] = False,
    write: Annotated[
        bool, typer.Option("--write", help="Write the filled file; else only show.")
    ] = False,
    visibility: Annotated[
        Visible, typer.Option(help="When Gradescope shows an exercise's result.")
    ] = Visible.AFTER_DUE_DATE,
    to: Annotated[Path | None, typer.Option(help="Where to write.")] = None,
) -> None:
    """Give grades back: fill in the file that a platform gave, or write a table.

    A platform's file (grade book of Canvas, Blackboard, Brightspace; grading worksheet
    of Moodle) is never changed: with --write, a filled copy stands beside it. What was
    not graded stays empty.
    """
    from nbproctor.export import write_table

    course = find_course()
    assignment = choose(course, assignment)
    if what in ("gradescope", "classroom"):
        _elsewhere(course, what, assignment, visibility, to)
        return
    if what in ("csv", "parquet"):
        table = _graded(course, assignment)
        path = to or course / "exported" / f"{assignment}.{what}"
        write_table(table, path)
        empty = int(table["total"].isna().sum())
        console.print(
            f"{len(table)} students, {empty} of them without a mark: "
            f"{escape(str(path))}",
            soft_wrap=True,
        )
        return
    file = Path(what)
    if not file.is_file():
        raise CommandError(
            f"There is no file {file}. Say which file to fill in, or one of: csv, "
            "parquet, gradescope, classroom."
        )
    _fill(course, file, assignment, column, scale, write, to)


def _fill(
    course: Path,
    file: Path,
    assignment: str,
    column: str | None,
    scale: bool,
    write: bool,
    to: Path | None,
) -> None:
    from nbproctor.export import fill

    table = _graded(course, assignment)
    reasons = {
        str(student): f"{row['status']}. {row['reason']}".strip()
        for student, row in table.iterrows()
        if isnan(row["total"])
    }
    filled = fill(
        file.read_bytes(),
        assignment,
        {str(student): score for student, score in table["total"].items()},
        float(table["max_score"].max()),
        _roster(course),
        reasons,
        column,
        scale,
    )
    _show(filled)
    target = to or file.with_name(f"{file.stem}_filled{file.suffix}")
    if not write and filled.changes and sys.stdin.isatty() and sys.stdout.isatty():
        write = typer.confirm(f"Write {target}?")
    if not filled.changes:
        console.print("Nothing to write.")
    elif write:
        target.write_bytes(filled.data)
        console.print(
            f"Written: {escape(str(target))}. Import it there.", soft_wrap=True
        )
    else:
        console.print("Nothing was written. To write it: the same with --write")


def _graded(course: Path, assignment: str) -> pd.DataFrame:
    from nbproctor import nbgrader

    table = nbgrader.class_table(course, assignment)
    if table["total"].isna().all():
        raise CommandError(
            f"Nobody has a mark in {assignment!r} yet: collect, then grade."
        )
    # Canvas says that something was late, but not when it came.
    late = collecting.late(course / "collected" / assignment)
    place = list(table.columns).index("hours_late")
    table.insert(place, "late", [student in late for student in table.index])
    return table


def _show(filled: Filled) -> None:
    console.print(
        f"{filled.platform}, column {escape(repr(filled.column))}", soft_wrap=True
    )
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
    _list("Left as they are:", [f"{who}: {why}" for who, why in filled.left])
    _list("Graded here, but not in the file:", filled.absent)


def _list(title: str, lines: list[str]) -> None:
    if lines:
        console.print(title)
    for line in lines:
        console.print(f"  {escape(line)}", soft_wrap=True)


def _tell(download: Download, written: list[Written], known: Roster) -> None:
    states = Counter(w.state for w in written)
    words: dict[State, str] = {
        "new": "new",
        "replaced": "replaced, the older one kept aside",
        "same": "there already",
        "kept": "not written",
    }
    parts = [f"{states[s]} {words[s]}" for s in words if states[s]]
    console.print(f"{len(written)} students: {', '.join(parts) or 'none'}.")
    found = Counter(w.submission.found_by for w in written)
    if known.people:
        by = [f"{n} by {how}" for how, n in found.most_common() if how]
        console.print(f"Found in the class list: {', '.join(by) or 'nobody'}.")
    late = [w.submission.person.name for w in written if w.submission.late]
    if late:
        console.print(f"Late, says {download.platform}: {escape('; '.join(late))}.")
    lines = [f"{w.submission.person.name}: {w.why}" for w in written if w.why]
    lines += [
        f"{w.submission.person.name}: {n}" for w in written for n in w.submission.notes
    ]
    _list("Look at these:", lines + [str(problem) for problem in download.problems])
    here = {w.submission.person.student for w in written}
    absent = [p.name for p in known.people if p.student not in here]
    if absent and found.total() > found[""]:
        _list("In the class list, but not in this download:", sorted(absent))


def _roster(course: Path) -> Roster:
    """Return who is known: by the class list that was imported, and the gradebook."""
    from nbproctor import nbgrader

    path = course / ROSTER
    known = Roster.read(path) if path.is_file() else Roster()
    known.merge(Roster(nbgrader.people(course)))
    return known


def _import(course: Path, known: Roster) -> None:
    from nbproctor import nbgrader

    known.write(course / ROSTER)
    nbgrader.enrol_people(course, known.people)


def _zone(name: str) -> ZoneInfo | None:
    try:
        return ZoneInfo(name) if name else None
    except (ZoneInfoNotFoundError, ValueError) as error:
        raise CommandError(f"There is no time zone {name!r}.") from error


def _elsewhere(
    course: Path, what: str, assignment: str, visibility: Visible, to: Path | None
) -> None:
    from nbproctor import nbgrader
    from nbproctor.export.classroom import write_workflow
    from nbproctor.export.gradescope import pack

    nbgrader.check_exportable(course, assignment)
    if what == "classroom":
        path = to or course / ".github" / "workflows" / f"grade_{assignment}.yml"
        write_workflow(assignment, path)
        console.print(
            f"Workflow: {escape(str(path))}\n"
            "It is for your own private repository; its first lines say what it needs.",
            soft_wrap=True,
        )
        return
    path = to or course / "exported" / f"{assignment}_gradescope.zip"
    pack(course, assignment, path, visibility.value)
    console.print(
        f"Autograder: {escape(str(path))}, {path.stat().st_size >> 20} MB\n"
        "On Gradescope: Configure Autograder, Zip file upload, base image Ubuntu. "
        "Its build log ends with "
        '"The reference solution earns every point in this container."',
        soft_wrap=True,
    )
