"""Write into ``submitted/``: atomically, and without losing a file."""

from __future__ import annotations

import csv
import shutil
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path, PurePosixPath
from typing import Literal

from nbproctor.platforms.plan import Download
from nbproctor.platforms.submission import STAMP, Submission
from nbproctor.platforms.textfile import as_written, harmless

State = Literal["new", "same", "replaced", "kept"]
COLUMNS = ("student", "name", "platform", "submitted", "late", "attempt", "source")
LISTING = "index.html"  # Brightspace wants its own back, beside the feedback
ADDRESS = "address"  # added later: a record without this column is read all the same


@dataclass(frozen=True)
class Written:
    """What was done with one submission.

    Attributes
    ----------
    state : str
        ``new``; ``same`` (it was collected before); ``replaced`` (the older one is now
        in the folder of replaced ones); ``kept`` (the older one was kept: it is newer,
        or no time tells which one is).
    why : str
        Why it was kept.
    """

    submission: Submission
    state: State
    why: str = ""


def write(
    download: Download,
    destination: Callable[[str], Path],
    records: Path,
    source: str,
    *,
    replace: bool = False,
    dry_run: bool = False,
) -> list[Written]:
    """Write the submissions of a download where the grader reads them.

    Parameters
    ----------
    destination : callable
        Student id → folder of that student's submission.
    records : Path
        Folder for ``record.csv``, for submissions that were replaced, and for the
        platform's own list.
    source : str
        The download's name, for the record.
    replace : bool
        Replace what is there even where it cannot be told which is newer.
    dry_run : bool
        Only say what would be done.
    """
    record = read_record(records)
    result, changed = [], False
    for submission in download.submissions:
        student = submission.person.student
        folder = destination(student)
        state, why = _compare(submission, folder, record.get(student), replace)
        result.append(Written(submission, state, why))
        # Of what was collected before there was a record, or a column of it.
        unknown = state == "same" and not record.get(student, {}).get(ADDRESS)
        if dry_run or not (state in ("new", "replaced") or unknown):
            continue
        if state == "replaced":
            _move_away(folder, records / "replaced" / student)
        if state != "same":
            _write_whole(submission, folder)
        record[student] = {
            "student": student,
            "name": submission.person.name,
            "platform": download.platform,
            "submitted": _utc(submission.submitted),
            "late": "yes" if submission.late else "",
            "attempt": submission.attempt,
            "source": source,
            ADDRESS: "/".join(submission.addresses),  # no name of a file holds one
        }
        changed = True
    if changed:
        _save(records / "record.csv", record)
    if download.listing and not dry_run:
        records.mkdir(parents=True, exist_ok=True)
        (records / LISTING).write_bytes(download.listing)
    return result


def _compare(
    submission: Submission,
    folder: Path,
    recorded: dict[str, str] | None,
    replace: bool,
) -> tuple[State, str]:
    if not folder.exists():
        return "new", ""
    existing = {
        PurePosixPath(path.relative_to(folder).as_posix()): path
        for path in folder.rglob("*")
        if path.is_file() and path.relative_to(folder).as_posix() != STAMP
    }
    if existing.keys() == submission.files.keys() and all(
        existing[name].read_bytes() == data for name, data in submission.files.items()
    ):
        return "same", ""
    if replace:
        return "replaced", ""
    before = recorded["attempt"] if recorded else ""
    if before and submission.attempt:
        newer = (len(submission.attempt), submission.attempt) > (len(before), before)
        return ("replaced", "") if newer else ("kept", "What is there is newer.")
    return (
        "kept",
        "Another one is there, and no time tells which is newer.",
    )


def _move_away(folder: Path, aside: Path) -> None:
    number = 1
    while (place := aside / str(number)).exists():
        number += 1
    place.parent.mkdir(parents=True, exist_ok=True)
    shutil.move(folder, place)


def _write_whole(submission: Submission, folder: Path) -> None:
    """Write a submission beside its place, and move it there when it is complete."""
    folder.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=".collect-", dir=folder.parent) as name:
        made = Path(name) / "submission"
        made.mkdir()
        for place, data in submission.files.items():
            path = made / place
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(data)
        if submission.submitted:
            # As nbgrader's own exchange writes it, and reads it for lateness.
            (made / STAMP).write_text(_utc(submission.submitted), "utf-8")
        made.rename(folder)


def _utc(when: datetime | None) -> str:
    return f"{when.astimezone(UTC):%Y-%m-%d %H:%M:%S} UTC" if when else ""


def read_record(records: Path) -> dict[str, dict[str, str]]:
    """Return what a platform said of each student, of a folder that `write` filled."""
    try:
        with (records / "record.csv").open(newline="", encoding="utf-8") as file:
            rows = list(csv.DictReader(file))
    except FileNotFoundError:
        return {}
    rows = [{k: as_written(v) for k, v in row.items()} for row in rows]
    return {row["student"]: row for row in rows if set(COLUMNS) <= row.keys()}


def _save(path: Path, record: dict[str, dict[str, str]]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", newline="", encoding="utf-8") as file:
        columns = (*COLUMNS, ADDRESS)
        writer = csv.DictWriter(file, columns, lineterminator="\n")
        writer.writeheader()
        for student in sorted(record):
            writer.writerow({k: harmless(v) for k, v in record[student].items()})


def late(records: Path) -> set[str]:
    """Return who was late by the platform's word, of a folder that `write` filled."""
    record = read_record(records)
    return {student for student, row in record.items() if row["late"]}
