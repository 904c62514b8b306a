"""Changed marks of a grading run, in words."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from nbproctor.nbgrader.regrade import MarkChange


def change_lines(
    changes: Sequence[MarkChange], names: Mapping[str, str]
) -> Iterator[str]:
    """Yield lines on changed marks: whose, by how much, and which were kept."""
    changed = [change for change in changes if not change.kept]
    kept = [change for change in changes if change.kept]
    if changed:
        yield f"{_marks(changed)} changed:"
    for change in changed:
        why = "handed in again" if change.resubmitted else "graded again"
        yield f"  {_line(change, names)}, {why}"
    if kept:
        yield (
            f"{_marks(kept)} would be lower for the same files. Nothing was lowered; "
            "to let it happen: --lower"
        )
    for change in kept:
        yield f"  {_line(change, names)}"


def _marks(changes: Sequence[MarkChange]) -> str:
    return "1 mark" if len(changes) == 1 else f"{len(changes)} marks"


def _line(change: MarkChange, names: Mapping[str, str]) -> str:
    before, after = (
        "no mark" if mark is None else f"{mark:g}"
        for mark in (change.before, change.after)
    )
    by = ""
    if change.before is not None and change.after is not None:
        by = f" ({change.after - change.before:+g})"
    return f"{names.get(change.student, change.student)}: {before} → {after}{by}"
