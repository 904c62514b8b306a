"""A course: its configuration, read once, its folders, sources and gradebook.

All commands, from grading to an export, get facts about a course from a `Course`.
"""

from __future__ import annotations

import fnmatch
import os
import stat
import sys
from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator
from contextlib import contextmanager, suppress
from copy import copy, deepcopy
from dataclasses import replace
from functools import cached_property
from itertools import product
from pathlib import Path
from typing import Any

from jupyter_core.paths import jupyter_config_path
from nbgrader.api import MissingEntry
from nbgrader.converters.base import BaseConverter
from nbgrader.coursedir import CourseDirectory
from nbgrader.plugins import LateSubmissionPlugin
from nbgrader.preprocessors import (
    AssignLatePenalties,
    ClearHiddenTests,
    ClearMarkScheme,
    ClearSolutions,
)
from sqlalchemy.exc import DatabaseError
from traitlets import TraitError
from traitlets.config import Config
from traitlets.config.loader import JSONFileConfigLoader, PyFileConfigLoader

from nbproctor import platforms
from nbproctor.engine import Executor, Settings
from nbproctor.markers import Markers, has_autotests
from nbproctor.nbgrader.failures import CourseError, Log, as_computer_error
from nbproctor.nbgrader.gradebook import SharedGradebook
from nbproctor.nbgrader.marks import StudentMarks, read_marks
from nbproctor.nbgrader.options import Nbproctor
from nbproctor.nbgrader.placement import find_placement, read_placement
from nbproctor.notebook import MasterNotebook, MasterNotebookError, support_files
from nbproctor.pages.outline import Outline
from nbproctor.sandbox.forkserver import environment
from nbproctor.sandbox.policy import Policy
from nbproctor.sanitize import one_line
from nbproctor.submission.files import replace_surrogates

# Characters that are allowed in the name of an assignment.
NAMES = "Use letters, digits, '.', '-' and '_'."
MAX_PATH = 480  # bytes: SQLite takes 504, with the name of a gradebook


class Course:
    """A course folder and all facts about it; each is read only once.

    Like nbgrader's own `CourseDirectory`, it can be opened at an `assignment`.
    `coursedir` is nbgrader's: the one of a running nbgrader command, or a new one from
    the configuration, which is read then. Copy `config` before you change it.
    `CourseError`: the folder is not a course, or its configuration has an error.
    """

    def __init__(
        self,
        root: Path,
        assignment: str = "",
        coursedir: CourseDirectory | None = None,
    ) -> None:
        _check_path(root)
        self.root = root
        self.assignment = assignment
        if not coursedir:
            coursedir = CourseDirectory(config=_read_config(root), log=Log())
        self.coursedir = coursedir
        self.config: Config = coursedir.config

    @classmethod
    def from_converter(cls, converter: BaseConverter) -> Course:
        """Return the course on which one of nbgrader's own commands is working."""
        # During a run, nbgrader's own object points to other folders.
        coursedir = copy(converter.coursedir)
        course = cls(Path(coursedir.root), coursedir.assignment_id, coursedir)
        # This object may have been made before the course's configuration was read.
        course.config = converter.config
        return course

    @classmethod
    def load(cls, course: Path | Course, assignment: str) -> Course:
        """Return a course at an assignment; if it is already open there, itself."""
        if isinstance(course, Course):
            return course.for_assignment(assignment)
        return cls(course, assignment)

    def for_assignment(self, assignment: str) -> Course:
        """Return this course at an assignment."""
        if assignment == self.assignment:
            return self
        course = copy(self)
        course.assignment = assignment
        course.clear_cache()
        return course

    @cached_property
    def options(self) -> Nbproctor:
        """The options of nbproctor in the configuration."""
        return Nbproctor(config=self.config)

    def folder(
        self,
        step: str,
        student: str = ".",
        assignment: str = "",
    ) -> Path:
        """Return ``<course>/<step>/<student>/<assignment>``, as configured."""
        name = assignment or self.assignment
        directory = getattr(self.coursedir, f"{step}_directory")
        path = self.coursedir.format_path(directory, student, name)
        # normpath, not resolve: the course may be reached through a link.
        return Path(os.path.normpath(path))

    @property
    def records(self) -> Path:
        """The folder with what platforms and teachers recorded about the assignment."""
        return self.root / "collected" / self.assignment

    def read_column(self, column: str) -> dict[str, str]:
        """Return a column of these records: student → text."""
        rows = platforms.read_record(self.records).items()
        return {student: row[column] for student, row in rows if row.get(column)}

    def converter(self, kind: type[BaseConverter]) -> Any:
        """Return one of nbgrader's converters, for `failures.run` on the assignment."""
        _check_name(self.assignment)
        config = deepcopy(self.config)
        log = Log()
        config.CourseDirectory.assignment_id = self.assignment
        coursedir = CourseDirectory(config=config, log=log)
        return kind(
            coursedir=coursedir,
            config=config,
            log=log,
        )

    def submissions(self) -> dict[str, Path]:
        """Return the folders of the chosen students, by id and sorted.

        This includes folders without permission to read them: they are reported, not
        skipped.
        """
        pattern = self.coursedir.student_id
        parent = self._shared_folder("submitted")
        # The pattern itself may be an id with a bracket in it.
        names = {pattern}
        if parent.is_dir():
            entries = [entry.name for entry in parent.iterdir()]
            names.update(fnmatch.filter(entries, pattern))
        names.difference_update(self.coursedir.student_id_exclude.split(","))
        submissions = {}
        for name in sorted(names):
            folders = self._own_folders("submitted", name)
            try:
                # A link in the students' part of the path would lead out of it.
                modes = [path.lstat().st_mode for path in folders]
                is_there = all(map(stat.S_ISDIR, modes))
            except OSError as error:
                is_there = isinstance(error, PermissionError)
            if is_there:
                submissions[name] = folders[-1]
        return submissions

    def find_unwritable(self, students: Iterable[str]) -> dict[str, str]:
        """Return the students whose results cannot be written, and why.

        The results need writable folders, and no link may be on the path.
        """
        reasons = {}
        for student, step in product(students, ("autograded", "feedback")):
            for path in self._own_folders(step, student):
                if not os.path.lexists(path):
                    break
                if path.is_symlink() or not path.is_dir():
                    reasons[student] = f"{path} is not a folder: move it away"
                elif not os.access(path, os.R_OK | os.W_OK | os.X_OK):
                    reasons[student] = f"there is no permission to write into {path}"
        return reasons

    def _own_folders(self, step: str, student: str) -> list[Path]:
        """Return the folders on the path that are one student's, outermost first."""
        shared = self._shared_folder(step)
        path = self.folder(step, student)
        return [
            each for each in (*reversed(path.parents), path) if shared in each.parents
        ]

    def _shared_folder(self, step: str) -> Path:
        """Return the innermost folder on a step's path that all students share."""
        parts = self.folder(step, "*").parts
        return Path(*parts[: parts.index("*")])

    # What the teacher wrote ---------------------------------------------------------

    def assignments(self) -> list[str]:
        """Return the names of the assignments that have a source notebook, sorted."""
        source = self.folder("source", assignment="*").parent
        return sorted({path.parent.name for path in source.glob("[!.]*/[!.]*.ipynb")})

    def sources(self) -> list[Path]:
        """Return the source notebooks of the assignment, as nbgrader: no hidden files.

        `CourseError`: there is none, or nbgrader refuses the assignment's name.
        """
        _check_name(self.assignment)
        source = self.folder("source")
        if not (notebooks := sorted(source.glob("[!.]*.ipynb"))):
            raise CourseError(
                f"There is no notebook in {source}. Assignments in this course: "
                f"{', '.join(self.assignments()) or 'none'}."
            )
        return notebooks

    @cached_property
    def markers(self) -> Markers:
        """The markers of solutions and hidden parts in nbgrader's configuration."""
        solution, hidden, scheme = (
            step(config=self.config, log=Log())
            for step in (ClearSolutions, ClearHiddenTests, ClearMarkScheme)
        )
        return Markers(
            solution=(
                solution.begin_solution_delimeter,
                solution.end_solution_delimeter,
            ),
            hidden=(hidden.begin_test_delimeter, hidden.end_test_delimeter),
            scheme=(
                scheme.begin_mark_scheme_delimeter,
                scheme.end_mark_scheme_delimeter,
            ),
            stub=solution.code_stub.get("python", Markers().stub),
        )

    @property
    def has_late_penalty(self) -> bool:
        """Whether the configuration takes points off for submitting late."""
        plugin = AssignLatePenalties(config=self.config).plugin_class
        is_stock = plugin is LateSubmissionPlugin
        return not is_stock or plugin(config=self.config).penalty_method != "none"

    @property
    def header_and_footer(self) -> dict[str, Path]:
        """The notebooks that the course adds before and after each notebook, if any."""
        options = self.config.IncludeHeaderFooter
        parts = [part for part in ("header", "footer") if options.get(part)]
        return {part: Path(self.coursedir.root, options[part]) for part in parts}

    @cached_property
    def masters(self) -> list[MasterNotebook]:
        """The notebooks of the assignment, frozen for grading.

        `CourseError`: there is none, one cannot be read, or it is not for Python.
        """
        release = self.folder("release")
        around = self.header_and_footer
        try:
            masters = [
                MasterNotebook.read(
                    path, release / path.name, markers=self.markers, **around
                )
                for path in self.sources()
            ]
        except MasterNotebookError as error:
            raise CourseError(str(error)) from error
        for master in masters:
            if master.language != "python":
                raise CourseError(
                    f"{master.notebook!r} is a notebook for {master.language!r}. "
                    "nbproctor grades only Python. To grade this course with plain "
                    "nbgrader, remove proctor(c) from nbgrader_config.py."
                )
        repairs = self.options.repair_answers
        masters = [replace(self._with_autotests(m), repairs=repairs) for m in masters]
        return [read_placement(master, self) for master in masters]

    def _with_autotests(self, master: MasterNotebook) -> MasterNotebook:
        """Add the tests that nbgrader made of ``### AUTOTEST`` lines for the release.

        nbgrader makes them from the reference solution, and stores them in the
        gradebook.
        """
        if not any(has_autotests(cell.source) for cell in master.cells):
            return master
        try:
            with self.gradebook() as book:
                notebook = book.find_notebook(master.notebook, master.assignment)
                sources = {cell.name: cell.source for cell in notebook.source_cells}
        except MissingEntry:
            return master  # no release yet
        return master.with_cells(
            replace(cell, source=sources.get(cell.id, cell.source))
            if has_autotests(cell.source)
            else cell
            for cell in master.cells
        )

    def settings(
        self, options: Nbproctor | None = None, replaceable: Collection[str] = ()
    ) -> Settings:
        """Return how submissions of the assignment are executed.

        `options` are those of a run, `replaceable` the assignment's files that a
        student may replace.
        """
        options = options or self.options
        sets = environment(Policy(), Path()).keys()
        variables = options.environment.items()
        for name, value in variables:
            is_variable = name and "=" not in name
            if not is_variable or name in sets or "\0" in name + value:
                raise CourseError(
                    f"c.Nbproctor.environment sets {name!r}, which is reserved for "
                    "the sandbox or cannot be an environment variable. Remove it."
                )
        data = next((m.data for m in self.masters if m.data), None)
        files = support_files(
            source=self.folder("source"),
            data=data,
            ignored=self.coursedir.ignore,
        )
        for name in replaceable:
            files.pop(os.path.normpath(name), None)
        policy = Policy(
            memory=options.memory_megabytes << 20,
            readable=tuple(options.readable),
            environment=tuple(sorted(variables)),
            network=self.assignment in options.network,
            files=tuple(files.items()),
            weak=options.weak_sandbox,
        )
        return Settings(
            limits=options.limits(),
            policy=policy,
            follow_through=options.follow_through,
            stderr_fails_tests=options.stderr_fails_tests,
        )

    def place_tests(
        self,
        settings: Settings,
        pool: Executor,
        *,
        again: bool = False,
    ) -> list[MasterNotebook]:
        """Return the notebooks, with each test placed by `find_placement`."""
        masters = [
            find_placement(
                master=master,
                course=self,
                settings=settings,
                pool=pool,
                again=again,
            )
            for master in self.masters
        ]
        self.clear_cache()
        self.masters = masters
        return masters

    def clear_cache(self) -> None:
        """Forget what was read of the assignment, because its files have changed."""
        for name in ("masters", "outlines"):
            vars(self).pop(name, None)

    @cached_property
    def outlines(self) -> dict[str, Outline]:
        """What all pages of the assignment share: notebook name → outline."""
        return {
            master.notebook: Outline.of(master)
            for master in self.masters
            if fnmatch.fnmatch(master.notebook, self.coursedir.notebook_id)
        }

    # What the gradebook says --------------------------------------------------------

    @contextmanager
    def gradebook(self) -> Iterator[SharedGradebook]:
        """Open the gradebook, or share the one that is already open.

        `CourseError` says why the database cannot be used, and what to do.
        """
        try:
            with self._gradebook as book:
                yield book
        except DatabaseError as error:
            raise as_computer_error(error) or error from error

    @cached_property
    def _gradebook(self) -> SharedGradebook:
        return SharedGradebook(self.coursedir.db_url, self.coursedir.course_id)

    def marks(self, student: str | None = None) -> defaultdict[str, StudentMarks]:
        """Return the marks of the assignment in the gradebook: see `read_marks`."""
        with self.gradebook() as book:
            return read_marks(
                book=book,
                assignment=self.assignment,
                student=student,
            )


def check_exportable(course: Course) -> None:
    """Check that a course may be uploaded to a platform that grades with it.

    `CourseError`: the assignment is unknown, or the configuration names a database: its
    password would go along, and the platform's runs would write into it.
    """
    course.sources()
    if "db_url" in course.config.CourseDirectory:
        raise CourseError(
            "nbgrader_config.py names a database (c.CourseDirectory.db_url), which "
            "must not be sent to another platform. Set it only on the computer where "
            "you grade, for example: if 'NBGRADER_DB' in os.environ"
        )


def _check_name(assignment: str) -> None:
    """Raise `CourseError` if nbgrader does not accept the name of an assignment."""
    with suppress(TraitError):
        coursedir = CourseDirectory(assignment_id=assignment, log=Log())
        if coursedir.assignment_id == assignment:
            return
    raise CourseError(
        f"nbgrader refuses {assignment!r} as the name of an assignment. {NAMES} "
        "Rename its folder in source/."
    )


def _check_path(root: Path) -> None:
    """Raise `CourseError` if a course cannot be used at its path."""
    path = root.absolute()
    shown = one_line(str(path))
    if replace_surrogates(path) != str(path):
        raise CourseError(
            f"The path of the course, {shown}, cannot be written in this terminal's "
            f"encoding ({sys.getfilesystemencoding()}). Set PYTHONUTF8=1, as in "
            "`PYTHONUTF8=1 nbproctor grade`; if that does not help, rename the folder."
        )
    length = len(os.fsencode(path))
    if length > MAX_PATH:
        raise CourseError(
            f"The path of the course has {length:,} bytes; the gradebook's database "
            f"takes {MAX_PATH}. Move the course to a shorter path than {shown}."
        )


def _read_config(root: Path) -> Config:
    """Execute the configuration of a course.

    As for nbgrader's own commands, the course's file overrides those of the user and of
    the machine, and in one folder, JSON overrides Python. All commands must give the
    same grades.
    """
    if not (root / "nbgrader_config.py").is_file():
        raise CourseError(
            f"{root} is not a course: it has no nbgrader_config.py. "
            "Run the command in the course folder."
        )
    config = Config()
    loaders = {"py": PyFileConfigLoader, "json": JSONFileConfigLoader}
    for folder in (*reversed(jupyter_config_path()), str(root)):
        for kind, loader in loaders.items():
            path = Path(folder, f"nbgrader_config.{kind}")
            if not path.is_file():
                continue
            try:
                config.merge(loader(path.name, path=folder).load_config())
            except Exception as error:
                fault = f"{path} has an error: {error!r}. Correct it."
                raise CourseError(fault) from error
    config.CourseDirectory.root = str(root.resolve())
    return config
