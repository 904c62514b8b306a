"""Inside the sandbox: the judge's objects as student code sees them.

A test hands over a function, an activation or a whole model; student code gets a
`JudgeObject` that asks the judge for everything (see `exports` for what it gives).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from copy import copy
from functools import cache
from typing import Any, ClassVar

from nbproctor.protocol.rpc import Connection


class JudgeObject:
    """An object of the judge's, as student code sees it; `stand_in` makes one.

    A test's class says whether its objects can be initialized again, by a method
    `init_again`, and how they are copied, by `copied`; what has none is, as a function,
    its own copy.
    """

    #: Of the class that stands for a test's: an object that was handed over.
    _nbproctor_known: ClassVar[Any] = None

    def __new__(cls, *args: Any, **kwargs: Any) -> JudgeObject:
        """Make one more, as ``type(self.model)(…)`` does."""
        known = cls._nbproctor_known
        made: JudgeObject = copy(known)
        if made is known:
            raise TypeError("an object of the test cannot be made anew")
        return made

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        """Initialize it again, as ``self.model.__init__(…)`` does."""
        if "init_again" not in object.__getattribute__(self, "_nbproctor_methods"):
            raise TypeError("an object of the test cannot be made anew")
        _ask(self, "method", "init_again", args, kwargs)

    def __copy__(self) -> Any:
        return self.__deepcopy__({})

    def __deepcopy__(self, memo: dict[int, Any]) -> Any:
        if "copied" in object.__getattribute__(self, "_nbproctor_methods"):
            return _ask(self, "method", "copied", (), {})
        return self

    def __getattr__(self, name: str) -> Any:
        if name in object.__getattribute__(self, "_nbproctor_methods"):
            return _Method.of(self, name)
        return _ask(self, "get", name)

    def __setattr__(self, name: str, value: Any) -> None:
        _ask(self, "set", name, value)

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Call it in the judge."""
        return _ask(self, "call", args, kwargs)

    def __getitem__(self, key: Any) -> Any:
        return _ask(self, "item", key)

    def __len__(self) -> int:
        return int(_ask(self, "len"))

    def __bool__(self) -> bool:
        return True

    def __iter__(self) -> Iterator[Any]:
        return iter([self[i] for i in range(len(self))])

    def __repr__(self) -> str:
        _, _, kind = object.__getattribute__(self, "_nbproctor_link")
        return f"<{kind} of the test>"


class _Method(JudgeObject):
    """A method of such an object: to call it takes one message, not two."""

    @classmethod
    def of(cls, owner: JudgeObject, name: str) -> _Method:
        """Return the method of an object."""
        method = object.__new__(cls)
        object.__setattr__(method, "_nbproctor_method", (owner, name))
        object.__setattr__(method, "_nbproctor_methods", ())
        return method

    @property
    def _nbproctor_link(self) -> Any:
        owner, name = object.__getattribute__(self, "_nbproctor_method")
        return object.__getattribute__(_ask(owner, "get", name), "_nbproctor_link")

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Call it in the judge."""
        owner, name = object.__getattribute__(self, "_nbproctor_method")
        return _ask(owner, "method", name, args, kwargs)


def stand_in(
    connection: Connection, number: int, kind: str, *names: str
) -> JudgeObject:
    """Make what stands for an object of the judge's: its class and public methods."""
    found = object.__new__(_class_named(kind))
    type(found)._nbproctor_known = found
    object.__setattr__(found, "_nbproctor_link", (connection, number, kind))
    object.__setattr__(found, "_nbproctor_methods", names)
    return found


@cache
def _class_named(kind: str) -> type[JudgeObject]:
    """Return the class of what stands for a test's objects: messages have its name."""
    return type(kind, (JudgeObject,), {"__module__": "__main__"})


def function_named(name: str, outside: JudgeObject) -> Callable[..., Any]:
    """Return a function that calls `outside`, and looks like one of the notebook's."""

    def lent(*args: Any, **kwargs: Any) -> Any:
        return outside(*args, **kwargs)

    lent.__name__ = lent.__qualname__ = name
    lent.__module__ = "__main__"
    return lent


def _ask(target: JudgeObject, request: str, *arguments: Any) -> Any:
    if request in ("get", "set") and str(arguments[0]).startswith("_"):
        raise AttributeError(f"{target!r} has no attribute {arguments[0]!r}")
    connection, number, _ = object.__getattribute__(target, "_nbproctor_link")
    return connection.ask(request, number, *arguments)


def number_of(target: JudgeObject) -> int:
    """Return the number that the judge knows an object by."""
    number: int = object.__getattribute__(target, "_nbproctor_link")[1]
    return number
