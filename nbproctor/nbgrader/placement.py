"""Placement: where each test cell is judged, determined with the reference solution.

Most test cells are judged from outside, by a judge that the answer cannot reach. One in
which the reference solution loses points so, but none when it runs as in a kernel, is
judged beside the answer (see `judge.beside`); nobody has to configure that. One that
passes in a kernel alone is judged nowhere: a 0 would blame the student.
"""

from __future__ import annotations

import json
import logging
import math
import os
from collections.abc import Iterable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import nbclient
import nbformat
from nbformat import NotebookNode
from nbgrader.coursedir import CourseDirectory
from nbgrader.utils import determine_grade, has_failed

from nbproctor import __version__
from nbproctor.engine import ExecutionError, Executor, Settings
from nbproctor.notebook import Cell, MasterNotebook, Where
from nbproctor.results import Report, StudentCell

FILE = ".nbproctor.json"  # in the course's folder
Places = dict[str, tuple[Where, str]]  # test cell → where, and why not in the judge
log = logging.getLogger(__name__)


def placed(master: MasterNotebook, course: CourseDirectory) -> MasterNotebook:
    """Return the notebook with its test cells where they were found to belong."""
    known = _read(course).get(master.assignment, {}).get(master.notebook, {})
    if known.get("digest") != _digest(master):
        return master
    return _with(master, {name: tuple(at) for name, at in known["tests"].items()})


def place(
    master: MasterNotebook,
    course: CourseDirectory,
    settings: Settings,
    pool: Executor,
    folder: Path,
    *,
    again: bool = False,
) -> MasterNotebook:
    """Determine where the test cells are judged, or read it, and record it.

    The reference solution is executed by `pool`; `folder` is that of its source.
    `again` determines it even if it is recorded.
    """
    known = _read(course)
    book = known.setdefault(master.assignment, {})
    digest = _digest(master)
    if not again and book.get(master.notebook, {}).get("digest") == digest:
        return placed(master, course)
    try:
        places = _find(_with(master, {}), settings, pool, folder)
    except ExecutionError as error:
        log.warning("The reference solution of %s: %s", master.notebook, error)
        return _with(master, {})
    book[master.notebook] = {"digest": digest, "tests": places}
    path = Path(course.root, FILE)
    try:
        path.write_text(json.dumps(known, indent=1, sort_keys=True) + "\n", "utf-8")
    except OSError as error:  # found again by the next run
        log.warning("%s cannot be written: %s", path, error)
    return _with(master, places)


def without_trust(master: MasterNotebook) -> MasterNotebook:
    """Return the notebook with nothing judged beside the answer."""
    return master.with_cells(
        replace(cell, where="nowhere") if cell.where == "beside" else cell
        for cell in master.cells
    )


def places_told(masters: Iterable[MasterNotebook]) -> list[str]:
    """Say which test cells the judge does not judge, and why."""
    tests = [cell for master in masters for cell in master.of_kind("test")]
    told = []
    for where, said in (
        ("beside", "judged beside the answer, where its code could forge the result"),
        ("nowhere", "not judged"),
    ):
        named = [cell for cell in tests if cell.where == where]
        if named:
            names = "; ".join(f"{cell.id} ({cell.why})" for cell in named)
            told.append(f"{len(named)} of {len(tests)} test cells are {said}: {names}")
    return told


def _find(
    master: MasterNotebook, settings: Settings, pool: Executor, folder: Path
) -> Places:
    pool.prepare(master, settings)  # or say why nothing can be executed
    lost = _lost(master, settings, pool)
    if not lost:
        return {}
    beside: Places = {name: ("beside", why) for name, why in lost.items()}
    still = _lost(_with(master, beside), settings, pool)
    places: Places = {n: at for n, at in beside.items() if n not in still}
    if still:
        # What fails in a kernel too is the reference's fault, as lint says.
        timeout = math.ceil(settings.limits.cell)
        fails = {name for name, _ in kernel_faults(master, folder, timeout)}
        told = {name: lost.get(name, why) for name, why in still.items()}
        places |= {n: ("nowhere", why) for n, why in told.items() if n not in fails}
    return places


def _lost(master: MasterNotebook, settings: Settings, pool: Executor) -> dict[str, str]:
    """Grade the reference solution; return the tests that it does not pass, and why."""
    alone = replace(settings, follow_through=False, stderr_fails_tests=False)
    cells = reference(master)
    report: Report = pool.execute(cells, master, alone, {}).result()
    return {v.cell_id: v.message for v in report.verdicts if v.outcome != "passed"}


def reference(master: MasterNotebook) -> list[StudentCell]:
    """Return the source's own cells as a submission."""
    return [
        StudentCell(number, cell.id, cell.source)
        for number, cell in enumerate(master.cells)
        if cell.kind not in ("helper", "task", "text")
    ]


def _with(master: MasterNotebook, places: dict[str, Any]) -> MasterNotebook:
    cells = []
    for cell in master.cells:
        where, why = places.get(cell.id, ("judge", ""))
        if cell.kind == "test" and (cell.where, cell.why) != (where, why):
            cell = replace(cell, where=where, why=why)
        cells.append(cell)
    return master.with_cells(cells)


def _digest(master: MasterNotebook) -> str:
    return f"{__version__} {_with(master, {}).digest}"


def _read(course: CourseDirectory) -> dict[str, Any]:
    try:
        known = json.loads(Path(course.root, FILE).read_text("utf-8"))
    except (OSError, ValueError):
        return {}
    return known if isinstance(known, dict) else {}


def kernel_faults(
    master: MasterNotebook, folder: Path, timeout: int
) -> Iterator[tuple[str, str]]:
    """Run all code in `folder` as stock nbgrader does, without skipped demo cells.

    Yields each cell that fails or does not earn all its points, and a sentence. A cell
    that needs more than `timeout` seconds is interrupted.
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
