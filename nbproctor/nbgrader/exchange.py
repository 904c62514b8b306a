"""nbgrader's exchange: submissions come in and pages go back, one student at a time.

nbgrader's own commands follow links with the teacher's permissions, trust the name of a
folder, and stop for everybody at the first folder that is not as ``nbgrader submit``
makes it. Every student can make such a folder.
"""

from __future__ import annotations

import glob
import os
import shutil
import stat
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import datetime
from functools import cached_property
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from nbgrader.api import Gradebook
from nbgrader.exchange.default import ExchangeCollect, ExchangeReleaseFeedback

from nbproctor.nbgrader.failures import as_computer_error
from nbproctor.nbgrader.feedback import SECRET
from nbproctor.nbgrader.submitted import (
    read_timestamp,
    refuse_student,
    submission_time,
)
from nbproctor.sanitize import one_line, visible
from nbproctor.submission import border
from nbproctor.submission.border import RefusedFileError

if sys.platform != "win32":  # where nbgrader has no exchange
    import pwd

NO_TIME = "its name does not say when it was submitted"
MAX_NAMED = 10  # failures in one message


class _PerStudentCommand:
    """One of nbgrader's commands, which continues after the failure of one student."""

    #: Folder → why its submission, or page, was not copied.
    failures: dict[str, str]
    fail: Callable[[str], None]

    def start(self) -> None:
        """Do everything that can be done, then report the failures."""
        self.failures = {}
        super().start()  # type: ignore[misc]
        if self.failures:
            lines = [f"{name}: {reason}" for name, reason in self.failures.items()]
            others = len(lines) - MAX_NAMED
            if others > 0:
                lines[MAX_NAMED:] = [f"and {others} more"]
            self.fail(f"Failed: {'; '.join(lines)}. Everything else was done.")

    @contextmanager
    def attempt(self, folder: str) -> Iterator[None]:
        """Record a failure of one student, so that the command continues."""
        try:
            yield
        except Exception as error:  # a student controls what is in the folder
            if computer := as_computer_error(error):
                self.failures.clear()  # the command ends for another reason
                raise computer from error
            reason = str(error) or repr(error)
            self.failures[visible(folder)] = one_line(reason)


class ProctoredCollect(_PerStudentCommand, ExchangeCollect):  # type: ignore[misc]
    """`ExchangeCollect` that accepts only the students' own regular files."""

    def _path_to_record(self, path: str) -> dict[str, Any]:
        """Read the name of a submitted folder; refuse one that is not a student's."""
        name = Path(path).name
        student, _, *time = name.rsplit("+", 3)
        record = {
            "username": name,
            "filename": name,
            "timestamp": datetime.min,
        }
        try:
            record["timestamp"] = read_timestamp(time[0])
            record["owner"] = self._check(path, student)
            record["username"] = student
        except RefusedFileError as error:
            record["problem"] = str(error)
        except Exception:  # of the parser, whatever the name is
            record["problem"] = NO_TIME
        return record

    def _check(self, path: str, student: str) -> int:
        """Return the owner of a folder; `RefusedFileError` if it is not a student's."""
        if reason := refuse_student(student):
            raise RefusedFileError(reason)
        # nbgrader would read it as a pattern, or as the name without blanks.
        is_pattern = {*"*?["} & {*student}
        if is_pattern or student != student.strip():
            raise RefusedFileError(
                "its name contains *, ? or [, or begins or ends with a space"
            )
        status = os.lstat(path)
        if not stat.S_ISDIR(status.st_mode):
            raise RefusedFileError("it is a link or not a folder, so it is not read")
        uid = status.st_uid
        owner = str(uid)
        is_account = False
        with suppress(KeyError):
            owner = pwd.getpwuid(uid).pw_name
        with suppress(KeyError):
            is_account = bool(pwd.getpwnam(student))
        if self.check_owner and owner != student:
            message = f"the account {owner} submitted it, not {student}"
            is_teacher = uid in (0, os.geteuid())
            if not is_teacher and (is_account or owner in self._enrolled):
                raise RefusedFileError(message)
            self.log.warning("%s: %s", visible(path), message)
        return uid

    @cached_property
    def _enrolled(self) -> set[str]:
        with Gradebook(self.coursedir.db_url, self.coursedir.course_id) as book:
            return {student.id for student in book.students}

    def copy_files(self) -> None:
        """Collect the new submission of each student."""
        self.log.info("Checking the submissions of %d students", len(self.src_records))
        for record in self.src_records:
            with self.attempt(record["filename"]):
                self._collect(**record)

    def _collect(
        self,
        username: str,
        filename: str,
        timestamp: datetime,
        owner: int = 0,
        problem: str = "",
    ) -> None:
        if problem:
            raise RefusedFileError(problem)
        coursedir = self.coursedir
        target = Path(
            coursedir.format_path(
                coursedir.submitted_directory, username, coursedir.assignment_id
            )
        )
        before = submission_time(target)
        if target.exists():
            is_newer = self.update and (before is None or timestamp > before)
            if not is_newer and (before == timestamp or not self.before_duedate):
                return
        target.parent.mkdir(parents=True, exist_ok=True)
        try:
            refusals = self._replace(
                target=target,
                filename=filename,
                timestamp=timestamp,
                owner=owner,
            )
        finally:
            with suppress(OSError):  # it is not empty
                target.parent.rmdir()
        self.log.info("Collected: %s", username)
        for path, reason in refusals[:1]:
            raise RefusedFileError(
                f"collected without {len(refusals)} files, for example '{path}': "
                f"{reason}"
            )

    def _replace(
        self,
        target: Path,
        filename: str,
        timestamp: datetime,
        owner: int,
    ) -> list[border.Refusal]:
        """Copy a folder of the exchange next to its target, then move it there."""
        with TemporaryDirectory(prefix=".collect-", dir=target.parent) as private:
            received = Path(private, "received")
            ready = Path(private, "ready")
            source = Path(self.inbound_path, filename)
            most = 1000 * self.coursedir.max_dir_size
            refusals = border.copy(source, received, most, owner)
            self.do_copy(received, ready)  # without what the course leaves out
            stamp = ready / border.TIMESTAMP_FILE
            if submission_time(ready) != timestamp:  # or it would be new for ever
                if stamp.is_dir():
                    shutil.rmtree(stamp)
                stamp.unlink(missing_ok=True)
                stamp.write_text(f"{timestamp} UTC", "utf-8")
            if target.exists():
                shutil.rmtree(target)
            ready.rename(target)
        return refusals


class ProctoredReleaseFeedback(_PerStudentCommand, ExchangeReleaseFeedback):  # type: ignore[misc]
    """`ExchangeReleaseFeedback` for one student after the other."""

    def copy_files(self) -> None:
        """Release the pages of each student."""
        pattern = self.src_path
        # A student's id may have brackets in it.
        folders = sorted(glob.glob(pattern))  # noqa: PTH207
        if Path(pattern).is_dir():
            folders = [pattern]
        for folder in folders:
            with self.attempt(os.path.relpath(folder, self.coursedir.root)):
                self._release(folder)

    def _release(self, folder: str) -> None:
        self.src_path = glob.escape(folder)
        try:
            super().copy_files()
        except FileNotFoundError as error:
            raise RefusedFileError(
                f"the submission has no {SECRET} from `nbgrader submit`, so the "
                "student could not fetch the page from the exchange; send it another "
                "way"
            ) from error
