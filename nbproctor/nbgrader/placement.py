"""Placement: where each test cell is judged, determined before any student is graded.

Most test cells are judged from outside, by a judge that the answer cannot reach. That
must give what a kernel gives, no less and no more. A cell in which the reference
solution loses points so, or a blank release or a dull answer gets more than in a
kernel, is judged beside the answer (see `judge.run`), if the reference earns them
there. One that passes in a kernel alone is judged nowhere: a 0 would blame the student.
What the reference passes nowhere has no known place: where such a cell says no, it is
run beside the answer too, and where that says yes, a person decides.

Everything runs as a submission does, or a kernel's in a copy of the source: the source
stays as it is. The settings are those of grading.
"""

from __future__ import annotations

import ast
import atexit
import json
import logging
import math
import os
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future
from dataclasses import astuple, replace
from pathlib import Path
from tempfile import TemporaryFile
from typing import Any

import nbclient
import nbformat
from nbformat import NotebookNode
from nbgrader.coursedir import CourseDirectory
from nbgrader.utils import determine_grade, has_failed

from nbproctor import __version__
from nbproctor.engine import Execution, ExecutionError, Executor, Settings
from nbproctor.judge.verdicts import scored
from nbproctor.markers import parse
from nbproctor.nbgrader.failures import no_kernel
from nbproctor.notebook import (
    BESIDE_TAG,
    TAGGED,
    Cell,
    MasterNotebook,
    Where,
    copied,
    support_files,
)
from nbproctor.results import Limits, Report, StudentCell, Verdict

FILE = ".nbproctor.json"  # in the course's folder
QUICK = Limits(call=5.0, cell=10.0, submission=60.0)
UNKNOWN = "the source's own answer does not pass it"
# What is run before and after the answers: names of the files that they change.
_BEFORE = """
from pathlib import Path
_times = {p: p.stat().st_mtime_ns for p in Path().rglob("*")}
"""
_AFTER = """
for p, time in _times.items():
    if not p.exists() or p.stat().st_mtime_ns != time: print(p.name)
"""
Places = dict[str, tuple[Where, str]]  # test cell → where, and why not in the judge
# A notebook that is run: what it is graded by, the answers, kinds to be left out.
Runs = Callable[..., Future[Report]]
log = logging.getLogger(__name__)


def placed(master: MasterNotebook, course: CourseDirectory) -> MasterNotebook:
    """Return the notebook with its test cells where they were found to belong."""
    known = _read(course).get(master.assignment, {}).get(master.notebook, {})
    if known.get("digest") != _digest(master):
        return master
    return _with(master, {name: tuple(at) for name, at in known["tests"].items()})


def place(
    master: MasterNotebook,
    course: CourseDirectory,
    settings: Settings,
    pool: Executor,
    source: Path,
    *,
    again: bool = False,
) -> tuple[MasterNotebook, list[str]]:
    """Determine where the test cells are judged, or read it, and record it.

    `source` is the folder of the assignment; `again` determines it even if it is
    recorded, and then returns a sentence for each test in which the reference solution
    loses points where it is judged now.
    """
    found = placed(master, course)
    if found is not master and not again:
        return found, []
    blank = _with(master, {})
    try:
        run = _runner(blank, settings, pool)
        places, lost = _places(blank, run, source, settings.limits.cell)
    except ExecutionError as error:
        said = f"the reference solution of {master.notebook} cannot run: {error}"
        log.warning("%s", said)
        return blank, [said]
    known = _read(course)
    book = known.setdefault(master.assignment, {})
    book[master.notebook] = {"digest": _digest(master), "tests": places}
    path = Path(course.root, FILE)
    try:
        path.write_text(json.dumps(known, indent=1, sort_keys=True) + "\n", "utf-8")
    except OSError as error:  # found again by the next run
        log.warning("%s cannot be written: %s", path, error)
    faults = [
        f"the reference earns {v.points:g} of {v.max_points:g} in {name} ({v.message})."
        for name, v in lost.items()
    ]
    return _with(master, places), faults


def without_trust(master: MasterNotebook) -> MasterNotebook:
    """Return the notebook with nothing judged beside the answer."""
    return master.with_cells(
        replace(cell, where="nowhere")
        if cell.where == "beside"
        else replace(cell, why=cell.why if cell.where == "nowhere" else "")
        for cell in master.cells
    )


def places_told(masters: Iterable[MasterNotebook]) -> list[str]:
    """Say which test cells the judge does not judge, and why."""
    tests = [cell for master in masters for cell in master.of_kind("test")]
    told = []
    for where, said in (
        ("beside", "judged beside the answer, where its code could forge the result"),
        ("nowhere", "not judged"),
        (
            "judge",
            "judged from outside, and nobody knows whether they can be: put a right "
            f"answer into the source, or the tag {BESIDE_TAG!r} on a cell that needs "
            "the answer's own process; what passes there alone waits for a person",
        ),
    ):
        named = [cell for cell in tests if cell.where == where and cell.why]
        if named:
            names = "; ".join(f"{cell.id} ({cell.why})" for cell in named)
            told.append(f"{len(named)} of {len(tests)} test cells are {said}: {names}")
    return told


def _runner(blank: MasterNotebook, settings: Settings, pool: Executor) -> Runs:
    """Return what runs a notebook of the teacher's as a submission."""
    alone = replace(settings, follow_through=False)
    # A wrong answer may hang in every test.
    quick = Limits(*map(min, astuple(settings.limits), astuple(QUICK)))

    pool.prepare(blank, alone)  # or say why nothing can be executed

    def run(
        master: MasterNotebook, answers: MasterNotebook, *left_out: str
    ) -> Future[Report]:
        cells = [
            StudentCell(number, cell.id, cell.source)
            for number, cell in enumerate(answers.cells)
            if cell.kind not in ("task", "text", *left_out)
        ]
        used = alone if answers is master else replace(alone, limits=quick)
        return pool.execute(Execution(cells, master, used))

    return run


def _places(
    master: MasterNotebook, run: Runs, source: Path, timeout: float
) -> tuple[Places, dict[str, Verdict]]:
    """Return the places other than the judge, and the verdicts on lost points."""
    lost = _lost(master, run)
    why = _differing(master, run) | {n: v.message for n, v in lost.items()}
    if master.of_kind("test") and any(support_files(source, None)):
        why |= _reading_what_is_written(master, run)
    if not why:
        return {}, {}
    # What the source places itself stays there.
    free = {cell.id for cell in master.cells if cell.why != TAGGED}
    trial: Places = {name: ("beside", why[name]) for name in why.keys() & free}
    still = _lost(_with(master, trial), run)
    places = {name: at for name, at in trial.items() if name not in still}
    faults = {name: still[name] for name in still.keys() & lost.keys()}
    if faults:
        fails = {name for name, _ in kernel_faults(master, source, timeout)}
        for name in faults.keys() & free:
            known = name not in fails
            places[name] = ("nowhere", why[name]) if known else ("judge", UNKNOWN)
    return places, faults


def _lost(master: MasterNotebook, run: Runs) -> dict[str, Verdict]:
    verdicts = run(master, master, "helper").result().verdicts
    return {v.cell_id: v for v in verdicts if v.outcome != "passed"}


def _differing(master: MasterNotebook, run: Runs) -> dict[str, str]:
    """Return the tests that give a wrong answer more than a kernel does."""
    wrong = {
        "a blank notebook": master.with_cells(
            c if c.locked else replace(c, source=c.stub) for c in master.cells
        )
    }
    for value in (None, 0):
        cells = (_dull(cell, value) for cell in master.cells)
        wrong[f"an answer that returns {value}"] = master.with_cells(cells)
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
            points, said = scored(outputs.get(number, []), master.cells[number])
            if v.points > points or v.outcome == "passed" != said.outcome:
                told = f"{name} earns {v.points:g} from outside"
                differing[v.cell_id] = f"{told}, but {points:g} in a kernel"
    return differing


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


def _dull(cell: Cell, value: int | None) -> Cell:
    """Return a solution cell whose functions return one value, whatever is asked."""
    if cell.kind != "solution":
        return cell
    tree = parse(cell.source)
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef) and not node.name.startswith("__"):
            documented = node.body[: ast.get_docstring(node) is not None]
            node.body = [*documented, ast.Return(ast.Constant(value))]
    return replace(cell, source=ast.unparse(ast.fix_missing_locations(tree)))


def _with(master: MasterNotebook, places: dict[str, Any]) -> MasterNotebook:
    cells = []
    for cell in master.cells:
        where, why = places.get(cell.id, ("judge", ""))
        mine = cell.kind == "test" and cell.why != TAGGED
        if mine and (cell.where, cell.why) != (where, why):
            cell = replace(cell, where=where, why=why)
        cells.append(cell)
    return master.with_cells(cells)


def _digest(master: MasterNotebook) -> str:
    return f"{__version__} {_with(master, {}).digest}"


def _read(course: CourseDirectory) -> dict[str, Any]:
    try:
        known = json.loads(Path(course.root, FILE).read_text("utf-8"))
    except (OSError, ValueError):
        return {}
    return known if isinstance(known, dict) else {}


def kernel_faults(
    master: MasterNotebook, source: Path, timeout: float
) -> Iterator[tuple[str, str]]:
    """Run all code in a copy of `source` as stock nbgrader does, but skipped cells.

    Yields each cell that fails or does not earn all its points, and a sentence. A cell
    that needs more than `timeout` seconds is interrupted.
    """
    notebook = nbformat.v4.new_notebook()
    notebook.cells = [
        _node(cell)
        for cell in master.cells
        if cell.kind not in ("task", "text") and not cell.skip
    ]
    with copied(source) as folder, TemporaryFile("w+", errors="replace") as log:
        client = nbclient.NotebookClient(
            notebook,
            timeout=math.ceil(timeout),
            interrupt_on_timeout=True,
            allow_errors=True,
            resources={"metadata": {"path": str(folder)}},
            extra_arguments=["--log-level=ERROR"],
        )
        environment = os.environ | {"NBGRADER_EXECUTION": "autograde"}
        environment |= {"PYTHONOPTIMIZE": ""}  # which would leave out assertions
        try:
            client.execute(env=environment, stderr=log)
        except RuntimeError as error:
            log.seek(0)
            raise no_kernel([str(error), *log]) from error
        finally:  # it fails where no kernel was started
            atexit.unregister(client._cleanup_kernel)
    for node in notebook.cells:
        name = node.metadata["name"]
        said = _complaint(node)
        marks: dict[str, Any] = node.metadata.get("nbgrader", {})
        if not marks.get("grade"):
            if any(output.output_type == "error" for output in node.outputs):
                yield name, f"the cell {name} fails ({said})."
            continue
        try:
            score, most = determine_grade(node)
        except ValueError as error:  # more points than the cell has
            yield name, f"nbgrader refuses what {name} ends in ({error})."
            continue
        # None: graded by hand
        if score is not None and (has_failed(node) or score < most):
            yield name, f"the reference earns {score} of {most} in {name} ({said})."


def _node(cell: Cell) -> NotebookNode:
    node: NotebookNode = nbformat.v4.new_code_cell(cell.source)
    node.metadata["name"] = cell.id
    if cell.nbgrader:
        node.metadata["nbgrader"] = nbformat.from_dict(cell.nbgrader)
    return node


def _complaint(node: NotebookNode) -> str:
    for output in node.outputs:
        if output.output_type == "error":
            return f"{output.ename}: {output.evalue}"
        if output.get("name") == "stderr":
            return f"stderr: {output.text.strip()}"
    return "no message"
