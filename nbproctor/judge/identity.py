"""Identity of a proxy: the process that has the object, which one it is, of what class.

The judge knows it, and never asks the student, whose class could say anything.
"""

from __future__ import annotations

from typing import Any, NamedTuple, Protocol


class Library(NamedTuple):
    """Which class of a library an object has to do with, and what: see `Tag.STUDENT`.

    `kind` is None if there is none.
    """

    kind: type | None
    relation: str


NO_LIBRARY = Library(None, "")


class Asks(Protocol):
    """What a proxy needs of `session.Session`."""

    def ask(self, request: str, *arguments: Any) -> Any:
        """Ask the student process for something."""


def ask(proxy: object, request: str, *arguments: Any) -> Any:
    """Ask the process that has an object."""
    link: Asks = object.__getattribute__(proxy, "_nbproctor")[0]
    return link.ask(request, *arguments)


def key_of(proxy: object) -> tuple[int, int]:
    """Return what tells a proxy's object from all others."""
    link, number, *_ = object.__getattribute__(proxy, "_nbproctor")
    return id(link), number


def label_of(proxy: object) -> str:
    """Return the name of an object's class; of a function or class, its own too."""
    label: str = object.__getattribute__(proxy, "_nbproctor")[2]
    return label


def library_of(proxy: object) -> Library:
    """Return which class of a library an object has to do with, and what."""
    library: Library = object.__getattribute__(proxy, "_nbproctor")[3]
    return library


def link_of(proxy: object) -> Any:
    """Return the session whose process has the object."""
    return object.__getattribute__(proxy, "_nbproctor")[0]
