"""Methods that a test looks up and calls in one expression: one message, not two.

Python looks ``one.prime`` up before it evaluates the arguments in ``one.prime(z)``. So
does this if a message to the student process comes between. Mostly none does; then the
student process looks the method up when it calls it.
"""

from __future__ import annotations

import sys
from opcode import opmap
from types import FrameType
from typing import Any, Protocol

_OWN_CODE = sys.version_info < (3, 12)  # from then on, a bit of that for attributes
_LOAD = opmap["LOAD_METHOD" if _OWN_CODE else "LOAD_ATTR"]


class Link(Protocol):
    """What a method needs of `session.Session`."""

    def ask(self, request: str, *arguments: Any) -> Any:
        """Ask the student process for something."""

    def call_method(
        self, proxy: Any, name: str, args: tuple[Any, ...], kwargs: dict[str, Any]
    ) -> tuple[bool, Any]:
        """Look a method up and call it."""


def is_called(frame: FrameType) -> bool:
    """Whether a frame is looking up the method of a call such as ``one.prime(z)``."""
    code, at = frame.f_code.co_code, frame.f_lasti
    return code[at] == _LOAD and (_OWN_CODE or code[at + 1] & 1 == 1)


class Method:
    """A method of a student's object, between its name and its arguments.

    Parameters
    ----------
    link
        Who asks the student process.
    proxy
        The object.
    name
        The method's name.
    """

    __slots__ = ("__weakref__", "_found", "_link", "_name", "_proxy")

    def __init__(self, link: Link, proxy: Any, name: str) -> None:
        self._link, self._proxy, self._name = link, proxy, name
        self._found: tuple[Any, ...] = ()

    def look_up(self) -> None:
        """Ask for the method, as the next message may change what there is."""
        self._found = (self._link.ask("get", self._proxy, self._name),)

    def __call__(self, /, *args: Any, **kwargs: Any) -> Any:
        """Call it in the student process, or here if it is none of that process."""
        if not self._found:
            called, value = self._link.call_method(
                self._proxy, self._name, args, kwargs
            )
            if called:
                return value
            self._found = (value,)
        return self._found[0](*args, **kwargs)
