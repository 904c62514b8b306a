"""Lock of a course, for one writer at a time; and the log of a run."""

from __future__ import annotations

import getpass
import logging
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path

from filelock import FileLock, Timeout

from nbproctor.nbgrader.failures import CourseError
from nbproctor.platforms import local_time

LOCK = ".nbproctor{}.lock"
OWNER = ".nbproctor{}.owner"
LOG = "grading.log"  # in the folder of autograded notebooks


@contextmanager
def course_lock(
    course: Path,
    doing: str,
    kind: str = "",
) -> Iterator[None]:
    """Prevent other commands from writing results of a course at the same time.

    The operating system releases the lock when its process ends, however it ends. A
    second command gets a `CourseError` that says what the first is `doing`. Locks of
    different `kind` are independent.
    """
    owner = course / OWNER.format(kind)
    try:
        # One thread may take the lock again.
        lock = FileLock(course / LOCK.format(kind), timeout=0, is_singleton=True)
        with lock:
            if lock.lock_counter > 1:
                yield
                return
            now = local_time(datetime.now(UTC))
            owner.write_text(
                f"{_user()} has been {doing} since {now} (process {os.getpid()})",
                "utf-8",
            )
            try:
                yield
            finally:
                owner.unlink(missing_ok=True)
    except Timeout:
        holder = "Another command is running"
        with suppress(OSError):
            holder = owner.read_text("utf-8")
        raise CourseError(
            f"{holder}. Wait until it has finished, then run the same command again."
        ) from None


def _user() -> str:
    try:
        return getpass.getuser()
    except (OSError, KeyError):  # a user id without a name, as in containers
        return f"User {os.getuid()}"


@contextmanager
def grading_log(folder: Path) -> Iterator[None]:
    """Write the package's log messages into the log in `folder`."""
    folder.mkdir(parents=True, exist_ok=True)
    handler = logging.FileHandler(folder / LOG, encoding="utf-8")
    handler.setFormatter(
        logging.Formatter("%(asctime)s %(levelname)s %(name)s: %(message)s")
    )
    package = logging.getLogger("nbproctor")
    level = package.level
    package.addHandler(handler)
    package.setLevel(logging.INFO)
    try:
        yield
    finally:
        package.setLevel(level)
        package.removeHandler(handler)
        handler.close()
