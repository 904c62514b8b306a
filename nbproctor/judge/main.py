"""One submission judged: the student's own notebook first, then follow-through.

The judge is trusted and runs no student code: that stays in student processes.
"""

from __future__ import annotations

import time

from msgspec import msgpack

from nbproctor.judge import order
from nbproctor.judge.compiled import Tests
from nbproctor.judge.follow_through import follow_through
from nbproctor.judge.namespace import import_own_modules
from nbproctor.judge.processes import Spawn
from nbproctor.judge.run import NotebookRun
from nbproctor.results import Job, Report


def main(data: bytes, spawn: Spawn) -> bytes:
    """Grade one submission.

    Parameters
    ----------
    data
        A `Job`, serialized.
    spawn
        Starts a student process that runs `student.process.main` on its end of a socket
        pair; has the other end as ``.sock``, and ends the process with ``.close()``.

    Returns
    -------
    bytes
        A `Report`, serialized.
    """
    import_own_modules()
    return msgpack.encode(grade(msgpack.decode(data, type=Job), spawn))


def grade(job: Job, spawn: Spawn) -> Report:
    """Grade one submission: the student's own notebook first, then follow-through."""
    tests = Tests.from_bytes(job.tests) if job.tests else Tests.of(job.cells)
    start = time.monotonic()
    until = start + job.limits.submission
    own = NotebookRun(job, tests, spawn, until, max_stops=2)
    own.play(order.own_notebook(job, tests.outer))
    verdicts = own.verdicts
    if job.follow_through:
        follow_through(job, tests, spawn, until, own)
    ordered = [verdicts[c.id] for c in job.cells if c.kind == "test"]
    return Report(
        outputs=own.outputs,
        tests={verdict.cell_id: verdict.outputs() for verdict in ordered},
        verdicts=ordered,
        notes=own.notes,
        seconds=round(time.monotonic() - start, 3),
    )
