"""Reading of a class: each submission in a worker, within limits of time and memory.

Reading is a risk: a few bytes may unpack to gigabytes, or take hours to parse. A
submission that exceeds the limits is ungradable. All others are graded.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from nbproctor.cells import list_few
from nbproctor.notebook import MasterNotebook
from nbproctor.sandbox.processors import count_processors
from nbproctor.sandbox.workers import WALL_TIME_FACTOR, Allowance, Workers, serve
from nbproctor.sanitize import one_line, quote, visible
from nbproctor.submission.files import (
    Ungradable,
    fingerprint,
)
from nbproctor.submission.repair import Repaired, repair

# For a whole submission: a thousand times what an ordinary one needs, and enough for
# 200 MB of notebooks with their outputs.
ALLOWANCE = Allowance(seconds=10, memory=1 << 30)
TOO_MUCH = (
    f"Reading the submission takes more than {ALLOWANCE.seconds} seconds or "
    f"{ALLOWANCE.memory >> 20:,} MB of memory, far more than a notebook needs. Please "
    "submit only the notebook, and do not pack it."
)
OVERDUE = (
    "The submission could not be read in "
    f"{WALL_TIME_FACTOR * ALLOWANCE.seconds} seconds, "
    "perhaps because this computer or its disk is busy. Grade again."
)
# A worker reads a hundred submissions in a second, so a second worker is seldom needed.
_PATIENCE = 0.5  # seconds


@dataclass(frozen=True)
class ReadRequest:
    """A student's folder, and the fingerprint with which it was graded before."""

    folder: Path
    graded: str = ""
    read_notebooks: bool = True  # if not, only the fingerprint is returned


@dataclass
class ReadSubmission:
    """The content of a student's folder.

    If the fingerprint is that with which it was graded before, nothing else is read.
    """

    fingerprint: str = ""
    #: Notebook name → the gradable notebook.
    repaired: dict[str, Repaired] = field(default_factory=dict)
    #: Notebook name → why it cannot be graded.
    reasons: dict[str, str] = field(default_factory=dict)
    #: Number, text and file of an error of the disk.
    failure: tuple[int, str, str] | None = None
    #: Whether the permission to read some files is missing.
    has_unreadable_files: bool = False


@dataclass(frozen=True)
class ReaderSettings:
    """The notebooks that are graded, and the names of all notebooks."""

    masters: list[MasterNotebook]
    notebooks: list[str]


def readers(
    masters: Sequence[MasterNotebook], notebooks: Collection[str]
) -> Workers[ReadSubmission]:
    """Return workers for `ReadRequest`; `notebooks` are the names of all notebooks."""
    settings = ReaderSettings([*masters], [*notebooks])
    return Workers(
        module=__name__,
        setup=settings,
        answer=ReadSubmission,
        allowance=ALLOWANCE,
        count=count_processors(),
        idle_timeout=_PATIENCE,
    )


def read(settings: ReaderSettings, request: ReadRequest) -> ReadSubmission:
    """Read a submission in this process; only a `MemoryError` is raised."""
    submission = ReadSubmission()
    closed: list[Path] = []
    try:
        mark = fingerprint(request.folder, closed)
        submission = ReadSubmission(mark, has_unreadable_files=bool(closed))
        notes = _closed(request.folder, closed)
        if request.read_notebooks and mark != request.graded:
            for master in settings.masters:
                name = master.notebook
                others = {*settings.notebooks} - {name}
                try:
                    repaired = repair(request.folder, master, others)
                    repaired.notes.extend(notes)
                    submission.repaired[name] = repaired
                except Ungradable as failure:
                    # The notebook may be among the files that cannot be read.
                    reason = " ".join(notes) or str(failure)
                    submission.reasons[name] = reason
    except MemoryError:
        raise
    except OSError as error:
        failure_parts = (
            error.errno or 0,
            error.strerror or "",
            visible(error.filename),
        )
        return ReadSubmission(submission.fingerprint, failure=failure_parts)
    except Exception as error:  # whatever is in a student's files
        reason = one_line(f"The submission could not be read ({error!r}).")
        reasons = {master.notebook: reason for master in settings.masters}
        return ReadSubmission(submission.fingerprint, reasons=reasons)
    return submission


def _closed(folder: Path, closed: list[Path]) -> list[str]:
    """Return a note on what cannot be read, and what to do; none if all can be."""
    if not closed:
        return []
    names = [
        "what was submitted" if path == folder else quote(str(path.relative_to(folder)))
        for path in closed
    ]
    return [
        f"There is no permission to read {list_few(names)}. Correct this, then grade "
        "again."
    ]


if __name__ == "__main__":
    serve(read, ReaderSettings, ReadRequest)
