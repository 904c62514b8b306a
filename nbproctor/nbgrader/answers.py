"""Answers in a submission, compared with their stubs and with the submission before."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from nbproctor.cells import RawCell, grade_id, source_of
from nbproctor.pages.outline import Exercise, Outline
from nbproctor.results import Mark, points_of


def answered_below(outline: Outline, cells: Iterable[RawCell]) -> set[str]:
    """Return the blank cells that a person grades, if a cell was added below them.

    It may be the answer, so the blank cell has no score: nbgrader would give it a 0.
    """
    by_hand = {name for exercise in outline.exercises for name in exercise.by_hand}
    blank = ""
    answered = set()
    for cell in cells:
        source = source_of(cell).strip()
        original = outline.cells.get(grade_id(cell) or str(cell.get("id")))
        if original:
            is_blank = original.id in by_hand and source == original.stub.strip()
            blank = original.id if is_blank else ""
        elif source in outline.texts:
            blank = ""
        elif source and blank:
            answered.add(blank)
    return answered


def describe_changes(
    exercises: Iterable[Exercise],
    *,
    marks_before: Mapping[str, Mark],
    marks: Mapping[str, Mark],
    cells_before: Iterable[RawCell],
    cells: Iterable[RawCell],
) -> str:
    """Describe the effect of a new file: points, or changed answers without effect."""
    old_sources = {grade_id(cell): source_of(cell) for cell in cells_before}
    sources = {grade_id(cell): source_of(cell) for cell in cells}
    changes = []
    without_effect = []
    for exercise in exercises:
        points_before = points_of(exercise.graded, marks_before) or 0.0
        gain = (points_of(exercise.graded, marks) or 0.0) - points_before
        if gain:
            points = f"{gain:+g}".replace("-", "−")
            changes.append(f"{points} in {exercise.name}")
        elif old_sources.get(exercise.id) != sources.get(exercise.id):
            without_effect.append(exercise.name)
    if without_effect:
        names = ", ".join(without_effect)
        changes.append(f"changed, with the same points: {names}")
    summary = "; ".join(changes) or "no answer has changed"
    return f"Since your last submission: {summary}."
