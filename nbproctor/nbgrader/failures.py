"""Messages for failures that a teacher can correct and that no submission causes.

The disk, the gradebook and the computer stop the run with a sentence. They make no
submission ungradable, so the same command continues where it stopped.
"""

from __future__ import annotations

import errno
import logging
import os
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from nbgrader.converters.base import BaseConverter, NbGraderException
from sqlalchemy.exc import DatabaseError, OperationalError

from nbproctor.engine import EngineError
from nbproctor.errors import NbproctorError
from nbproctor.sandbox.workers import WorkerError

if sys.platform != "win32":
    import resource

AGAIN = "Then run the same command again."
# Error of the system → message for the teacher.
_SYSTEM = (
    ((errno.ENOSPC, errno.EDQUOT), "The disk is full ({}). Free some space."),
    (
        (errno.EROFS,),
        "A file of the course cannot be written ({}). Its disk allows only reading: "
        "copy the course to another disk, or make this one writable.",
    ),
    (
        (errno.EACCES, errno.EPERM),
        "There is no permission to read or write a file ({}). Correct its permissions.",
    ),
    (
        (errno.EMFILE, errno.ENFILE),
        "Too many files are open ({}). Raise the limit: ulimit -n 1024.",
    ),
    (
        (errno.ENOMEM,),
        "This computer has too little memory ({}). Close other programs, or let fewer "
        "submissions run at once: c.Nbproctor.workers = 1.",
    ),
    (
        (errno.EIO,),
        "A disk cannot be read or written ({}). It may be damaged, or a network drive "
        "that is gone. Copy the course to another disk.",
    ),
)
# Word in an error of the database → message for the teacher.
_GRADEBOOK = (
    (
        "locked",
        "Another program has locked the gradebook for a minute. Close every program "
        "that has it open (a database viewer, another grading run).",
    ),
    ("full", "The disk is full ({}). Free some space."),
    (
        "no such",
        "The gradebook was made by another version of nbgrader ({}). Back it up, then "
        "run `nbgrader db upgrade`.",
    ),
    (
        "malformed",
        "The gradebook is damaged ({}). Restore it from a backup. If there is none, "
        "move it away and run `release` and `grade`, which make a new one. Marks "
        "given by hand are then lost.",
    ),
    (
        "unable to open",
        "The gradebook cannot be opened ({}): it is a folder, or belongs to another "
        "user. Move it away, or correct its permissions.",
    ),
    ("", "The gradebook cannot be used ({}). Check the file and its permissions."),
)


class CourseError(NbproctorError):
    """A problem that a teacher has to correct; the message says how."""


class ComputerError(CourseError):
    """A failure of this computer, not of a submission; the message says what to do."""


def as_computer_error(error: BaseException | None) -> Exception | None:
    """Return the error with which to stop, or None if a submission may be at fault."""
    if isinstance(error, EngineError | WorkerError | ComputerError):
        return as_computer_error(error.__cause__) or error
    if isinstance(error, MemoryError):
        error = OSError(errno.ENOMEM, os.strerror(errno.ENOMEM))
    if isinstance(error, RuntimeError) and "Kernel died" in str(error):
        return no_kernel([f"{error}: the reason is above"])
    fault = _database_message(error)
    if fault and "unable to open" in fault and _lacks_files():
        error = OSError(errno.EMFILE, os.strerror(errno.EMFILE))
    elif fault is not None:
        fault = fault.replace("file is not a database", "it is malformed")
        advice = next(advice for word, advice in _GRADEBOOK if word in fault)
        return ComputerError(f"{advice.format(fault)} {AGAIN}")
    if isinstance(error, OSError):
        for numbers, advice in _SYSTEM:
            if error.errno in numbers:
                return ComputerError(f"{advice.format(error)} {AGAIN}")
    return None


def no_kernel(lines: Sequence[str]) -> ComputerError:
    """Return the message for a kernel that did not start, or was ended."""
    last_line = next(filter(None, map(str.strip, reversed(lines))))
    advice = "The kernel did not start, or the notebook's code ended it ({})."
    for numbers, system_advice in _SYSTEM:
        if any(os.strerror(number) in last_line for number in numbers):
            advice = system_advice
    return ComputerError(f"{advice.format(last_line)} {AGAIN}")


def _database_message(error: BaseException | None) -> str | None:
    """Return the database's own words; nbgrader hides them in errors of its own."""
    while error:
        # Only this kind: the others are bugs in a program, not faults of the file.
        if type(error) in (OperationalError, DatabaseError):
            return str(getattr(error, "orig", error))
        error = error.__cause__ or error.__context__
    return None


def _lacks_files() -> bool:
    """Whether few more files can be opened: SQLite does not say why one cannot."""
    if sys.platform == "win32":
        return False
    limit, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    try:
        count = len(os.listdir("/dev/fd"))  # noqa: PTH208 (descriptors, not paths)
    except OSError:
        return True
    return 0 <= limit < count + 16


@contextmanager
def raise_nbgrader_errors(converter: BaseConverter) -> Iterator[None]:
    """End an nbgrader command as nbgrader does: with a message, and status 1."""
    try:
        yield
    except Exception as error:
        failure = as_computer_error(error) or error
        if not isinstance(failure, NbproctorError | OSError):
            raise
        converter.log.error("%s", failure)
        raise NbGraderException(str(failure)) from failure


class Log(logging.Logger):
    """Stores the errors that nbgrader logs, to report the first cause.

    It replaces nbgrader's global logger, because two runs in one process must not mix.
    It stores only errors, because everything else would fill the memory in a large
    class.
    """

    def __init__(self) -> None:
        super().__init__("nbgrader", logging.ERROR)
        self.errors: list[str] = []

    def handle(self, record: logging.LogRecord) -> None:
        """Store an error."""
        self.errors.append(record.getMessage())

    def reason(self) -> str:
        """Return the cause of the first failure, in nbgrader's or Python's words."""
        for text in self.errors:
            if "Traceback (most recent call last)" in text:
                return text.strip().splitlines()[-1]
        return self.errors[0] if self.errors else "no reason given"


def run(converter: BaseConverter, doing: str) -> None:
    """Run a converter from `Course.converter`; on failure, raise `CourseError`."""
    try:
        converter.start()
    except NbGraderException as error:
        cause = error.__cause__
        if isinstance(cause, CourseError | EngineError):
            raise CourseError(str(cause)) from error
        reason = cause or converter.log.reason()
        raise CourseError(f"{doing} failed: {reason}") from error
    except OSError as error:
        failed = CourseError(f"{doing} failed: {error}")
        raise as_computer_error(error) or failed from error
