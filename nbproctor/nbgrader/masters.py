"""Master notebooks of an assignment, with the cells that nbgrader's gradebook adds."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from nbgrader import api
from nbgrader.api import MissingEntry
from nbgrader.coursedir import CourseDirectory

from nbproctor.markers import has_autotests
from nbproctor.nbgrader.course import directory, folder, load_config, source_notebooks
from nbproctor.nbgrader.placement import placed
from nbproctor.nbgrader.source import CourseError
from nbproctor.notebook import MasterNotebook, MasterNotebookError


def masters_of(course: Path, assignment: str) -> list[MasterNotebook]:
    """Read the master notebooks of an assignment of the course in a folder.

    Raises
    ------
    CourseError
        There is no such course or assignment, or a notebook of it cannot be read.
    """
    return master_notebooks(directory(load_config(course)), assignment)


def master_notebooks(course: CourseDirectory, assignment: str) -> list[MasterNotebook]:
    """Read the assignment's notebooks for grading.

    Raises
    ------
    CourseError
        There is no such assignment, a notebook of it cannot be read, or it is not for
        Python.
    """
    release = folder(course, "release", assignment)
    try:
        masters = [
            MasterNotebook.read(path, release / path.name, *header_and_footer(course))
            for path in source_notebooks(course, assignment)
        ]
    except MasterNotebookError as error:
        raise CourseError(str(error)) from error
    for master in masters:
        if master.language != "python":
            raise CourseError(
                f"{master.notebook!r} is a notebook for {master.language!r}. nbproctor "
                "grades Python only: take proctor(c) out of nbgrader_config.py to "
                "grade this course with nbgrader alone."
            )
    return [placed(_with_autotests(master, course), course) for master in masters]


def header_and_footer(course: CourseDirectory) -> tuple[Path | None, Path | None]:
    """Return the notebooks that the course puts around each of its own, if any."""
    options = course.config.IncludeHeaderFooter
    header, footer = (
        Path(course.root, name) if (name := options.get(part)) else None
        for part in ("header", "footer")
    )
    return header, footer


def _with_autotests(master: MasterNotebook, course: CourseDirectory) -> MasterNotebook:
    """Add the tests that nbgrader made of ``### AUTOTEST`` lines for the release.

    They are made from what the reference solution gives, and kept in the gradebook.
    """
    if not any(has_autotests(cell.source) for cell in master.cells):
        return master
    try:
        with api.Gradebook(course.db_url, course.course_id) as book:
            notebook = book.find_notebook(master.notebook, master.assignment)
            made = {cell.name: cell.source for cell in notebook.source_cells}
    except MissingEntry:
        return master  # no release yet
    return master.with_cells(
        replace(cell, source=made.get(cell.id, cell.source))
        if has_autotests(cell.source)
        else cell
        for cell in master.cells
    )
