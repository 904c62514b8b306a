"""The judge's connection to one student process: what it asks, and what it answers.

Objects of the student's become `proxy.Proxy`; objects of a test become `exports`. The
first message that is late or against the protocol ends the process.
"""

from __future__ import annotations

import time
from typing import Any

from nbproctor.judge.error_classes import ErrorClass, OwnError
from nbproctor.judge.exports import Exports
from nbproctor.judge.handles import Handles
from nbproctor.judge.proxy import Proxy
from nbproctor.judge.raised import Raised
from nbproctor.judge.relay import relay
from nbproctor.judge.student_errors import StudentGone
from nbproctor.protocol.frames import ClosedError, LateError, ProtocolError, Wire
from nbproctor.protocol.objects import NamedItems, Ref, StudentTuple
from nbproctor.protocol.rpc import TO_JUDGE, Connection

MAX_DEPTH = 50  # of calls back and forth
MAX_CALLBACKS = 200_000  # within one call


class Session:
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
        # See `references`: the other process of the same notebook, and whether this
        # one has the reference solutions.
        self.other: Session | None = None
        self.secret = False
        self._child = child
        self._seconds = call_seconds
        self._deadline: float | None = None
        self._depth = self._callbacks = 0
        self._raised = Raised(self)
        self._handles = Handles(self)
        self._connection = Connection(
            Wire(child.sock),
            TO_JUDGE,
            self._answer,
            default=self._default,
            resolve=self._resolve,
            describe=self._raised.describe,
            revive=self._raised.revive,
        )

    def ask(self, request: str, *arguments: Any, seconds: float | None = None) -> Any:
        """Ask the student process for something.

        Raises
        ------
        StudentError
            Student code raised an exception.
        StudentGone
            The student process did not answer, and is ended.
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
            return self._connection.ask(request, *arguments, deadline=self._deadline)
        except ProtocolError as error:
            self._end(error)
            assert self.gone is not None
            raise self.gone from None
        finally:
            if outermost:
                self._deadline = None

    def share(self, libraries: frozenset[str]) -> None:
        """From now on, send values of these libraries whole, both ways."""
        if libraries:
            self.ask("libraries", tuple(sorted(libraries)))
            self._connection.libraries = libraries

    def begin(self, names: list[str], *, keep: bool = False) -> Any:
        """Start a test: both sides forget the handles of the one before.

        Parameters
        ----------
        names
            Global names to look up.
        keep
            Whether the test may use what earlier ones made: handles that still are in
            use, and objects that those handed over, then stay.

        Returns
        -------
        dict
            The values of those of `names` that the student has, if nobody lies.
        """
        if not keep:
            self.exports.clear()
            self._handles.forget()
        self._raised.forget()
        if self.other is not None:
            self.other.exports.clear(lent=True)
        return self.ask("begin", tuple(names), self._handles.numbers() if keep else ())

    @property
    def left(self) -> float | None:
        """Seconds that what is being asked may still take."""
        return None if self._deadline is None else self._deadline - time.monotonic()

    def close(self) -> None:
        """End the student process, and the other one of the same notebook."""
        if self.gone is None:
            self.gone = StudentGone("died", "it was ended")
        self._child.close()
        if self.other is not None and self.other.gone is None:
            self.other.close()

    def _end(self, error: ProtocolError) -> None:
        reasons = {LateError: "timeout", ClosedError: "died"}
        if self.gone is None:
            self.gone = StudentGone(reasons.get(type(error), "protocol"), str(error))
        self.close()

    # --- what the student asks of the test's objects ----------------------------

    def _answer(self, request: str, arguments: list[Any]) -> Any:
        self._callbacks += 1
        if self._callbacks > MAX_CALLBACKS:
            raise ProtocolError("a call has asked the test's objects too often")
        if self._depth >= MAX_DEPTH:
            raise RecursionError("calls between student and test are nested too deep")
        self._depth += 1
        try:
            return self._use(request, arguments)
        finally:
            self._depth -= 1

    def _use(self, request: str, arguments: list[Any]) -> Any:
        number, *rest = arguments
        lent = self.exports.lent(number)
        if lent is not None:
            return relay(lent, request, rest, self.left)
        target = self.exports.find(number)
        match request, *rest:
            case "get", name:
                return self.exports.get(target, name)
            case "set", name, value:
                return self.exports.set(target, name, value)
            case "call", args, kwargs:
                return target(*args, **kwargs)
            case "method", name, args, kwargs:
                return self.exports.get(target, name)(*args, **kwargs)
            case "item", key:
                return target[key]
            case "len", *_:
                return len(target)
        raise ProtocolError("the student asks a test's object for too much")

    # --- what the student's values are here -------------------------------------

    def _default(self, value: Any) -> Any:
        kind = type(value)  # `isinstance` would ask a proxy for its class
        if issubclass(kind, ErrorClass):
            value = value._nbproctor
        elif issubclass(kind, OwnError):
            value = value.__dict__.get("_nbproctor", value)
        if issubclass(type(value), Proxy):
            link, number, *_ = object.__getattribute__(value, "_nbproctor")
            if link is not None and link is self.other:
                return self.exports.lend(value)
            if link is not self:
                raise self.gone or StudentGone("died", "its process has ended")
            return Ref("student", (number,))
        if issubclass(kind, StudentTuple):
            number = value._nbproctor_number
            # Of two processes, a number does not tell which one it is from.
            if number is not None and self.other is None:
                return Ref("student", (number,))
            copy: Any = value
            return NamedItems(-1, type(copy).__name__, copy._fields, tuple(copy))
        return self.exports.name(value)

    def _resolve(self, ref: Ref) -> Any:
        number, *about = ref.fields or (None,)
        if ref.tag == "student" and type(number) is int:
            return self._handles.proxy(number, *about)
        if ref.tag == "judge" and not about:
            return self.exports.received(number)
        if ref.tag == "error":
            return self._handles.error_class(number, *about)
        raise ProtocolError("the student's reference cannot be read")
