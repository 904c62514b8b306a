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
from nbproctor.platforms.person import normalize
from nbproctor.results import SubmissionResult
from nbproctor.sanitize import is_hidden, visible
from nbproctor.submission.border import LINK, TIMESTAMP_FILE, find, walk

MAX_LISTED = 1_000
MAX_DATE = 1000  # bytes
RESERVED_FILES = {"readme", "readme.md", "readme.txt", "thumbs.db", "desktop.ini"}
_LOOSE = (".ipynb", ".zip", ".gz", ".tar", ".py", ".json", ".7z", ".rar")


def find_submissions(
    course: Course, students: Collection[str] | None = None
) -> dict[str, Path]:
    """Return what students submitted: student id → folder; `CourseError` if nothing."""
    folders = {
        student: path
        for student, path in course.submissions().items()
        if not refuse_student(student) and (students is None or student in students)
    }
    if not folders:
        expected = course.folder("submitted", "<student>")
        unread = describe_unread(course)[:10]
        others = "".join(f"\n  - {line}" for line in unread)
        raise CourseError(
            "No submissions to grade: put each student's files into "
            f"{expected}.{others}"
        )
    return folders


def describe_unread(course: Course) -> list[str]:
    """Describe files in ``submitted/`` that are not read, and where they should be."""
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
    others = {path.name for path in _visible_entries(source)} - {assignment}
    for student in _visible_entries(submitted):
        shown = f"{submitted.name}/{visible(student.name)}"
        folder = f"{shown}/"
        if any(map(os.path.islink, (student, student / assignment))):
            yield folder, f"{LINK}; put the folder itself there"
        elif not student.is_dir():
            if student.name.lower() not in RESERVED_FILES:
                where = f"{submitted.name}/<student>/{assignment}/"
                yield shown, f"it is not in a student's folder; move it to {where}"
        elif reason := refuse_student(student.name):
            yield folder, f"{reason}; rename the folder"
        else:
            entries = _visible_entries(student)
            if not entries and os.access(student, os.R_OK | os.X_OK):
                yield folder, "it is empty"
            for entry in entries:
                if any(_is_same_name(entry.stem, other) for other in others):
                    continue  # grading that assignment names it
                if reason := _refuse_entry(
                    entry=entry,
                    assignment=assignment,
                    is_alone=len(entries) == 1,
                ):
                    slash = "/" if entry.is_dir() else ""
                    path = f"{folder}{visible(entry.name)}{slash}"
                    yield path, f"{reason}move it to {folder}{assignment}/"


def _refuse_entry(
    entry: Path,
    assignment: str,
    is_alone: bool,
) -> str:
    """Return why grading does not read an entry of a student, or an empty text.

    Other files and folders of a student are not submissions.
    """
    name = entry.name
    if entry.is_dir():
        is_named = _is_same_name(name, assignment) or _has_notebook(entry)
        if name == assignment or not is_named:
            return ""
        return f"no assignment has this name. If it is {assignment}, "
    if name == assignment:
        return "it is not a folder; "
    if is_alone or name.lower().endswith(_LOOSE):
        return "it is not in an assignment's folder; "
    return ""


def _visible_entries(folder: Path) -> list[Path]:
    """Return the entries of a folder, without hidden files."""
    if not os.access(folder, os.R_OK | os.X_OK):
        return []  # grading reports this student
    return sorted(folder.glob("[!.]*"))


def refuse_student(student: str) -> str:
    """Return why a folder's name cannot be a student id, or nothing."""
    if student in ("", ".", ".."):
        return "its name cannot be a student's id"
    categories = {unicodedata.category(letter) for letter in student}
    if "Cs" in categories:  # a surrogate
        return "its name is not UTF-8"
    if categories & {"Cc", "Zl", "Zp"}:
        return "its name has a line break or another control character"
    if any(map(is_hidden, student)):
        return "its name has characters that do not show"
    return ""


def _is_same_name(name: str, assignment: str) -> bool:
    """Whether two names differ in case, blanks, hyphens or accents only."""
    return normalize(assignment) in normalize(name)


def _has_notebook(folder: Path) -> bool:
    return any(
        file.relative_path.suffix.lower() in (".ipynb", ".zip")
        for file in walk(folder, max_files=MAX_LISTED)
    )


def submission_time(folder: Path) -> datetime | None:
    """Return when a folder was submitted, in UTC, if a file in it has the time."""
    file = find(folder, TIMESTAMP_FILE)
    if not file or file.size > MAX_DATE:
        return None
    with suppress(ValueError, OverflowError, OSError):
        text = file.read().decode()
        return read_timestamp(text.strip())
    return None


def is_same_time(
    result: SubmissionResult,
    marks: StudentMarks,
    folder: Path,
) -> bool:
    """Whether submission time and deadline are the same as for a result."""
    recorded = submission_time(folder)
    return result.late == marks.late and recorded in (None, marks.timestamp)


def read_timestamp(text: str) -> datetime:
    """Read a time, in UTC; `ValueError` or `OverflowError` if it is none."""
    if " /" in text or ".." in text:  # a time zone may be the path of a file
        raise ValueError(text)
    when: datetime = parse_utc(text)
    return when
