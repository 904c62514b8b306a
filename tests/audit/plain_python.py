"""Marks of variants in plain Python, by nbgrader's rule: no judge, no proxies.

A program, run in the folder of the master notebook: it prints, as JSON, one row for
every fourth right or wrong variant of the sample: its exercise, kind and name, and the
tests it passes.
"""

from __future__ import annotations

import contextlib
import gc
import io
import json
import sys
from collections import Counter
from collections.abc import Iterable, Mapping
from multiprocessing import get_context
from pathlib import Path
from typing import Any

from examples import sample_class
from nbproctor.audit.variants import Trial, read_variants
from nbproctor.notebook import MasterNotebook

PATIENCE = 300  # seconds for all variants
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


#: What the notebook defines, with all exercises solved.
NAMES: dict[str, Any] = {}


def passed(cells: Mapping[str, str]) -> list[str]:
    """Run cells in one namespace; return those that raise nothing."""
    names = []
    for name, source in cells.items():
        # As nbgrader: 0 points, and the next cell runs all the same.
        with contextlib.suppress(Exception):
            exec(source.replace("%matplotlib inline", ""), NAMES)
            names.append(name)
    return names


def passed_plainly(master: MasterNotebook, trials: Iterable[Trial]) -> list[list[str]]:
    """Run the reference notebook; answer an exercise anew in a fork for each trial.

    As under stock nbgrader all names are in one namespace.
    """
    # Not what grading leaves out, of which some trains.
    code = [c for c in master.cells if c.kind not in ("text", "task") and not c.skip]
    passed({cell.id: cell.source for cell in code if not cell.points})
    tests = master.of_kind("test")
    attached = [
        {"answer": trial.source}
        | {cell.id: cell.source for cell in tests if cell.exercise == trial.exercise}
        for trial in trials
    ]
    gc.freeze()  # forks need not copy what they do not touch
    with get_context("fork").Pool(1, maxtasksperchild=1) as pool:
        return pool.map_async(passed, attached, chunksize=1).get(PATIENCE)


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
        (trial.exercise, trial.kind, trial.name, tests)
        for trial, tests in zip(trials, passed_plainly(master, trials), strict=True)
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
