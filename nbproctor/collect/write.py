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

from nbproctor.collect.plan import Download
from nbproctor.collect.submission import Submission
from nbproctor.roster.textfile import as_written, harmless

State = Literal["new", "same", "replaced", "kept"]
STAMP = "timestamp.txt"
COLUMNS = ("student", "name", "platform", "submitted", "late", "attempt", "source")


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
        Folder for ``record.csv``, and for submissions that were replaced.
    source : str
        The download's name, for the record.
    replace : bool
        Replace what is there even where it cannot be told which is newer.
    dry_run : bool
        Only say what would be done.
    """
    record = _read(records / "record.csv")
    result = []
    for submission in download.submissions:
        student = submission.person.student
        folder = destination(student)
        state, why = _compare(submission, folder, record.get(student), replace)
        result.append(Written(submission, state, why))
        if dry_run or state in ("kept", "same"):
            continue
        if state == "replaced":
            _move_away(folder, records / "replaced" / student)
        _write_whole(submission, folder)
        record[student] = {
            "student": student,
            "name": submission.person.name,
            "platform": download.platform,
            "submitted": _utc(submission.submitted),
            "late": "yes" if submission.late else "",
            "attempt": submission.attempt,
            "source": source,
        }
    if not dry_run and any(w.state in ("new", "replaced") for w in result):
        _save(records / "record.csv", record)
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


def _read(path: Path) -> dict[str, dict[str, str]]:
    try:
        with path.open(newline="", encoding="utf-8") as file:
            rows = list(csv.DictReader(file))
    except FileNotFoundError:
        return {}
    rows = [{k: as_written(v) for k, v in row.items()} for row in rows]
    return {row["student"]: row for row in rows if set(COLUMNS) <= row.keys()}


def _save(path: Path, record: dict[str, dict[str, str]]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, COLUMNS, lineterminator="\n")
        writer.writeheader()
        for student in sorted(record):
            writer.writerow({k: harmless(v) for k, v in record[student].items()})


def late(records: Path) -> set[str]:
    """Return who was late by the platform's word, of a folder that `write` filled."""
    record = _read(records / "record.csv")
    return {student for student, row in record.items() if row["late"]}
