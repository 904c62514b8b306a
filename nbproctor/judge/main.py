"""One submission judged: the student's own notebook first, then follow-through.

The judge is trusted and runs no student code: that stays in student processes.
"""

from __future__ import annotations

import time
from dataclasses import replace

from msgspec import msgpack

from nbproctor.judge import order
from nbproctor.judge.compiled import Tests
from nbproctor.judge.namespace import import_own_modules
from nbproctor.judge.processes import Spawn
from nbproctor.judge.run import NotebookRun
from nbproctor.results import Job, Report, Verdict


def main(data: bytes, spawn: Spawn) -> bytes:
    """Grade one submission: a `Job` in, a `Report` out, both serialized.

    `spawn` starts a student process, which runs `student.process.main`.
    """
    import_own_modules()
    return msgpack.encode(grade(msgpack.decode(data, type=Job), spawn))


def grade(job: Job, spawn: Spawn) -> Report:
    """Grade one submission: the student's own notebook first, then follow-through."""
    tests = Tests.from_bytes(job.tests) if job.tests else Tests.of(job.cells)
    start = time.monotonic()
    until = start + job.limits.submission
    own = NotebookRun(job, tests, spawn, until, max_stops=2)
    own.play(order.own_notebook(job, tests))
    if job.follow_through:
        _follow_through(job, tests, spawn, until, own.verdicts)
    own.judge_beside()
    ordered = [own.verdicts[c.id] for c in job.cells if c.kind == "test"]
    return Report(
        outputs=own.outputs,
        verdicts=ordered,
        notes=own.notes,
        seconds=round(time.monotonic() - start, 3),
    )


def _follow_through(
    job: Job, tests: Tests, spawn: Spawn, until: float, verdicts: dict[str, Verdict]
) -> None:
    """Judge exercises again that lost points and use functions of earlier ones.

    They come in the notebook's order, whatever happened to them before. Code that runs
    beside references can learn what they return. Here it meets those of exercises that
    come earlier and have had their second chance, so it cannot help them. A second try
    could also learn from the first, so nothing is handed on from one to the other.
    """
    lost = {str(v.exercise) for v in verdicts.values() if v.points < v.max_points}
    for exercise in [cell.id for cell in job.cells if cell.id in lost]:
        steps, references = order.among_references(job, exercise, tests)
        if not steps:
            continue
        again = NotebookRun(job, tests, spawn, until, 1, references)
        again.play(steps)
        # One answer earns them all: of two answers in one cell, each chosen by where
        # it runs, the marks do not add up.
        if all(v.points >= verdicts[name].points for name, v in again.verdicts.items()):
            for name, verdict in again.verdicts.items():
                if verdict.points > verdicts[name].points:
                    verdicts[name] = _by_follow_through(verdict)


def _by_follow_through(verdict: Verdict) -> Verdict:
    note = "Right, given correct solutions of the other exercises."
    if verdict.points < verdict.max_points:
        note = f"{verdict.message} (given correct solutions of the other exercises)"
    return replace(verdict, message=note, source="follow-through")
