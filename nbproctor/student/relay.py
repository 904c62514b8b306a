"""Relay: what one process of a notebook may do with an object of the other.

The student's may use what references return, but see nothing of how they are made:
no frame, code, closure, default or module of the references' process is within reach.
"""

from __future__ import annotations

import types
from collections.abc import Iterable
from typing import Any

from nbproctor.student.lending import NOTEBOOK
from nbproctor.student.shared import write_into

_INNER = (types.ModuleType, types.CodeType, types.FrameType, types.TracebackType)


def use(request: str, target: Any, *arguments: Any) -> Any:
    """Do what the other process asks of an object.

    Raises
    ------
    TypeError
        There is no such request.
    """
    match request, arguments:
        case "call", (tuple(args), dict(kwargs)):
            return target(*args, **kwargs)
        case "method", (str(name), tuple(args), dict(kwargs)):
            return getattr(target, name)(*args, **kwargs)
        case "get", (str(name),):
            return getattr(target, name)
        case "set", (str(name), value):
            return setattr(target, name, value)
        case "item", (key,):
            return target[key]
        case "len", ():
            return len(target)
        case "iter", ():
            return iter(target)
        case "next", ():
            return [value for value in [next(target, _END)] if value is not _END]
        case "vars", ():
            return dict(vars(target)) if hasattr(target, "__dict__") else {}
        case "update", (dict(new), dict(changed)):
            return write_into(target, new, changed)
    raise TypeError("this cannot be asked of an object")


_END = object()


def check_public(request: str, target: Any, *arguments: Any) -> None:
    """Refuse what the student's process may not do with an object of a reference's.

    Raises
    ------
    AttributeError
        It is private, of a library's making, or shows code.
    """
    if request in ("call", "item", "len", "iter", "next"):
        return
    name = str(arguments[0]) if arguments else ""
    if request in ("get", "method", "set") and not name.startswith("_"):
        made = (kind for kind in _classes(target) if kind.__module__ == NOTEBOOK)
        known = set().union(getattr(target, "__dict__", ()), *map(vars, made))
        plain = not isinstance(target, type | types.FunctionType | types.MethodType)
        if request == "set":
            if plain and known:
                return
        elif name in known and not isinstance(getattr(target, name), _INNER):
            return
    raise AttributeError(f"an object of another exercise has no attribute {name!r}")


def _classes(target: Any) -> Iterable[type]:
    return target.__mro__ if isinstance(target, type) else type(target).__mro__
