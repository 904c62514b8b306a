"""Classes as test cells know them: ``type`` of an object of the student's."""

from __future__ import annotations

from typing import Any

from nbproctor.judge.proxy import Proxy, ask


class _OneArgument(type):
    """``type`` as tests know it: of a student's object, the student's class."""

    def __call__(cls, *args: Any, **kwargs: Any) -> Any:
        if len(args) == 1 and isinstance(args[0], Proxy):
            return ask(args[0], "builtin", "type", [args[0]])
        return type(*args, **kwargs)

    def __instancecheck__(cls, instance: Any) -> bool:
        return isinstance(instance, type)

    def __eq__(cls, other: object) -> bool:
        return other is cls or other is type

    def __hash__(cls) -> int:
        return hash(type)


class Type(metaclass=_OneArgument):
    """Stands for ``type`` in test cells."""
