"""Graded submissions of a class, as pages show them: results, marks and outlines."""

from __future__ import annotations

import fnmatch
from collections.abc import Collection, Iterator
from pathlib import Path

from nbgrader.coursedir import CourseDirectory

from nbproctor.nbgrader.course import directory, folder, load_config
from nbproctor.nbgrader.gradebook import open_gradebook
from nbproctor.nbgrader.marks import Record, read_records
from nbproctor.nbgrader.masters import master_notebooks
from nbproctor.nbgrader.source import CourseError
from nbproctor.notebook import MasterNotebookError
from nbproctor.pages.outline import Outline
from nbproctor.pages.summary import GradedNotebook
from nbproctor.results import SubmissionResult


def exercise_titles(course: Path, assignment: str) -> dict[str, str]:
    """Return number and title of each exercise, as its heading in the notebook has it.

    Raises
    ------
    CourseError
        There is no such assignment.
    """
    outlines = read_outlines(directory(load_config(course, assignment)))
    return {e.id: e.name for outline in outlines.values() for e in outline.exercises}


def read_outlines(coursedir: CourseDirectory) -> dict[str, Outline]:
    """Read what all pages of an assignment share: notebook name → outline."""
    source = folder(coursedir, "source", coursedir.assignment_id)
    try:
        return {
            master.notebook: Outline.read(source / f"{master.notebook}.ipynb", master)
            for master in master_notebooks(coursedir, coursedir.assignment_id)
            if fnmatch.fnmatch(master.notebook, coursedir.notebook_id)
        }
    except MasterNotebookError as error:
        raise CourseError(str(error)) from error


def graded_notebooks(
    coursedir: CourseDirectory,
    outlines: dict[str, Outline],
    wanted: str,
    only: Collection[str] | None = None,
) -> list[GradedNotebook]:
    """Return the submissions that were graded, or refused, with the gradebook's marks.

    Of the students in `only` alone, if it is given.

    Raises
    ------
    CourseError
        There is none; the message says what is `wanted`.
    """
    graded = list(_graded_notebooks(coursedir, outlines, only))
    if not graded:
        raise CourseError(
            f"Nothing of {coursedir.assignment_id!r} is graded yet: grade it, then ask "
            f"for {wanted}."
        )
    return graded


def _graded_notebooks(
    coursedir: CourseDirectory,
    outlines: dict[str, Outline],
    only: Collection[str] | None,
) -> Iterator[GradedNotebook]:
    root, assignment = Path(coursedir.root), coursedir.assignment_id
    pattern = folder(coursedir, "autograded", assignment, coursedir.student_id)
    slot = folder(coursedir, "autograded", assignment, "*").parts.index("*")
    excluded = coursedir.student_id_exclude.split(",")
    with open_gradebook(coursedir) as book:
        records = read_records(book, assignment)
    for path in sorted(root.glob(str(pattern.relative_to(root)))):
        student = path.parts[slot]
        unwanted = student in excluded or (only is not None and student not in only)
        if unwanted or not path.is_dir():
            continue
        record = records.get(student, Record())
        result = SubmissionResult.read(path)
        if result is not None and result.student != student:
            result = None  # of somebody else, copied there
        for name in outlines:
            graded = path / f"{name}.ipynb"
            if not graded.is_file() and not (result and name in result.notes):
                continue
            yield GradedNotebook(
                student=student,
                name=record.name,
                assignment=assignment,
                notebook=name,
                status=result.status if result else "graded",
                notes=result.notes.get(name, []) if result else [],
                verdicts=result.verdicts.get(name, []) if result else [],
                marks=record.marks.get(name, {}),
                comments=record.comments.get(name, {}),
                penalty=record.penalties.get(name, 0.0),
                late=record.late,
                path=str(graded) if graded.is_file() else None,
                seconds=result.seconds.get(name, 0.0) if result else 0.0,
            )
