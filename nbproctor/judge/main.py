"""One submission judged: the student's own notebook first, then follow-through.

The judge is trusted and runs no student code: that stays in student processes.
"""

from __future__ import annotations

import time
from dataclasses import replace

from msgspec import msgpack

from nbproctor.judge import order, testcell
from nbproctor.judge.compiled import Tests
from nbproctor.judge.run import NotebookRun, Spawn
from nbproctor.results import Job, Report, Verdict


def main(data: bytes, spawn: Spawn) -> bytes:
    """Grade one submission.

    Parameters
    ----------
    data
        A `Job`, serialized.
    spawn
        Starts a student process that runs `student.main` on its end of a socket pair;
        has the other end as ``.sock``, and ends the process with ``.close()``.

    Returns
    -------
    bytes
        A `Report`, serialized.
    """
    testcell.import_own_modules()
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
        failures = _failed(verdicts).items()
        # An exercise whose cell hung comes last. It gets its second chance, because
        # another cell may have broken the process under it.
        for exercise, failed in sorted(failures, key=lambda e: e[0] in own.culprits):
            if not any(cell.id == exercise for cell in job.student):
                continue
            again = NotebookRun(job, tests, spawn, until, max_stops=1)
            again.culprits |= own.culprits - {exercise}
            again.play(order.follow_through(job, exercise, failed, tests.outer))
            for name, verdict in again.verdicts.items():
                if verdict.points > verdicts[name].points:
                    verdicts[name] = _by_follow_through(verdict)
    ordered = [verdicts[c.id] for c in job.cells if c.kind == "test"]
    return Report(
        outputs=own.outputs,
        tests={verdict.cell_id: verdict.outputs() for verdict in ordered},
        verdicts=ordered,
        notes=own.notes,
        seconds=round(time.monotonic() - start, 3),
    )


def _failed(verdicts: dict[str, Verdict]) -> dict[str, set[str]]:
    """Return the graded tests that did not earn everything, by exercise."""
    failed: dict[str, set[str]] = {}
    for verdict in verdicts.values():
        if verdict.exercise is not None and verdict.points < verdict.max_points:
            failed.setdefault(verdict.exercise, set()).add(verdict.cell_id)
    return failed


def _by_follow_through(verdict: Verdict) -> Verdict:
    note = "Right, given correct solutions of the other exercises."
    if verdict.points < verdict.max_points:
        note = f"{verdict.message} (given correct solutions of the other exercises)"
    return replace(verdict, message=note, source="follow-through")
