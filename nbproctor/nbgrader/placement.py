"""Placement: where each test cell is judged, determined before any student is graded.

Most test cells are judged from outside, by a judge that the answer cannot reach. This
must give the same points as a kernel. A cell runs in the student's process (see
`judge.run`) if the reference solution loses points through the judge, or a blank
release or a dummy answer gets more than in a kernel, or the cell looks at warnings; and
if the reference earns the points there. A cell that passes only in a kernel is not
judged: a 0 would blame the student. If the reference passes a cell nowhere, it is not
known where the cell must run. If such a cell fails from outside, it also runs in the
student's process, and if it passes there, a person decides.

Everything runs like a submission, or in a kernel in a copy of the source, so the source
does not change. The settings are those of grading.
"""

from __future__ import annotations

import json
import logging
import re
from collections.abc import Callable, Iterable
from concurrent.futures import Future
from dataclasses import replace
from pathlib import Path
from typing import Any

from nbgrader.coursedir import CourseDirectory

from nbproctor import __version__
from nbproctor.engine import Execution, ExecutionError, Executor, Settings
from nbproctor.judge.compiled import Tests
from nbproctor.judge.verdicts import scored
from nbproctor.nbgrader.proof import kernel_faults, quick, wrong_answers
from nbproctor.notebook import (
    BESIDE_TAG,
    TAGGED,
    MasterNotebook,
    Where,
    support_files,
)
from nbproctor.results import Report, StudentCell

FILE = ".nbproctor.json"  # in the course's folder
UNKNOWN = "the solution in the source does not pass it"
# What is run before and after the answers: names of the files that they change.
_BEFORE = """
from pathlib import Path
_times = {p: p.stat().st_mtime_ns for p in Path().rglob("*")}
"""
_AFTER = """
for p, time in _times.items():
    if not p.exists() or p.stat().st_mtime_ns != time: print(p.name)
"""
# A test that fails, or passes, by the warnings of an answer; not one that ignores them.
_WARNED = re.compile(
    r"catch_warnings\(record|assert_no_warnings"
    r"|\b(simplefilter|filterwarnings)\((?!\s*(action=)?[\"']ignore)"
)
Places = dict[str, tuple[Where, str]]  # test cell → where, and why not in the judge
# A notebook that is run: what it is graded by, the answers, kinds to be left out.
Runs = Callable[..., Future[Report]]
log = logging.getLogger(__name__)


def read_placement(master: MasterNotebook, course: CourseDirectory) -> MasterNotebook:
    """Return the notebook with its test cells where they were found to belong."""
    record = _read(course).get(master.assignment, {}).get(master.notebook, {})
    if record.get("digest") != _digest(master):
        return master
    return _with(master, record["tests"])


def find_placement(
    master: MasterNotebook,
    course: CourseDirectory,
    settings: Settings,
    pool: Executor,
    source: Path,
    *,
    again: bool = False,
) -> MasterNotebook:
    """Determine where the test cells are judged, or read it, and record it.

    `source` is the folder of the assignment; `again` determines it even if it is
    recorded.
    """
    recorded = read_placement(master, course)
    if recorded is not master and not again:
        return recorded
    blank = _with(master, {})
    try:
        run = _runner(blank, settings, pool)
        places = _places(blank, run, source, settings.limits.cell)
    except ExecutionError as error:
        log.warning(
            "the reference solution of %s cannot run: %s", master.notebook, error
        )
        return blank
    records = _read(course)
    book = records.setdefault(master.assignment, {})
    book[master.notebook] = {"digest": _digest(master), "tests": places}
    path = Path(course.root, FILE)
    try:
        path.write_text(json.dumps(records, indent=1, sort_keys=True) + "\n", "utf-8")
    except OSError as error:  # found again by the next run
        log.warning("%s cannot be written: %s", path, error)
    return _with(master, places)


def as_graded(master: MasterNotebook, trust: str) -> MasterNotebook:
    """Return the notebook as submissions are graded by it.

    Where `trust` is the judge's alone, nothing is judged in the student's process.
    """
    if trust != "judge":
        return master
    cells = []
    for cell in master.cells:
        if cell.where == "beside":
            cell = replace(cell, where="nowhere")
        elif cell.where == "judge":
            cell = replace(cell, why="")
        cells.append(cell)
    return master.with_cells(cells)


def describe_placement(masters: Iterable[MasterNotebook]) -> list[str]:
    """Say which test cells the judge does not judge, and why."""
    tests = [cell for master in masters for cell in master.of_kind("test")]
    lines = []
    for where, description in (
        (
            "beside",
            "run in the student's process, where student code could forge the result",
        ),
        ("nowhere", "not graded"),
        (
            "judge",
            "run outside the student's process, although it could not be checked "
            "whether they can. Put a correct solution into the source, or put the tag "
            f"{BESIDE_TAG!r} on a cell that must run in the student's process. An "
            "answer that passes only there waits to be graded by hand",
        ),
    ):
        named = [cell for cell in tests if cell.where == where and cell.why]
        if named:
            names = "; ".join(f"{cell.id} ({cell.why})" for cell in named)
            lines.append(
                f"{len(named)} of {len(tests)} test cells are {description}: {names}"
            )
    return lines


def _runner(blank: MasterNotebook, settings: Settings, pool: Executor) -> Runs:
    """Return what runs a notebook of the teacher's as a submission."""
    without_second_runs = replace(settings, follow_through=False)
    hurried = replace(without_second_runs, limits=quick(settings.limits))

    pool.prepare(blank, without_second_runs)  # or say why nothing can be executed

    def run(
        master: MasterNotebook, answers: MasterNotebook, *left_out: str
    ) -> Future[Report]:
        cells = [
            StudentCell(number, cell.id, cell.source)
            for number, cell in enumerate(answers.cells)
            if cell.kind not in ("task", "text", *left_out)
        ]
        used = without_second_runs if answers is master else hurried
        return pool.execute(Execution(cells, master, used))

    return run


def _places(master: MasterNotebook, run: Runs, source: Path, timeout: float) -> Places:
    """Return the places other than the judge."""
    lost = _lost(master, run)
    reasons = _differing(master, run) | lost | _counting_on_warnings(master)
    if master.of_kind("test") and any(support_files(source, None)):
        reasons |= _reading_what_is_written(master, run)
    # What the source places itself stays there.
    free = {cell.id for cell in master.cells if cell.why != TAGGED}
    trial: Places = {}
    tests = Tests.of(master.cells)
    changing = {
        name: "it changes what an answer reads"
        for name, test in tests.cells.items()
        if tests.outer & test.program.binds - test.program.makes
    }
    # A test that uses names of one that has moved fails then, and moves along. So does
    # what it needs of others in the student's process.
    while moving := reasons.keys() & free - trial.keys():
        trial |= {name: ("beside", reasons[name]) for name in moving}
        lost = _lost(_with(master, trial), run)
        reasons = lost | reasons | (changing if lost.keys() & trial.keys() else {})
    places = {name: placement for name, placement in trial.items() if name not in lost}
    if lost.keys() & free:
        nowhere: Places = {}
        fails = {name for name, _ in kernel_faults(master, source, timeout)}
        while lost.keys() & free - nowhere.keys():
            lost = _lost(_with(master, places | nowhere), run)
            reasons = lost | reasons
            for name in lost.keys() & free - nowhere.keys():
                nowhere[name] = ("nowhere", reasons[name])
                if name in fails:
                    nowhere[name] = ("judge", UNKNOWN)
        places |= nowhere
    return places


def _lost(master: MasterNotebook, run: Runs) -> dict[str, str]:
    """Return the tests that the reference does not pass, and what is said of it."""
    verdicts = run(master, master, "helper").result().verdicts
    return {v.cell_id: v.message for v in verdicts if v.outcome != "passed"}


def _differing(master: MasterNotebook, run: Runs) -> dict[str, str]:
    """Return the tests that give a wrong answer more than a kernel does."""
    wrong = wrong_answers(master)
    outside = {name: run(master, wrong[name], "helper") for name in wrong}
    # In one student process, where tests are code as any other.
    code = master.with_cells(
        c for c in master.cells if c.kind not in ("test", "helper")
    )
    differing = {}
    inside = {name: run(code, wrong[name]) for name in wrong}
    numbers = {cell.id: number for number, cell in enumerate(master.cells)}
    for name in wrong:
        outputs = inside[name].result().outputs
        for v in outside[name].result().verdicts:
            number = numbers[v.cell_id]
            points, message = scored(outputs.get(number, []), master.cells[number])
            if v.points > points or v.outcome == "passed" != message.outcome:
                earned = f"{name} earns {v.points:g} outside its process"
                differing[v.cell_id] = f"{earned}, but {points:g} in a kernel"
    return differing


def _counting_on_warnings(master: MasterNotebook) -> dict[str, str]:
    """Return the tests that look at warnings: the answer's arise in its own process."""
    return {
        cell.id: "it looks at warnings, which arise in the answer's process"
        for cell in master.of_kind("test")
        if _WARNED.search(cell.source)
    }


def _reading_what_is_written(master: MasterNotebook, run: Runs) -> dict[str, str]:
    """Return the tests that name a file of the assignment which the answer changes.

    The judge has the file as it was.
    """
    cells = [cell for cell in master.cells if cell.kind not in ("test", "helper")]
    look = replace(master.cells[0], kind="provided", nbgrader={}, skip=False)
    before = replace(look, id="-before", source=_BEFORE, stub=_BEFORE)
    after = replace(look, id="-after", source=_AFTER, stub=_AFTER)
    looking = master.with_cells([before, *cells, after])
    outputs = run(looking, looking).result().outputs.get(len(cells) + 1)
    written = sorted({*outputs[0]["text"].splitlines()}) if outputs else []
    return {
        cell.id: f"it reads `{name}`, which the answer writes"
        for name in written
        for cell in master.of_kind("test")
        if name in cell.source
    }


def _with(master: MasterNotebook, places: dict[str, Any]) -> MasterNotebook:
    cells = []
    for cell in master.cells:
        where, reason = places.get(cell.id, ("judge", ""))
        is_placeable = cell.kind == "test" and cell.why != TAGGED
        if is_placeable and (cell.where, cell.why) != (where, reason):
            cell = replace(cell, where=where, why=reason)
        cells.append(cell)
    return master.with_cells(cells)


def _digest(master: MasterNotebook) -> str:
    return f"{__version__} {_with(master, {}).digest}"


def _read(course: CourseDirectory) -> dict[str, Any]:
    try:
        records = json.loads(Path(course.root, FILE).read_text("utf-8"))
    except (OSError, ValueError):
        return {}
    return records if isinstance(records, dict) else {}
