"""How the grading of a submission ended: ``report.json`` beside the graded notebook.

The file is written last. So it also tells a submission that is done from one that was
interrupted, and what was handed in then from what is handed in now.
"""

from __future__ import annotations

import hashlib
import json
import os
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Literal

from nbproctor.engine import Settings
from nbproctor.results import Verdict
from nbproctor.submission import read

FILE = "report.json"
Score = tuple[str, str, float]  # notebook, cell, points
Status = Literal["graded", "repaired", "partial", "ungradable", "missing", "late"]


@dataclass(frozen=True)
class Outcome:
    """How the grading of one submission ended.

    Attributes
    ----------
    student : str
        Student id.
    status : Status
        One of the words of the design; `reason` says why in a sentence.
    score : float or None
        Points after a late penalty; None where nothing was graded (never 0 for that).
    max_score : float
        Points of the assignment.
    """

    student: str
    status: Status
    reason: str
    score: float | None
    max_score: float


@dataclass(frozen=True)
class Record:
    """What ``report.json`` holds.

    Attributes
    ----------
    notes : dict
        Notebook name → sentences for the student: repairs, what died or timed out.
    verdicts : dict
        Notebook name → what each test said.
    handed_in : str
        SHA-256 of everything in the student's folder.
    graded_with : list of str
        Digests of the bundles, and of how they were executed.
    """

    outcome: Outcome
    notes: dict[str, list[str]]
    verdicts: dict[str, list[Verdict]]
    handed_in: str
    graded_with: list[str]

    def scores(self) -> set[Score]:
        """Return the automatic scores that the gradebook must hold."""
        return {
            (name, verdict.cell_id, verdict.points)
            for name, verdicts in self.verdicts.items()
            for verdict in verdicts
            if verdict.max_points and verdict.outcome != "not run"
        }

    def write(self, folder: Path) -> None:
        """Write the file so that it is whole or not there at all."""
        folder.mkdir(parents=True, exist_ok=True)
        temporary = folder / f".{FILE}"
        text = json.dumps(asdict(self), indent=1, ensure_ascii=False)
        temporary.write_text(text + "\n", "utf-8")
        temporary.replace(folder / FILE)

    @classmethod
    def read(cls, folder: Path) -> Record | None:
        """Read the file of a graded submission; None if there is none."""
        try:
            fields = json.loads((folder / FILE).read_text("utf-8"))
            fields["outcome"] = Outcome(**fields["outcome"])
            fields["verdicts"] = {
                name: [Verdict(**verdict) for verdict in verdicts]
                for name, verdicts in fields["verdicts"].items()
            }
            return cls(**fields)
        except (OSError, ValueError, TypeError, LookupError, AttributeError):
            return None


def fingerprint(folder: Path) -> str:
    """Return the SHA-256 of names and contents of what a student handed in."""
    total = hashlib.sha256()
    for path in read.files(folder):
        with path.open("rb") as file:
            content = hashlib.file_digest(file, "sha256").hexdigest()
        name = os.fsencode(path.relative_to(folder))
        total.update(name + f"\0{content}\n".encode())
    return total.hexdigest()


def digest(settings: Settings) -> str:
    """Return the SHA-256 of all that a verdict depends on beside the cells.

    That is the limits, and the assignment's own files: their contents, of a folder
    of data the names and sizes.
    """
    policy = replace(settings.policy, files=(), weak=False)
    how = replace(settings, policy=policy)
    total = hashlib.sha256(repr(how).encode())
    for place, path in sorted(settings.policy.files):
        inside = sorted(p for p in Path(path).rglob("*") if p.is_file())
        known = [f"{p.relative_to(path)} {p.stat().st_size}" for p in inside]
        content = Path(path).read_bytes() if Path(path).is_file() else b""
        total.update(repr((place, known)).encode() + content)
    return total.hexdigest()
