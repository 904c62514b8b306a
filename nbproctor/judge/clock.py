"""The clocks that test cells read: they tell how long an answer takes, as in a kernel.

They stand still while the judge sends large arguments and receives a large result,
which no kernel has to do. And a test's processor time includes the student process.
"""

import time
import timeit
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from nbproctor.expect import measures
from nbproctor.protocol.frames import Wire

Clock = Callable[[], float]


@contextmanager
def patch_clocks() -> Iterator[None]:
    """Replace the clocks of this process.

    Deadlines go by `time.monotonic`, which stays as it is.
    """
    clocks = {
        "time": _without_transfer(time.time),
        "perf_counter": _without_transfer(time.perf_counter),
        "process_time": _with_student(time.process_time),
    }
    clocks |= {f"{name}_ns": _nanoseconds(clock) for name, clock in clocks.items()}
    originals = {name: getattr(time, name) for name in clocks}
    vars(time).update(clocks)
    timeit.default_timer = time.perf_counter
    try:
        yield
    finally:
        vars(time).update(originals)
        timeit.default_timer = time.perf_counter


def _without_transfer(clock: Clock) -> Clock:
    return lambda: clock() - Wire.transfer_seconds


def _with_student(clock: Clock) -> Clock:
    return lambda: clock() + measures.student_seconds()


def _nanoseconds(clock: Clock) -> Callable[[], int]:
    return lambda: round(clock() * 1e9)
