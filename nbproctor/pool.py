"""Many submissions at once, through the interface of ``concurrent.futures``.

Workers are threads: all they do is wait for their own fork server, which is a process.
`engine.execute` does not care, so any other `Executor` does as well, Dask's for one.
"""

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor

from nbproctor import engine


class Pool(ThreadPoolExecutor):
    """An executor on this computer.

    Parameters
    ----------
    workers : int, optional
        Submissions executed at the same time; the number of processors if not given.
    """

    def __init__(self, workers: int | None = None) -> None:
        super().__init__(workers or processors(), "nbproctor")

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:
        """End all workers and fork servers."""
        super().shutdown(wait=False, cancel_futures=cancel_futures)
        if cancel_futures:
            engine.close()  # what still runs fails now instead of being waited for
        super().shutdown(wait=wait)
        engine.close()

    def __exit__(self, *error: object) -> None:
        # After an exception (Ctrl-C is one) nobody waits for results.
        self.shutdown(wait=True, cancel_futures=error[0] is not None)


def processors() -> int:
    """Return how many processors this process may use, not how many there are."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1
