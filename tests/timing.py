"""How long something takes, for tests that compare time with size, and may take."""

import gc
import os
import time
from collections.abc import Callable
from typing import Any

from nbproctor.results import Limits
from nbproctor.sandbox.processors import count_processors


def limits(
    call: float,
    cell: float,
    submission: float,
) -> Limits:
    """Return limits of time that an honest answer keeps on a busy computer too."""
    times = patience()
    return Limits(times * call, times * cell, times * submission)


def patience() -> float:
    """Return how many times longer than on a quiet computer something may take.

    It is asked while a test runs: how busy the computer was before says little.
    """
    assert "PYTEST_CURRENT_TEST" in os.environ, "limits are made in a test, not before"
    load = os.getloadavg()[0] if hasattr(os, "getloadavg") else 1
    return max(1, round(load / 2 / count_processors(), 1))


def grows_at_most(
    factor: float,
    work: Callable[[Any], object],
    small: Any,
    large: Any,
) -> bool:
    """Whether `work` takes for `large` at most so many times as long as for `small`.

    Of three times the shortest counts, and once `large` is fast enough, that will do.
    """
    most = factor * max(min(seconds(lambda: work(small)) for _ in range(3)), 0.002)
    return any(seconds(lambda: work(large)) < most for _ in range(3))


def repeated(pattern: str, length: int) -> str:
    """Return a text of about this length; a pattern repeats what follows its "…"."""
    start, _, part = pattern.rpartition("…")
    return start + part * (length // len(part))


def seconds(work: Callable[[], object]) -> float:
    """Return the processor time of a run.

    Without garbage collection, which looks at all that the test run has made.
    """
    gc.disable()
    try:
        start = time.process_time()
        work()
        return time.process_time() - start
    finally:
        gc.enable()
