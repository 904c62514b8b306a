"""Contents of ``submitted/``: who submitted, when, and files that are not read."""

from __future__ import annotations

import os
import unicodedata
from collections.abc import Collection, Iterator
from contextlib import suppress
from datetime import datetime
from itertools import islice
from pathlib import Path

from nbgrader.utils import parse_utc

from nbproctor.nbgrader.course import Course
from nbproctor.nbgrader.failures import CourseError
from nbproctor.nbgrader.marks import StudentMarks
from nbproctor.results import SubmissionResult
from nbproctor.submission.border import LINK, TIMESTAMP_FILE, find, walk
from nbproctor.submission.files import replace_surrogates

MAX_LISTED = 1_000
MAX_DATE = 1000  # bytes
RESERVED_FILES = {"readme", "readme.md", "readme.txt", "thumbs.db", "desktop.ini"}
_LOOSE = (".ipynb", ".zip", ".gz", ".tar", ".py", ".json", ".7z", ".rar")


def find_submissions(
    course: Course, students: Collection[str] | None = None
) -> dict[str, Path]:
    """Return what students submitted: student id → folder; `CourseError` if nothing."""
    students = {
        student: path
        for student, path in course.folders("submitted")
        if not refuse_student(student) and (students is None or student in students)
    }
    if not students:
        expected = course.folder("submitted", "<student>")
        others = "".join(f"\n  - {each}" for each in describe_unread(course)[:10])
        raise CourseError(
            "No submissions to grade: put each student's files into "
            f"{expected}.{others}"
        )
    return students


def describe_unread(course: Course) -> list[str]:
    """Say what lies in ``submitted/`` and was not read, and where it should be."""
    pattern = course.folder("submitted", "*")
    if pattern.parts[-2:] != ("*", course.assignment):
        return []  # the course has a layout of its own
    submitted = pattern.parents[1]
    entries = islice(_find_unread(course, submitted), MAX_LISTED)
    return [f"{path} was not read: {reason}" for path, reason in entries]


def _find_unread(course: Course, submitted: Path) -> Iterator[tuple[str, str]]:
    """Yield a path below the course, and why it is not read."""
    assignment = course.assignment
    source = course.folder("source").parent
    others = {path.name for path in _entries(source)} - {assignment}
    step = submitted.name
    for student in _entries(submitted):
        shown = f"{step}/{_shown(student.name)}"
        if any(map(os.path.islink, (student, student / assignment))):
            yield f"{shown}/", f"{LINK}; put the folder itself there"
            continue
        if not student.is_dir():
            if student.name.lower() not in RESERVED_FILES:
                where = f"{step}/<student>/{assignment}/"
                yield shown, f"it is not in a student's folder; move it to {where}"
            continue
        if reason := refuse_student(student.name):
            yield f"{shown}/", f"{reason}; rename the folder"
            continue
        where = f"move it to {shown}/{assignment}/"
        entries = _entries(student)
        if not entries and os.access(student, os.R_OK | os.X_OK):
            yield f"{shown}/", "it is empty"
        for entry in entries:
            if any(_same(entry.stem, other) for other in others):
                continue  # grading that assignment names it
            entry_shown = f"{shown}/{_shown(entry.name)}"
            if entry.name == assignment:
                if not entry.is_dir():
                    yield entry_shown, f"it is not a folder; {where}"
            elif not entry.is_dir():
                if entry.name.lower().endswith(_LOOSE) or len(entries) == 1:
                    yield entry_shown, f"it is not in an assignment's folder; {where}"
            elif _same(entry.name, assignment) or _has_notebook(entry):
                reason = f"no assignment has this name. If it is {assignment}, {where}"
                yield f"{entry_shown}/", reason


def _entries(folder: Path) -> list[Path]:
    """Return what is in a folder; hidden files are the computer's own."""
    if not os.access(folder, os.R_OK | os.X_OK):
        return []  # grading reports whose work is there
    return sorted(path for path in folder.iterdir() if not path.name.startswith("."))


def refuse_student(student: str) -> str | None:
    """Return why a folder's name cannot be a student id, if it cannot."""
    if student in ("", ".", ".."):
        return "its name cannot be a student's id"
    if any(0xD800 <= ord(letter) <= 0xDFFF for letter in student):
        return "its name is not UTF-8"
    if any(unicodedata.category(letter) in ("Cc", "Zl", "Zp") for letter in student):
        return "its name has a line break or another control character"
    return None


def _same(name: str, assignment: str) -> bool:
    """Whether two names differ in case, blanks, hyphens or accents' coding only."""

    def bare(text: str) -> str:
        text = unicodedata.normalize("NFKC", text).casefold()
        return "".join(letter for letter in text if letter.isalnum())

    return bare(assignment) in bare(name)


def _has_notebook(folder: Path) -> bool:
    files = walk(folder, max_files=MAX_LISTED)
    return any(
        file.relative_path.suffix.lower() in (".ipynb", ".zip") for file in files
    )


def _shown(name: str) -> str:
    return "".join(c if c.isprintable() else "\ufffd" for c in replace_surrogates(name))


def submission_time(folder: Path) -> datetime | None:
    """Return when a folder was submitted, in UTC, if a readable file in it says so."""
    file = find(folder, TIMESTAMP_FILE)
    if file is None or file.size > MAX_DATE:
        return None
    with suppress(ValueError, OverflowError, OSError):
        return read_timestamp(file.read().decode().strip())
    return None


def is_same_time(
    result: SubmissionResult,
    marks: StudentMarks,
    folder: Path,
) -> bool:
    """Whether submission time and deadline are those of a result."""
    recorded = submission_time(folder)
    return result.late == marks.late and recorded in (None, marks.timestamp)


def read_timestamp(text: str) -> datetime:
    """Return a time of a student's in UTC; `ValueError` or `OverflowError` if none."""
    if " /" in text or ".." in text:  # a time zone may be the path of a file
        raise ValueError(text)
    when: datetime = parse_utc(text)
    return when
