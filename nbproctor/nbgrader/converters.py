"""nbgrader's converters: started from Python, with the reason of a failure.

nbgrader puts whole paths into `glob`, where brackets mean something else. Then it finds
no notebook of the student ``anna[1]``, and does not leave out what is to be ignored.
"""

from __future__ import annotations

import fnmatch
import glob
import logging
import os
import tempfile
from collections.abc import Sequence
from copy import deepcopy
from pathlib import Path
from typing import Any

from nbgrader import utils
from nbgrader.converters import GenerateAssignment
from nbgrader.converters.base import BaseConverter, NbGraderException
from nbgrader.coursedir import CourseDirectory

from nbproctor.engine import EngineError
from nbproctor.nbgrader.course import Course
from nbproctor.nbgrader.source import CourseError, check_source


class Log(logging.Handler):
    """Keeps the errors that nbgrader logs, to report the one that says what is wrong.

    Of a large class, all else that it logs would fill the memory.
    """

    def __init__(self) -> None:
        super().__init__(logging.ERROR)
        self.records: list[logging.LogRecord] = []
        # Not nbgrader's global logger: two runs in one process must not mix.
        self.logger = logging.Logger("nbgrader", logging.ERROR)
        self.logger.addHandler(self)

    def emit(self, record: logging.LogRecord) -> None:
        """Keep one record."""
        self.records.append(record)

    def reason(self) -> str:
        """Return the cause of the first failure, in nbgrader's or Python's words."""
        errors = [record.getMessage() for record in self.records]
        for text in errors:
            if "Traceback (most recent call last)" in text:
                return text.strip().splitlines()[-1]
        return errors[0] if errors else "no reason given"


def run(converter: BaseConverter, log: Log, what: str) -> None:
    """Run one of nbgrader's converters; on failure raise `CourseError` with why."""
    try:
        converter.start()
    except NbGraderException as error:
        if isinstance(error.__cause__, CourseError | EngineError):
            raise CourseError(str(error.__cause__)) from error
        raise CourseError(f"{what} failed: {log.reason()}") from error
    except OSError as error:
        raise CourseError(f"{what} failed: {error}") from error


def check_sources(course: Path | Course, assignment: str) -> None:
    """Check the source notebooks of an assignment; `CourseError` says what is wrong."""
    for notebook in Course.at(course).sources(assignment):
        check_source(notebook)


def generate(course: Path | Course, assignment: str) -> None:
    """Make the student version of an assignment, and tell the gradebook its cells.

    The release is made beside its final place and swapped in when it is complete,
    so that a failure leaves the old one as it was.

    Raises
    ------
    CourseError
        The source breaks a rule; nothing was changed.
    """
    course = Course.at(course)
    check_sources(course, assignment)
    release = course.folder("release", assignment)
    with tempfile.TemporaryDirectory(prefix=".release-", dir=course.view.root) as name:
        temporary = Path(name)
        # First without the gradebook: a source that fails must not touch it.
        _generate(course, assignment, f"{temporary.name}/try", gradebook=False)
        _generate(course, assignment, f"{temporary.name}/new", gradebook=True)
        release.parent.mkdir(parents=True, exist_ok=True)
        if release.exists():
            release.rename(temporary / "old")
        (temporary / "new" / assignment).rename(release)
    course.changed(assignment)


def _generate(course: Course, assignment: str, step: str, gradebook: bool) -> None:
    config = deepcopy(course.config)
    config.CourseDirectory.release_directory = step
    config.CourseDirectory.assignment_id = assignment
    for part in ("header", "footer"):  # nbgrader takes them from where it was started
        if name := config.IncludeHeaderFooter.get(part):
            config.IncludeHeaderFooter[part] = str(
                Path(config.CourseDirectory.root, name)
            )
    if not gradebook:
        config.GenerateAssignment.no_database = True
        config.SaveCells.enabled = False
    log = Log()
    coursedir = CourseDirectory(config=config, log=log.logger)
    converter = GenerateAssignment(coursedir=coursedir, config=config, log=log.logger)
    run(converter, log, f"Making the release of {assignment!r}")


def take_literally() -> None:
    """Let nbgrader take the names of folders as they are, in its own commands too."""
    utils.is_ignored = _is_ignored
    BaseConverter.init_notebooks = _init_notebooks


def _is_ignored(filename: str, ignore_globs: Sequence[str] | None = None) -> bool:
    """Whether the name of a file (not of its folders) matches one of the patterns."""
    name = Path(filename).name
    return any(
        fnmatch.fnmatch(name, pattern)
        # As with `glob`, only a pattern with a dot in front matches a hidden file.
        and (pattern.startswith(".") or not name.startswith("."))
        for pattern in ignore_globs or ()
    )


def _init_notebooks(converter: BaseConverter) -> None:
    """List assignments and notebooks; only ids given by the user are patterns."""
    coursedir: Any = converter.coursedir
    pattern = converter._format_source(coursedir.assignment_id, coursedir.student_id)
    start = f"{coursedir.root}{os.sep}"
    folders = []
    if pattern.startswith(start):
        inside = pattern.removeprefix(start)
        # Strings, because nbgrader's own "source/./tiny" has to stay as it is.
        found = glob.glob(inside, root_dir=coursedir.root)  # noqa: PTH207
        folders = [start + name for name in found]
    converter.notebooks = []
    converter.assignments = {}
    # What does not match itself is a student id, given by name, with a bracket in it.
    for folder in {*folders, *([pattern] if Path(pattern).is_dir() else [])}:
        name = f"{coursedir.notebook_id}.ipynb"
        if names := glob.glob(name, root_dir=folder):  # noqa: PTH207
            converter.assignments[folder] = [f"{folder}{os.sep}{n}" for n in names]
    if not converter.assignments:
        message = f"No notebooks were matched by '{pattern}'"
        converter.log.error(message)
        raise NbGraderException(message)
