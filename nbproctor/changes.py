"""What was changed in copies, so that the originals can be changed likewise."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from nbproctor.pack import Mutable
from nbproctor.wire import WireError


@dataclass
class Unpacked:
    """A decoded value that can tell what was changed in it since."""

    value: Any
    seen: list[tuple[Mutable, Any]]  # each with a copy; of an array its bytes, cells

    def known(self) -> dict[int, int]:
        """`id` of each mutable part → its number."""
        return {id(now): number for number, (now, _) in enumerate(self.seen)}

    def changes(self) -> list[tuple[int, Mutable]]:
        """Mutable parts, by number, that are no longer what arrived; as copies."""
        return [
            (number, now.copy())
            for number, (now, before) in enumerate(self.seen)
            if not _same(now, before)
        ]


def _same(now: Mutable, before: Any) -> bool:
    if type(now) is np.ndarray:
        return bool(now.tobytes() == before[0])
    if len(now) != len(before):
        return False
    if type(now) is dict:
        pairs = zip(now.items(), before.items(), strict=True)
        return all(a is c and b is d for (a, b), (c, d) in pairs)
    if type(now) is set:
        return bool(now == before)
    return all(a is b for a, b in zip(now, before, strict=True))


def write_back(mutables: list[Mutable], changes: Any) -> None:
    """Give the originals of a request what was changed in their copies.

    Raises
    ------
    WireError
        A change names no part of the request, or has another type or shape.
    """
    if type(changes) is not list:
        raise WireError("the changes of a call are not a list")
    for change in changes:
        if type(change) is not tuple or len(change) != 2 or type(change[0]) is not int:
            raise WireError("a change of a call has no number")
        number, new = change
        if not 0 <= number < len(mutables) or type(mutables[number]) is not type(new):
            raise WireError("a change of a call does not fit what was sent")
        old = mutables[number]
        if type(old) is np.ndarray:
            if old.shape != new.shape or old.dtype.kind != new.dtype.kind:
                raise WireError("a changed array has another shape")
            if old.flags.writeable:
                old[...] = new
        elif type(old) is list:
            old[:] = new
        else:
            old.clear()
            old.update(new)
