"""How long something takes, for tests that compare time with size, and may take."""

import gc
import os
import time
from collections.abc import Callable

from nbproctor.results import Limits


def limits(call: float, cell: float, submission: float) -> Limits:
    """Return limits of time that an honest answer keeps on a busy computer too."""
    busy = os.getloadavg()[0] / (os.cpu_count() or 1) if os.name == "posix" else 1
    slow = max(1, busy / 2)
    return Limits(slow * call, slow * cell, slow * submission)


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
