"""Inside the sandbox: runs cells and answers the judge's questions.

Numbers, text, containers and arrays leave this process as plain data. Everything else
stays here, and the judge gets a handle to name it by. Nothing here is trusted by the
judge: a student may replace any of it, and gains only other answers.
"""

from __future__ import annotations

import builtins
import copy
import operator
import random
import socket
import sys
import traceback
import types
from importlib import import_module
from typing import Any

import numpy as np

from nbproctor.protocol.encode import NamedItems, Ref
from nbproctor.protocol.frames import ClosedError, Wire
from nbproctor.protocol.namedtuples import are_names
from nbproctor.protocol.requests import TO_STUDENT
from nbproctor.protocol.rpc import Connection
from nbproctor.results import OutputLimits
from nbproctor.student.remote import JudgeObject, number_of
from nbproctor.student.shell import ZMQInteractiveShell, warm

# What an exception is to the judge: the first of its classes that is built in.
_BUILTIN = {
    name
    for name, kind in vars(builtins).items()
    if isinstance(kind, type) and issubclass(kind, Exception)
}
_NAMED = (type, types.FunctionType, types.MethodType, types.BuiltinFunctionType)
_PLAIN_BASES = (bool, int, float, complex, str, bytes, list, dict, set, frozenset)


class Student:
    """The notebook's namespace, and the table of objects that the judge may name."""

    def __init__(self, sock: socket.socket, shell: ZMQInteractiveShell) -> None:
        self.shell = shell
        self.table: dict[int, Any] = {}
        self.numbers: dict[int, int] = {}
        self.next = 0
        self.relayed: dict[int, BaseException] = {}
        self.connection = Connection(
            Wire(sock),
            TO_STUDENT,
            self.answer,
            default=self.default,
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

    def on_begin(self, names: tuple[str, ...], keep: tuple[int, ...]) -> dict[str, Any]:
        """Start a test: forget the handles of the one before, look up global names.

        Names that do not exist are left out.
        """
        self.table = {n: self.table[n] for n in keep if n in self.table}
        self.numbers = {id(value): n for n, value in self.table.items()}
        self.relayed.clear()
        self.shell.collect()
        space = self.shell.user_ns
        return {name: space[name] for name in names if name in space}

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

    # --- names for objects ------------------------------------------------------

    def default(self, value: Any) -> Any:
        """Turn a subclass into plain data, and any other object into a handle."""
        kind = type(value)
        if issubclass(kind, JudgeObject):
            return Ref("judge", (number_of(value),))
        if issubclass(kind, np.ndarray):
            if kind is not np.ndarray:
                return np.ndarray.view(value, np.ndarray)
        elif issubclass(kind, tuple):
            items = tuple(tuple.__iter__(value))
            names = getattr(kind, "_fields", None)
            if not are_names(names) or len(names) != len(items):
                return items
            return NamedItems(self.number(value), kind.__name__[:100], names, items)
        else:
            for base in _PLAIN_BASES:
                if issubclass(kind, base):
                    return _as_base(base, value)
        label = value.__name__ if issubclass(kind, _NAMED) else ""
        named = label if type(label) is str else ""
        about = kind.__name__[:100], named[:100], callable(value)
        return Ref("student", (self.number(value), *about))

    def number(self, value: Any) -> int:
        """Give an object a number by which the judge may name it."""
        number = self.numbers.get(id(value))
        if number is None:
            number = self.next
            self.next += 1
            self.numbers[id(value)] = number
            self.table[number] = value
        return number

    def resolve(self, ref: Ref) -> Any:
        """Find what the judge names: the student's, its own or a library's."""
        if ref.tag == "student":
            return self.table[ref.fields[0]]
        if ref.tag == "judge":
            return JudgeObject(self.connection, *ref.fields)
        module, path = ref.fields
        value: Any = import_module(module)
        for part in path.split(".") if path else ():
            value = getattr(value, part)
        return value

    # --- exceptions -------------------------------------------------------------

    def describe(self, error: BaseException) -> Any:
        """Say of an exception what the judge, and then the student, is told."""
        base = next(
            (k.__name__ for k in type(error).__mro__ if k.__name__ in _BUILTIN), ""
        )
        try:
            text = str(error)
        except BaseException:
            text = "<the exception has no text>"
        cell, line = None, None
        for frame, number in traceback.walk_tb(error.__traceback__):
            origin = self.shell.cell_of(frame.f_code.co_filename)
            if origin is not None:
                cell, line = origin[0], number + origin[1]
        relayed = next((n for n, e in self.relayed.items() if e is error), None)
        kind = type(error).__name__
        return [base, kind[:100], text[:2000], cell, line, relayed]

    def revive(self, report: Any) -> BaseException:
        """Make an exception of what went wrong in an object of the judge's."""
        number, name, text = report
        error: BaseException = getattr(builtins, name)(text)
        self.relayed[number] = error
        return error


def _as_base(base: Any, value: Any) -> Any:
    """Convert with the base's own methods, not with those of the student's class."""
    if base in (str, bytes):
        return base.__getitem__(value, slice(None))
    if base is dict:
        return dict(dict.items(value))
    if base in (list, set, frozenset):
        return base(base.__iter__(value))
    if base is complex:
        return complex(float(value.real), float(value.imag))
    return base.__pos__(value)


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
