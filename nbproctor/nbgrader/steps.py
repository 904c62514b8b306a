"""Steps of nbgrader's two pipelines, those of ours among them, without their copies.

nbconvert copies a notebook six times, and validates it three times, on its way. Here
nobody else holds the notebook, so none is needed.
"""

from __future__ import annotations

from functools import partialmethod
from types import SimpleNamespace
from typing import Any, ClassVar

from nbformat import NotebookNode, from_dict
from nbgrader import preprocessors
from nbgrader.api import BaseCell, Comment, Grade, Gradebook, MissingEntry
from nbgrader.converters import Autograde
from nbgrader.converters.base import NbGraderException
from nbgrader.preprocessors import CheckCellMetadata, NbGraderPreprocessor
from sqlalchemy import update
from traitlets.utils.importstring import import_item

from nbproctor.nbgrader.failures import CourseError
from nbproctor.results import Report

_OWN: dict[type, type] = {}  # nbgrader's step → the one in its place


def use_own_steps(converter: Autograde) -> None:
    """Put `Execute` and `SaveGrades` into nbgrader's two pipelines.

    ``CheckCellMetadata`` is left out: the metadata comes from the source, which was
    checked when the release was made. `CourseError`: the configuration switches
    `Execute` off, or leaves it out.
    """
    if not converter.config.Execute.get("enabled", True):
        raise CourseError(
            "nbproctor always executes: without (--no-execute), a notebook whose "
            "outputs were cleared would earn every point. Nothing is graded."
        )
    for pipeline in ("sanitize_preprocessors", "autograde_preprocessors"):
        chosen = getattr(converter, pipeline)
        steps = [import_item(s) if isinstance(s, str) else s for s in chosen]
        own = [_OWN.get(step, step) for step in steps if step is not CheckCellMetadata]
        setattr(converter, pipeline, own)
    if Execute not in converter.autograde_preprocessors:
        raise CourseError(
            "c.Autograde.autograde_preprocessors leaves out nbgrader's Execute, in "
            "whose place nbproctor puts the results: add it. Nothing is graded."
        )


class Execute(NbGraderPreprocessor):  # type: ignore[misc]
    """Fills in the outputs of an execution; stands in for nbgrader's own `Execute`."""

    def preprocess(
        self, nb: NotebookNode, resources: dict[str, Any]
    ) -> tuple[NotebookNode, dict[str, Any]]:
        """Put the outputs of the submission's report into its cells."""
        report_of = getattr(self.parent.parent, "report", None)
        if report_of is None:
            raise NbGraderException(
                "nbproctor is only half switched on: nbgrader_config.py must call "
                "nbproctor.proctor(c)."
            )
        report: Report = report_of(resources["nbgrader"]["notebook"], nb)
        said = {verdict.cell_id: verdict.outputs() for verdict in report.verdicts}
        for index, cell in enumerate(nb.cells):
            if cell.cell_type == "code":
                name = cell.metadata.get("nbgrader", {}).get("grade_id")
                outputs = said.get(name, report.outputs.get(index, []))
                cell.outputs = [from_dict(output) for output in outputs]
        return nb, resources


class SaveGrades(preprocessors.SaveAutoGrades):  # type: ignore[misc]
    """nbgrader's `SaveAutoGrades`: the same rows, read and written at once.

    nbgrader looks up each grade and comment by four joins, and commits after each. Its
    own methods run here on rows that were read before, and one commit follows.
    """

    def preprocess(
        self, nb: NotebookNode, resources: dict[str, Any]
    ) -> tuple[NotebookNode, dict[str, Any]]:
        """Write scores and comments of a notebook into the gradebook."""
        about = resources["nbgrader"]
        self.notebook_id, self.student_id = about["notebook"], about["student"]
        self.assignment_id = about["assignment"]
        with Gradebook(about["db_url"]) as book:
            notebook = book.find_submission_notebook(
                self.notebook_id, self.assignment_id, self.student_id
            )
            self.gradebook = rows = _Rows(book, notebook.id)
            # Not the parent's, which would open a gradebook of its own.
            nb, resources = NbGraderPreprocessor.preprocess(self, nb, resources)
            rows.write()
        return nb, resources


class _Rows:
    """Grades and comments of one submitted notebook, found like a gradebook's.

    They are plain values: SQLAlchemy's own objects of a hundred rows take longer than
    all that is done with them. What a person writes is read, and never written.
    """

    _READ: ClassVar[dict[type, tuple[str, ...]]] = {
        Grade: ("id", "auto_score", "needs_manual_grade", "manual_score"),
        Comment: ("id", "auto_comment"),
    }

    def __init__(self, book: Gradebook, notebook: str) -> None:
        self.db = self
        self._session = book.db
        self._before = {table: self._rows(table, notebook) for table in self._READ}
        self._now = {
            table: {name: SimpleNamespace(**row) for name, row in rows.items()}
            for table, rows in self._before.items()
        }

    def _rows(self, table: Any, notebook: str) -> dict[str, dict[str, Any]]:
        names = self._READ[table]
        found = (
            self._session.query(BaseCell.name, *(getattr(table, n) for n in names))
            .join(table, table.cell_id == BaseCell.id)
            .filter(table.notebook_id == notebook)
        )
        return {cell: dict(zip(names, row, strict=True)) for cell, *row in found}

    def commit(self) -> None:
        """Wait for `write`."""

    def write(self) -> None:
        """Write what has changed, at once."""
        for table, before in self._before.items():
            changed = [
                {k: v for k, v in vars(row).items() if k != "manual_score"}
                for cell, row in self._now[table].items()
                if vars(row) != before[cell]
            ]
            if changed:
                self._session.execute(update(table), changed)
        self._session.commit()

    def _find(self, table: type, cell: str, *_: str) -> SimpleNamespace:
        if cell not in self._now[table]:
            raise MissingEntry(f"No such {table.__name__.lower()}: {cell}")
        return self._now[table][cell]

    find_grade = partialmethod(_find, Grade)
    find_comment = partialmethod(_find, Comment)


_OWN |= {preprocessors.Execute: Execute, preprocessors.SaveAutoGrades: SaveGrades}
