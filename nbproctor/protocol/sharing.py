"""What the receiver of a request changed in its copies, for the originals."""

from __future__ import annotations

import contextlib
from dataclasses import dataclass
from operator import is_
from typing import Any

import numpy as np

from nbproctor.protocol.frames import ProtocolError
from nbproctor.protocol.libraries import changeable
from nbproctor.protocol.sent import Mutable


@dataclass(slots=True)
class Decoded:
    """A decoded value that can tell what was changed in it since.

    Attributes
    ----------
    value
        As it was sent, changed by whoever got it.
    seen
        Its mutable parts in order, each with a copy, if they are tracked; of an array,
        its bytes, shape, dtype, and objects that are to stay alive.
    shared
        Whether a part of it, or of what it replies to, appears more than once.
    """

    value: Any
    seen: list[tuple[Mutable, Any]]
    shared: bool

    def compare(self) -> tuple[list[tuple[int, Mutable]], dict[int, int]]:
        """Compare the mutable parts with what arrived.

        Returns
        -------
        changes : list of tuple
            Numbers and copies of the parts that are not as they were.
        numbers : dict
            `id` of each part → its number.
        """
        changes, numbers = [], {}
        for number, (now, before) in enumerate(self.seen):
            if type(now) is np.ndarray:
                data, shape, dtype, _ = before
                # An array that has been resized cannot be what its original becomes.
                if now.nbytes != len(data) or now.dtype != dtype:
                    continue
                same = now.shape == shape and now.tobytes() == data
            else:
                same = _same(now, before)
            numbers[id(now)] = number
            if not same:
                changes.append((number, now.copy()))
        return changes, numbers


def _same(now: Mutable, before: Any) -> bool:
    if type(now) is list:
        return len(now) == len(before) and all(map(is_, now, before))
    table = changeable(now)
    if table is not None and table.same is not None:
        try:
            return table.same(now, before)
        except Exception:  # pandas does not compare everything
            return False
    if len(now) != len(before):
        return False
    if type(now) is dict:
        return all(map(is_, now, before)) and all(
            map(is_, now.values(), before.values())
        )
    return set(map(id, now)) == set(map(id, before))  # `==` would take 1 for True


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
