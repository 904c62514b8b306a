"""Which worker of a cluster executes which submission, and what if it dies of it.

Each worker has one batch more than threads, and gets the next when one ends. The
submissions of a worker that was lost are tried again one by one, each alone on a
worker: then it is known which of them ends its worker, and that one is given up after a
bounded number of workers. All others get their results.
"""

from __future__ import annotations

import logging
import math
import threading
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field
from itertools import islice

from nbproctor.engine.execution import ExecutionError
from nbproctor.results import Report

log = logging.getLogger(__name__)

BATCH = 4  # submissions sent at once, at most
TRIES = 2  # workers that one submission may take with it, alone on them


@dataclass(eq=False)
class Job:
    """One submission to be executed.

    Attributes
    ----------
    key
        Of its assignment.
    submitted
        The submission, encoded.
    future
        The report to come.
    deaths
        Workers that were lost when they had nothing else.
    """

    key: str
    submitted: bytes
    future: Future[Report] = field(default_factory=Future)
    deaths: int = 0


@dataclass(eq=False)
class Worker:
    """A worker that accepts submissions.

    Attributes
    ----------
    address, threads
        Where it is, and how many submissions it executes at the same time.
    keys
        Of the assignments that it holds.
    running
        Batches that it has been given and not yet answered.
    alone
        Whether that is a single submission, which may have ended a worker before.
    """

    address: str
    threads: int
    keys: set[str] = field(default_factory=set)
    running: list[Sequence[Job]] = field(default_factory=list)
    alone: bool = False


class Dispatch:
    """The workers of a cluster, and the submissions that wait for one.

    Parameters
    ----------
    send
        Called with a worker and a batch for it; has to call `answered`, or `lost`,
        later and from another thread.
    """

    def __init__(self, send: Callable[[Worker, Sequence[Job]], None]) -> None:
        self._send = send
        self._lock = threading.RLock()
        self._workers: dict[str, Worker] = {}
        self._queue: deque[Job] = deque()
        self._suspects: deque[Job] = deque()

    @property
    def threads(self) -> int:
        """How many submissions all workers together execute at the same time."""
        with self._lock:
            return sum(worker.threads for worker in self._workers.values())

    def workers(self) -> dict[str, Worker]:
        """Return the workers by address."""
        with self._lock:
            return dict(self._workers)

    def add(self, job: Job) -> None:
        """Have a submission executed."""
        with self._lock:
            self._queue.append(job)
            self._offer()

    def join(self, address: str, threads: int, key: str) -> None:
        """Count on a worker, for submissions of an assignment that it holds now."""
        with self._lock:
            worker = self._workers.setdefault(address, Worker(address, threads))
            worker.keys.add(key)
            self._offer()

    def answered(self, worker: Worker, batch: Sequence[Job]) -> bool:
        """Give a worker more; whether the batch was still its own."""
        with self._lock:
            if batch not in worker.running:
                return False  # the worker was lost, and the batch is somebody else's
            worker.running.remove(batch)
            worker.alone = worker.alone and bool(worker.running)
            self._offer()
            return True

    def leave(self, *workers: Worker) -> None:
        """Give the submissions of workers that go to others: they are not at fault."""
        with self._lock:
            for worker in workers:
                self._workers.pop(worker.address, None)
                for batch in reversed(worker.running):  # first come, first served
                    self._queue.extendleft(reversed(batch))
                worker.running.clear()
            self._offer()

    def lost(self, worker: Worker) -> None:
        """Try the submissions of a worker that has died again, one by one."""
        failed: list[Job] = []
        with self._lock:
            log.warning("The worker %s has gone.", worker.address)
            self._workers.pop(worker.address, None)
            jobs = [job for batch in worker.running for job in batch]
            worker.running.clear()
            for job in jobs:
                job.deaths += len(jobs) == 1
                (self._suspects if job.deaths < TRIES else failed).append(job)
            self._offer()
        for job in failed:
            job.future.set_exception(
                ExecutionError(
                    f"Its execution ended {TRIES} workers of the cluster. Grade it on "
                    "this computer with --force --student, or by hand."
                )
            )

    def fail(self, error: Exception) -> None:
        """End everything that still runs or waits with an error."""
        with self._lock:
            batches = [batch for w in self._workers.values() for batch in w.running]
            jobs = [*self._queue, *self._suspects, *(j for b in batches for j in b)]
            for worker in self._workers.values():
                worker.running.clear()
            self._queue.clear()
            self._suspects.clear()
        for job in jobs:
            job.future.set_exception(error)

    def _offer(self) -> None:
        """Give work to every worker that has room for it."""
        workers = sorted(self._workers.values(), key=lambda each: len(each.running))
        if self._suspects and workers and not any(each.alone for each in workers):
            # The one with least to do gets nothing else until it has nothing.
            chosen = workers.pop(0)
            if not chosen.running and self._suspects[0].key in chosen.keys:
                chosen.alone = True
                self._give(chosen, [self._suspects.popleft()])
        slots = sum(worker.threads + 1 for worker in workers)
        for worker in workers:
            while not worker.alone and len(worker.running) <= worker.threads:
                batch = self._take(worker, math.ceil(len(self._queue) / slots))
                if not batch:
                    break
                self._give(worker, batch)

    def _take(self, worker: Worker, count: int) -> list[Job]:
        """Take from the queue a batch of one assignment, which the worker holds."""
        held = (job.key for job in self._queue if job.key in worker.keys)
        key = next(held, None)
        same = (job for job in self._queue if job.key == key)
        batch = [*islice(same, min(BATCH, count))]
        for job in batch:
            self._queue.remove(job)
        return batch

    def _give(self, worker: Worker, batch: Sequence[Job]) -> None:
        worker.running.append(batch)
        self._send(worker, batch)
