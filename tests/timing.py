"""How long something takes, for tests that compare time with size, and may take."""

import gc
import os
import time
from collections.abc import Callable

from nbproctor.results import Limits


def limits(call: float, cell: float, submission: float) -> Limits:
    """Return limits of time that an honest answer keeps on a busy computer too."""
    times = patience()
    return Limits(times * call, times * cell, times * submission)


def patience() -> float:
    """Return how many times longer than on a quiet computer something may take."""
    load = os.getloadavg()[0] if hasattr(os, "getloadavg") else 1
    return max(1, round(load / 2 / (os.cpu_count() or 1), 1))


def seconds(work: Callable[[], object]) -> float:
    """Return the processor time of the fastest of three runs.

    Without garbage collection, which looks at all that the test run has made.
    """
    times = []
    gc.collect()
    gc.disable()
    try:
        for _ in range(3):
            start = time.process_time()
            work()
            times.append(time.process_time() - start)
    finally:
        gc.enable()
    return min(times)
