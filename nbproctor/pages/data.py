"""Data of a feedback page, as msgspec carries it to a worker."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from nbproctor.results import Status, Verdict


@dataclass(frozen=True)
class Mark:
    """Mark of one graded cell, from the gradebook.

    Attributes
    ----------
    points : float or None
        Earned, extra credit included; None: not graded yet.
    by_hand : bool
        Whether a person gave these points.
    extra : float
        How much of the points is extra credit, given by hand.
    """

    points: float | None
    by_hand: bool = False
    extra: float = 0.0


@dataclass(frozen=True)
class Submission:
    """One notebook that one student handed in, graded or not.

    Attributes
    ----------
    student, name : str
        Student id; name as people write it, or empty.
    assignment, notebook : str
        Their names.
    status : Status
        Of the whole submission.
    notes : list of str
        Sentences on this notebook: repairs, what died, why it could not be graded.
    verdicts : list of Verdict
        What each test said; empty where none was run.
    marks : dict
        Graded cell → what the gradebook holds.
    comments : dict
        Cell → what a person wrote about it, in Markdown.
    penalty : float
        Points taken off for handing in late.
    late : float
        Seconds after the due date; 0 if in time.
    graded : str or None
        Path of the graded notebook, if there is one.
    seconds : float
        How long its tests took; 0: not known.
    """

    student: str
    name: str
    assignment: str
    notebook: str
    status: Status
    notes: list[str] = field(default_factory=list)
    verdicts: list[Verdict] = field(default_factory=list)
    marks: dict[str, Mark] = field(default_factory=dict)
    comments: dict[str, str] = field(default_factory=dict)
    penalty: float = 0.0
    late: float = 0.0
    graded: str | None = None
    seconds: float = 0.0


def read_cells(path: str | None) -> list[Mapping[str, Any]]:
    """Return the cells of a graded notebook; none if there is no readable one."""
    if path is None:
        return []
    try:
        cells = json.loads(Path(path).read_text("utf-8"))["cells"]
    except (OSError, ValueError, KeyError, TypeError):
        return []
    return [cell for cell in cells if isinstance(cell, dict)]


def source_of(cell: Mapping[str, Any]) -> str:
    """Return the text of a cell, which a notebook may keep as lines."""
    source = cell.get("source")
    if isinstance(source, list):
        return "".join(line for line in source if isinstance(line, str))
    return source if isinstance(source, str) else ""


def grade_id(cell: Mapping[str, Any]) -> str:
    """Return nbgrader's name of a cell, or nothing."""
    meta = cell.get("metadata")
    grader = meta.get("nbgrader") if isinstance(meta, Mapping) else None
    return str(grader.get("grade_id") or "") if isinstance(grader, Mapping) else ""
