"""A test cell judged beside the answer: in a sandboxed process of the student's own.

What captures output, patches or deletes a student's names, or looks into objects of
any library cannot be judged through proxies. Such a cell runs as in a kernel, in a
process that has run the student's cells and nothing else of this class. The student's
code shares that process with the test and could forge its result, as under stock
nbgrader; what it cannot reach is all that the sandbox keeps from it, and the hidden
parts of other test cells (but for imports), which are never in this process.
"""

from __future__ import annotations

import ast
import builtins
from collections.abc import Callable, Container, Iterable
from typing import Any

from nbproctor.judge.order import Step
from nbproctor.markers import parse
from nbproctor.notebook import Cell
from nbproctor.results import Outcome, Output
from nbproctor.sanitize import one_line

UNJUDGED = "This test cannot be judged from outside; tell your teacher."
Run = Callable[[Step], list[Output]]


def play(cell: Cell, history: Iterable[Step], needs: Container[str], run: Run) -> Any:
    """Run what comes before a test cell, and the cell; return its outputs.

    Parameters
    ----------
    cell
        The test cell.
    history
        All steps before it, in order; the student's cells among them were run before.
    needs
        Test cells of which it, or the answer, reads something. Their imports are run,
        and what students see of them.
    run
        Runs a step in the fresh process.
    """
    for step in history:
        if step.test is None:
            run(step)
        elif step.name in needs:
            run(Step(step.name, _imports(step.test)))
            run(Step(step.name, step.test.stub))
    return run(Step(cell.id, cell.source))


def verdict(outputs: list[Output], cell: Cell) -> tuple[float, Outcome, str]:
    """Score a test cell by its outputs, as nbgrader does.

    Returns
    -------
    points : float
        0 after an error; the number that the cell ends in, within its points; else
        all of them.
    outcome : str
        ``"passed"``, ``"failed"`` or ``"error"``.
    message : str
        For the student: of a hidden test, no text that the student's code could have
        made of it, only what the test says in so many words.
    """
    errors = [o for o in outputs if o.get("output_type") == "error"]
    if errors:
        name, text = str(errors[0].get("ename")), str(errors[0].get("evalue"))
        told = f": {one_line(text)}" if not cell.points or text in _texts(cell) else ""
        if name == "AssertionError":
            return 0.0, "failed", told[2:] or "A hidden check fails."
        if name == "NotImplementedError":
            return 0.0, "error", "Not solved yet: NotImplementedError."
        known = name if name in vars(builtins) else "an exception"
        return 0.0, "error", f"The test ends in {known}{told}"
    for output in outputs:
        number = _number(output)
        if number is not None and number < cell.points:
            shown = f"Partly right: {number:g} of {cell.points:g} points."
            return number, "failed", shown
    return cell.points, "passed", ""


def _number(output: Output) -> float | None:
    if output.get("output_type") != "execute_result":
        return None
    try:
        number = float(output["data"]["text/plain"])
    except (KeyError, TypeError, ValueError):
        return None
    return max(number, 0.0) if number == number else 0.0


def _imports(cell: Cell) -> str:
    kinds = ast.Import | ast.ImportFrom
    nodes = (node for node in parse(cell.source).body if isinstance(node, kinds))
    return "\n".join(map(ast.unparse, nodes))


def _texts(cell: Cell) -> set[str]:
    """Return the messages that assertions of a cell spell out."""
    return {
        node.msg.value
        for node in ast.walk(parse(cell.source))
        if isinstance(node, ast.Assert)
        and isinstance(node.msg, ast.Constant)
        and isinstance(node.msg.value, str)
    }
