"""The student's functions, classes and objects as a test cell sees them.

A `Proxy` stands for an object that stays in the student process. Calls, attributes and
items go there; plain data comes back. Equality, hash, truth, text, order and arithmetic
with values of the test's are the judge's own and never asked of the student.
"""

from __future__ import annotations

import builtins
import operator
import time
from collections.abc import Iterator
from typing import Any, TypeVar
from weakref import WeakValueDictionary

import numpy as np

from nbproctor.exports import Exports, RefusedError, builtin_name
from nbproctor.pack import Ref
from nbproctor.peer import Peer
from nbproctor.wire import ClosedError, LateError, Wire, WireError

_T = TypeVar("_T")

MAX_DEPTH = 50  # of calls back and forth
MAX_CALLBACKS = 200_000  # within one call
_NOT_AS_SUCH = (StopIteration, StopAsyncIteration, ExceptionGroup)


# What Python and NumPy look up by name on an object, and must find here.
_LOCAL = {"__class__", "__array__", "__deepcopy__", "__mro_entries__"}


class StudentError(Exception):
    """Student code raised something; also an instance of the matching built-in class.

    Attributes
    ----------
    kind
        Name of the student's exception class.
    text
        Its message.
    cell, line
        Where it happened in the student's own cells, if it did.
    steps
        The same for every one of their frames, outermost first, with the code.
    """

    kind = "Exception"
    text = ""
    cell: str | None = None
    line: int | None = None
    steps: tuple[str, ...] = ()

    def __str__(self) -> str:
        return self.text


class StudentGone(BaseException):
    """The student process hung, died, or broke the protocol, and is no more.

    Attributes
    ----------
    reason
        ``"timeout"``, ``"died"`` or ``"protocol"``.
    """

    def __init__(self, reason: str, detail: str) -> None:
        super().__init__(f"{reason}: {detail}")
        self.reason = reason


class Proxy:
    """An object that stays in the student process.

    Attributes by name are the student's, ``__init__``, ``__new__`` and ``__doc__``
    included; what operators and built-in functions do to a proxy is written here.
    """

    __slots__ = ("__weakref__", "_nbproctor")

    def __init__(self, link: Link, number: int, label: str) -> None:
        object.__setattr__(self, "_nbproctor", (link, number, label))

    def __getattribute__(self, name: str) -> Any:
        if name in _LOCAL:
            return object.__getattribute__(self, name)
        # NumPy looks for these on everything; `__array__` is the one we have.
        if name.startswith("__array"):
            raise AttributeError(name)
        return _ask(self, "get", self, name)

    def __setattr__(self, name: str, value: Any) -> None:
        _ask(self, "set", self, name, value)

    def __delattr__(self, name: str) -> None:
        _ask(self, "delete", self, name)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Proxy) and _key(self) == _key(other)

    def __hash__(self) -> int:
        return hash(_key(self))

    def __bool__(self) -> bool:
        return True

    def __repr__(self) -> str:
        return f"<the student's {object.__getattribute__(self, '_nbproctor')[2]}>"

    def __str__(self) -> str:
        return _exactly(str, _ask(self, "builtin", "str", [self]))

    def __len__(self) -> int:
        return _exactly(int, _ask(self, "builtin", "len", [self]))

    def __float__(self) -> float:
        return _exactly(float, _ask(self, "builtin", "float", [self]))

    def __int__(self) -> int:
        return _exactly(int, _ask(self, "builtin", "int", [self]))

    def __iter__(self) -> Iterator[Any]:
        found = _ask(self, "builtin", "iter", [self])
        return found if isinstance(found, Proxy) else iter(found)

    def __next__(self) -> Any:
        try:
            return _ask(self, "builtin", "next", [self])
        except StudentError as error:
            if error.kind == "StopIteration":
                raise StopIteration from None
            raise

    def __instancecheck__(self, instance: Any) -> bool:
        return _exactly(bool, _ask(self, "builtin", "isinstance", [instance, self]))

    def __subclasscheck__(self, subclass: Any) -> bool:
        return _exactly(bool, _ask(self, "builtin", "issubclass", [subclass, self]))

    def __mro_entries__(self, bases: tuple[Any, ...]) -> tuple[type, ...]:
        raise TypeError("a test cannot derive a class from one of the student's")

    def __deepcopy__(self, memo: Any) -> Any:
        return _ask(self, "copy", self)

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> Any:
        return _exactly(np.ndarray, _ask(self, "array", self)).astype(dtype)


class CallableProxy(Proxy):
    """A proxy of something that can be called."""

    __slots__ = ()

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Call it in the student process."""
        return _ask(self, "call", self, args, kwargs)


def _request(name: str) -> Any:
    def apply(self: Proxy, *others: Any) -> Any:
        return _ask(self, "op", name, [self, *others])

    return apply


def _between(name: str) -> Any:
    """Make arithmetic: among the student's objects theirs, else ours.

    What a test computed never meets a method of the student's, or an object whose
    ``-`` is always 0 would be near to everything.
    """
    ours = getattr(operator, name)

    def apply(self: Proxy, *others: Any) -> Any:
        if not all(isinstance(other, Proxy) for other in others):
            return ours(_plain(self, *others), *others)
        found = _ask(self, "op", name, [self, *others])
        if not isinstance(found, Proxy):
            raise TypeError(f"{name} of two objects gives no object")
        return found

    return apply


def _here(name: str, swapped: bool = False) -> Any:
    """Make an operator that is never the student's."""
    ours = getattr(operator, name)

    def apply(self: Proxy, *others: Any) -> Any:
        mine = _plain(self, *others)
        return ours(*others, mine) if swapped else ours(mine, *others)

    return apply


def _plain(proxy: Proxy, *others: Any) -> Any:
    """Return the number, or beside an array the array, that an object converts to."""
    arrays = any(isinstance(other, np.ndarray) for other in others)
    return np.asarray(proxy) if arrays else float(proxy)


_BINARY = ("add", "sub", "mul", "truediv", "floordiv", "mod", "pow", "matmul")
_OPERATORS: dict[str, Any] = {
    **{f"__{name}__": _between(name) for name in (*_BINARY, "neg", "pos")},
    **{f"__r{name}__": _here(name, swapped=True) for name in _BINARY},
    **{f"__{name}__": _here(name) for name in ("lt", "le", "gt", "ge", "abs")},
    **{f"__{name}__": _request(name) for name in ("getitem", "setitem", "delitem")},
}
for _name, _value in _OPERATORS.items():
    setattr(Proxy, _name, _value)


def _ask(proxy: Proxy, request: str, *arguments: Any) -> Any:
    link: Link = object.__getattribute__(proxy, "_nbproctor")[0]
    return link.ask(request, *arguments)


def _key(proxy: Proxy) -> tuple[int, int]:
    link, number, _ = object.__getattribute__(proxy, "_nbproctor")
    return id(link), number


def _exactly(kind: type[_T], value: object) -> _T:
    if type(value) is not kind:
        raise TypeError(f"expected {kind.__name__}, got {type(value).__name__}")
    return value


class Link:
    """The judge's connection to one student process.

    Parameters
    ----------
    child
        The process: its ``sock``, and how to ``close`` it.
    call_seconds
        How long one call may take, calls back into the test included.
    module
        ``__name__`` of the namespace that test cells run in.
    """

    def __init__(self, child: Any, call_seconds: float, module: str) -> None:
        self.exports = Exports(module)
        self.gone: StudentGone | None = None
        self.until = float("inf")  # nothing may take longer than this moment
        self._child = child
        self._seconds = call_seconds
        self._deadline: float | None = None
        self._depth = self._callbacks = 0
        self._raised: list[BaseException] = []
        self._proxies: WeakValueDictionary[int, Proxy] = WeakValueDictionary()
        self._peer = Peer(
            Wire(child.sock),
            self._answer,
            foreign=self._foreign,
            resolve=self._resolve,
            describe=self._describe,
            revive=self._revive,
        )

    def ask(self, request: str, *arguments: Any, seconds: float | None = None) -> Any:
        """Ask the student process for something.

        Raises
        ------
        StudentError
            Student code raised an exception.
        StudentGone
            There is no answer, and there will be none.
        UnsendableError
            The test used an argument that cannot be handed over.
        """
        if self.gone is not None:
            raise self.gone
        outermost = self._deadline is None
        if self._deadline is None:
            limit = self._seconds if seconds is None else seconds
            self._deadline = min(time.monotonic() + limit, self.until)
            self._callbacks = 0
        try:
            return self._peer.ask(request, *arguments, deadline=self._deadline)
        except WireError as error:
            self._end(error)
            assert self.gone is not None
            raise self.gone from None
        finally:
            if outermost:
                self._deadline = None

    def begin(self, names: list[str], seconds: float | None = None) -> Any:
        """Start a test: nothing of the one before is known on either side.

        Returns
        -------
        dict
            The values of those of `names` that the student has, if nobody lies.
        """
        self.exports.clear()
        self._raised.clear()
        return self.ask("begin", names, seconds=seconds)

    def close(self) -> None:
        """End the student process."""
        if self.gone is None:
            self.gone = StudentGone("died", "it was ended")
        self._child.close()

    def _end(self, error: WireError) -> None:
        reasons = {LateError: "timeout", ClosedError: "died"}
        self.gone = StudentGone(reasons.get(type(error), "protocol"), str(error))
        self._child.close()

    # --- what the student asks of the test's objects ----------------------------

    def _answer(self, request: str, arguments: list[Any]) -> Any:
        self._callbacks += 1
        if self._callbacks > MAX_CALLBACKS:
            raise WireError("a call has asked the test's objects too often")
        if self._depth >= MAX_DEPTH:
            raise RecursionError("calls between student and test are nested too deep")
        self._depth += 1
        try:
            return self._use(request, arguments)
        finally:
            self._depth -= 1

    def _use(self, request: str, arguments: list[Any]) -> Any:
        match [request, *arguments]:
            case ["get", number, str(name)]:
                return self.exports.get(self.exports.find(number), name)
            case ["set", number, str(name), value]:
                return self.exports.set(self.exports.find(number), name, value)
            case ["call", number, tuple(args), dict(kwargs)] if all(
                type(key) is str for key in kwargs
            ):
                return self.exports.find(number)(*args, **kwargs)
            case ["method", number, str(name), tuple(args), dict(kwargs)] if all(
                type(key) is str for key in kwargs
            ):
                found = self.exports.get(self.exports.find(number), name)
                return found(*args, **kwargs)
            case ["item", number, key]:
                return self.exports.find(number)[key]
            case ["len", number]:
                return len(self.exports.find(number))
        raise WireError("the student asks for something that does not exist")

    def _describe(self, error: BaseException) -> Any:
        # Text of a test's exception may show what it wanted.
        told = isinstance(error, StudentError | RefusedError | RecursionError)
        name = builtin_name(error)
        text = str(error) if told else f"a {name} in an object of the test"
        self._raised.append(error)
        return [len(self._raised) - 1, name, text]

    # --- what the student's values are here -------------------------------------

    def _foreign(self, value: Any) -> Any:
        if isinstance(value, Proxy):
            link, number, _ = object.__getattribute__(value, "_nbproctor")
            if link is not self:
                raise self.gone or StudentGone("died", "its process has ended")
            return Ref("yours", (number,))
        return self.exports.name(value)

    def _resolve(self, ref: Ref) -> Any:
        match ref:
            case Ref("yours", (number,)):
                return self.exports.received(number)
            case Ref("mine", (int(number), str(kind), str(name), bool(calls))):
                # One proxy an object, so that `is` tells what it should.
                known = self._proxies.get(number)
                if known is None:
                    made = CallableProxy if calls else Proxy
                    known = made(self, number, _printable(f"{kind} {name}".strip()))
                    self._proxies[number] = known
                return known
        raise WireError("the student's reference cannot be read")

    def _revive(self, report: Any) -> BaseException:
        match report:
            case [
                str(base),
                str(kind),
                str(text),
                (str() | None) as cell,
                (int() | None) as line,
                list(steps),
                (int() | None) as relayed,
            ] if all(type(step) is str for step in steps):
                if relayed is not None and 0 <= relayed < len(self._raised):
                    return self._raised[relayed]
                error = _error_class(base)
                error.kind, error.text = _printable(kind), text
                error.cell, error.line, error.steps = cell, line, tuple(steps)
                error.args = (text,)
                return error
        raise WireError("the student's exception cannot be read")


def _error_class(base: str) -> StudentError:
    known = getattr(builtins, base, None)
    if not isinstance(known, type) or not issubclass(known, Exception):
        known = Exception
    # A call that raises StopIteration must not end a loop of the test's, as in
    # ``all(map(check, cases))``; a group cannot be made without its exceptions.
    if issubclass(known, _NOT_AS_SUCH):
        known = Exception
    bases = (StudentError,) if known is Exception else (StudentError, known)
    made: Any = type("StudentError", bases, {})
    # Some built-in classes insist on arguments of their own in `__init__`.
    error: StudentError = made.__new__(made)
    return error


def _printable(text: str) -> str:
    return "".join(c for c in text[:100] if c.isprintable())
