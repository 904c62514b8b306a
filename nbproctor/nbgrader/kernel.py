"""Kernel check: the reference solution as stock nbgrader grades it, cell by cell."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import nbclient
import nbformat
from nbformat import NotebookNode
from nbgrader.utils import determine_grade, has_failed

from nbproctor.notebook import Cell, MasterNotebook


def kernel_faults(
    master: MasterNotebook, folder: Path, timeout: int
) -> Iterator[tuple[str, str]]:
    """Run all code in notebook order, without demo cells that are skipped in grading.

    Parameters
    ----------
    master, folder
        The notebook, and the folder that it runs in.
    timeout
        Seconds for a cell; one that needs more is interrupted.

    Yields
    ------
    name, complaint : str
        A cell that fails or does not earn all its points, and a sentence.
    """
    notebook = nbformat.v4.new_notebook()
    notebook.cells = [
        _node(cell)
        for cell in master.cells
        if cell.kind not in ("task", "text") and not cell.skip
    ]
    nbclient.NotebookClient(
        notebook,
        timeout=timeout,
        interrupt_on_timeout=True,
        allow_errors=True,
        resources={"metadata": {"path": str(folder)}},
        extra_arguments=["--log-level=ERROR"],
    ).execute(env=os.environ | {"NBGRADER_EXECUTION": "autograde"})
    for node in notebook.cells:
        name = node.metadata["name"]
        said = _complaint(node)
        marks: dict[str, Any] = node.metadata.get("nbgrader", {})
        if not marks.get("grade"):
            if has_failed(node):
                yield name, f"the cell {name} fails ({said})."
            continue
        try:
            score, most = determine_grade(node)
        except ValueError as error:  # more points than the cell has
            yield name, f"nbgrader refuses what {name} ends in ({error})."
            continue
        if score is None:  # graded by hand
            continue
        if has_failed(node) or score < most:
            yield name, f"the reference earns {score} of {most} in {name} ({said})."


def _node(cell: Cell) -> NotebookNode:
    node: NotebookNode = nbformat.v4.new_code_cell(cell.source)
    node.metadata["name"] = cell.id
    if cell.nbgrader:
        node.metadata["nbgrader"] = nbformat.from_dict(cell.nbgrader)
    return node


def _complaint(node: NotebookNode) -> str:
    for output in node.outputs:
        if output.output_type == "error":
            return f"{output.ename}: {output.evalue}"
        if output.get("name") == "stderr":
            return f"stderr: {output.text.strip()}"
    return "no message"
