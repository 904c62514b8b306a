"""Values that stand at several places of a message: how much they are, written out.

A list that holds a list twice, which holds another list twice, and so on, is short to
send and takes forever to walk; a list that holds itself never ends.
"""

from __future__ import annotations

from collections.abc import Iterable
from itertools import chain
from typing import Any

import numpy as np

from nbproctor.protocol.frames import ProtocolError

# Items that a value may have more when written out than it has in all its parts.
MAX_REPEATED = 1 << 22
_OPEN = -1


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


class _Counted:
    """Sizes of parts, and the size of all parts together, each counted once."""

    def __init__(self) -> None:
        self.sizes: dict[int, int] = {}
        self.once = 0

    def size(self, x: Any) -> int:
        size = self.sizes.get(id(x))
        if size == _OPEN:
            raise ProtocolError("a value contains itself")
        if size is not None:
            return size
        kind = type(x)
        inner: Iterable[Any] = ()
        if issubclass(kind, np.ndarray):
            own = 1 + x.size
            inner = x.reshape(-1).tolist() if x.dtype.kind == "O" else ()
        elif issubclass(kind, list | tuple | set | frozenset):
            own, inner = 1 + len(x), x
        elif issubclass(kind, dict):
            own, inner = 1 + len(x), chain(x.keys(), x.values())
        else:
            return len(x) if kind in (str, bytes) else 1
        self.sizes[id(x)] = _OPEN
        self.once += own
        whole: int = own + sum(map(self.size, inner))
        self.sizes[id(x)] = whole
        return whole
