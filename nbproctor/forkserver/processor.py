"""One processor for one submission: judge and student process take turns on it.

They never work at the same time, and each wakes the other some thousand times a
notebook. To wake a process on another processor takes four times as long as on the own
one, more than all the rest of a message. So every fork server stays on one processor,
with all its forks, as long as there is one that no other has.
"""

from __future__ import annotations

import os
import socket

_NAME = "\0nbproctor processor {}"  # abstract: no file, gone with its process


class Processor:
    """A processor of this computer that no other `Processor` has, if there is one.

    Attributes
    ----------
    number : int or None
        For `os.sched_setaffinity`; None if all are taken, or cannot be chosen here.
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
        """Let another have it."""
        if self._claim is not None:
            self._claim.close()

    def __enter__(self) -> Processor:
        return self

    def __exit__(self, *_: object) -> None:
        self.release()


def stay_on(number: int | None) -> None:
    """Keep this process, and what it will fork, on a processor; None: on any."""
    if number is not None:
        os.sched_setaffinity(0, {number})
