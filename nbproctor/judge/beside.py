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

from nbproctor.judge import verdicts
from nbproctor.judge.order import Step
from nbproctor.judge.verdicts import Said
from nbproctor.markers import parse
from nbproctor.notebook import Cell
from nbproctor.results import Output
from nbproctor.sanitize import one_line

Run = Callable[[Step], list[Output]]


def play(cell: Cell, history: Iterable[Step], needs: Container[str], run: Run) -> Any:
    """Run what comes before a test cell, and the cell; return its outputs.

    Of the test cells in `history`, those run which it, or the answer, `needs`: their
    imports, and what students see of them.
    """
    for step in history:
        if step.test is None:
            run(step)
        elif step.name in needs:
            run(Step(step.name, _imports(step.test)))
            run(Step(step.name, step.test.stub))
    return run(Step(cell.id, cell.source))


def scored(outputs: list[Output], cell: Cell) -> tuple[float, Said]:
    """Score a test cell by its outputs, as nbgrader does.

    After an error that is 0; the number that the cell ends in, within its points; else
    all of them. Of a hidden test, the student is told no text that their code could
    have made of it, only what the test says in so many words.
    """
    errors = [o for o in outputs if o.get("output_type") == "error"]
    if errors:
        name, text = str(errors[0].get("ename")), str(errors[0].get("evalue"))
        told = one_line(text) if not cell.points or text in _texts(cell) else ""
        if name == "AssertionError":
            known = verdicts.CHECK(text=told)
            return 0.0, known if told else verdicts.UNTOLD(kind="hidden check")
        if verdicts.is_forbidden(name, text):
            return 0.0, verdicts.REFUSED(where="")
        if name == "NotImplementedError":
            return 0.0, verdicts.NOT_SOLVED(where=".")
        kind = name if name in vars(builtins) else "an exception"
        return 0.0, verdicts.BESIDE_RAISED(kind=kind, text=told and f": {told}")
    for output in outputs:
        number = _number(output)
        if number is not None and number < cell.points:
            return number, verdicts.PART(points=number, most=cell.points)
    return cell.points, verdicts.PASSED


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
