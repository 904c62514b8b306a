"""Placement: where each test cell is judged, determined before any student is graded.

Most test cells are judged from outside, by a judge that the answer cannot reach. This
must give the same points as a kernel. A cell runs in the student's process (see
`judge.run`) if the reference solution loses points through the judge and earns them
there. A cell that passes only in a kernel is not judged: a 0 would blame the student.
If the reference passes a cell nowhere, it is not known where the cell must run. If such
a cell fails from outside, it also runs in the student's process, and if it passes
there, a person decides.

Everything runs like a submission, or in a kernel in a copy of the source, so the source
does not change. The settings are those of grading.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from nbproctor.engine import ExecutionError, Executor, Settings
from nbproctor.engine.cache import SOURCE_KEY, versions
from nbproctor.judge.compiled import Tests
from nbproctor.nbgrader.proof import grade_answers, kernel_faults
from nbproctor.notebook import (
    STUDENT_PROCESS_TAG,
    TAGGED,
    MasterNotebook,
    Where,
)
from nbproctor.submission.repair import Ungradable

if TYPE_CHECKING:
    from nbproctor.nbgrader.course import Course

FILE = ".nbproctor.json"  # in the course's folder
UNKNOWN = "the solution in the source does not pass it"
Places = dict[str, tuple[Where, str]]  # test cell → where, and why not in the judge
log = logging.getLogger(__name__)


def read_placement(master: MasterNotebook, course: Course) -> MasterNotebook:
    """Return the notebook with its test cells placed as recorded."""
    record = _read(course).get(master.assignment, {}).get(master.notebook, {})
    if record.get("digest") != _digest(master):
        return master
    return _with_placement(master, record["tests"])


def find_placement(
    master: MasterNotebook,
    course: Course,
    settings: Settings,
    pool: Executor,
    *,
    again: bool,
) -> MasterNotebook:
    """Determine where the test cells are judged, or read it, and record it.

    With `again`, it is determined even if it is recorded.
    """
    recorded = read_placement(master, course)
    if recorded is not master and not again:
        return recorded
    blank = _with_placement(master, {})
    try:
        places = _places(
            master=blank,
            settings=settings,
            pool=pool,
            source=course.folder("source"),
        )
    except (ExecutionError, Ungradable) as error:
        log.warning(
            "the reference solution of %s cannot run: %s", master.notebook, error
        )
        return blank
    records = _read(course)
    book = records.setdefault(master.assignment, {})
    book[master.notebook] = {"digest": _digest(master), "tests": places}
    path = Path(course.coursedir.root, FILE)
    text = json.dumps(records, indent=1, sort_keys=True)
    try:
        path.write_text(f"{text}\n", "utf-8")
    except OSError as error:  # the next run determines it again
        log.warning("%s cannot be written: %s", path, error)
    return _with_placement(master, places)


def apply_trust(master: MasterNotebook, trust: str) -> MasterNotebook:
    """Return the notebook with the placement that the option `trust` allows.

    If only the judge is trusted, no test is judged in the student's process.
    """
    if trust != "judge":
        return master
    cells = []
    for cell in master.cells:
        if cell.where == "beside":
            cell = replace(cell, where="nowhere")
        elif cell.where == "judge":
            cell = replace(cell, placement_reason="")
        cells.append(cell)
    return master.with_cells(cells)


def describe_placement(masters: Iterable[MasterNotebook]) -> list[str]:
    """Describe which test cells are not judged by the judge, and why."""
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
            "whether they can. Put a correct solution into the source. If a cell must "
            f"run in the student's process, give it the tag {STUDENT_PROCESS_TAG!r}. "
            "An answer that passes only there waits to be graded by hand",
        ),
    ):
        named = [
            f"{cell.id} ({cell.placement_reason})"
            for cell in tests
            if cell.where == where and cell.placement_reason
        ]
        if named:
            names = "; ".join(named)
            lines.append(
                f"{len(named)} of {len(tests)} test cells are {description}: {names}"
            )
    return lines


def _places(
    master: MasterNotebook,
    settings: Settings,
    pool: Executor,
    source: Path,
) -> Places:
    """Return the places other than the judge."""
    settings = replace(settings, follow_through=False)
    pool.prepare(master, settings)  # or raise why nothing can be executed

    # A placement by a tag in the source stays.
    free = {cell.id for cell in master.cells if cell.placement_reason != TAGGED}

    def lost_in(places: Places) -> dict[str, str]:
        """Return the free tests that the reference does not pass, and the messages."""
        placed_master = _with_placement(master, places)
        report = grade_answers(placed_master, placed_master, settings, pool)
        lost = [verdict for verdict in report.verdicts if verdict.outcome != "passed"]
        return {v.cell_id: v.message for v in lost if v.cell_id in free}

    tests = Tests.from_cells(master.cells)
    needed = {
        name
        for name, test in tests.cells.items()
        if test.program.binds & tests.names_from_tests
    }
    trial: Places = {}
    lost = lost_in(trial)
    reasons = lost
    # A test that uses names of a test that was moved fails then, and is moved, too.
    while moving := reasons.keys() - trial.keys():
        for name in moving:
            trial[name] = ("beside", reasons[name])
        lost = lost_in(trial)
        reasons = lost | reasons
        if reasons.keys() <= trial.keys():
            # Of a test that was not moved, the student's process has no hidden values.
            for name in lost:
                for other in free & needed.union(tests.cells[name].needs):
                    reasons.setdefault(other, f"{name} uses its values")
    places = {name: placement for name, placement in trial.items() if name not in lost}
    if not lost:
        return places
    nowhere: Places = {}
    faults = dict(
        kernel_faults(
            master=master,
            source=source,
            timeout=settings.limits.cell,
        )
    )
    while lost.keys() - nowhere.keys():
        lost = lost_in(places | nowhere)
        reasons = lost | reasons
        for name in lost.keys() - nowhere.keys():
            nowhere[name] = ("nowhere", reasons[name])
            if name in faults:
                nowhere[name] = ("judge", UNKNOWN)
    return places | nowhere


def _with_placement(master: MasterNotebook, places: dict[str, Any]) -> MasterNotebook:
    cells = []
    for cell in master.cells:
        if cell.kind == "test" and cell.placement_reason != TAGGED:
            where, reason = places.get(cell.id, ("judge", ""))
            cell = replace(
                cell,
                where=where,
                placement_reason=reason,
            )
        cells.append(cell)
    return master.with_cells(cells)


def _digest(master: MasterNotebook) -> str:
    """Return what a record depends on: the notebook, and the code that placed it.

    The number of a version stays the same while somebody edits the code.
    """
    return f"{versions()[SOURCE_KEY]} {_with_placement(master, {}).digest}"


def _read(course: Course) -> dict[str, Any]:
    try:
        records = json.loads(Path(course.coursedir.root, FILE).read_text("utf-8"))
    except (OSError, ValueError):
        return {}
    return records if isinstance(records, dict) else {}
