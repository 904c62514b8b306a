"""Hidden tests stay hidden: nbgrader's own feedback pages print them."""

from __future__ import annotations

from typing import Any

from nbformat import NotebookNode
from nbgrader.preprocessors import ClearHiddenTests
from nbgrader.utils import is_locked


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
