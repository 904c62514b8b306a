"""Student process, inside the sandbox: runs cells and answers the judge's requests.

Numbers, text, containers and arrays leave this process as plain data. Other objects
stay here, and the judge gets a handle for each. The judge trusts nothing here: a
student may replace any of this code, but that only changes the answers.
"""

from __future__ import annotations

import builtins
import copy
import operator
import os
import random
import resource
import socket
import sys
from collections.abc import Callable, Iterable
from contextlib import suppress
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np

from nbproctor.protocol.calls import Answer, make_calls
from nbproctor.protocol.frames import ClosedError, Wire
from nbproctor.protocol.objects import Ref
from nbproctor.protocol.rpc import TO_STUDENT, Connection
from nbproctor.student.handles import (
    Handles,
    attribute_cache,
    describe_exception,
    has_special_method,
    make_function,
    make_stand_in,
)
from nbproctor.student.shell import ZMQInteractiveShell, get_shell

# Functions that the judge's proxies apply to their objects, by name.
_FUNCTIONS = vars(builtins) | vars(operator)
_FUNCTIONS |= {"deepcopy": copy.deepcopy, "array": np.array}


def unpack(files: dict[bytes, bytes]) -> None:
    """Write the files that were submitted with the notebook; cells can import them."""
    sys.path.insert(0, "")
    for name, content in files.items():
        path = Path(os.fsdecode(name))
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)


def seed(module: str, arguments: list[Any]) -> None:
    """Seed a global random generator as a test has done in the judge."""
    generator = np.random if module == "numpy" else random
    generator.seed(*arguments)


class Student:
    """Answers the judge's requests from the notebook's namespace."""

    def __init__(self, sock: socket.socket, shell: ZMQInteractiveShell) -> None:
        self.shell = shell
        # Functions of other exercises, by name.
        self.reference_functions: dict[str, Any] = {}
        self.handles = Handles()
        self.judge_exceptions: dict[int, BaseException] = {}
        self.default = self.handles.default
        #: Request of `TO_STUDENT` → the function that answers it.
        self.handlers: dict[str, Callable[..., Any]] = {
            "unpack": unpack,
            "run": self.on_run,
            "begin": self.on_begin,
            "call": lambda target, args, kwargs: target(*args, **kwargs),
            "calls": make_calls,
            "get": getattr,
            "set": setattr,
            "apply": lambda name, arguments: _FUNCTIONS[name](*arguments),
            "seed": seed,
            "end": self.on_end,
            "lend": self.on_lend,
            "untried": lambda: [*shell.compile.untried()],
        }
        self.connection = Connection(
            wire=Wire(sock),
            requests=TO_STUDENT,
            handler=self,
        )

    # --- requests ---------------------------------------------------------------

    def answer(self, name: str, arguments: Iterable[Any]) -> Any:
        """Answer a request of the judge."""
        try:
            return self.handlers[name](*arguments)
        finally:
            attribute_cache.clear()

    def on_run(
        self,
        source: str,
        cell: str | None,
        keeps_names: bool,
    ) -> Any:
        """Run a cell; return its outputs, and whether it has used up the memory.

        The third value returned is its exception, as `describe_exception` returns it.
        With `keeps_names`, names that the cell removes are restored. Figures that tests
        drew are closed first. A cell that was run before the fork is not run again,
        unless another cell has run, which may change its effect.
        """
        shell = self.shell
        pyplot = sys.modules.get("matplotlib.pyplot")
        if pyplot and pyplot.get_fignums():
            pyplot.close("all")
        if source in shell.opening_outputs:
            return shell.opening_outputs[source], False, None
        if cell is not None:
            shell.opening_outputs.clear()
        shell.error = None
        had_room = _has_free_memory()
        names = dict(shell.user_ns) if keeps_names else {}
        outputs = shell.run(source, cell)
        for name, value in names.items():
            shell.user_ns.setdefault(name, value)
        raised = None
        if error := shell.error:
            raised = describe_exception(error, shell.compile.cells)
        has_used_memory = had_room and not _has_free_memory()
        return outputs, has_used_memory, raised

    def on_begin(self, names: tuple[str, ...], keep: tuple[int, ...]) -> dict[str, Any]:
        """Start a test: forget the handles of the previous one, return global names.

        Names that do not exist are left out. Handles in `keep` stay valid.
        """
        self.handles.simplified_subclass = False
        self.handles.keep_only(keep)
        self.judge_exceptions.clear()
        self.shell.start_outputs()
        space = self.shell.user_ns
        # Student code may have changed these names.
        space.update(self.reference_functions)
        return {name: space[name] for name in names if name in space}

    def on_lend(self, functions: dict[str, Any]) -> None:
        """Define functions of other exercises, which run in a separate process."""
        for name, function in functions.items():
            self.reference_functions[name] = make_function(name, function)
        self.shell.user_ns.update(self.reference_functions)

    def on_end(self, decided: list[Any]) -> tuple[bool, str]:
        """End a test; return whether anything was written to stderr, and a method.

        `decided` has values, each with methods that the judge did not call. Returns the
        first of these methods that the value's class has; ``__class__`` if the judge
        got a plain value in place of a derived one; "" otherwise.
        """
        has_written = self.shell.outputs.has_stream("stderr")
        for value, *methods in decided:
            for method in methods:
                if method == "__class__" or has_special_method(value, method):
                    return has_written, str(method)
        return has_written, "__class__" if self.handles.simplified_subclass else ""

    # --- objects ----------------------------------------------------------------

    def resolve(self, ref: Ref) -> Any:
        """Return what the judge names: an object of a student, its own or a library."""
        if ref.tag == "student":
            return self.handles.objects[ref.fields[0]]
        if ref.tag == "judge":
            return make_stand_in(self.shell.user_ns, self.connection, *ref.fields)
        if ref.tag == "answer":
            return Answer(*ref.fields)
        module_name, path = ref.fields
        module = import_module(module_name)
        return operator.attrgetter(path)(module) if path else module

    # --- exceptions -------------------------------------------------------------

    def describe_exception(self, error: BaseException) -> Any:
        """Describe an exception for the judge, which may show it to the student."""
        relayed = None
        for number, exception in self.judge_exceptions.items():
            if exception is error:
                relayed = number
        return [*describe_exception(error, self.shell.compile.cells), relayed]

    def rebuild_exception(self, report: Any) -> BaseException:
        """Return an exception that was raised by an object of the judge."""
        number, name, text = report
        error: BaseException = getattr(builtins, name)(text)
        self.judge_exceptions[number] = error
        return error


def _has_free_memory() -> bool:
    """Whether a sixteenth of the memory limit is left."""
    limit, _ = resource.getrlimit(resource.RLIMIT_DATA)
    if limit == resource.RLIM_INFINITY:
        return True
    try:
        np.empty(limit // 16, np.uint8)
    except MemoryError:
        return False
    return True


def main(sock: socket.socket) -> None:
    """Serve the judge at the other end of `sock` until it hangs up."""
    shell = get_shell()
    shell.install()
    with suppress(ClosedError):
        Student(sock, shell).connection.serve()
