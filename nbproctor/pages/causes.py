"""Causes: why an exercise lost points, in one sentence, and what to look at first."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from nbproctor.pages.data import source_of
from nbproctor.pages.outline import Exercise, Outline, digest
from nbproctor.pages.tested import State, Test
from nbproctor.sanitize import one_line

_LINE = re.compile(r"in cell `([^`]+)`, line (\d+)")
_PLACE = re.compile(r"\(<[^<>]*>, line (\d+)\)")  # in a SyntaxError
_UNSOLVED = "Not solved yet"  # what `explain` says of it
_WRONG = "but is wrong"  # what `expect` says when it knows no better


def excuse(exercise: Exercise, lost: Sequence[Exercise], by_hand: bool) -> str:
    """Say why a test may fail although its exercise has all its points."""
    if by_hand:
        return "You have the points: a person gave them."
    culprits = [e for e in lost if e.id in exercise.needs]
    culprits = culprits or [e for e in lost if e.id != exercise.id]
    if not culprits:
        return "This test is stricter than those with points; you have the points."
    names = [e.label for e in culprits]
    if names[3:]:
        names = ["other exercises"]
    because = " or ".join(filter(None, [", ".join(names[:-1]), names[-1]]))
    return f"Fails only because of {because}; you have the points."


def untouched(
    exercise: Exercise, outline: Outline, own: Mapping[str, Mapping[str, Any]]
) -> bool:
    """Whether the answer is still what the student was given, or is not there."""
    cell = next(c for c in outline.master.cells if c.id == exercise.id)
    if cell.kind not in ("solution", "task") or not own:
        return False
    if exercise.id not in own:
        return True
    return digest(source_of(own[exercise.id])) == digest(cell.stub)


def unsolved(tests: Sequence[Test]) -> bool:
    """Whether every test met the exception that stands for an answer."""
    told = [test for test in tests if test.max_points]
    return bool(told) and all(t.message.startswith(_UNSOLVED) for t in told)


def why(
    exercise: Exercise,
    state: State,
    tests: Sequence[Test],
    own: Mapping[str, Mapping[str, Any]],
) -> tuple[str, str]:
    """Return one cause, and what to look at first."""
    if state in ("passed", "given"):
        return "", ""
    if state == "not-started":
        return "Still as you got it.", ""
    if state == "waiting":
        return "A person reads this answer.", ""
    bad = [t for t in tests if t.state in ("failed", "partly", "not-run")]
    error = _raised(own.get(exercise.id, {}))
    if error:
        found = _PLACE.search(error)
        look = f"Line {found[1]} of your cell." if found else ""
        error = _PLACE.sub("", error).strip()
        return f"Your cell stopped: {error}", look or "The message below your cell."
    told = [t for t in bad if t.max_points and t.message]
    told.sort(key=lambda test: _WRONG in test.message)  # stable: else in source order
    first = next(iter([*told, *bad]), None)
    if first is None:
        return "", ""
    if found := _LINE.search(first.message):
        mine = found[1] == exercise.id
        place = "your cell" if mine else f"the cell `{found[1]}`"
        return first.message, f"Line {found[2]} of {place}."
    if "did not finish" in first.message:
        return first.message, "A loop that never ends, or does far too much."
    if any(not t.max_points for t in bad):
        return first.message, "Its public test fails too: run that in your notebook."
    return first.message, first.title


def _raised(cell: Mapping[str, Any]) -> str:
    """Return the error that a student's cell ended with, in one line."""
    outputs = cell.get("outputs")
    for output in outputs if isinstance(outputs, list) else ():
        if isinstance(output, Mapping) and output.get("output_type") == "error":
            name, text = one_line(output.get("ename"), 60), output.get("evalue")
            return f"{name}: {one_line(text, 160)}" if text else name
    return ""
