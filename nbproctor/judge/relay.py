"""What one process of a notebook asks of an object of the other, passed on."""

from __future__ import annotations

from typing import Any

from nbproctor.judge.identity import link_of
from nbproctor.judge.proxy import Proxy
from nbproctor.judge.student_errors import StudentGone
from nbproctor.protocol.frames import ClosedError, LateError


def relay(
    target: Proxy, request: str, arguments: list[Any], seconds: float | None
) -> Any:
    """Ask the process that has `target`.

    Parameters
    ----------
    target
        An object of the other process.
    request, arguments
        As they came. The other process says what may be asked.
    seconds
        How long whoever asks may still wait.

    Raises
    ------
    StudentError
        Code over there raised an exception.
    ProtocolError
        The process over there is no more, so the conversation of this one ends too.
    """
    try:
        session = link_of(target)
        return session.ask("lent", request, target, tuple(arguments), seconds=seconds)
    except StudentGone as gone:
        kind = LateError if gone.reason == "timeout" else ClosedError
        raise kind(f"the notebook's other process has ended ({gone})") from None
