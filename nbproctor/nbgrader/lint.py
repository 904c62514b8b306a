"""Proof, before anyone else sees it, that the reference solution earns every point.

Once as stock nbgrader grades, in a kernel, and once through the engine, where tests
see proxies; each test cell alone, and without what skipped demo cells make. A test
that passes here and there means the same to both.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import nbclient
import nbformat
from nbformat import NotebookNode
from nbgrader.utils import determine_grade, has_failed

from nbproctor import support_files
from nbproctor.engine import Servers, Settings, execute
from nbproctor.nbgrader.course import directory, folder, load_config
from nbproctor.nbgrader.masters import master_notebooks
from nbproctor.notebook import Cell, MasterNotebook
from nbproctor.results import StudentCell
from nbproctor.sandbox.layers import Policy

# Between two tests the namespace becomes again what the notebook made.
_KEEP = "__kept = dict(globals())"
_RESTORE = (
    "for __name in set(globals()) - set(__kept) - {'__kept'}: del globals()[__name]\n"
    "globals().update(__kept)"
)


def lint(course: Path, assignment: str) -> list[str]:
    """Grade the reference solution of an assignment in both ways.

    Returns
    -------
    list of str
        One sentence for each test cell in which it does not earn everything.

    Raises
    ------
    CourseError
        The assignment cannot be read.
    EngineError
        The engine does not run on this computer.
    """
    config = load_config(course)
    there = directory(config)
    timeout = config.ExecutePreprocessor.get("timeout", 60)
    faults = []
    for master in master_notebooks(there, assignment):
        place = folder(there, "source", assignment)
        faults += [
            f"stock nbgrader: {fault}" for fault in _stock(master, place, timeout)
        ]
        faults += [f"nbproctor: {fault}" for fault in _engine(master, place)]
    return faults


def _stock(master: MasterNotebook, place: Path, timeout: int) -> Iterator[str]:
    notebook = nbformat.v4.new_notebook()
    tests = master.of_kind("test")
    for cell in master.cells:
        if cell.kind in ("provided", "solution", "helper") and not cell.skip:
            notebook.cells.append(_node(cell))
    notebook.cells.append(nbformat.v4.new_code_cell(_KEEP))
    for cell in tests:
        notebook.cells += [_node(cell), nbformat.v4.new_code_cell(_RESTORE)]
    resources = {"metadata": {"path": str(place)}}
    nbclient.NotebookClient(
        notebook,
        timeout=timeout,
        allow_errors=True,
        resources=resources,
        extra_arguments=["--log-level=ERROR"],
    ).execute()
    for node in notebook.cells:
        marks: dict[str, Any] = node.metadata.get("nbgrader", {})
        name = marks.get("grade_id", "a cell between the tests")
        said = _complaint(node)
        if not marks.get("grade"):
            if has_failed(node):
                yield f"the cell {name} fails ({said})."
            continue
        score, most = determine_grade(node)
        if has_failed(node) or score < most:
            yield f"the reference earns {score} of {most} in {name} ({said})."


def _node(cell: Cell) -> NotebookNode:
    node: NotebookNode = nbformat.v4.new_code_cell(cell.source)
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


def _engine(master: MasterNotebook, place: Path) -> Iterator[str]:
    files = support_files.files(place, master.data)
    # Weak, because the code is the teacher's own: lint is to run on any computer.
    policy = Policy(files=tuple(files.items()), weak=True)
    cells = [
        StudentCell(number, cell.id, cell.source)
        for number, cell in enumerate(master.cells)
        if cell.kind not in ("helper", "task", "text")
    ]
    settings = Settings(policy=policy, follow_through=False)
    with Servers() as servers:
        report = execute(cells, master, settings, {}, servers)
    for verdict in report.verdicts:
        if verdict.outcome != "passed":
            yield (
                f"the reference earns {verdict.points:g} of {verdict.max_points:g} "
                f"in {verdict.cell_id} ({verdict.message})."
            )
