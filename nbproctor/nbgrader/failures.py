"""Failures that no submission causes: the disk, the gradebook, the computer.

They stop the run with a sentence. They make no submission ungradable, so the same
command goes on where it stopped.
"""

from __future__ import annotations

import contextlib
import errno
from collections.abc import Iterator

from sqlalchemy.exc import DatabaseError, OperationalError

from nbproctor.engine import EngineError
from nbproctor.nbgrader.source import CourseError
from nbproctor.sandbox.workers import WorkerError

AGAIN = "Nothing is lost: then give the same command again."
_FULL = errno.ENOSPC, errno.EDQUOT
_READ_ONLY = errno.EROFS, errno.EACCES, errno.EPERM
_EXHAUSTED = errno.EMFILE, errno.ENFILE, errno.ENOMEM, errno.EIO


class StopRun(BaseException):
    """Ends nbgrader's loop over the class, which goes on after an `Exception`."""

    def __init__(self, error: Exception) -> None:
        super().__init__(str(error))
        self.error = error


class ComputerError(CourseError):
    """A failure of this computer, of no submission; the message says what to do."""


def of_the_computer(error: BaseException) -> Exception | None:
    """Return the error to stop with, or None where a submission may be at fault."""
    if isinstance(error, EngineError | WorkerError | ComputerError):
        return error
    if isinstance(error, MemoryError):
        return ComputerError(f"This computer has too little memory. {AGAIN}")
    if (said := _gradebook_says(error)) is not None:
        return ComputerError(_of_gradebook(said))
    if isinstance(error, OSError) and error.errno in _FULL:
        return ComputerError(f"The disk is full ({error}). Make room. {AGAIN}")
    if isinstance(error, OSError) and error.errno in _READ_ONLY:
        return ComputerError(
            f"A file of the course cannot be written ({error}). Correct its rights. "
            f"{AGAIN}"
        )
    if isinstance(error, OSError) and error.errno in _EXHAUSTED:
        return ComputerError(f"This computer cannot go on ({error}). {AGAIN}")
    return None


@contextlib.contextmanager
def of_the_gradebook() -> Iterator[None]:
    """Turn what the gradebook's database raises into a sentence."""
    try:
        yield
    except DatabaseError as error:
        raise of_the_computer(error) or error from error


def _gradebook_says(error: BaseException | None) -> str | None:
    """Return the database's own words; nbgrader hides them in errors of its own."""
    while error is not None:
        # Not its other kinds: they are faults of a program, not of the file.
        if type(error) in (OperationalError, DatabaseError):
            return str(getattr(error, "orig", error))
        error = error.__cause__ or error.__context__
    return None


def _of_gradebook(said: str) -> str:
    """Turn what a database says into what a teacher can do."""
    if "locked" in said:
        return (
            "The gradebook has been locked by another program for a minute. Close "
            f"whatever has it open (a database viewer, another run). {AGAIN}"
        )
    if "full" in said:
        return f"The disk is full ({said}). Make room. {AGAIN}"
    if "no such" in said:
        return (
            f"The gradebook is of another version of nbgrader ({said}). Back it up, "
            f"then run `nbgrader db upgrade`. {AGAIN}"
        )
    return f"The gradebook cannot be used ({said}). Check file and rights. {AGAIN}"
