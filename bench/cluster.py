"""How many submissions a second one coordinator can hand out and take back.

The students sleep, half a second each as the lab's do, and their reports are canned. So
many fit into two cores, and what is measured is what does not belong to the students:
with a pool on this computer, the coordinator alone; with a cluster, also the scheduler
and the workers, which are real, but all on this computer.

    .venv/bin/python bench/cluster.py
    .venv/bin/python bench/cluster.py --seconds 0.2     # harder than any lab
"""

import argparse
import random
import tempfile
import time
from contextlib import nullcontext
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from distributed import LocalCluster

from nbproctor.engine import (
    Cache,
    CachingExecutor,
    Execution,
    Executor,
    Pool,
    Servers,
    Settings,
)
from nbproctor.engine.cluster import Cluster
from nbproctor.notebook import MasterNotebook
from nbproctor.results import StudentCell
from nbproctor.sandbox.policy import Policy

ROOT = Path(__file__).parents[1]
REPORT_BYTES, NOTEBOOK_BYTES, EACH = 10_000, 60_000, 40
AT_ONCE = 1, 4, 16, 64


def sleeping_students(seconds: float) -> None:
    """Let every submission take so long, in this process, with a canned report."""
    from msgspec import msgpack

    from nbproctor.results import Report

    report = msgpack.encode(Report({}, [], ["x" * REPORT_BYTES]))

    def run(*_: Any) -> bytes:
        time.sleep(seconds)
        return report

    asleep = SimpleNamespace(run=run)
    Servers.acquire = lambda *_: nullcontext(asleep)


def measure(executor: Executor, students: int, sleep: float, what: str) -> None:
    """Execute many submissions, so many students at once, and print what it took."""
    path = ROOT / "source/neural_network/neural_network.ipynb"
    master, settings = MasterNotebook.read(path), Settings(policy=Policy(weak=True))
    text = random.Random(0).randbytes(NOTEBOOK_BYTES // 2).hex()
    with executor:
        executor.prepare(master, settings)
        count = EACH * students
        start, spent = time.perf_counter(), time.process_time()
        waiting = []
        for number in range(count):
            cells = [StudentCell(0, None, f"# {number}\n{text}")]
            waiting.append(executor.execute(Execution(cells, master, settings)))
        for future in waiting:
            future.result()
        seconds = time.perf_counter() - start
        spent = time.process_time() - spent
    rate, best = count / seconds, students / sleep
    print(
        f"{what}, {students:3} students at once: {rate:6.1f} a second, "
        f"{100 * rate / best:3.0f} % of what they could; "
        f"{1000 * spent / count:.1f} ms of CPU a submission in this process",
        flush=True,
    )


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    options.add_argument("--seconds", type=float, default=0.5, help="a student's sleep")
    sleep = options.parse_args().seconds
    sleeping_students(sleep)
    for students in AT_ONCE:
        with tempfile.TemporaryDirectory() as folder:
            kept = CachingExecutor(Cache(Path(folder), 1 << 30), Pool(students))
            measure(kept, students, sleep, "pool with a cache")
    for students in AT_ONCE[:-1]:  # each worker is a process
        with LocalCluster(
            n_workers=students, threads_per_worker=1, dashboard_address=None
        ) as local:
            with local.get_client() as client:
                client.run(sleeping_students, sleep)
            cluster = Cluster(local.scheduler_address)
            measure(cluster, students, sleep, "cluster")


if __name__ == "__main__":
    main()
