"""Exceptions that cross: the test's own, by number, and the student's, made anew."""

from __future__ import annotations

import traceback
from typing import Any

from nbproctor.judge.error_classes import ErrorClass, error_of, known_error
from nbproctor.judge.exports import RefusedError, builtin_name
from nbproctor.judge.proxy import Proxy
from nbproctor.judge.student_errors import NOT_AS_SUCH, StudentError, printable
from nbproctor.protocol.frames import ProtocolError

MAX_ERROR_TEXT = 2000
MAX_RAISED = 100  # exceptions of the test's objects that are remembered


class Raised:
    """The exceptions that cross in one session.

    Parameters
    ----------
    session
        The session: where an exception of the student's comes from.
    """

    def __init__(self, session: object) -> None:
        self._session = session
        self._own: dict[int, BaseException] = {}  # the test's

    def forget(self) -> None:
        """Forget the test's exceptions: a new test begins."""
        self._own.clear()

    def describe(self, error: BaseException) -> list[Any]:
        """Return what the student is told of an exception, and remember it."""
        # Text of a test's exception may show what it wanted.
        told = isinstance(error, StudentError | RefusedError | RecursionError)
        origin = getattr(error, "origin", None)
        told = told and not getattr(origin, "secret", False)
        name = builtin_name(error)
        text = str(error) if told else f"a {name} in an object of the test"
        # It may hold what the student sent, as often as it likes.
        traceback.clear_frames(error.__traceback__)
        number = next(reversed(self._own), -1) + 1
        self._own[number] = error
        self._own.pop(number - MAX_RAISED, None)
        return [number, name, text]

    def revive(self, report: Any) -> BaseException:
        """Return the exception that a student process reports.

        Raises
        ------
        ProtocolError
            The report cannot be read.
        """
        match report:
            case [
                str(base),
                str(kind),
                str(text),
                (str() | None) as cell,
                (int() | None) as line,
                (int() | None) as relayed,
                its_class,
                itself,
            ]:
                own = None if relayed is None else self._own.get(relayed)
                if own is not None and not isinstance(own, NOT_AS_SUCH):
                    return own
                text = text[:MAX_ERROR_TEXT]
                if isinstance(its_class, ErrorClass) and isinstance(itself, Proxy):
                    error = error_of(its_class, itself, text)
                else:
                    error = known_error(base, its_class, text)
                error.kind, error.origin = printable(kind), self._session
                error.cell, error.line = cell, line
                return error
        raise ProtocolError("the student's exception cannot be read")
