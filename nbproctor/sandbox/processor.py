"""Processor of a fork server: each stays on one, with its judges and students.

A judge and its student process never work at the same time, and each wakes the other
some thousand times a notebook. Waking a process on another processor takes four times
as long as on the same one, more than all the rest of a message. So every fork server
claims a processor that no other one has, as long as one is left.
"""

from __future__ import annotations

import os
import socket

_NAME = "\0nbproctor processor {}"  # abstract: no file, gone with its process


class Processor:
    """Claim on a processor of this computer that nobody else has claimed.

    Attributes
    ----------
    number : int or None
        For `os.sched_setaffinity`; None if all are claimed, or none can be chosen here.
    """

    def __init__(self) -> None:
        self.number: int | None = None
        self._claim: socket.socket | None = None
        if not hasattr(os, "sched_setaffinity"):
            return
        for number in sorted(os.sched_getaffinity(0)):
            claim = socket.socket(socket.AF_UNIX)
            try:
                claim.bind(_NAME.format(number))
            except OSError:
                claim.close()
                continue
            self.number, self._claim = number, claim
            return

    def release(self) -> None:
        """Give up the claim."""
        if self._claim is not None:
            self._claim.close()

    def __enter__(self) -> Processor:
        return self

    def __exit__(self, *_: object) -> None:
        self.release()


def stay_on(number: int | None) -> None:
    """Keep this process and its later forks on a processor; None allows any."""
    if number is not None:
        os.sched_setaffinity(0, {number})
