"""Audit of an assignment's tests, by solutions that are known to be right or wrong.

A right solution must keep every point, a wrong one must lose some, and so must every
small mistake in the reference solution. `variants` supplies the solutions, here they
are executed as submissions are, and `result` holds and reports what follows.
"""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import as_completed
from dataclasses import replace
from pathlib import Path

from nbproctor.audit.result import AuditResult, Entry
from nbproctor.audit.variants import Trial, Variants
from nbproctor.cells import CellText
from nbproctor.engine import Execution, ExecutionError, Executor, Pool, Settings
from nbproctor.errors import NbproctorError
from nbproctor.judge.compiled import Tests
from nbproctor.notebook import Cell, MasterNotebook
from nbproctor.results import Check, Limits, StudentCell, Verdict

# A solution may take so many times longer than the reference, but at least so long.
PATIENCE, LEAST_SECONDS = 10, 2.0
Said = tuple[list[Verdict], list[str]]  # verdicts of tests, and notes


class AuditError(NbproctorError):
    """The tests cannot be tried at all; the message says why and what to do."""


def audit(
    masters: Sequence[MasterNotebook],
    settings: Settings,
    folder: Path,
    checks: Sequence[Check] = (),
    progress: Callable[[Trial], object] = lambda trial: None,
    exercise: str | None = None,
) -> AuditResult:
    """Try the tests of an assignment, or those of one exercise.

    Its notebooks are graded as `settings` say, in whatever sandbox there is, and by
    what `folder` holds, ``variants/<assignment>``, which need not exist. `checks` are
    reported with the rest; `progress` is called after each solution. `AuditError`: the
    exercise is unknown, or the assignment's own solutions do not run.
    """
    start = time.monotonic()
    assignment = masters[0].assignment
    references = {c.id: c.source for b in masters for c in b.of_kind("solution")}
    if exercise is not None and exercise not in references:
        raise AuditError(
            f"There is no exercise {exercise!r} in {assignment}. Its exercises: "
            f"{', '.join(references)}."
        )
    variants = Variants.read(folder, references)
    wanted = [exercise] if exercise else list(references)
    variants.trials = [t for t in variants.trials if t.exercise in wanted]
    tried = [Trial(e, "reference", "reference", references[e]) for e in wanted]
    tried += variants.trials
    all_checks = list(checks)
    entries: list[Entry] = []
    policy = replace(settings.policy, weak=True)  # the code is the teacher's own
    settings = replace(settings, policy=policy, follow_through=False)
    with Pool() as pool:
        for master in masters:
            all_checks += _whole_notebooks(master, settings, pool)
            trials = Trials(master, variants.oracles, settings, pool, progress)
            entries += trials.hold(tried)
    return AuditResult(
        assignment=assignment,
        tests={
            name: tuple(c.id for c in b.cells if c.exercise == name and c.points)
            for b in masters
            for name in b.exercises
            if name in wanted
        },
        entries=tuple(entries),
        checks=tuple(all_checks),
        problems=tuple(variants.problems),
        hints=tuple(_hints(variants, folder)),
        seconds=time.monotonic() - start,
    )


def _whole_notebooks(
    master: MasterNotebook, settings: Settings, pool: Pool
) -> list[Check]:
    """Grade as the class is graded: the master earns every point, a blank one none."""
    most = sum(cell.points for cell in master.of_kind("test"))
    checks = []
    for name, want in ("master", most), ("blank", 0.0):
        cells = [
            StudentCell(i, c.id, c.source if name == "master" or c.locked else c.stub)
            for i, c in enumerate(master.cells)
            if c.kind in ("provided", "solution", "test")
        ]
        try:
            report = pool.execute(Execution(cells, master, settings)).result()
        except ExecutionError as error:
            checks.append(Check(name, False, str(error)))
            continue
        for place, outputs in report.outputs.items() if name == "master" else ():
            if outputs and outputs[-1]["output_type"] == "error":
                raise AuditError(
                    f"{master.notebook}: the cell {master.cells[place].id} of the "
                    f"reference notebook fails: {outputs[-1]['ename']}: "
                    f"{outputs[-1]['evalue']}"
                )
        got = sum(verdict.points for verdict in report.verdicts)
        failed = [v for v in report.verdicts if v.outcome != "passed"]
        text = f"{got:g} of {most:g} points"
        if failed and got:
            text += f"; {failed[0].cell_id}: {failed[0].message}"
        passed = got == want and (name == "blank" or not failed)
        checks.append(Check(name, passed, text))
    return checks


def _hints(variants: Variants, folder: Path) -> list[str]:
    tried = {trial.exercise for trial in variants.trials if trial.kind != "mutant"}
    every = dict.fromkeys(trial.exercise for trial in variants.trials)
    bare = [exercise for exercise in every if exercise not in tried]
    if not bare:
        return []
    return [
        f"Only mutants were tried for {', '.join(bare)}. Put right solutions into "
        f"{folder / bare[0] / 'right'}, one a file, and wrong ones into "
        f"{folder / bare[0] / 'wrong.toml'}, to see that no right one loses a point "
        f"and no wrong one keeps all."
    ]


class Trials:
    """Holds the trials of a notebook: each answer stands among right ones.

    `oracles` has the test cell of an exercise's oracle; `progress` is called with each
    trial that has ended.
    """

    def __init__(
        self,
        master: MasterNotebook,
        oracles: Mapping[str, Cell],
        settings: Settings,
        pool: Executor,
        progress: Callable[[Trial], object],
    ) -> None:
        self._master, self._oracles, self._settings = master, oracles, settings
        self._pool, self._progress = pool, progress
        tests = Tests.of(master.cells).cells
        self._needs = {name: test.needs for name, test in tests.items()}
        self._seconds = defaultdict[str, float](float)  # of the reference solutions

    def hold(self, trials: Iterable[Trial]) -> list[Entry]:
        """Hold trials; what the reference solutions take bounds the others.

        Trials of exercises that the notebook lacks are left out. `ExecutionError`: one
        has no result.
        """
        mine = [t for t in trials if t.exercise in self._master.exercises]
        references = [trial for trial in mine if trial.kind == "reference"]
        others = [trial for trial in mine if trial.kind != "reference"]
        return self._judge(references) + self._judge(others)

    def _judge(self, trials: Sequence[Trial]) -> list[Entry]:
        """Judge solutions by their tests, and those that pass by the oracle."""
        cells = self._master.of_kind("test")
        stubs = {cell.id: cell.stub for cell in cells}
        first: dict[Trial, list[Cell]] = {}
        then: dict[Trial, list[Cell]] = {}
        for trial in trials:
            tests = [cell for cell in cells if cell.exercise == trial.exercise]
            oracle = [o for e, o in self._oracles.items() if e == trial.exercise]
            first[trial], then[trial] = tests, oracle
            if trial.kind == "mutant":  # most are caught without the public tests
                first[trial] = [cell for cell in tests if cell.points]
                then[trial] = [*(c for c in tests if not c.points), *oracle]
        said = self._execute(first)
        passed = [t for t in trials if then[t] and all(map(_passes, said[t][0]))]
        more = self._execute({trial: then[trial] for trial in passed})
        entries = []
        for trial in trials:
            (verdicts, notes), (others, added) = said[trial], more.get(trial, ([], []))
            public = [verdict for verdict in others if not verdict.max_points]
            # An answer that fails there is wrong already.
            fuzzed = [verdict for verdict in others if verdict not in public]
            fuzzed = fuzzed if all(map(_passes, public)) else []
            told = (*notes, *added)
            entries.append(Entry.of(trial, verdicts + public, stubs, fuzzed, told))
        return entries

    def _execute(self, asked: Mapping[Trial, Sequence[Cell]]) -> dict[Trial, Said]:
        """Have each answer judged by some tests: their verdicts, and notes."""
        running, notebooks = {}, dict[tuple[str, ...], MasterNotebook]()
        for trial, tests in asked.items():
            names = (trial.exercise, *(test.id for test in tests))
            if names not in notebooks:
                notebooks[names] = self._up_to(trial.exercise, tests)
            execution = self._execution(notebooks[names], trial)
            running[self._pool.execute(execution)] = trial
        said: dict[Trial, Said] = {}
        for future in as_completed(running):
            trial = running[future]
            self._progress(trial)
            try:
                report = future.result()
            except ExecutionError as error:
                name = trial.place or f"{trial.exercise}, {trial.name}"
                raise ExecutionError(f"{name}: {error}") from error
            own = [v for v in report.verdicts if v.exercise == trial.exercise]
            said[trial] = own, report.notes
            if trial.kind == "reference":
                self._seconds[trial.exercise] += report.seconds
        return said

    def _up_to(self, exercise: str, tests: Sequence[Cell]) -> MasterNotebook:
        """Return the notebook up to some tests of an exercise, without other tests."""
        kept = {exercise}.union(*({t.id, *self._needs.get(t.id, ())} for t in tests))
        cells = self._master.cells
        last = max(i for i, cell in enumerate(cells) if cell.exercise == exercise)
        cells = tuple(c for c in cells[: last + 1] if c.kind != "test" or c.id in kept)
        oracle = (test for test in tests if test not in cells)
        return self._master.with_cells((*cells, *oracle))

    def _execution(self, notebook: MasterNotebook, trial: Trial) -> Execution:
        cells = []
        for number, cell in enumerate(notebook.cells):
            source = cell.source
            if cell.id == trial.exercise:  # as a submission is repaired
                answer, stub = CellText(trial.source), CellText(cell.stub)
                source = answer.without_stub_line(stub, CellText(source)).text
            if cell.kind in ("provided", "solution", "test"):
                cells.append(StudentCell(number, cell.id, source))
        limits = self._settings.limits
        if trial.kind != "reference":
            taken = self._seconds[trial.exercise]
            seconds = round(LEAST_SECONDS + PATIENCE * taken, 1)
            limits = Limits(seconds, 2 * seconds, 4 * seconds)
        return Execution(cells, notebook, replace(self._settings, limits=limits))


def _passes(verdict: Verdict) -> bool:
    return verdict.outcome == "passed"
