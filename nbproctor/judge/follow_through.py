"""Follow-through: a second chance for exercises that may have paid for other ones."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace

from nbproctor.judge import order
from nbproctor.judge.compiled import Tests
from nbproctor.judge.order import scores
from nbproctor.judge.processes import Spawn
from nbproctor.judge.run import NotebookRun
from nbproctor.results import FILES, Job, Verdict


def follow_through(
    job: Job, tests: Tests, spawn: Spawn, until: float, own: NotebookRun
) -> None:
    """Judge exercises that lost points again, among correct solutions of the others.

    They come in the notebook's order, whatever happened to them before. Code that runs
    beside references can learn what they return. Here it meets those of exercises that
    come earlier and have had their second chance, so it cannot help them.
    """
    verdicts = own.verdicts
    lost = {str(v.exercise) for v in verdicts.values() if v.points < v.max_points}
    for exercise in [cell.id for cell in job.cells if cell.id in lost]:
        handed_in = any(cell.id == exercise for cell in job.student)
        if not handed_in or not may_depend(job, exercise, lost):
            continue
        again = NotebookRun(job, tests, spawn, until, max_stops=1, with_references=True)
        again.culprits.update(own.culprits - {exercise})
        again.play(order.among_references(job, exercise, tests.outer))
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


def may_depend(job: Job, exercise: str, lost: Collection[str]) -> bool:
    """Whether an exercise may have lost marks to something else in the notebook.

    That is an exercise before its last test which lost points; or code of the
    student's that is neither an answer nor the teacher's; or cells that were deleted
    or moved. An exercise that was left as it was handed out has no marks to lose.
    """
    before = job.cells[: _end_of(job, exercise)]
    own = _has_code_of_its_own(job)
    master = next(cell for cell in before if cell.id == exercise)
    answers = {cell.source for cell in job.student if cell.id == exercise}
    if not own and answers == {master.stub} != {master.source}:
        return False
    if own or any(cell.id in lost and cell.id != exercise for cell in before):
        return True
    code = [
        cell.id
        for cell in before
        if cell.kind in ("provided", "solution") and not cell.skip
    ]
    return [cell.id for cell in job.student if cell.id in code] != code


def _has_code_of_its_own(job: Job) -> bool:
    """Whether a notebook has code that is neither an answer nor the teacher's."""
    masters = {cell.id: cell for cell in job.cells}
    for cell in job.student:
        master = masters.get(cell.id or "")
        if master is None:
            if cell.index != FILES and cell.source.strip():
                return True
        elif master.kind == "provided" and cell.source not in (
            master.stub,
            master.source,
        ):
            return True
    return False


def _end_of(job: Job, exercise: str) -> int:
    """Return the place after the last test of an exercise."""
    places = (n for n, cell in enumerate(job.cells) if scores(cell, exercise))
    return max(places, default=-1) + 1
