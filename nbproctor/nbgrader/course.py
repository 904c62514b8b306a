"""A course as nbgrader sees it: configuration, folders, release and feedback."""

from __future__ import annotations

import logging
import os
import sys
import tempfile
from pathlib import Path

from nbgrader.converters import GenerateAssignment
from nbgrader.converters.base import BaseConverter, NbGraderException
from nbgrader.coursedir import CourseDirectory
from traitlets.config import Config
from traitlets.config.loader import PyFileConfigLoader

from nbproctor.engine import EngineError
from nbproctor.nbgrader.options import Nbproctor
from nbproctor.nbgrader.source import CourseError, check_source


class Log(logging.Handler):
    """Keeps what nbgrader logs, to report the one line that says what went wrong."""

    def __init__(self) -> None:
        super().__init__(logging.DEBUG)
        self.records: list[logging.LogRecord] = []
        # Not nbgrader's global logger: two runs in one process must not mix.
        self.logger = logging.Logger("nbgrader")
        self.logger.addHandler(self)

    def emit(self, record: logging.LogRecord) -> None:
        """Keep one record."""
        self.records.append(record)

    def reason(self) -> str:
        """Return the cause of the first failure, in nbgrader's or Python's words."""
        errors = [r.getMessage() for r in self.records if r.levelno >= logging.ERROR]
        for text in errors:
            if "Traceback (most recent call last)" in text:
                return text.strip().splitlines()[-1]
        return errors[0] if errors else "no reason given"


def load_config(course: Path, assignment: str | None = None) -> Config:
    """Read the course's own ``nbgrader_config.py``; choose an assignment, if given.

    Settings of the user or the machine are left out on purpose: a course must give
    the same release and the same grades on every computer.

    Raises
    ------
    CourseError
        There is no such file, or it does not run.
    """
    file = course / "nbgrader_config.py"
    if not file.is_file():
        raise CourseError(
            f"{course} is not a course: it has no nbgrader_config.py. "
            "Run the command in the course folder."
        )
    try:
        config: Config = PyFileConfigLoader(file.name, path=str(course)).load_config()
    except Exception as error:
        raise CourseError(f"{file} does not run: {error!r}. Correct it.") from error
    config.CourseDirectory.root = str(course.resolve())
    if assignment is not None:
        config.CourseDirectory.assignment_id = assignment
    find_programs()
    return config


def is_proctored(course: Path) -> bool:
    """Return whether the configuration of a course switches nbproctor on.

    Raises
    ------
    CourseError
        There is no configuration, or it does not run.
    """
    return bool(load_config(course).Nbproctor.get("enabled", False))


def find_programs() -> None:
    """Put this Python's own programs on PATH, where nobody has activated them.

    nbgrader starts `alembic` by name when it makes a gradebook.
    """
    here = str(Path(sys.executable).parent)
    path = os.environ.get("PATH", os.defpath)
    if here not in path.split(os.pathsep):
        os.environ["PATH"] = os.pathsep.join([here, path])


def directory(config: Config, log: Log | None = None) -> CourseDirectory:
    """Return nbgrader's view of the folders that `config` describes."""
    return CourseDirectory(config=config, log=(log or Log()).logger)


def folder(
    coursedir: CourseDirectory, step: str, assignment: str, student: str = "."
) -> Path:
    """Return ``<course>/<step>/<student>/<assignment>`` as the course lays it out."""
    name = getattr(coursedir, f"{step}_directory")
    # normpath, not resolve: the course may be reached through a link.
    return Path(os.path.normpath(coursedir.format_path(name, student, assignment)))


def source_notebooks(coursedir: CourseDirectory, assignment: str) -> list[Path]:
    """Return the source notebooks of an assignment.

    Raises
    ------
    CourseError
        There is no such assignment, or it has no notebook.
    """
    source = folder(coursedir, "source", assignment)
    notebooks = sorted(source.glob("*.ipynb"))
    if not notebooks:
        others = sorted({path.parent.name for path in source.parent.glob("*/*.ipynb")})
        raise CourseError(
            f"There is no notebook in {source}. Assignments in this course: "
            f"{', '.join(others) or 'none'}."
        )
    return notebooks


def hand_in(course: Path) -> str:
    """Return where students hand in, as a sentence; empty: the course does not say."""
    return str(Nbproctor(config=load_config(course)).hand_in)


def check_sources(course: Path, assignment: str) -> None:
    """Check the source notebooks of an assignment before anything is made from them.

    Raises
    ------
    CourseError
        Names the file, every wrong cell, and the next step.
    """
    for notebook in source_notebooks(directory(load_config(course)), assignment):
        check_source(notebook)


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


def generate(course: Path, assignment: str) -> None:
    """Make the student version of an assignment, and tell the gradebook its cells.

    The release is made beside its final place and swapped in when it is complete,
    so that a failure leaves the old one as it was.

    Raises
    ------
    CourseError
        The source breaks a rule; nothing was changed.
    """
    config = load_config(course)
    coursedir = directory(config)
    for notebook in source_notebooks(coursedir, assignment):
        check_source(notebook)
    release = folder(coursedir, "release", assignment)
    with tempfile.TemporaryDirectory(prefix=".release-", dir=coursedir.root) as name:
        temporary = Path(name)
        # First without the gradebook: a source that fails must not touch it.
        _generate(config, assignment, f"{temporary.name}/try", gradebook=False)
        _generate(config, assignment, f"{temporary.name}/new", gradebook=True)
        release.parent.mkdir(parents=True, exist_ok=True)
        if release.exists():
            release.rename(temporary / "old")
        (temporary / "new" / assignment).rename(release)


def _generate(config: Config, assignment: str, step: str, gradebook: bool) -> None:
    config = Config(config)
    config.CourseDirectory.release_directory = step
    config.CourseDirectory.assignment_id = assignment
    if not gradebook:
        config.GenerateAssignment.no_database = True
        config.SaveCells.enabled = False
    log = Log()
    coursedir = directory(config, log)
    converter = GenerateAssignment(coursedir=coursedir, config=config, log=log.logger)
    run(converter, log, f"Making the release of {assignment!r}")
