"""Proof: compare the points of known answers as submissions and in a kernel.

It runs after placement. It compares only marks, so it finds a difference whatever the
cause. Everything is graded from a file, like a submission, or run by a kernel in a copy
of the source.
"""

from __future__ import annotations

import ast
import atexit
import json
import math
import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import astuple, replace
from pathlib import Path
from tempfile import TemporaryDirectory, TemporaryFile

import nbclient
import nbformat
from nbformat import NotebookNode
from nbgrader.utils import determine_grade, has_failed, is_grade
from traitlets.config import Config

from nbproctor.cells import error_output_of
from nbproctor.engine import Execution, ExecutionError, Executor, Settings
from nbproctor.markers import parse
from nbproctor.nbgrader.failures import no_kernel
from nbproctor.notebook import (
    PYTHON_NOTEBOOK,
    Cell,
    MasterNotebook,
    temporary_copy,
)
from nbproctor.results import Limits, Report
from nbproctor.sanitize import one_line
from nbproctor.submission.repair import Ungradable, repair, student_cells

# A wrong answer may hang in every test.
QUICK = Limits(
    call=5.0,
    cell=10.0,
    submission=60.0,
)
# Variables that change what Python and matplotlib do, so marks would depend on who
# starts this; and those among them that only say where modules are.
_BEHAVIOUR = ("PYTHON", "MPLBACKEND")
_PATHS = ("PYTHONHOME", "PYTHONPATH")
# Code that the sandbox forbids: a pattern that finds it, and what to do instead.
_FORBIDDEN = {
    r"[\"'](https?|ftp)://|\bimport (requests|urllib|socket|http)\b": (
        "Its code may use the network, which grading does not allow. If it must, put "
        "c.Nbproctor.network = [{!r}] into nbgrader_config.py."
    ),
    r"^\s*!|=\s*!|^%%(bash|sh|script)\b|\bos\.(system|popen)\b|\bsubprocess\b": (
        "Its code starts other programs, which grading does not allow. In {!r}, write "
        "these lines in Python, or grade them by hand."
    ),
}


def wrong_answers(master: MasterNotebook) -> dict[str, MasterNotebook]:
    """Return the notebook without answers, and with dummy ones."""
    blank = [c if c.locked else replace(c, source=c.stub) for c in master.cells]
    wrong = {"a blank notebook": master.with_cells(blank)}
    for value in (None, 0):
        cells = [_dummy_answer(cell, value) for cell in master.cells]
        wrong[f"an answer that returns {value}"] = master.with_cells(cells)
    return wrong


def _dummy_answer(cell: Cell, value: int | None) -> Cell:
    """Return a solution cell whose functions always return the same value."""
    if cell.kind != "solution":
        return cell
    tree = parse(cell.source)
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef) and not node.name.startswith("__"):
            node.body = [ast.Return(ast.Constant(value))]
    ast.fix_missing_locations(tree)
    return replace(cell, source=ast.unparse(tree))


def reference_faults(
    master: MasterNotebook,
    settings: Settings,
    pool: Executor,
) -> Iterator[str]:
    """Grade the reference as a submission; yield a sentence for each loss."""
    try:
        report = grade_answers(master, master, settings, pool)
    except (ExecutionError, Ungradable) as error:
        yield f"the reference solution of {master.notebook} cannot run: {error}"
        return
    lost = [v for v in report.verdicts if v.outcome != "passed"]
    if not lost:
        return
    for v in lost:
        yield (
            f"the reference earns {v.points:g} of {v.max_points:g} in {v.cell_id} "
            f"of {master.notebook} ({v.message})."
        )
    code = "\n".join(cell.source for cell in master.cells if cell.kind != "text")
    for pattern, advice in _FORBIDDEN.items():
        allowed = "network" in advice and settings.policy.network
        if not allowed and re.search(pattern, code, re.MULTILINE):
            yield advice.format(master.assignment)


def wrong_differences(
    master: MasterNotebook,
    source: Path,
    settings: Settings,
    pool: Executor,
) -> Iterator[str]:
    """Grade wrong answers as submissions and by a kernel; yield the differences.

    Differences that follow-through causes are intended and not reported.
    """
    limits = Limits(*map(min, astuple(settings.limits), astuple(QUICK)))
    settings = replace(settings, limits=limits)
    for name, answers in wrong_answers(master).items():
        try:
            report = grade_answers(master, answers, settings, pool)
        except (ExecutionError, Ungradable) as error:
            yield f"{master.notebook}: {name} cannot be graded: {error}"
            continue
        nodes = run_in_kernel(
            master=answers,
            source=source,
            timeout=settings.limits.cell,
        )
        marks = {n.metadata["name"]: _points(n, settings) for n in nodes}
        for v in report.verdicts:
            points = marks.get(v.cell_id)
            if points is None or not v.max_points or v.source == "follow-through":
                continue
            earned = f"earns {v.points:g} of {v.max_points:g}"
            if v.outcome == "not run":
                earned = f"waits to be graded by hand ({v.message})"
            elif v.points == points:
                continue
            yield f"{v.cell_id}: {name} {earned}, but {points:g} in a kernel"


def grade_answers(
    master: MasterNotebook,
    answers: MasterNotebook,
    settings: Settings,
    pool: Executor,
) -> Report:
    """Grade answers from a file, like submissions."""
    cells = [
        {
            "cell_type": cell.nbgrader.get("cell_type", "code"),
            "id": cell.cell_id,
            "metadata": {"nbgrader": cell.nbgrader} if cell.nbgrader else {},
            "source": cell.stub if cell.locked else cell.source,
        }
        for cell in answers.cells
    ]
    book = {"cells": cells} | PYTHON_NOTEBOOK
    with TemporaryDirectory(prefix="nbproctor-") as folder:
        Path(folder, f"{master.notebook}.ipynb").write_text(json.dumps(book), "utf-8")
        repaired = repair(Path(folder), master)
    return pool.execute(
        Execution(
            cells=student_cells(repaired.notebook["cells"]),
            master=master,
            settings=settings,
        )
    ).result()


# ---- a kernel ------------------------------------------------------------------------


def kernel_faults(
    master: MasterNotebook,
    source: Path,
    timeout: float,
) -> Iterator[tuple[str, str]]:
    """Yield each cell that fails or loses points in a kernel, and a sentence."""
    for node in run_in_kernel(
        master=master,
        source=source,
        timeout=timeout,
    ):
        name = node.metadata["name"]
        cell = f"{name} of {master.notebook}"
        complaint = one_line(_complaint(node))
        if not is_grade(node):
            if error_output_of(node):
                yield name, f"the cell {cell} fails ({complaint})."
            continue
        try:
            score, most = determine_grade(node)
        except ValueError as error:  # more points than the cell has
            yield name, f"nbgrader rejects the last value of {cell} ({error})."
            continue
        # None: graded by hand
        if score is not None and (has_failed(node) or score < most):
            yield (
                name,
                f"the reference earns {score} of {most} in {cell} ({complaint}).",
            )


def run_in_kernel(
    master: MasterNotebook,
    source: Path,
    timeout: float,
) -> list[NotebookNode]:
    """Run a copy of `source` as stock nbgrader does, without the skipped cells.

    A cell that needs more than `timeout` seconds is interrupted.
    """
    notebook = nbformat.v4.new_notebook()
    notebook.cells = [
        _node(cell)
        for cell in master.cells
        if cell.kind not in ("task", "text") and not cell.skip
    ]
    with (
        temporary_copy(source) as folder,
        kernel_config() as config,
        TemporaryFile("w+", errors="replace") as log,
    ):
        client = nbclient.NotebookClient(
            notebook,
            config=config,
            timeout=math.ceil(timeout),
            interrupt_on_timeout=True,
            allow_errors=True,
            resources={"metadata": {"path": str(folder)}},
            extra_arguments=["--log-level=ERROR"],
        )
        environment = {"NBGRADER_EXECUTION": "autograde"}
        for name, value in os.environ.items():
            if name in _PATHS or not name.startswith(_BEHAVIOUR):
                environment[name] = value
        try:
            client.execute(env=environment, stderr=log)
        except RuntimeError as error:
            log.seek(0)
            raise no_kernel([str(error), *log]) from error
        finally:  # it raises if no kernel was started
            atexit.unregister(client._cleanup_kernel)
    nodes: list[NotebookNode] = notebook.cells
    return nodes


@contextmanager
def kernel_config() -> Iterator[Config]:
    """Yield the configuration of a kernel that is reached by files, not by TCP ports.

    Jupyter looks for free ports, and another program may take them before the kernel
    does. Windows has no such files.
    """
    config = Config()
    with TemporaryDirectory() as folder:
        if os.name == "posix":
            config.KernelManager.transport = "ipc"
            config.KernelManager.connection_file = f"{folder}/kernel.json"
        yield config


def _node(cell: Cell) -> NotebookNode:
    node: NotebookNode = nbformat.v4.new_code_cell(cell.source)
    node.metadata["name"] = cell.id
    if cell.nbgrader:
        node.metadata["nbgrader"] = nbformat.from_dict(cell.nbgrader)
    return node


def _points(node: NotebookNode, settings: Settings) -> float | None:
    """Return the points that nbgrader gives a cell, or None."""
    if not settings.stderr_fails_tests:
        node.outputs = [o for o in node.outputs if o.get("name") != "stderr"]
    try:
        points: float | None = determine_grade(node)[0]
    except ValueError:  # no test, or it ends in more points than it has
        return None
    return points


def _complaint(node: NotebookNode) -> str:
    for output in node.outputs:
        if output.output_type == "error":
            return f"{output.ename}: {output.evalue}"
        if output.get("name") == "stderr":
            return f"stderr: {output.text}"
    return "no message"
