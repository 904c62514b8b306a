"""Steps of nbgrader's pipelines: outputs in, hidden tests out."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from nbformat import NotebookNode, from_dict
from nbgrader.converters.base import NbGraderException
from nbgrader.preprocessors import (
    CheckCellMetadata,
    ClearHiddenTests,
    NbGraderPreprocessor,
)
from nbgrader.preprocessors import Execute as StockExecute
from nbgrader.utils import is_locked
from traitlets.utils.importstring import import_item

from nbproctor.results import Report


def with_our_steps(chosen: Sequence[type | str]) -> list[type]:
    """Return a pipeline of nbgrader's with our `Execute` in the place of its own.

    ``CheckCellMetadata`` is left out: the metadata comes from the source, which was
    checked when the release was made.
    """
    steps = [import_item(step) if isinstance(step, str) else step for step in chosen]
    return [
        Execute if step is StockExecute else step
        for step in steps
        if step is not CheckCellMetadata
    ]


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
        for index, cell in enumerate(nb.cells):
            if cell.cell_type == "code":
                name = cell.metadata.get("nbgrader", {}).get("grade_id")
                outputs = report.tests.get(name, report.outputs.get(index, []))
                cell.outputs = [from_dict(output) for output in outputs]
        return nb, resources


class HideHiddenTests(ClearHiddenTests):  # type: ignore[misc]
    """Leaves hidden tests out of a page; comments outside the markers stay."""

    # The tools of hidden tests stand in cells that are not graded.
    enforce_metadata = False

    def preprocess_cell(
        self, cell: NotebookNode, resources: dict[str, Any], cell_index: int
    ) -> tuple[NotebookNode, dict[str, Any]]:
        """Clear a cell of the assignment; a marker in a student's own is only text."""
        if not is_locked(cell):
            return cell, resources
        cleared: tuple[NotebookNode, dict[str, Any]] = super().preprocess_cell(
            cell, resources, cell_index
        )
        return cleared
