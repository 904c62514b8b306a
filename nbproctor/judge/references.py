"""The reference solutions in a process of their own, beside the student's.

No text, code object or constant of a reference is in a process that runs student code:
what forks see, they could pass on to each other. Where a notebook is played with
correct solutions of other exercises, those run in a second sandboxed process. The
student's process gets functions that call them; what passes between the two goes
through the judge, by the protocol, as if each were a test's objects for the other.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable
from typing import Any

from nbproctor.judge.order import Step
from nbproctor.judge.session import Session
from nbproctor.markers import DEFINITIONS, outside, parse
from nbproctor.notebook import Cell


def join(student: Session, references: Session) -> None:
    """Make two fresh processes those of one notebook."""
    student.other, references.other = references, student
    references.secret = True
    references.ask("reference")


def mentioned(steps: Iterable[Step], cells: Iterable[Cell]) -> list[str]:
    """Return the names that may be asked of references.

    These are the words of all code that runs in the student's process, of the tests
    that are judged, and of `cells`: what those tests need.
    """
    texts = [step.source + (step.test.source if step.test else "") for step in steps]
    texts += [cell.source for cell in cells]
    return sorted(set(re.findall(r"[^\W\d]\w*", "\n".join(texts))))


def play(
    student: Session, step: Step, wanted: list[str], run: list[Any], seconds: float
) -> Any:
    """Run a cell of a notebook that has two processes, and return its outputs.

    Parameters
    ----------
    student
        The student's process.
    step
        The cell: the student's own, provided for both, or a reference solution.
    wanted
        What `mentioned` returned.
    run
        The arguments of the request to run the cell.
    seconds
        How long it may take in each process.
    """
    references = student.other
    assert references is not None
    if not step.reference:
        outputs = student.ask("run", *run, seconds=seconds)
        if step.exercise is None:
            student.ask("mend", _defined(step.source))
        else:
            student.ask("release")
        return outputs
    if not step.source:
        entries = references.ask("define", step.reference, wanted, seconds=seconds)
        student.ask("lend", entries)
        return []
    references.ask("run", step.reference, None, run[2], seconds=seconds)
    return student.ask("provide", *run, seconds=seconds)


def _defined(source: str) -> list[str]:
    """Return the names that a cell defines as functions or classes, or imports."""
    names: list[str] = []
    for node in outside(parse(source)):
        if isinstance(node, DEFINITIONS):
            names.append(node.name)
        elif isinstance(node, ast.Import | ast.ImportFrom):
            for alias in node.names:
                names.append(alias.asname or alias.name.partition(".")[0])
    return names
