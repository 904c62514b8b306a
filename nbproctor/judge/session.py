"""The judge's connection to one student process: its questions and their answers.

Objects of the student's become `proxy.Proxy`, and objects of a test become `exports`.
Exceptions that are sent belong to the test, by number, or to the student, and are
rebuilt. The first message that is late or breaks the protocol ends the process.
"""

from __future__ import annotations

import traceback
from collections import deque
from collections.abc import Callable
from typing import Any
from weakref import WeakValueDictionary

from nbproctor.expect import specification
from nbproctor.judge.classes import make_student_error
from nbproctor.judge.deadline import CallDeadline
from nbproctor.judge.exports import (
    Exports,
    RefusedError,
    builtin_name,
    is_short,
    public_attributes,
)
from nbproctor.judge.proxy import (
    NEVER_RERAISED,
    CallableProxy,
    Handle,
    ProcessEnded,
    Proxy,
    StudentRaised,
    handle_of,
    printable,
)
from nbproctor.protocol.frames import (
    ClosedError,
    LateError,
    ProtocolError,
    UnsendableError,
    Wire,
)
from nbproctor.protocol.objects import Ref, class_named
from nbproctor.protocol.rpc import TO_JUDGE, Connection

_REASONS = {LateError: "timeout", ClosedError: "died"}
_CALLS = ("call", "calls", "apply")
MAX_DEPTH = 50  # of calls back and forth
MAX_CALLBACKS = 200_000  # within one call
MAX_ERROR_TEXT = 2000
MAX_UNCALLED = 100
MAX_RAISED = 100  # exceptions of the test's objects that are remembered


class Session:
    """The judge's connection to one student process.

    `child` has a ``sock``, and two methods: ``close`` ends the process, and
    ``processor_seconds`` returns its processor time. One call may take `call_seconds`,
    calls back into the test included.
    """

    def __init__(self, child: Any, call_seconds: float) -> None:
        self.exports = Exports()
        self.end: ProcessEnded | None = None  # why the process has ended
        # Objects of this test, each with the methods that the judge did without.
        self.uncalled_methods: deque[tuple[Any, ...]] = deque(maxlen=MAX_UNCALLED)
        self.deadline = float("inf")  # no request may last beyond this moment
        self.processor_seconds: Callable[[], float] = child.processor_seconds
        self.recorded: specification.Records = {}  # answers so far
        self.has_answered = False  # whether a call has returned in this test
        # Reference functions that the student's process has, and the session of the
        # process in which they run.
        self.reference_functions: dict[str, Any] = {}
        self.reference_session: Session | None = None
        # Whether no other process runs code of the same notebook: see
        # `exports.ReferenceFunction`.
        self.is_only_process = True
        self._child = child
        self._call_seconds = call_seconds
        self._call_deadline: CallDeadline | None = None
        self._depth = self._callbacks = 0
        # One handle for each object, so that ``is`` works.
        self._proxies: WeakValueDictionary[int, Proxy] = WeakValueDictionary()
        self._raised: dict[int, BaseException] = {}  # raised by objects of the test
        self._connection = Connection(
            wire=Wire(child.sock),
            requests=TO_JUDGE,
            handler=self,
        )

    def ask(
        self,
        request: str,
        *arguments: Any,
        seconds: float | None = None,
    ) -> Any:
        """Send a request to the student process, and return the answer.

        Student code may raise a `StudentRaised`. A process that does not answer is
        ended (`ProcessEnded`). An argument may be an `UnsendableError`.
        """
        if self.end:
            raise self.end
        outer_deadline = self._call_deadline
        if outer_deadline is None:
            self._callbacks = 0
        deadline = outer_deadline or CallDeadline(
            seconds=seconds or self._call_seconds,
            latest=self.deadline,
            student_seconds=self.processor_seconds,
        )
        self._call_deadline = deadline
        try:
            reply = self._connection.ask(request, *arguments, deadline=deadline)
        except ProtocolError as error:
            reason = _REASONS.get(type(error), "protocol")
            end = ProcessEnded(reason, str(error), deadline.seconds)
            raise self.close(end) from None
        finally:
            self._call_deadline = outer_deadline
        is_empty = type(reply) is list and not reply
        if request in _CALLS and not is_empty:
            self.has_answered = True
        return reply

    def begin(self, names: list[str], *, keep: bool = False) -> dict[Any, Any]:
        """Start a test, and return the values of these names in the student's process.

        If that process lies, the result may have other names, or none. Both sides
        forget the objects of the test before. With `keep`, these stay, and so do
        handles that are still in use.
        """
        if not keep:
            self.exports.clear()
        self._raised.clear()
        self.uncalled_methods.clear()
        handles = tuple(self._proxies) if keep else ()
        values = self.ask("begin", tuple(names), handles)
        if type(values) is not dict:
            values = {}
        self._connection.has_text = (
            keep
            or bool(self.recorded)
            or any(
                not isinstance(each, Proxy | int | float) for each in values.values()
            )
        )
        return values

    @property
    def has_sent_text(self) -> bool:
        """Whether this test may have text, or bytes, of the student's."""
        return self._connection.has_text

    def end_test(self) -> tuple[bool, str]:
        """End a test; return whether the student's code wrote to stderr, and a method.

        The judge did without that method, which may be why the test has failed. It is
        asked for after each test: a student must not learn which of them fail.
        """
        try:
            reply = self.ask("end", [*self.uncalled_methods])
        except ProcessEnded:
            raise
        except BaseException:  # student code may raise anything
            reply = None
        match reply:
            case (bool(has_written), str(method)):
                return has_written, self._describe_uncalled(method)
        return True, ""  # this process has been tampered with

    def _describe_uncalled(self, method: str) -> str:
        """Describe a method that the judge did without, or nothing if it did not."""
        if method == "__class__":
            return "the class of an object of yours"
        for owner, *names in self.uncalled_methods:
            if method in names:
                kind = handle_of(owner).kind
                label = f"a `{kind.__name__}`" if kind else "an object of yours"
                return f"`{method}` of {label}"
        return ""

    def close(self, reason: ProcessEnded | None = None) -> ProcessEnded:
        """End the student process; return why it has ended."""
        self.end = self.end or reason or ProcessEnded("died", "it was ended")
        self._child.close()
        return self.end

    # --- what the student asks of the test's objects ----------------------------

    def answer(self, request: str, arguments: list[Any]) -> Any:
        """Answer a student's request to an object of the test."""
        self._callbacks += 1
        if self._callbacks > MAX_CALLBACKS:
            raise ProtocolError("a call used the test's objects too often")
        if self._depth >= MAX_DEPTH:
            raise RecursionError("calls between student and test are nested too deep")
        number, *others = arguments
        exports = self.exports
        self._depth += 1
        try:
            target = exports.find(number)
            match request, *others:
                case "get", name:
                    value = exports.get(target, name)
                    return value, public_attributes(target, is_short)
                case "set", name, value:
                    return exports.set(target, name, value)
                case "call", args, kwargs:
                    return target(*args, **kwargs)
                case "method", name, args, kwargs:
                    return exports.get(target, name)(*args, **kwargs)
                case "item", key:
                    return target[key]
                case ("attributes",):
                    return [*public_attributes(target)]
            return len(target)  # the last of `TO_JUDGE`
        finally:
            self._depth -= 1

    # --- what the student's values are here -------------------------------------

    def default(self, value: Any) -> Any:
        """Name an object for the student."""
        kind = type(value)  # `isinstance` would ask a proxy for its class
        if issubclass(kind, Proxy):
            handle = handle_of(value)
            if handle.session is self:
                return Ref("student", (handle.number,))
            if not self.is_only_process:
                raise UnsendableError("only plain data passes between two exercises")
            raise self.end or ProcessEnded("died", "its process has ended")
        return self.exports.export(value)

    def resolve(self, ref: Ref) -> Any:
        """Return the object that the student names."""
        match ref:
            case ("judge", (number,)):
                return self.exports.resolve(number)
            case (
                "student",
                (number, str(kind), str(name), bool(calls), str(public), str(relation)),
            ) if type(number) is int:
                existing = self._proxies.get(number)
                if existing is not None:
                    return existing
                library_class = class_named(public)
                handle = Handle(
                    session=self,
                    number=number,
                    label=printable(f"{kind} {name}".strip()),
                    kind=library_class,
                    relation=relation if library_class else "",
                )
                proxy = CallableProxy(handle) if calls else Proxy(handle)
                self._proxies[number] = proxy
                return proxy
        raise ProtocolError("the student's reference cannot be read")

    # --- exceptions -------------------------------------------------------------

    def describe_exception(self, error: BaseException) -> list[Any]:
        """Return a description of an exception for the student, and remember it."""
        # The text of a test's exception may show the expected value, and that of a
        # reference even more.
        name = builtin_name(error)
        text = f"a {name} in an object of the test"
        if isinstance(error, StudentRaised | RefusedError | RecursionError):
            origin = getattr(error, "origin", None)
            if origin in (None, self):
                text = str(error)
        # It may contain objects that the student sent, any number of times.
        traceback.clear_frames(error.__traceback__)
        number = next(reversed(self._raised), -1) + 1
        self._raised[number] = error
        self._raised.pop(number - MAX_RAISED, None)
        return [number, name, text]

    def rebuild_exception(self, report: Any) -> BaseException:
        """Return the exception that a student process reports, or the test's own."""
        match report:
            case [*description, (int() | None) as relayed]:
                raised = None if relayed is None else self._raised.get(relayed)
                if raised is not None and not isinstance(raised, NEVER_RERAISED):
                    return raised
                return self.rebuild_student_error(description)
        raise ProtocolError("the student's exception cannot be read")

    def rebuild_student_error(self, description: Any) -> StudentRaised:
        """Return the student's exception with a description."""
        match description:
            case [
                str(base),
                str(kind),
                str(text),
                (str() | None) as cell,
                (int() | None) as line,
            ]:
                error = make_student_error(base, text[:MAX_ERROR_TEXT])
                error.kind = printable(kind)
                error.origin = self
                error.cell = cell
                error.line = line
                return error
        raise ProtocolError("the student's exception cannot be read")
