"""The global names that test cells see.

A test cell sees the modules that provided cells import, what the helper cells before
it make, and the student's names. Of what other test cells made it sees what it reads
and nothing else has made since, as in a kernel; most test cells stand alone.
"""

from __future__ import annotations

import builtins
import contextlib
import sys
import types
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from nbproctor.judge import testcell
from nbproctor.judge.classes import STAND_INS
from nbproctor.judge.compiled import BrokenTestError, Tests
from nbproctor.judge.proxy import StudentError
from nbproctor.judge.session import Session
from nbproctor.sandbox.policy import site_packages

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
        this process: in follow-through, or after a process has ended.

        A helper cell that raises an exception of its own makes it a `BrokenTestError`.
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
                testcell.run(test.program, space, link, seconds)
        except Exception:
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
            except StudentError:
                raise
            except Exception as error:
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
