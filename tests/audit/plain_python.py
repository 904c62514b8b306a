"""Marks of variants in plain Python, by nbgrader's rule: no judge, no proxies.

A program, run in the folder of the master notebook: it prints, as JSON, one row for
every fourth right or wrong variant of the sample: its exercise, kind and name, and the
tests it passes.
"""

from __future__ import annotations

import gc
import io
import itertools
import json
import sys
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from functools import partial
from multiprocessing import Pipe, get_context
from pathlib import Path
from typing import Any

from examples import sample_class
from nbproctor.audit.variants import Trial, read_variants
from nbproctor.notebook import Cell, MasterNotebook

PATIENCE = 60  # seconds for a variant and its tests
# Of each kind, one trial in so many.
SHARE = {
    "right": 10,
    "wrong": 20,
    "mutant": 40,
}


def sample_of(trials: Iterable[Trial]) -> list[Trial]:
    """Return of each exercise's right and wrong variants and mutants every so many."""
    counts: Counter[tuple[str, str]] = Counter()
    chosen = []
    for trial in trials:
        if counts[trial.exercise, trial.kind] % SHARE[trial.kind] == 0:
            chosen.append(trial)
        counts[trial.exercise, trial.kind] += 1
    return chosen


def in_a_fork(run: Callable[[], set[str]]) -> set[str]:
    """Call `run` in a process of its own, as every submission has its own kernel."""
    reader, writer = Pipe(duplex=False)
    process = get_context("fork").Process(
        target=lambda: writer.send(run()), daemon=True
    )
    process.start()
    writer.close()  # here, so that the end of the process is one of the pipe
    assert reader.poll(PATIENCE), "a variant does not end"
    test_names: set[str] = reader.recv()
    process.join()
    return test_names


def passed(names: dict[str, Any], cells: Iterable[Cell]) -> set[str]:
    """Run cells in one namespace; return the tests among them that raise nothing."""
    test_names = set()
    for cell in cells:
        try:
            exec(cell.source.replace("%matplotlib inline", ""), names)
        except Exception:
            continue  # as nbgrader: 0 points, and the next cell runs all the same
        if cell.kind == "test":
            test_names.add(cell.id)
    return test_names


def passed_plainly(
    master: MasterNotebook, trials: Iterable[Trial]
) -> Iterator[tuple[Trial, set[str]]]:
    """Walk through the reference notebook; fork where an exercise has to be answered.

    As under stock nbgrader all names are in one namespace. The graded tests of the
    reference itself are left out: they bind no name.
    """
    # Not what grading leaves out, of which some trains.
    code = [c for c in master.cells if c.kind not in ("text", "task") and not c.skip]
    names = dict[str, Any]()
    for number, cell in enumerate(code):
        if cell.kind == "solution":
            gc.freeze()  # forks need not copy what they do not touch
            following = code[number + 1 :]
            attached = list(
                itertools.takewhile(lambda c: c.kind != "solution", following)
            )
            for trial in (t for t in trials if t.exercise == cell.id):
                answer = replace(cell, source=trial.source)
                yield trial, in_a_fork(partial(passed, names, [answer, *attached]))
            if cell.id == master.exercises[-1]:
                return
        if not cell.points:
            passed(names, [cell])


def of_variants(master: MasterNotebook, folder: Path) -> list[Any]:
    """Return what passes of the variants in `folder`."""
    variants = [
        variant
        for exercise, solution in sample_class.solutions(master).items()
        for variant in read_variants(folder / exercise, solution)[0]
    ]
    # Grading takes off the stub's last line below a finished answer; a kernel does not.
    skip = "raise_left_below"
    trials = [trial for trial in sample_of(variants) if trial.name != skip][1::4]
    return [
        (trial.exercise, trial.kind, trial.name, sorted(tests))
        for trial, tests in passed_plainly(master, trials)
    ]


def main(notebook: Path, folder: Path) -> None:
    """Print what passes of the variants in a folder."""
    master = MasterNotebook.read(notebook)
    sys.path.insert(0, "")  # for the modules beside the notebook
    printed = sys.stdout
    sys.stdout = sys.stderr = io.StringIO()
    json.dump(of_variants(master, folder), printed)


if __name__ == "__main__":
    main(*map(Path, sys.argv[1:]))
