"""The clocks that test cells read: they show how long an answer takes, as in a kernel.

They stand still while the judge sends large arguments and receives a large result,
because a kernel does not send anything. A test's processor time includes that of the
student process.
"""

import time
import timeit
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from nbproctor.expect import measures
from nbproctor.expect.calls import replaced
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
    for name, clock in [*clocks.items()]:
        clocks[f"{name}_ns"] = _nanoseconds(clock)
    timer = clocks["perf_counter"]
    with replaced(time, **clocks), replaced(timeit, default_timer=timer):
        yield


def _without_transfer(clock: Clock) -> Clock:
    return lambda: clock() - Wire.transfer_seconds


def _with_student(clock: Clock) -> Clock:
    return lambda: clock() + measures.student_seconds()


def _nanoseconds(clock: Clock) -> Callable[[], int]:
    return lambda: round(clock() * 1e9)
