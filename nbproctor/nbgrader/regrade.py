"""Regrading: report changed marks, and lower none unless it is asked for.

A mark can change because the student handed in something else, and then it is simply
the mark of that. Where the same files earn less than before, because a test or a limit
was changed, the mark that a student may have seen is kept until somebody says that the
lower one is meant.
"""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from math import isnan
from pathlib import Path
from typing import Any, Unpack

from nbgrader.api import (
    Assignment,
    Comment,
    Grade,
    Gradebook,
    SubmittedAssignment,
    SubmittedNotebook,
)

from nbproctor.nbgrader.course import Course
from nbproctor.nbgrader.grading import GradeOptions, grade
from nbproctor.nbgrader.lock import course_lock
from nbproctor.nbgrader.marks import scores
from nbproctor.results import SubmissionResult

BEFORE = ".nbproctor-before-"
Rows = dict[str, dict[str, Any]]  # id of a row → its columns


@dataclass(frozen=True)
class MarkChange:
    """A student whose mark is not what it was.

    Attributes
    ----------
    before, after : float or None
        Total points, late penalty taken off; None: no mark.
    resubmitted : bool
        The student handed in something else since.
    kept : bool
        The mark is lower for the same files, and the one before was kept.
    """

    student: str
    before: float | None
    after: float | None
    resubmitted: bool
    kept: bool

    @property
    def lower(self) -> bool:
        """Whether something was lost."""
        return self.before is not None and (
            self.after is None or self.after < self.before
        )


def regrade(
    course: Path | Course,
    assignment: str,
    progress: Callable[[SubmissionResult], None] | None = None,
    *,
    lower: bool = False,
    **options: Unpack[GradeOptions],
) -> tuple[list[SubmissionResult], list[MarkChange]]:
    """Grade as `grade` does, and tell whose mark has changed.

    Marks and comments given by hand stay, whatever the tests say now.

    Parameters
    ----------
    course, assignment, progress, **options
        As for `grade`.
    lower : bool
        Let a mark become lower though the student's files are the same.

    Returns
    -------
    results : list of SubmissionResult
        As `grade` returns them; where a mark was kept, the one from before.
    changes : list of MarkChange
        Sorted by student; first marks are no changes.

    Raises
    ------
    CourseError
        As `grade` raises it.
    """
    course = Course.at(course)

    def graded_folder(student: str) -> Path:
        return course.folder("autograded", assignment, student)

    with course.gradebook() as book:
        rows = _rows(book, assignment)
    before = _totals(course, assignment, rows)
    old = {
        s: r for s in rows if (r := SubmissionResult.read(graded_folder(s))) is not None
    }
    # Who was graded in this run; another run may be at work on others.
    touched: set[str] = set()

    def tell(result: SubmissionResult) -> None:
        touched.add(result.student)
        if progress:
            progress(result)

    kept: set[str] = set()
    results: list[SubmissionResult] = []
    changes: list[MarkChange] = []
    root = Path(course.view.root)
    with (
        course_lock(root, f"grading {assignment!r}"),
        _aside(root, {student: graded_folder(student) for student in old}) as copies,
    ):
        try:
            results = grade(course, assignment, progress=tell, **options)
        finally:
            # After Ctrl-C too: what was graded again till then may be lower.
            after = _totals(course, assignment, rows)
            for student in touched & old.keys():
                was, now = old[student], SubmissionResult.read(graded_folder(student))
                change = _change(student, before, after, was, now, lower)
                if change is None:
                    continue
                changes.append(change)
                if change.kept:
                    kept.add(student)
                    with course.gradebook() as book:
                        _restore(book, rows[student])
                    shutil.rmtree(graded_folder(student), ignore_errors=True)
                    shutil.copytree(copies / student, graded_folder(student))
    results = [old[r.student] if r.student in kept else r for r in results]
    return results, sorted(changes, key=lambda change: change.student)


def _change(
    student: str,
    before: Mapping[str, float | None],
    after: Mapping[str, float | None],
    was: SubmissionResult,
    now: SubmissionResult | None,
    lower: bool,
) -> MarkChange | None:
    if before.get(student) == after.get(student):
        return None
    resubmitted = now is None or now.handed_in != was.handed_in
    change = MarkChange(
        student, before.get(student), after.get(student), resubmitted, False
    )
    if change.lower and not resubmitted and not lower:
        return MarkChange(student, change.before, change.after, False, True)
    return change


def _totals(
    course: Course, assignment: str, students: Collection[str]
) -> dict[str, float | None]:
    if not students:
        return {}
    totals = scores(course, assignment)["total"]
    return {str(s): None if isnan(total) else total for s, total in totals.items()}


def _rows(book: Gradebook, assignment: str) -> dict[str, dict[type, Rows]]:
    """Return what grading may change: student → table → row → columns."""
    by_student: dict[str, dict[type, Rows]] = {}
    columns = {
        Grade: ("auto_score", "manual_score", "extra_credit", "needs_manual_grade"),
        Comment: ("auto_comment",),
        SubmittedNotebook: ("late_submission_penalty",),
    }
    for table, names in columns.items():
        query = book.db.query(
            SubmittedAssignment.student_id,
            table.id,
            *(getattr(table, name) for name in names),
        )
        if table is SubmittedNotebook:
            query = query.select_from(SubmittedNotebook)
        else:
            query = query.select_from(table).join(
                SubmittedNotebook, SubmittedNotebook.id == table.notebook_id
            )
        query = (
            query.join(
                SubmittedAssignment,
                SubmittedAssignment.id == SubmittedNotebook.assignment_id,
            )
            .join(Assignment, Assignment.id == SubmittedAssignment.assignment_id)
            .filter(Assignment.name == assignment)
        )
        for student, row, *values in query:
            rows = by_student.setdefault(student, {}).setdefault(table, {})
            rows[row] = dict(zip(names, values, strict=True))
    return by_student


def _restore(book: Gradebook, tables: Mapping[type, Rows]) -> None:
    for table, rows in tables.items():
        for row, values in rows.items():
            book.db.query(table).filter_by(id=row).update(values)
    book.db.commit()


@contextmanager
def _aside(root: Path, folders: Mapping[str, Path]) -> Iterator[Path]:
    """Keep what was graded before; by links, since grading never writes into a file."""
    for left in root.glob(f"{BEFORE}*"):  # by a run that was killed
        shutil.rmtree(left, ignore_errors=True)
    with tempfile.TemporaryDirectory(prefix=BEFORE, dir=root) as name:
        for student, path in folders.items():
            shutil.copytree(path, Path(name) / student, copy_function=_link)
        yield Path(name)


def _link(source: str, target: str) -> None:
    try:
        os.link(source, target, follow_symlinks=False)
    except OSError:  # a file system without links
        shutil.copy2(source, target)
