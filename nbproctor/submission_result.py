"""Result of one submission: status, scores and notes, in ``grading.json``.

The file is written last, so it also tells a submission that is done from one that was
interrupted, and what was handed in then from what is handed in now.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

import msgspec

from nbproctor.results import Verdict

FILE = "grading.json"
Score = tuple[str, str, float]  # notebook, cell, points
Status = Literal["graded", "repaired", "partial", "ungradable", "missing", "late"]


@dataclass(frozen=True)
class SubmissionResult:
    """How the grading of one submission ended.

    Attributes
    ----------
    student : str
        Student id.
    status : Status
        ``graded``; ``repaired`` (after a stated repair); ``partial`` (something died
        or timed out, the rest is graded); ``ungradable``; ``missing``; ``late``.
    reason : str
        Why, in sentences.
    score : float or None
        Points after a late penalty; None where nothing was graded (never 0 for that).
    max_score : float
        Points of the assignment.
    notes : dict
        Notebook name → sentences for the student: repairs, what died or timed out.
    verdicts : dict
        Notebook name → what each test said.
    handed_in : str
        SHA-256 of everything in the student's folder; empty: to be graded again.
    graded_with : list of str
        Digests of the master notebooks, and of how they were executed.
    seconds : dict
        Notebook name → how long its tests took.
    """

    student: str
    status: Status
    reason: str
    score: float | None
    max_score: float
    notes: dict[str, list[str]] = field(default_factory=dict)
    verdicts: dict[str, list[Verdict]] = field(default_factory=dict)
    handed_in: str = ""
    graded_with: list[str] = field(default_factory=list)
    seconds: dict[str, float] = field(default_factory=dict)

    def scores(self) -> set[Score]:
        """Return the automatic scores that the gradebook must hold."""
        return {
            (name, verdict.cell_id, verdict.points)
            for name, verdicts in self.verdicts.items()
            for verdict in verdicts
            if verdict.max_points and verdict.outcome != "not run"
        }

    def write(self, folder: Path) -> None:
        """Write ``grading.json`` so that it is whole or not there at all."""
        folder.mkdir(parents=True, exist_ok=True)
        temporary = folder / f".{FILE}"
        text = msgspec.json.format(msgspec.json.encode(self), indent=1)
        temporary.write_bytes(text + b"\n")
        temporary.replace(folder / FILE)

    @classmethod
    def read(cls, folder: Path) -> SubmissionResult | None:
        """Read the file of a graded submission; None if there is no readable one."""
        try:
            return msgspec.json.decode((folder / FILE).read_bytes(), type=cls)
        except (OSError, msgspec.MsgspecError):
            return None
