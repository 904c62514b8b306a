"""How many submissions a second a cluster's coordinator can hand out and take back.

The workers are real, on this machine, but their students sleep: 0.2 seconds each, and
the report is canned. So many threads fit into two cores, and what is measured is what
does not belong to the students: coordinator, scheduler and workers.

    .venv/bin/python bench/cluster.py
"""

import random
import time
from pathlib import Path

from distributed import LocalCluster

from nbproctor.engine import Cluster, Settings
from nbproctor.notebook import MasterNotebook
from nbproctor.results import StudentCell
from nbproctor.sandbox.layers import Policy

ROOT = Path(__file__).parents[1]
SECONDS, REPORT_BYTES, NOTEBOOK_BYTES, EACH = 0.2, 10_000, 60_000, 40


def sleeping_students() -> None:
    """In a worker: every submission takes `SECONDS`, and its report is canned."""
    from msgspec import msgpack

    from nbproctor.engine import remote
    from nbproctor.results import Report

    report = msgpack.encode(Report({}, {}, [], ["x" * REPORT_BYTES]))

    def run(*_: object) -> tuple[bytes, str, str]:
        time.sleep(SECONDS)
        return report, "", ""

    remote._run = run
    remote.Servers.get = lambda *_: None


def main() -> None:
    path = ROOT / "source/neural_network/neural_network.ipynb"
    master, settings = MasterNotebook.read(path), Settings(policy=Policy(weak=True))
    text = random.Random(0).randbytes(NOTEBOOK_BYTES // 2).hex()
    for threads in (1, 4, 16, 64):
        processes = min(threads, 4)
        with LocalCluster(
            n_workers=processes,
            threads_per_worker=threads // processes,
            dashboard_address=None,
        ) as local:
            with local.get_client() as client:
                client.run(sleeping_students)
            with Cluster(local.scheduler_address) as cluster:
                cluster.prepare(master, settings)
                count = EACH * threads
                start, spent = time.perf_counter(), time.process_time()
                waiting = []
                for number in range(count):
                    cells = [StudentCell(0, None, f"# {number}\n{text}")]
                    waiting.append(cluster.execute(cells, master, settings, {}))
                for future in waiting:
                    future.result()
                seconds = time.perf_counter() - start
                spent = time.process_time() - spent
        rate, best = count / seconds, threads / SECONDS
        print(
            f"{threads:3} students at once: {rate:6.1f} a second, "
            f"{100 * rate / best:3.0f} % of what they could; coordinator and scheduler "
            f"{1000 * spent / count:.1f} ms of CPU a submission",
            flush=True,
        )


if __name__ == "__main__":
    main()
