"""Which submission is blamed when workers die: every other one gets its result."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from hypothesis import given
from hypothesis import strategies as st

from nbproctor.engine.dispatch import BATCH, TRIES, Dispatch, Job, Worker
from nbproctor.engine.execution import ExecutionError
from nbproctor.results import Report

REPORT = Report({}, {}, [], [])


class Simulated:
    """A cluster whose workers answer, or die, when they are told to."""

    def __init__(self, threads: Sequence[int], killers: set[bytes]) -> None:
        self.dispatch = Dispatch(self.sent)
        self.waiting: list[tuple[Worker, Sequence[Job]]] = []
        self.killers = killers
        self.number = 0
        self.deaths: Counter[bytes] = Counter()
        for count in threads:
            self.start(count)

    def start(self, threads: int) -> None:
        self.number += 1
        self.dispatch.join(f"tcp://{self.number}", threads, "key")

    def sent(self, worker: Worker, batch: Sequence[Job]) -> None:
        assert 1 <= len(batch) <= BATCH
        self.waiting.append((worker, batch))

    def step(self, choice: int) -> None:
        """One batch ends, or its worker with all that it has."""
        worker, batch = self.waiting.pop(choice % len(self.waiting))
        lethal = [job for job in batch if job.submitted in self.killers]
        if lethal:
            self.deaths[lethal[0].submitted] += 1
            self.waiting = [each for each in self.waiting if each[0] is not worker]
            self.dispatch.lost(worker)
            self.start(worker.threads)  # as a nanny does
        elif self.dispatch.answered(worker, batch):
            for job in batch:
                job.future.set_result(REPORT)


@given(
    st.integers(1, 60),
    st.sets(st.integers(0, 59), max_size=4),
    st.lists(st.integers(1, 4), min_size=1, max_size=4),
    st.lists(st.integers(0, 100), min_size=1, max_size=50),
)
def test_only_what_ends_its_workers_is_given_up(
    count: int, killers: set[int], threads: list[int], choices: list[int]
) -> None:
    names = [b"%d" % number for number in range(count)]
    lethal = {b"%d" % number for number in killers} & {*names}
    cluster = Simulated(threads, lethal)
    jobs = [Job("key", name) for name in names]
    for job in jobs:
        cluster.dispatch.add(job)
    steps = 0
    while cluster.waiting:
        cluster.step(choices[steps % len(choices)])
        steps += 1
        assert steps < 100 * count
    for job in jobs:
        assert job.future.done(), "every submission has an end"
        failed = isinstance(job.future.exception(), ExecutionError)
        assert failed == (job.submitted in lethal)
    # Together with others at first, then alone.
    assert all(deaths <= TRIES + 1 for deaths in cluster.deaths.values())


def test_a_worker_that_leaves_is_not_blamed_on_its_submissions() -> None:
    cluster = Simulated([1], set())
    job = Job("key", b"one")
    cluster.dispatch.add(job)
    for _ in range(2 * TRIES):
        ((worker, _),) = cluster.waiting
        cluster.waiting.clear()
        cluster.dispatch.leave(worker)
        cluster.start(1)
    cluster.step(0)
    assert job.future.result() is REPORT


def test_batches_are_small_at_the_end_so_that_all_workers_end_together() -> None:
    cluster = Simulated([1, 1], set())
    for number in range(4):
        cluster.dispatch.add(Job("key", b"%d" % number))
    assert [len(batch) for _, batch in cluster.waiting] == [1, 1, 1, 1]


def test_a_failure_of_all_ends_what_runs_and_what_waits() -> None:
    cluster = Simulated([1], set())
    jobs = [Job("key", b"%d" % number) for number in range(9)]
    for job in jobs:
        cluster.dispatch.add(job)
    cluster.dispatch.fail(RuntimeError("gone"))
    assert all(str(job.future.exception()) == "gone" for job in jobs)


def test_a_worker_is_given_only_what_it_holds_the_assignment_of() -> None:
    cluster = Simulated([1], set())
    cluster.dispatch.add(Job("another key", b"early"))
    job = Job("key", b"held")
    cluster.dispatch.add(job)
    ((worker, batch),) = cluster.waiting
    assert batch == [job]
    cluster.dispatch.join(worker.address, 1, "another key")
    assert [[each.submitted for each in batch] for _, batch in cluster.waiting] == [
        [b"held"],
        [b"early"],
    ]


def test_submissions_of_a_worker_that_leaves_keep_their_order() -> None:
    cluster = Simulated([1], set())
    names = [b"%d" % number for number in range(6)]
    for name in names:
        cluster.dispatch.add(Job("key", name))
    ((worker, _), *_) = cluster.waiting
    cluster.waiting.clear()
    cluster.dispatch.leave(worker)
    cluster.start(6)
    assert [job.submitted for _, batch in cluster.waiting for job in batch] == names
