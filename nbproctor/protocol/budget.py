"""How much a message may contain: one budget, for the sender and for the receiver.

A value that is short to send may take long to read, to count or to compare, and no
signal interrupts ``sum(range(10**15))``. So the sizes are added up first, and a message
that is too large is refused before any value is made.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any, ClassVar

from nbproctor.errors import NbproctorError

ALIGN = 16  # bytes of each part of a message's raw part
MAX_DEPTH = 40  # of values in values
MAX_BITS = 1 << 20  # of an integer
_MAX_ALIKE = 100  # keys with the same hash


# The most that one message may contain.
LIMITS = {
    "bytes": 256 << 20,  # a student process has 1 GiB
    # Bytes of one item of each empty array, which NumPy allocates even so.
    "room": 256 << 20,
    "text": 32 << 20,  # bytes
    "parts": 1 << 20,  # containers, arrays, handles
    "commas": 1 << 22,
    "keys": 50_000,  # of dicts and sets
    "length": 1 << 24,  # of ranges, and of empty arrays
}


@dataclass
class MessageBudget:
    """What one message has used of the limits so far."""

    error: ClassVar[type[NbproctorError]]  # raised if it has used too much
    subject: ClassVar[str]  # the subject of error messages
    used: dict[str, int] = field(default_factory=dict)

    def spend(self, limit: str, amount: int) -> None:
        """Use an amount of a limit; raise `error` if it is exceeded."""
        used = self.used.get(limit, 0) + amount
        self.used[limit] = used
        most = LIMITS[limit]
        if used > most:
            raise self.error(
                f"{self.subject} is too large: {limit} {used:,} of {most:,}"
            )

    def remaining(self, limit: str) -> int:
        """Return how much may still be used of a limit."""
        return LIMITS[limit] - self.used.get(limit, 0)

    def spend_text(self, text: bytes) -> None:
        """Use the text of a message, before it is parsed or after it was written."""
        size = len(text)
        if size > LIMITS["parts"]:  # a shorter text cannot exceed any limit
            parts = text.count(b"[") + text.count(b"{")
            self.spend("parts", parts)
            self.spend("commas", text.count(b","))
            self.spend("text", size)

    def spend_shape(self, shape: Sequence[int], width: int) -> None:
        """Use the shape of an empty array whose items have `width` bytes."""
        self.spend("length", math.prod(n or 1 for n in shape))
        self.spend("room", width)

    def spend_keys(self, keys: Sequence[Any]) -> None:
        """Use keys of a dictionary or set; refuse keys that are made to collide.

        Python hashes integers without a secret. About ten thousand multiples of
        2**61 - 1 would keep the judge busy for minutes; a million keys that only take
        the same path through the table, for hours.
        """
        self.spend("keys", len(keys))
        if len(keys) > _MAX_ALIKE and hashes_collide(keys):
            raise self.error("keys of a dictionary or set all have the same hash")


def hashes_collide(
    keys: Sequence[Any], equal: Callable[[Any, Any], bool] = lambda one, other: False
) -> bool:
    """Whether more than a few keys have the same hash, not counting `equal` ones."""
    run = 0
    for one, other in pairwise(sorted(keys, key=hash)):
        if hash(one) != hash(other):
            run = 0
        elif not equal(one, other):
            run += 1
            if run > _MAX_ALIKE:
                return True
    return False
