"""A course as nbgrader sees it: configuration, folders, release and feedback."""

from __future__ import annotations

import logging
import os
import sys
import tempfile
from pathlib import Path

from jupyter_core.paths import jupyter_config_path
from nbgrader.converters import GenerateAssignment
from nbgrader.converters.base import BaseConverter, NbGraderException
from nbgrader.coursedir import CourseDirectory
from traitlets.config import Config
from traitlets.config.loader import JSONFileConfigLoader, PyFileConfigLoader

from nbproctor.engine import EngineError
from nbproctor.nbgrader.options import Nbproctor
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


def load_config(course: Path, assignment: str | None = None) -> Config:
    """Read the configuration of a course; choose an assignment, if given.

    As for nbgrader's own commands, what the user's and the machine's
    ``nbgrader_config.py`` say holds where the course's own says nothing: all commands
    must give the same grades.

    Raises
    ------
    CourseError
        The course has no such file, or one does not run.
    """
    file = course / "nbgrader_config.py"
    if not file.is_file():
        raise CourseError(
            f"{course} is not a course: it has no nbgrader_config.py. "
            "Run the command in the course folder."
        )
    config = Config()
    for place in (*reversed(jupyter_config_path()), str(course)):
        for loader, kind in (
            (JSONFileConfigLoader, "json"),
            (PyFileConfigLoader, "py"),
        ):
            path = Path(place, f"nbgrader_config.{kind}")
            if path.is_file():
                try:
                    config.merge(loader(path.name, path=place).load_config())
                except Exception as error:
                    raise CourseError(
                        f"{path} does not run: {error!r}. Correct it."
                    ) from error
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
    for part in ("header", "footer"):  # nbgrader takes them from where it was started
        if name := config.IncludeHeaderFooter.get(part):
            config.IncludeHeaderFooter[part] = str(
                Path(config.CourseDirectory.root, name)
            )
    if not gradebook:
        config.GenerateAssignment.no_database = True
        config.SaveCells.enabled = False
    log = Log()
    coursedir = directory(config, log)
    converter = GenerateAssignment(coursedir=coursedir, config=config, log=log.logger)
    run(converter, log, f"Making the release of {assignment!r}")
