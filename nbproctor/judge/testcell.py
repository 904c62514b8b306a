"""A test cell in the judge: the names that it sees, its clock, its seeds, its points.

A test sees the modules that the source notebook imports, what the helper cells before
it make, and the student's names. Of what other test cells made it sees what it reads
and nothing else has made since, as in a kernel; most test cells stand alone.
"""

from __future__ import annotations

import builtins
import contextlib
import io
import random
import signal
import sys
import types
import warnings
from collections.abc import Iterable, Iterator
from decimal import Decimal
from fractions import Fraction
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from nbproctor import expect
from nbproctor.judge.classes import STAND_INS, ErrorClass, OwnError
from nbproctor.judge.compiled import BrokenTestError, Program, Tests
from nbproctor.judge.proxy import Proxy, StudentRaised
from nbproctor.judge.session import Session
from nbproctor.protocol.frames import Interruption
from nbproctor.sandbox.policy import site_packages

MAX_PRINTED = 20_000  # characters of a test
# The `__name__` that marks what test cells define. It is a kernel's: many a test cell
# runs its checks only ``if __name__ == "__main__"``.
MODULE = "__main__"
_OURS = sys.modules[MODULE]


def display(*values: Any, **_: Any) -> None:
    """Stand for a notebook's own, which is not the student's to define."""
    sys.stdout.writelines(f"{value!r}\n" for value in values)


_BUILT_IN = vars(builtins) | {"display": display}


class Namespace:
    """The global names that test cells see in one run through a notebook.

    There is one dictionary, as in a kernel: a function of an earlier test cell reads
    what its names mean now. Before each test it holds what that test may see. Of test
    cells judged `elsewhere`, others get what they import and define.
    """

    def __init__(self, tests: Tests, elsewhere: Iterable[str]) -> None:
        self._tests, self._modules = tests, _modules(tests)
        self._main = types.ModuleType(MODULE)  # what a test imports by this name
        self._space: dict[str, Any] = vars(self._main)
        self._kept: dict[str, Any] = {}  # what later test cells need
        self._wanted = frozenset().union(*(t.shared for t in tests.cells.values()))
        self._ran: dict[str, Session] = {}  # test cell → for which process
        self._fatal = set(elsewhere)

    def begin(self, name: str, link: Session, seconds: float) -> dict[str, Any]:
        """Begin a test: make what it sees, with the student's names bound beforehand.

        Test cells that it needs are run first, if they were not in this run and for
        this process: in follow-through, or after a process has ended. A helper cell
        that raises an exception of its own makes it a `BrokenTestError`.
        """
        sys.modules[MODULE] = self._main
        needs = self._tests.cells[name].needs
        if any(self._ran.get(cell) is not link for cell in needs):
            for cell in needs:
                self._run_again(cell, link, seconds)
                sys.modules[MODULE] = self._main
        return self._make(name, link)

    def end(self, name: str, link: Session) -> None:
        """End a test: keep what it made for later ones, whether it failed or not."""
        sys.modules[MODULE] = _OURS
        self._ran[name] = link
        if link.gone is not None:
            self._fatal.add(name)
        for made in self._tests.cells[name].program.binds & self._wanted:
            self._kept.pop(made, None)
            if made in self._space:
                self._kept[made] = self._space[made]

    def _run_again(self, cell: str, link: Session, seconds: float) -> None:
        space, test = self._make(cell, link), self._tests.cells[cell]
        try:
            # What ended a process once would do so again.
            if cell in self._fatal:
                exec(test.definitions, space)
            else:
                run(test.program, space, link, seconds)
        except Interruption:
            raise
        except BaseException:
            pass  # it has its own verdict; what it made until then is there
        finally:
            self.end(cell, link)

    def _make(self, name: str, link: Session) -> dict[str, Any]:
        """Fill the namespace for a test.

        A name of a module or of Python's own is the student's only where the exercise
        is to define it. What an exercise is to import, the student must have, but the
        test gets its own.
        """
        tests, test = self._tests, self._tests.cells[name]
        helpers = tests.helpers[: test.helpers]
        own = test.program, *helpers
        earlier = [tests.cells[cell].program for cell in test.needs]
        uses = frozenset().union(*(program.uses for program in (*own, *earlier)))
        makes = test.shared.union(*(program.makes for program in own))
        ours = (self._modules.keys() | _BUILT_IN.keys()) - tests.answers
        theirs = uses - makes - ours
        python = {k: v for k, v in _BUILT_IN.items() if k not in theirs}
        python.update((k, v) for k, v in STAND_INS.items() if k in python)
        space = self._space
        space.clear()
        space.update({"__name__": MODULE, "__builtins__": python})
        # No other: ``dir()`` is to tell what the student has.
        used = uses & self._modules.keys() - theirs
        space.update((name, self._modules[name]) for name in used)
        # The student process says what a name is, but not which names there are.
        imported = (tests.imported & uses) - test.shared
        known = link.begin(sorted(theirs | imported), keep=bool(self._kept))
        there = known if type(known) is dict else {}
        space.update((name, there[name]) for name in theirs & there.keys())
        for name in imported - there.keys():
            space.pop(name, None)
        for helper in helpers:
            try:
                exec(helper.body, space)
                if helper.last is not None:
                    eval(helper.last, space)
            except (StudentRaised, Interruption):
                raise
            except BaseException as error:
                raise BrokenTestError(f"a helper cell fails: {error!r}") from error
        space.update((k, v) for k, v in self._kept.items() if k in test.shared)
        return space


def _modules(tests: Tests) -> dict[str, Any]:
    """Import what test cells use; the name of what is not here is the student's."""
    space: dict[str, Any] = {}
    for _, code in tests.imports:
        with contextlib.suppress(ImportError):
            exec(code, space)
    return space


def import_own_modules() -> None:
    """Let tests import the modules that lie beside the source notebook.

    They come before installed packages, as in a kernel, but not before Python's own.
    A judge's folder holds the assignment's own files and none of the student's.
    """
    path = [folder for folder in sys.path if folder not in ("", ".", str(Path.cwd()))]
    installed = site_packages()
    path.insert(path.index(installed[0]) if installed else len(path), str(Path.cwd()))
    sys.path[:] = path


# ---- one test cell run -----


class TestTimeout(Interruption):
    """A test cell took too long; not an error that a test may catch."""


def run(test: Program, space: dict[str, Any], link: Session, seconds: float) -> Any:
    """Run a test cell and return its last value, or raise what it raises.

    After so many seconds, that is a `TestTimeout`.
    """
    with _afresh(link), _alarm(seconds):
        exec(test.body, space)
        return eval(test.last, space) if test.last is not None else None


def points_of(value: Any, most: float) -> float:
    """Score the value of a test cell that raised nothing: within 0 and `most`.

    By nbgrader's rule, what is no plain number earns all points. If that were so for
    NumPy's numbers, a wrong answer of such a type would make ``sum(abs(got - want) <
    tol …)`` worth everything. An array counts as its smallest number; an array of no
    numbers, a complex number and what only the student's process knows as nothing.
    """
    try:
        number = _number(value)
        if number is None:
            return most
        # Limited first: an integer may be too long for a float. Only NaN is not itself.
        return float(min(max(number, 0), most)) if number == number else 0.0
    # A signaling NaN; an object of the test's that cannot be looked at.
    except Exception:
        return 0.0


def _number(value: Any) -> Any:
    """Return the number that a test cell ends in; None if it ends in no number."""
    if isinstance(value, Proxy | ErrorClass | OwnError | complex):
        return 0
    if type(value).__name__ in ("NAType", "NaTType"):  # any sum with pandas's is one
        return 0
    if isinstance(value, np.ndarray | np.generic) and value.dtype.kind != "b":
        return float(value.min()) if value.size and value.dtype.kind in "iuf" else 0.0
    return value if type(value) in (int, float, Fraction, Decimal) else None


@contextlib.contextmanager
def captured() -> Iterator[tuple[io.StringIO, io.StringIO, expect.Measured]]:
    """Collect what a test prints, what it writes to stderr, and what it measures."""
    out, err = io.StringIO(), io.StringIO()
    expect.measured = []
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        yield out, err, expect.measured
    expect.measured = None
    out.truncate(MAX_PRINTED)


@contextlib.contextmanager
def _afresh(link: Session) -> Iterator[None]:
    """Start every test with the same global state; what it seeds, the student seeds."""
    with contextlib.ExitStack() as stack:
        for name, module in (("numpy", np.random), ("random", random)):
            own: Any = module.seed
            own(0)
            stack.callback(setattr, module, "seed", own)
            seed = partial(_seed, own, name, link)
            setattr(module, "seed", seed)  # noqa: B010 - for mypy
        for state in (warnings.catch_warnings(), np.errstate(), np.printoptions()):
            stack.enter_context(state)
        yield


def _seed(own: Any, module: str, link: Session, *values: Any) -> None:
    """Seed a global generator, and the student's."""
    own(*values)
    link.ask("seed", module, list(values))


@contextlib.contextmanager
def _alarm(seconds: float) -> Iterator[None]:
    def ring(*_: Any) -> None:
        raise TestTimeout

    before = signal.signal(signal.SIGALRM, ring)
    signal.setitimer(signal.ITIMER_REAL, max(seconds, 0.001))
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
