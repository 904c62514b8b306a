"""What the receiver of a request changed in its copies, for the originals."""

from __future__ import annotations

import contextlib
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

from nbproctor.protocol.frames import ProtocolError
from nbproctor.protocol.libraries import changeable
from nbproctor.protocol.sent import Mutable


class Before(NamedTuple):
    """An array as it arrived; `cells` keeps its objects alive, if it has objects."""

    data: bytes
    shape: tuple[int, ...]
    dtype: np.dtype[Any]
    cells: Any

    @classmethod
    def of(cls, array: np.ndarray[Any, Any], cells: Any = None) -> Before:
        """Remember an array and, of an array of objects, its cells."""
        return cls(array.tobytes(), array.shape, array.dtype, cells)


@dataclass
class Decoded:
    """A decoded value that can tell what was changed in it since.

    Attributes
    ----------
    value
        As it was sent, changed by whoever got it.
    seen
        Its mutable parts in order, each with a copy or `Before`, if they are tracked.
    shared
        Whether a part of it, or of what it replies to, appears more than once.
    """

    value: Any
    seen: list[tuple[Mutable, Any]]
    shared: bool

    def numbers(self) -> dict[int, int]:
        """`id` of each mutable part → its number."""
        return {
            id(now): number
            for number, (now, before) in enumerate(self.seen)
            if _fits(now, before)
        }

    def changes(self) -> list[tuple[int, Mutable]]:
        """Mutable parts, by number, that are no longer what arrived; as copies."""
        return [
            (number, now.copy())
            for number, (now, before) in enumerate(self.seen)
            if _fits(now, before) and not _same(now, before)
        ]


def _fits(now: Mutable, before: Any) -> bool:
    """Whether the original can become what its copy is now: no array is resized."""
    if type(now) is not np.ndarray:
        return True
    return now.nbytes == len(before.data) and now.dtype == before.dtype


def _same(now: Mutable, before: Any) -> bool:
    if type(now) is np.ndarray:
        return now.shape == before.shape and bool(now.tobytes() == before.data)
    table = changeable(now)
    if table is not None and table.same is not None:
        try:
            return table.same(now, before)
        except Exception:  # pandas does not compare everything
            return False
    if len(now) != len(before):
        return False
    if type(now) is dict:
        pairs = zip(now.items(), before.items(), strict=True)
        return all(a is c and b is d for (a, b), (c, d) in pairs)
    if type(now) is set:  # `==` would take 1 for True
        return set(map(id, now)) == set(map(id, before))
    return all(a is b for a, b in zip(now, before, strict=True))


def write_back(mutables: list[Mutable], changes: Any) -> None:
    """Give the originals of a request what was changed in their copies.

    Raises
    ------
    ProtocolError
        A change names no part of the request, or has another type or shape.
    """
    if type(changes) is not list:
        raise ProtocolError("the changes of a call are not a list")
    previous = -1
    for change in changes:
        if type(change) is not tuple or len(change) != 2 or type(change[0]) is not int:
            raise ProtocolError("a change of a call has no number")
        number, new = change
        # Each part once: a long list given to it a million times would take hours.
        if not previous < number < len(mutables) or type(mutables[number]) is not type(
            new
        ):
            raise ProtocolError("a change of a call does not fit what was sent")
        old, previous = mutables[number], number
        if type(old) is np.ndarray:
            same = old.dtype == new.dtype or old.dtype.kind == new.dtype.kind != "V"
            if old.size != new.size or not same:
                raise ProtocolError("a changed array has another size")
            if old.shape != new.shape:
                with contextlib.suppress(AttributeError):  # of a view, it cannot change
                    old.shape = new.shape
            if old.flags.writeable:
                old[...] = new.reshape(old.shape)
        elif type(old) is list:
            old[:] = new
        elif (table := changeable(old)) and table.assign:
            table.assign(old, new)
        else:
            old.clear()
            old.update(new)
