"""Student process, inside the sandbox: runs cells and answers the judge's requests.

Numbers, text, containers and arrays leave this process as plain data. Everything else
stays here, and the judge gets a handle to name it by. Nothing here is trusted by the
judge: a student may replace any of it, and gains only other answers.
"""

from __future__ import annotations

import builtins
import copy
import operator
import random
import resource
import socket
import sys
from importlib import import_module
from typing import Any

import numpy as np

from nbproctor.protocol.frames import ClosedError, Wire
from nbproctor.protocol.objects import Ref
from nbproctor.protocol.rpc import TO_STUDENT, Connection
from nbproctor.results import OutputLimits
from nbproctor.student.handles import Handles
from nbproctor.student.lending import NOTEBOOK, Entry, Lending, is_of_notebook
from nbproctor.student.plain import library_error, told_of
from nbproctor.student.relay import check_public, use
from nbproctor.student.remote import JudgeObject, Lent, stand_in
from nbproctor.student.shared import States
from nbproctor.student.shell import ZMQInteractiveShell, warm

_REFERENCE = "reference"  # what code of references is called: no cell of a student's


class Student:
    """Answers the judge's requests with the notebook's namespace."""

    def __init__(self, sock: socket.socket, shell: ZMQInteractiveShell) -> None:
        self.shell = shell
        self.lending = Lending(shell.user_ns)
        self.states: States | None = None  # in the process of the references
        self.handles = Handles(self.lending.base_of)
        self.relayed: dict[int, BaseException] = {}
        self.connection = Connection(
            Wire(sock),
            TO_STUDENT,
            self.answer,
            default=self.handles.default,
            resolve=self.resolve,
            describe=self.describe,
            revive=self.revive,
            caught=BaseException,
        )

    # --- requests ---------------------------------------------------------------

    def answer(self, name: str, arguments: list[Any]) -> Any:
        """Find the method for a request and run it."""
        return getattr(self, f"on_{name}")(*arguments)

    def on_run(self, source: str, cell: str | None, limits: tuple[int, ...]) -> Any:
        """Run a cell; what tests drew is not shown as if this cell had.

        What was rehearsed counts as run until any other cell runs: it may change what
        those after it do.
        """
        _close_figures()
        if source in self.shell.rehearsed:
            return self.shell.rehearsed[source]
        if cell is not None:
            self.shell.rehearsed.clear()
        return self.shell.run(source, cell, OutputLimits(*limits))

    def on_libraries(self, names: tuple[str, ...]) -> None:
        """Send values of these libraries whole, and take them."""
        self.connection.libraries = frozenset(names)

    def on_begin(self, names: tuple[str, ...], keep: tuple[int, ...]) -> dict[str, Any]:
        """Start a test: forget the handles of the one before, look up global names.

        Names that do not exist are left out.
        """
        self.handles.keep_only(keep)
        self.relayed.clear()
        self.shell.collect()
        space = self.shell.user_ns
        return {name: space[name] for name in names if name in space}

    def on_stderr(self) -> bool:
        """Whether anything was written to stderr since the test began."""
        return self.shell.outputs.has("stderr")

    def on_room(self) -> bool:
        """Whether a sixteenth of the memory limit is left."""
        limit, _ = resource.getrlimit(resource.RLIMIT_DATA)
        if limit == resource.RLIM_INFINITY:
            return True
        try:
            np.empty(limit // 16, np.uint8)
        except MemoryError:
            return False
        return True

    def on_seed(self, module: str, arguments: list[Any]) -> None:
        """Follow a test that seeds a global random generator."""
        (np.random if module == "numpy" else random).seed(*arguments)

    def on_call(self, target: Any, args: Any, kwargs: Any) -> Any:
        """Call something."""
        return target(*args, **kwargs)

    def on_get(self, target: Any, name: str) -> Any:
        """Get an attribute."""
        return getattr(target, name)

    def on_set(self, target: Any, name: str, value: Any) -> None:
        """Set an attribute."""
        setattr(target, name, value)

    def on_delete(self, target: Any, name: str) -> None:
        """Delete an attribute."""
        delattr(target, name)

    def on_op(self, name: str, arguments: list[Any]) -> Any:
        """Apply a function of `operator`."""
        return getattr(operator, name)(*arguments)

    def on_builtin(self, name: str, arguments: list[Any]) -> Any:
        """Apply a built-in function such as ``len``, ``iter`` or ``isinstance``."""
        return getattr(builtins, name)(*arguments)

    def on_copy(self, target: Any) -> Any:
        """Copy an object that only lives here."""
        return copy.deepcopy(target)

    def on_array(self, target: Any) -> Any:
        """Convert an object to an array the way NumPy does."""
        return np.array(target)

    # --- two processes of one notebook --------------------------------------------

    def on_reference(self) -> None:
        """Become the process of the reference solutions."""
        self.shell.has_history = False  # no variable may hold their text
        self.states = States(self.connection, self.handles.default)

    def on_define(self, source: str, wanted: list[str]) -> list[Entry]:
        """Run a reference solution, and tell what it defines."""
        return self.lending.define(lambda: self.shell.run(source, _REFERENCE), wanted)

    def on_lend(self, entries: list[Entry]) -> None:
        """Define what a reference solution has defined."""
        self.lending.bind(entries)

    def on_provide(self, *arguments: Any) -> Any:
        """Run a cell of the teacher's, whose names students' cells cannot lose."""
        return self.lending.provide(lambda: self.on_run(*arguments))

    def on_mend(self, defined: list[str]) -> None:
        """Bind the names again that a student's cell has lost."""
        self.lending.mend(defined)

    def on_release(self) -> None:
        """Release the names that the student's answer has defined again."""
        self.lending.release()

    def on_lent(self, request: str, target: Any, arguments: tuple[Any, ...]) -> Any:
        """Use an object for the other process."""
        if self.states is None:
            return use(request, target, *arguments)
        check_public(request, target, *arguments)
        with self.states.visit():
            return use(request, target, *arguments)

    # --- objects ----------------------------------------------------------------

    def resolve(self, ref: Ref) -> Any:
        """Find what the judge names: the student's, its own or a library's."""
        if ref.tag == "student":
            return self.handles.objects[ref.fields[0]]
        if ref.tag == "judge":
            return self.outside(*ref.fields)
        module, path = ref.fields
        value: Any = import_module(module)
        for part in path.split(".") if path else ():
            value = getattr(value, part)
        return value

    def outside(self, number: int, kind: str, *names: Any) -> JudgeObject:
        """Return a stand-in for an object of the judge, or of the other process."""
        connection = self.states or self.connection
        if names != (True,):
            return stand_in(JudgeObject, connection, number, kind, *names)
        base, _, own = kind.partition(" ")
        defined = self.shell.user_ns.get(base)
        if self.states is not None and is_of_notebook(defined):
            return self.states.stand_in(defined, number, kind, exact=not own)
        return stand_in(Lent, connection, number, kind)

    # --- exceptions -------------------------------------------------------------

    def describe(self, error: BaseException) -> Any:
        """Say of an exception what the judge, and then the student, is told."""
        relayed = next((n for n, e in self.relayed.items() if e is error), None)
        told = [*told_of(error, self.shell.cell_of), relayed]
        kind = type(error)
        own = kind.__module__ == NOTEBOOK and issubclass(kind, Exception)
        if relayed is not None or not own:
            return [*told, library_error(error), None]
        error.__traceback__ = None  # whose frames hold all that the call held
        return [*told, kind, error]

    def revive(self, report: Any) -> BaseException:
        """Make an exception of what went wrong in an object of the judge's."""
        number, name, text = report
        error: BaseException = getattr(builtins, name)(text)
        self.relayed[number] = error
        return error


def _close_figures() -> None:
    pyplot = sys.modules.get("matplotlib.pyplot")
    if pyplot is not None and pyplot.get_fignums():
        pyplot.close("all")


def main(sock: socket.socket) -> None:
    """Serve the judge at the other end of `sock` until it hangs up.

    Raises
    ------
    ProtocolError
        The conversation cannot go on.
    """
    shell = warm()
    shell.take_over()
    try:
        Student(sock, shell).connection.serve()
    except ClosedError:
        return
