"""The tests of an assignment on trial: `audit` judges them by solutions of known worth.

A right solution must keep every point, a wrong one must lose some, and so must every
small mistake in the reference solution. What is executed, see `trials`; what is on
trial, see `variants`; what comes out, see `matrix`.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

from nbproctor import beside, checks, engine, trials
from nbproctor.bundle import Bundle
from nbproctor.engine import Settings
from nbproctor.matrix import AuditResult, Entry
from nbproctor.pool import processors
from nbproctor.sandbox import Policy
from nbproctor.trials import Outcome, TrialError
from nbproctor.variants import Variants

__all__ = ["AuditError", "AuditResult", "audit"]


class AuditError(Exception):
    """The tests cannot be tried at all; the message says why and what to do."""


def audit(
    course: Path,
    assignment: str,
    workers: int | None = None,
    progress: Callable[[Outcome], object] = lambda outcome: None,
) -> AuditResult:
    """Try the tests of an assignment.

    Parameters
    ----------
    course : Path
        Folder with ``source/<assignment>/`` and, if there are any,
        ``variants/<assignment>/``.
    assignment : str
        Name of the assignment.
    workers : int, optional
        Processes side by side; as many as there are processors if not given.
    progress : callable
        Called after each solution that was tried, from some thread.

    Returns
    -------
    AuditResult
        `faults` is empty if the tests are fair and strict.

    Raises
    ------
    AuditError
        The assignment is unknown, or its own solutions do not run.
    """
    start = time.monotonic()
    notebooks = sorted((course / "source" / assignment).glob("*.ipynb"))
    if not notebooks:
        others = sorted({p.parent.name for p in course.glob("source/*/*.ipynb")})
        raise AuditError(
            f"There is no notebook in {course / 'source' / assignment}. Assignments "
            f"in this course: {', '.join(others) or 'none'}."
        )
    release = course / "release" / assignment
    bundles = [Bundle.read(path, release / path.name) for path in notebooks]
    references = {c.id: c.source for b in bundles for c in b.of_kind("solution")}
    folder = course / "variants" / assignment
    variants = Variants.read(folder, references)
    found = checks.check_release(course, assignment, notebooks[0])
    comments = {c.id: c.stub for b in bundles for c in b.of_kind("test")}
    outcomes: list[Outcome] = []
    for path, bundle in zip(notebooks, bundles, strict=True):
        files = beside.files(path.parent, bundle.data)
        policy = Policy(files=tuple(files.items()), weak=True)
        try:
            outcomes += trials.hold(
                bundle,
                path.parent,
                variants.trials,
                variants.oracles,
                policy,
                workers or processors(),
                progress,
            )
        except TrialError as error:
            raise AuditError(f"{path}: {error}") from error
        try:
            settings = Settings(policy=policy, follow_through=False)
            found += checks.check_scores(bundle, settings)
        finally:
            engine.close()
    return AuditResult(
        assignment=assignment,
        tests={
            name: tuple(c.id for c in b.cells if c.exercise == name and c.points)
            for b in bundles
            for name in b.exercises
        },
        entries=tuple(_entry(outcome, variants, comments) for outcome in outcomes),
        checks=tuple(found),
        problems=tuple(variants.problems),
        hints=tuple(_hints(variants, folder)),
        seconds=time.monotonic() - start,
    )


def _entry(outcome: Outcome, variants: Variants, comments: dict[str, str]) -> Entry:
    trial = outcome.trial
    variant = variants.written.get((trial.exercise, trial.kind, trial.name))
    announced = variant.announced if variant else ""
    warned = any(not verdict.max_points for verdict in outcome.failed)
    silent = {v: v.max_points - v.points for v in outcome.failed if not warned}
    key = trial.exercise, trial.name
    is_mutant = trial.kind == "mutant"
    return Entry(
        exercise=trial.exercise,
        kind=trial.kind,
        name=trial.name,
        place=variant.place if variant else "",
        diff=variants.diffs[key] if is_mutant else "",
        lost=outcome.lost,
        most=sum(verdict.max_points for verdict in outcome.verdicts),
        caught={verdict.cell_id: verdict.message for verdict in outcome.failed},
        says=variant.says if variant else (),
        unnamed=bool(variant and variant.unnamed),
        silent=sum(silent.values()),
        unannounced=sum(
            points
            for verdict, points in silent.items()
            if not announced or announced not in comments[verdict.cell_id]
        ),
        disagreement=outcome.disagreement,
        fuzzed=outcome.fuzzed,
        equivalent=variants.equivalent.get(key, "") if is_mutant else "",
        notes=outcome.notes,
    )


def _hints(variants: Variants, folder: Path) -> list[str]:
    bare = variants.without()
    if not bare:
        return []
    return [
        f"Only mutants were tried for {', '.join(bare)}. Put right solutions into "
        f"{folder / bare[0] / 'right'}, one a file, and wrong ones into "
        f"{folder / bare[0] / 'wrong.toml'}, to see that no right one loses a point "
        f"and no wrong one keeps all."
    ]
