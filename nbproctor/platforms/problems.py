"""Problems of collecting: errors, and what was left out, in words."""

from __future__ import annotations

from dataclasses import dataclass

from nbproctor.errors import NbproctorError


class CollectError(NbproctorError):
    """Nothing can be collected from there; the message says why and what to do."""


@dataclass(frozen=True)
class Problem:
    """One thing that was not placed, or that a teacher should look at.

    Attributes
    ----------
    where : str
        The file or the student.
    why : str
        What is wrong with it, as a sentence.
    """

    where: str
    why: str

    def __str__(self) -> str:
        return f"{self.where}: {self.why}"
