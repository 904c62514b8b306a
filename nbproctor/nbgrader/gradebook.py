"""Gradebook of nbgrader: open it, check it, write remarks, withdraw scores."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from nbgrader import api
from nbgrader.api import (
    BaseCell,
    Gradebook,
    MissingEntry,
    SubmittedAssignment,
    SubmittedNotebook,
)
from nbgrader.coursedir import CourseDirectory

from nbproctor import sanitize
from nbproctor.nbgrader.course import directory, load_config
from nbproctor.nbgrader.source import CourseError
from nbproctor.notebook import MasterNotebook
from nbproctor.results import Score, Verdict

ROWS = 10_000  # that are in memory at once


def open_gradebook(coursedir: CourseDirectory) -> Gradebook:
    """Open the course's gradebook; close it with ``with``."""
    return Gradebook(coursedir.db_url, coursedir.course_id)


def enrol(course: Path, names: Mapping[str, str]) -> None:
    """Tell the gradebook the names of students (id → "Last, First")."""
    with open_gradebook(directory(load_config(course))) as book:
        for student, name in names.items():
            last, _, first = name.partition(", ")
            book.update_or_create_student(student, first_name=first, last_name=last)


def graded(submission: SubmittedAssignment) -> bool:
    """Whether anything of a submission has a score, given by a test or by hand."""
    return any(
        _scored(grade) for notebook in submission.notebooks for grade in notebook.grades
    )


def recorded(book: Gradebook, assignment: str) -> dict[str, tuple[Score, ...]]:
    """Return the automatic scores of an assignment: student → what is scored.

    Of a large class that is a lot: equal scores are one object, and tuples because
    Python's garbage collector does not go through those again and again.
    """
    submission, notebook, grade = SubmittedAssignment, SubmittedNotebook, api.Grade
    rows = (
        book.db.query(
            submission.student_id, api.Notebook.name, BaseCell.name, grade.auto_score
        )
        .select_from(submission)
        .join(notebook, notebook.assignment_id == submission.id)
        .join(api.Notebook, api.Notebook.id == notebook.notebook_id)
        .join(grade, grade.notebook_id == notebook.id)
        .join(BaseCell, BaseCell.id == grade.cell_id)
        .filter(submission.assignment_id == find_assignment(book, assignment).id)
    )
    found: dict[str, list[Score]] = {}
    same: dict[Score, Score] = {}
    for student, *columns in rows.yield_per(ROWS):
        score = tuple(columns)
        found.setdefault(student, []).append(same.setdefault(score, score))
    return {student: tuple(scores) for student, scores in found.items()}


def _scored(grade: Any) -> bool:
    return grade.auto_score is not None or grade.manual_score is not None


def find_assignment(book: Gradebook, assignment: str) -> Any:
    """Return an assignment's row; `CourseError` if there is none."""
    try:
        return book.find_assignment(assignment)
    except MissingEntry:
        raise CourseError(
            f"The gradebook does not know {assignment!r} yet. Make its release here, "
            f"once: `nbproctor release {assignment}` (or `python kit.py release`)."
        ) from None


def check_gradebook(
    coursedir: CourseDirectory, expected: Iterable[MasterNotebook]
) -> None:
    """Check that the gradebook's cells are the source's: grading needs both.

    Raises
    ------
    CourseError
        The release was never made, or the source has changed since.
    """
    with open_gradebook(coursedir) as book:
        for master in expected:
            course = find_assignment(book, master.assignment).course_id
            if course != coursedir.course_id:
                raise CourseError(
                    f"The gradebook {coursedir.db_url} is of the course {course!r}, "
                    f"not of {coursedir.course_id!r}: correct "
                    "c.CourseDirectory.course_id, or move that gradebook away and make "
                    "the release again."
                )
            try:
                notebook = book.find_notebook(master.notebook, master.assignment)
            except MissingEntry:
                changed = [f"the whole notebook '{master.notebook}'"]
            else:
                points = {
                    c.name: c.max_score
                    for c in (*notebook.grade_cells, *notebook.task_cells)
                }
                known = {
                    c.name: (c.source if c.locked else "", points.get(c.name, 0.0))
                    for c in notebook.source_cells
                }
                wanted = {
                    c.id: (c.source if c.locked else "", c.points)
                    for c in master.cells
                    if c.is_stored
                }
                changed = [
                    name
                    for name in known.keys() | wanted.keys()
                    if known.get(name) != wanted.get(name)
                ]
            if changed:
                raise CourseError(
                    f"The source of {master.assignment!r} is not what the gradebook "
                    f"was told when the release was made ({_some(changed)}). Make the "
                    "release again, then grade."
                )


def _some(names: list[str]) -> str:
    names = sorted(names)
    return ", ".join(names[:3]) + (f" and {len(names) - 3} more" if names[3:] else "")


def submission(book: Gradebook, assignment: str, student: str) -> SubmittedAssignment:
    """Return the submission, made with its empty grades if it is new."""
    book.update_or_create_student(student)
    return book.update_or_create_submission(assignment, student)


def withdraw(
    book: Gradebook, submission: SubmittedAssignment, reasons: Mapping[str, str]
) -> None:
    """Take back every score of notebooks that could not be graded, and say why.

    An older score must not stand for a newer submission, nor may there be a 0:
    nbgrader knows *not graded* as no score and *needs manual grade*.

    Parameters
    ----------
    reasons : mapping
        Notebook name → why it could not be graded.
    """
    if not reasons:
        return
    for notebook in submission.notebooks:
        if notebook.name not in reasons:
            continue
        notebook.late_submission_penalty = None
        for grade in notebook.grades:
            grade.auto_score = grade.manual_score = grade.extra_credit = None
            grade.needs_manual_grade = True
        for comment in notebook.comments:
            reason = sanitize.markdown(reasons[notebook.name])
            comment.auto_comment = f"Not graded. {reason}"
    book.db.commit()


def unscore(
    book: Gradebook,
    submission: SubmittedAssignment,
    notebook: str,
    cells: Collection[str],
) -> None:
    """Take back the automatic scores of some cells: they say nothing."""
    for submitted in submission.notebooks:
        for grade in submitted.grades:
            if submitted.name == notebook and grade.name in cells:
                grade.auto_score, grade.needs_manual_grade = None, True
    book.db.commit()


def totals(
    book: Gradebook, submission: SubmittedAssignment
) -> tuple[float, float, float]:
    """Return points, late penalty and highest score of a submission."""
    row = SubmittedAssignment
    columns = row.score, row.late_submission_penalty, row.max_score
    points, penalty, highest = (
        book.db.query(*columns).filter(row.id == submission.id).one()
    )
    return float(points), float(penalty), float(highest)


def unscored(book: Gradebook, submission: SubmittedAssignment) -> list[str]:
    """Return the names of the cells that have no score yet, by test or by hand."""
    grade, notebook = api.Grade, SubmittedNotebook
    waiting = (
        book.db.query(grade.id)
        .join(notebook, notebook.id == grade.notebook_id)
        .filter(notebook.assignment_id == submission.id)
        .filter(grade.auto_score.is_(None), grade.manual_score.is_(None))
    )
    if waiting.first() is None:  # of most submissions: no need to read all grades
        return []
    return [
        grade.name
        for notebook in submission.notebooks
        for grade in notebook.grades
        if not _scored(grade)
    ]


def remark(
    book: Gradebook,
    submission: SubmittedAssignment,
    notebook: str,
    sentences: Sequence[str],
    verdicts: Sequence[Verdict],
) -> None:
    """Put what a student should know beside the answers, as automatic comments.

    Formgrader and the feedback page show them: `sentences` at the first answer, and
    at each exercise which marks were earned by follow-through.
    """
    followed = [v for v in verdicts if v.source == "follow-through"]
    if not sentences and not followed:
        return
    for submitted in submission.notebooks:
        if submitted.name != notebook:
            continue
        order = {cell.name: i for i, cell in enumerate(submitted.notebook.source_cells)}
        comments = (
            book.db.query(BaseCell.name, api.Comment)
            .join(api.Comment, api.Comment.cell_id == BaseCell.id)
            .filter(api.Comment.notebook_id == submitted.id)
        )
        in_order = sorted(comments, key=lambda row: order.get(row[0], len(order)))
        for position, (exercise, comment) in enumerate(in_order):
            texts = [] if position else list(sentences)
            texts += [
                f"{verdict.cell_id}: {verdict.message}"
                for verdict in followed
                if verdict.exercise == exercise
            ]
            if texts:
                already = [comment.auto_comment] if comment.auto_comment else []
                # A feedback page renders it, with names of a student's files in it.
                comment.auto_comment = sanitize.markdown(" ".join([*texts, *already]))
    book.db.commit()
