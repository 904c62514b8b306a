"""What was collected: written into ``submitted/``, recorded, and named to go back.

Writing is atomic and loses no file: what a newer submission replaces is kept.
"""

from __future__ import annotations

import csv
import shutil
import tempfile
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import count
from pathlib import Path, PurePosixPath

from nbproctor.platforms.download import CollectedSubmission, Download, State
from nbproctor.platforms.platform import ExportError, Platform
from nbproctor.platforms.plug_ins import load_plug_ins
from nbproctor.platforms.registry import PLAIN, PLATFORMS
from nbproctor.platforms.sheet import write_rows
from nbproctor.sanitize import undo_spreadsheet_cell
from nbproctor.submission import border
from nbproctor.writing import write_file

Row = dict[str, str]  # column → text
Record = dict[str, Row]  # by student
_FIRST = ("student", "name", "platform", "submitted", "late", "attempt", "source")
# The last were added later: a record without them is read all the same.
COLUMNS = (*_FIRST, "address", "group", "excused", "until")


def write(
    download: Download,
    destination: Callable[[str], Path],
    records: Path,
    source: str,
    *,
    replace: bool = False,
    dry_run: bool = False,
) -> None:
    """Write the submissions of a download where the grader reads them; say which.

    `destination` gives the folder of a student id; `records` is the folder for
    ``record.csv``, which names the download `source`, for submissions that were
    replaced, and for the platform's own list. `replace`: even where it cannot be told
    which is newer. `dry_run`: only say what would be done.
    """
    record = read_record(records)
    earlier = dict(record)
    platform = download.recognised.platform
    for submission in download.submissions:
        student = submission.person.student
        folder = destination(student)
        before = record.get(student, {})
        row = before | {
            "student": student,
            "name": submission.person.name,
            "platform": platform.name,
            "submitted": utc(submission.submitted) if submission.submitted else "",
            "late": "yes" if submission.late else "",
            "attempt": submission.attempt,
            "source": source,
            "address": "/".join(submission.addresses),  # no name of a file holds one
            "group": submission.group,
        }
        submission.state, submission.reason = _compare(
            submission,
            folder=folder,
            before=before,
            after=row,
            replace=replace,
        )
        state = submission.state
        if dry_run or state == "kept":
            continue
        if state == "replaced":
            _back_up(folder, records / "replaced" / student)
        if state != "same":
            _write_whole(submission, folder)
        else:  # what is known stays, but a list of times may have come, or their zone
            when = row["submitted"] or before.get("submitted", "")
            # Of an older attempt, if the command was killed when it had replaced that.
            if before.get("attempt", "") == row["attempt"]:
                row |= {key: value for key, value in before.items() if value}
            row["submitted"] = when
            if submission.submitted and when != before.get("submitted"):
                write_time(folder, submission.submitted)
        record[student] = row
    if record != earlier:
        _save(records, record)
    if download.listing and platform.upload and not dry_run:
        write_file(records / platform.listing, download.listing)


def _back_up(folder: Path, backup_folder: Path) -> None:
    """Move a submission to the first free number below a folder."""
    backup_folder.mkdir(parents=True, exist_ok=True)
    for number in count(1):
        path = backup_folder / str(number)
        if not path.exists():
            shutil.move(folder, path)
            return


def _compare(
    submission: CollectedSubmission,
    folder: Path,
    before: Row,
    after: Row,
    replace: bool,
) -> tuple[State, str]:
    """Compare with what `folder` has; `before` and `after` are rows of the record."""
    if not folder.exists():
        return "new", ""
    current_files = {}
    for file in border.submitted_files(folder):
        path = PurePosixPath(file.relative_path.as_posix())
        current_files[path] = file.read()
    if current_files == submission.files:
        return "same", ""
    if replace:
        return "replaced", ""
    older = before.get("attempt") or before.get("submitted")
    newer = after["attempt"] or after["submitted"]
    if not older or not newer:
        return "kept", "submitted/ has another one. It is unknown which is newer."
    if (len(newer), newer) > (len(older), older):
        return "replaced", ""
    return "kept", "The one in submitted/ is newer."


def _write_whole(submission: CollectedSubmission, folder: Path) -> None:
    """Write a submission next to its place, and move it there when it is complete."""
    folder.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=".collect-", dir=folder.parent) as name:
        unfinished = Path(name) / "submission"
        unfinished.mkdir()
        for relative_path, data in submission.files.items():
            path = unfinished / relative_path
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(data)
        if submission.submitted:
            write_time(unfinished, submission.submitted)
        unfinished.rename(folder)


def write_time(folder: Path, when: datetime) -> None:
    """Say beside a submission's files when it was submitted: nbgrader reads it there.

    As its own exchange writes it.
    """
    write_file(folder / border.TIMESTAMP_FILE, utc(when))


def utc(when: datetime) -> str:
    """Return a time as nbgrader writes it."""
    return f"{when.astimezone(UTC):%Y-%m-%d %H:%M:%S} UTC"


def local_time(moment: datetime) -> str:
    """Return a moment by the clock of this place; one without a zone is in UTC."""
    if not moment.tzinfo:
        moment = moment.replace(tzinfo=UTC)
    return f"{moment.astimezone():%Y-%m-%d %H:%M %Z}"


def read_record(records: Path) -> Record:
    """Return what is said of each student, of a folder that `write` filled.

    ``late`` is the platform's word; ``excused`` and ``until`` (UTC) are a teacher's, by
    `update_record`; ``group`` names those who submitted together.
    """
    record = {}
    with (
        suppress(FileNotFoundError),
        (records / "record.csv").open(newline="", encoding="utf-8") as file,
    ):
        for cells in csv.DictReader(file):
            row = {title: undo_spreadsheet_cell(c) for title, c in cells.items()}
            if set(_FIRST) <= row.keys():
                record[row["student"]] = row
    return record


def _save(records: Path, record: Record) -> None:
    rows = [
        [row.get(column, "") for column in COLUMNS] for _, row in sorted(record.items())
    ]
    write_rows(records / "record.csv", [COLUMNS, *rows])


def update_record(
    records: Path,
    column: str,
    texts: Mapping[str, str],
) -> None:
    """Note what a teacher says of students: student id → a column's text."""
    record = read_record(records)
    for student, text in texts.items():
        row = record.setdefault(student, dict.fromkeys(COLUMNS, ""))
        row |= {"student": student, column: text}
    _save(records, record)


@dataclass
class FeedbackNames:
    """Which files of feedback go to a platform, and how they are called there."""

    platform: Platform
    files: dict[str, Path] = field(default_factory=dict)  # by their place in the zip
    students: set[str] = field(default_factory=set)  # whose feedback is in it
    #: Students whose feedback has no place there, and why.
    unmatched: list[tuple[str, str]] = field(default_factory=list)


def feedback_names(
    pages: Iterable[tuple[str, Path, Path]], records: Path
) -> FeedbackNames:
    """Name pages and annotated notebooks as the platform takes them.

    `pages`: student id, page, and the annotated notebook next to it; `records`: the
    folder that `write` filled. `ExportError`: two files would get one name.
    """
    record = read_record(records)
    counts = Counter(row["platform"] for row in record.values() if row.get("address"))
    platforms = (PLAIN, *load_plug_ins(), *PLATFORMS)
    platform = max(platforms, key=lambda platform: counts[platform.name])
    back = FeedbackNames(platform)
    for student, page, notebook in pages:
        row = record.get(student, {})
        address = student if platform is PLAIN else row.get("address", "")
        names = platform.feedback_names(address, page, notebook) if address else {}
        group = row.get("group", "")
        reason = ""
        if platform is not PLAIN and row.get("platform") != platform.name:
            reason = f"was not collected from {platform.name}"
        elif not address:
            reason = platform.why_no_address
        elif not names:
            reason = f"submitted no file called {page.stem}"
        elif group and back.files.keys() & names.values():
            reason = f"gets the feedback with {group}"
        if reason:
            back.unmatched.append((student, reason))
            continue
        back.students.add(student)
        for path, name in names.items():
            other = back.files.setdefault(name, path)
            if other != path:
                raise ExportError(
                    f"Two files would have the name {name!r} in the zip: {other} "
                    f"and {path}. Collect again, so that each student has a "
                    "different name."
                )
    listing = records / platform.listing  # the folder itself, if there is none
    if listing.is_file():
        back.files[listing.name] = listing
    return back
