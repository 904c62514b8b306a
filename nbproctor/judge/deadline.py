"""When a call of a student's function has taken too long."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

# As they are now: a test may read others (see `judge.clock`).
from time import monotonic, process_time

from nbproctor.protocol.frames import LateError

MAX_SLOWDOWN = 6  # times its limit that a call may take by the clock
MIN_PROCESSOR_SHARE = 0.1  # of a processor: what computes less than that is stuck
_STEP = 0.1  # seconds from one look to the next, at least


@dataclass
class CallDeadline:
    """The moment at which a call is late, calls back into the test included.

    It comes after so many seconds by the clock. On a busy computer it comes later, or
    an answer would be late because of what else runs there: a call that goes on
    computing may do so until student process and judge have computed for these seconds.

    Parameters
    ----------
    seconds
        The limit.
    latest
        A `time.monotonic` value at which every call is late.
    student_seconds
        Returns the processor time of the student's process since its start. That is
        not asked when a call begins, as it takes a while: so what the process computed
        earlier counts, too.
    """

    seconds: float
    latest: float
    student_seconds: Callable[[], float]

    def __post_init__(self) -> None:
        self._judge_start = process_time()
        self._checked = monotonic()
        self._computed = 0.0  # when it was checked
        slowest = self._checked + MAX_SLOWDOWN * self.seconds
        self.latest = min(self.latest, slowest)
        self._end = min(self.latest, self._checked + self.seconds)

    def __call__(self) -> float:
        """Return how many seconds are left; `LateError`: none."""
        now = monotonic()
        if now >= self._end:
            self._extend(now)
        return self._end - now

    def _extend(self, now: float) -> None:
        computed = self.student_seconds() + process_time() - self._judge_start
        progress = computed - self._computed
        is_stuck = progress < MIN_PROCESSOR_SHARE * (now - self._checked)
        remaining = min(self.seconds - computed, self.latest - now)
        if is_stuck or remaining <= 0:
            raise LateError("the time limit has passed")
        self._checked = now
        self._computed = computed
        self._end = now + max(remaining, _STEP)
