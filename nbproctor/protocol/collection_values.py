"""Containers of `collections` as parts: Counter, OrderedDict, defaultdict, deque."""

from __future__ import annotations

import functools
from collections import Counter, OrderedDict, defaultdict, deque
from collections.abc import Callable, Iterable
from itertools import chain
from typing import Any

from nbproctor.protocol.libraries import Class, Parts

_FACTORIES: dict[str, type | None] = {
    kind.__name__: kind for kind in (int, float, bool, str, list, dict, set, tuple)
}
_FACTORIES["None"] = None


def _default_parts(x: Any) -> Parts | None:
    for name, factory in _FACTORIES.items():
        if x.default_factory is factory:
            return name, dict(x)
    return None  # a function of somebody's: it goes as a plain dictionary


def _of_dict(kind: Callable[[Any], Any]) -> Any:
    def build(items: Any) -> Any:
        if type(items) is not dict:
            raise ValueError("a dictionary has no items")
        return kind(items)

    return build


def _build_default(name: Any, items: Any) -> Any:
    return _of_dict(functools.partial(defaultdict, _FACTORIES[name]))(items)


def _build_deque(items: Any, longest: Any) -> Any:
    if type(items) is not tuple or not (longest is None or type(longest) is int):
        raise ValueError("a deque has no items")
    if longest is not None and len(items) > longest:
        raise ValueError("a deque is longer than it can be")
    return deque(items, longest)


def _same(one: Any, other: Any) -> bool:
    if len(one) != len(other):
        return False
    pairs = zip(_items(one), _items(other), strict=True)
    return all(a is b for a, b in pairs)


def _items(x: Any) -> Iterable[Any]:
    return x if type(x) is deque else chain.from_iterable(x.items())


def _assign(old: Any, new: Any) -> None:
    old.clear()
    (old.extend if type(old) is deque else old.update)(new)


_KINDS: dict[type, tuple[Callable[[Any], Parts | None], Callable[..., Any]]] = {
    Counter: (lambda x: (dict(x),), _of_dict(Counter)),
    OrderedDict: (lambda x: (dict(x),), _of_dict(OrderedDict)),
    defaultdict: (_default_parts, _build_default),
    deque: (lambda x: (tuple(x), x.maxlen), _build_deque),
}
CLASSES = {
    kind.__name__: Class(parts, build, _same, _assign, lambda x: x.copy())
    for kind, (parts, build) in _KINDS.items()
}
NAMES: dict[type, str] = {kind: kind.__name__ for kind in _KINDS}
