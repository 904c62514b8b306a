"""A test cell in the judge: the names that it sees, its clock and its seeds.

A test sees the modules that the source notebook imports, the names that earlier helper
cells make, and the student's names. Of the names that other test cells made, it sees
those that it reads, unless something else has assigned to them since, as in a kernel.
Most test cells need none.
"""

from __future__ import annotations

import builtins
import io
import random
import signal
import sys
import types
import warnings
from collections.abc import Callable, Iterable, Iterator, Set
from contextlib import (
    contextmanager,
    redirect_stderr,
    redirect_stdout,
    suppress,
)
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from nbproctor.expect import measures, specification
from nbproctor.expect.calls import replaced
from nbproctor.judge import guard
from nbproctor.judge.classes import STAND_INS
from nbproctor.judge.compiled import (
    CHECK_TEMPLATE,
    BrokenTestError,
    Names,
    Tests,
    execute,
    union,
    used_in,
)
from nbproctor.judge.exports import MODULE
from nbproctor.judge.proxy import ProcessEnded, StudentRaised
from nbproctor.judge.session import Session
from nbproctor.protocol.frames import Interruption
from nbproctor.sandbox.policy import site_packages

MAX_PRINTED = 20_000  # characters of a test
_MAIN_OF_JUDGE = sys.modules[MODULE]


def display(*values: Any, **_: Any) -> None:
    """Replace IPython's `display`, which student code must not redefine."""
    sys.stdout.writelines(f"{value!r}\n" for value in values)


_BUILT_IN = vars(builtins) | {"display": display} | STAND_INS
_BUILT_IN[CHECK_TEMPLATE] = guard.check_template


class Namespace:
    """The global names that test cells see in one run through a notebook.

    There is one dictionary, as in a kernel: a function of an earlier test cell reads
    the current values of its names. Before each test, it is filled with what this test
    may see. Of test cells judged `outside_judge`, others get only imports and
    definitions.
    """

    def __init__(self, tests: Tests, outside_judge: Iterable[str]) -> None:
        self._tests = tests
        self._modules = _modules(tests)
        self._main = types.ModuleType(MODULE)  # a test may import it by name
        self._space: Names = vars(self._main)
        self._shared: dict[str, Any] = {}  # names that test cells made for later ones
        self._shared_names = {
            name for test in tests.cells.values() for name in test.shared
        }
        self._session_of: dict[str, Session] = {}  # test cell → session it ran for
        self._definitions_only = set(outside_judge)

    def run(
        self,
        name: str,
        session: Session,
        seconds: float,
        answer: str = "",
        *,
        is_needed: bool = False,
    ) -> Any:
        """Run a test cell and return its last value, or raise what it raises.

        After so many seconds, it raises `ProcessEnded`. `answer` is the text of the
        cell that the test judges.

        Test cells that it needs are run first, unless this process has run them: in
        follow-through, or after a process has ended. If a helper cell raises an
        exception of its own, this raises `BrokenTestError`.
        """
        test = self._tests.cells[name]
        has_run = all(self._session_of.get(cell) is session for cell in test.needs)
        if not has_run:
            for cell in test.needs:
                try:
                    self.run(
                        cell,
                        session=session,
                        seconds=seconds,
                        is_needed=True,
                    )
                except Interruption:
                    raise
                except BaseException:
                    pass  # it has its own verdict; names made before the error stay
        try:
            space = self._fill(name, session)
            # A cell that ended a process once would end it again.
            if is_needed and name in self._definitions_only:
                return execute(test.definitions, space)
            session.has_answered = False
            with (
                _reset_global_state(session, test.seed),
                _time_limit(seconds),
                specification.recording(session.recorded, answer),
            ):
                return test.program.run(space)
        finally:
            self._end(name, session)

    def _end(self, name: str, session: Session) -> None:
        """End a test, passed or not, and store the names that later tests may read."""
        sys.modules[MODULE] = _MAIN_OF_JUDGE
        guard.running_session.clear()
        self._session_of[name] = session
        if session.end:
            self._definitions_only.add(name)
        for shared in self._tests.cells[name].program.binds & self._shared_names:
            self._shared.pop(shared, None)
            if shared in self._space:
                self._shared[shared] = self._space[shared]

    def _fill(self, name: str, session: Session) -> Names:
        """Fill the namespace for a test.

        A name comes from the first of these that has it: earlier test cells, helper
        cells and the test itself; the student's process, if an exercise must define the
        name; a module or a built-in; the student's process. If an exercise must import
        a module, the student must have imported it, but the test gets its own import.
        """
        sys.modules[MODULE] = self._main
        tests = self._tests
        test = tests.cells[name]
        helpers = tests.helpers_of(name)
        programs = tests.programs_of(name)
        used_names = used_in(programs)
        test_names = test.shared | union(
            program.binds_first for program in (test.program, *helpers)
        )
        library_names = self._modules.keys() | _BUILT_IN.keys()
        student_names = used_names - test_names - (library_names - tests.solution_names)
        imported_names = (tests.solution_imports & used_names) - test.shared

        built_in = dict(_BUILT_IN)
        for student_name in student_names:
            built_in.pop(student_name, None)
        space = self._space
        space.clear()
        student_objects = session.begin(
            sorted(student_names | imported_names), keep=bool(self._shared)
        )
        guard.running_session.append(session)
        # A test calls a reference directly, without the student's process.
        student_objects |= session.reference_functions
        missing_imports = imported_names - student_objects.keys()
        space["__name__"] = MODULE
        space["__builtins__"] = built_in
        # No other module, so that ``dir()`` shows what the student has.
        space |= _only(self._modules, used_names - student_names - missing_imports)
        # Of the student process's answer, only the requested names are used.
        space |= _only(student_objects, student_names)
        for helper in helpers:
            try:
                helper.run(space)
            except Interruption:
                raise
            except (StudentRaised, AssertionError):
                # It checks an answer. That matters only if a name is missing now.
                others = used_in(other for other in programs if other != helper)
                missing = helper.binds_first - space.keys()
                if others & missing:
                    raise
            except BaseException as error:
                raise BrokenTestError(f"a helper cell fails: {error!r}") from error
        space |= _only(self._shared, test.shared)
        return space


def _only(values: Names, names: Set[str]) -> Names:
    """Return the values that have one of these names."""
    return {name: values[name] for name in values.keys() & names}


def _modules(tests: Tests) -> Names:
    """Import what test cells use; the name of a missing module is the student's."""
    space: Names = {}
    for _, code in tests.imports:
        with suppress(ImportError):
            execute(code, space)
    return space


def import_own_modules() -> None:
    """Let tests import the modules that lie next to the source notebook.

    They come before installed packages, as in a kernel, but not before Python's own.
    A judge's folder holds the assignment's own files and none of the student's.
    """
    judge_folder = str(Path.cwd())
    own_folders = "", ".", judge_folder
    path = [folder for folder in sys.path if folder not in own_folders]
    installed = site_packages()
    position = path.index(installed[0]) if installed else len(path)
    path.insert(position, judge_folder)
    sys.path[:] = path


def refuse_truth_of_arrays() -> None:
    """Let an array of pandas's have no truth value, as one of NumPy's has none.

    An array of text, compared with anything, is an array. To Python, this is true, as
    every object with a length. So an array would pass each ``assert answer() == 3``.
    """
    pandas = sys.modules.get("pandas")
    if pandas:
        pandas.api.extensions.ExtensionArray.__bool__ = pandas.Series.__bool__


# ---- one test cell run -----


@contextmanager
def captured(
    student_seconds: Callable[[], float],
) -> Iterator[tuple[io.StringIO, io.StringIO, list[measures.Measured]]]:
    """Collect what a test prints, what it writes to stderr, and what it measures."""
    out = io.StringIO()
    err = io.StringIO()
    measured: list[measures.Measured] = []
    with (
        redirect_stdout(out),
        redirect_stderr(err),
        replaced(measures, measured=measured, student_seconds=student_seconds),
    ):
        yield out, err, measured


@contextmanager
def _reset_global_state(session: Session, first_seed: int) -> Iterator[None]:
    """Start a test with the same global state each time.

    No student can predict what the test draws before it sets a seed. If the test sets a
    seed, the student's process and the reference process set it, too.
    """
    np.random.seed(_words_of(first_seed))
    random.seed(first_seed)
    with (
        warnings.catch_warnings(),
        np.errstate(),
        np.printoptions(),
        replaced(
            np.random, seed=partial(_seed_everywhere, np.random.seed, "numpy", session)
        ),
        replaced(
            random, seed=partial(_seed_everywhere, random.seed, "random", session)
        ),
    ):
        yield


def _words_of(seed: int) -> list[int]:
    """Return a seed as NumPy takes it: words of 32 bits."""
    return [seed >> shift & 0xFFFFFFFF for shift in range(0, 256, 32)]


def seed_student(session: Session, seed: int) -> None:
    """Seed the student's global generators, unless student code prevents it."""
    with suppress(Exception, StudentRaised):  # what a public test draws earns nothing
        session.ask("seed", "numpy", [_words_of(seed)])
        session.ask("seed", "random", [seed % 2**62])


def _seed_everywhere(
    seed_judge: Any,
    module: str,
    session: Session,
    *values: Any,
) -> None:
    """Seed a global generator of the judge, of the student and of the references."""
    seed_judge(*values)
    for each in (session, session.reference_session):
        if each:
            each.ask("seed", module, list(values))


@contextmanager
def _time_limit(seconds: float) -> Iterator[None]:
    def raise_timeout(*_: Any) -> None:
        raise ProcessEnded("timeout", "the test took too long", seconds)

    before = signal.signal(signal.SIGALRM, raise_timeout)
    signal.setitimer(signal.ITIMER_REAL, max(seconds, 0.001))
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
