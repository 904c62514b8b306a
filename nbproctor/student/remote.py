"""Inside the sandbox: the judge's objects as student code sees them.

A test hands over a function, an activation or a whole model; here stands a thing that
asks the judge for everything (see `exports` for what the judge gives).
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Protocol


class Asks(Protocol):
    """What stands for an object needs of a connection."""

    def ask(self, name: str, *arguments: Any) -> Any:
        """Ask the other side."""


class Outside:
    """An object of the judge's, as student code sees it."""

    def __init__(self, peer: Asks, number: int, kind: str, *names: str) -> None:
        object.__setattr__(self, "_nbproctor_link", (peer, number, kind))
        object.__setattr__(self, "_nbproctor_methods", names)

    def __getattr__(self, name: str) -> Any:
        if name in object.__getattribute__(self, "_nbproctor_methods"):
            return _Method(self, name)
        return _outside(self, "get", name)

    def __setattr__(self, name: str, value: Any) -> None:
        _outside(self, "set", name, value)

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Call it over there."""
        return _outside(self, "call", args, kwargs)

    def __getitem__(self, key: Any) -> Any:
        return _outside(self, "item", key)

    def __len__(self) -> int:
        return int(_outside(self, "len"))

    def __bool__(self) -> bool:
        return True

    def __iter__(self) -> Iterator[Any]:
        return iter([self[i] for i in range(len(self))])

    def __repr__(self) -> str:
        _, _, kind = object.__getattribute__(self, "_nbproctor_link")
        return f"<{kind} of the test>"


class Lent(Outside):
    """An object of the other process of the same notebook; it can be looped over."""

    def __iter__(self) -> Iterator[Any]:
        found: Iterator[Any] = _outside(self, "iter")
        return found

    def __next__(self) -> Any:
        found = _outside(self, "next")  # nothing, or a list of the one value
        if not found:
            raise StopIteration
        return found[0]

    def __repr__(self) -> str:
        _, _, kind = object.__getattribute__(self, "_nbproctor_link")
        return f"<{kind} of another exercise>"


class _Method(Outside):
    """A method of such an object: to call it takes one message, not two."""

    def __init__(self, owner: Outside, name: str) -> None:
        object.__setattr__(self, "_nbproctor_method", (owner, name))
        object.__setattr__(self, "_nbproctor_methods", ())

    @property
    def _nbproctor_link(self) -> Any:
        owner, name = object.__getattribute__(self, "_nbproctor_method")
        return object.__getattribute__(_outside(owner, "get", name), "_nbproctor_link")

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Call it over there."""
        owner, name = object.__getattribute__(self, "_nbproctor_method")
        return _outside(owner, "method", name, args, kwargs)


def _outside(target: Outside, request: str, *arguments: Any) -> Any:
    if request in ("get", "set") and str(arguments[0]).startswith("_"):
        raise AttributeError(f"{target!r} has no attribute {arguments[0]!r}")
    peer, number, _ = object.__getattribute__(target, "_nbproctor_link")
    return peer.ask(request, number, *arguments)


def number_of(target: Outside) -> int:
    """Return the number that the judge knows an object by."""
    number: int = object.__getattribute__(target, "_nbproctor_link")[1]
    return number
