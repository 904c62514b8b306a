"""Values that stand at several places of a message: how much they are, written out.

A list that holds a list twice, which holds another list twice, and so on, is short to
send and takes forever to walk; a list that holds itself never ends.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable
from itertools import chain
from typing import Any

import numpy as np

from nbproctor.protocol.frames import ProtocolError
from nbproctor.protocol.libraries import changeable

# Items that a value may have more when written out than it has in all its parts.
MAX_REPEATED = 1 << 22
_OPEN = -1
_CONTAINERS = (list, tuple, set, frozenset, dict, deque)


def check_repeats(roots: Iterable[Any]) -> None:
    """Refuse values that take unreasonably long to walk.

    Raises
    ------
    ProtocolError
        One of them contains itself, or repeats its parts too often.
    """
    counted = _Counted()
    try:
        whole = sum(map(counted.size, roots))
    except RecursionError:
        raise ProtocolError("a value is nested too deep") from None
    if whole > counted.once + MAX_REPEATED:
        raise ProtocolError("a value repeats its parts too often")


def _own_size(x: Any, kind: type) -> int:
    """Return the size of a value without its parts; 0 if it is quickly read."""
    if kind in (str, bytes):
        return len(x) >> 6
    if kind is range or issubclass(kind, _CONTAINERS):
        return len(x) + 1
    if issubclass(kind, np.ndarray):
        return int(x.size) + 1
    if changeable(x) is not None:
        return int(x.size) + 1
    return x.bit_length() >> 6 if kind is int else 0


class _Counted:
    """Sizes of parts, and the size of all parts together, each counted once."""

    def __init__(self) -> None:
        self.sizes: dict[int, int] = {}
        self.once = 0

    def size(self, x: Any) -> int:
        kind = type(x)
        own = _own_size(x, kind)
        if not own:
            return 0
        size = self.sizes.get(id(x))
        if size == _OPEN:
            raise ProtocolError("a value contains itself")
        if size is not None:
            return size
        inner: Iterable[Any] = ()
        if issubclass(kind, np.ndarray):
            inner = x.reshape(-1).tolist() if x.dtype.kind == "O" else ()
        elif issubclass(kind, _CONTAINERS):
            inner = chain(x.keys(), x.values()) if issubclass(kind, dict) else x
        self.sizes[id(x)] = _OPEN
        self.once += own
        whole: int = own + sum(map(self.size, inner))
        self.sizes[id(x)] = whole
        return whole
