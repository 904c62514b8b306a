"""Lint and release check: what an assignment must pass before students see it.

`lint` proves that the reference solution earns every point: once as stock nbgrader
grades, in a kernel, and once through the engine, where tests see proxies; without what
skipped demo cells make. A test that passes here and there means the same to both.
"""

from __future__ import annotations

import math
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

from nbproctor import markers
from nbproctor.engine import Pool, Settings
from nbproctor.nbgrader.converters import check_sources, generate
from nbproctor.nbgrader.course import Course
from nbproctor.nbgrader.placement import kernel_faults, place, reference
from nbproctor.nbgrader.source import CourseError
from nbproctor.notebook import MasterNotebook, support_files
from nbproctor.results import Check
from nbproctor.sandbox.layers import Policy


def lint(course: Path | Course, assignment: str) -> list[str]:
    """Grade the reference solution of an assignment in both ways.

    `placement` determines again where each test cell is judged, and records it.

    Returns
    -------
    list of str
        One sentence for each test cell in which it loses points.

    Raises
    ------
    CourseError
        The assignment cannot be read.
    EngineError
        The engine does not run on this computer.
    """
    course = Course.at(course)
    limits = course.options.limits()
    source = course.folder("source", assignment)
    faults, masters = [], []
    with Pool(1) as pool:
        for master in course.masters(assignment):
            files = support_files(source, master.data)
            # Weak, because the code is the teacher's own: to run on any computer.
            policy = Policy(files=tuple(files.items()), weak=True)
            settings = Settings(limits, policy, follow_through=False)
            stock = kernel_faults(master, source, math.ceil(limits.cell))
            faults += [f"stock nbgrader: {fault}" for _, fault in stock]
            master = place(master, course.view, settings, pool, source, again=True)
            faults += [f"nbproctor: {f}" for f in _engine(master, settings, pool)]
            masters.append(master)
    course.changed(assignment, masters)
    return faults


def _engine(master: MasterNotebook, settings: Settings, pool: Pool) -> Iterator[str]:
    report = pool.execute(reference(master), master, settings, {}).result()
    for verdict in report.verdicts:
        if verdict.outcome != "passed":
            yield (
                f"the reference earns {verdict.points:g} of {verdict.max_points:g} "
                f"in {verdict.cell_id} ({verdict.message})."
            )


def check_release(course: Path | Course, assignment: str) -> list[Check]:
    """Check the source of an assignment, and its release if there is one.

    Everything is made in a temporary course; yours is only read.

    Raises
    ------
    CourseError
        There is no such assignment, or the course puts a header or a footer around
        its notebooks, which the audit does not read.
    """
    course = Course.at(course)
    if any(course.header_and_footer):
        raise CourseError(
            "The audit reads the source alone, and c.IncludeHeaderFooter puts other "
            "notebooks around it. Lint, release and grade do work."
        )
    source = course.folder("source", assignment)
    with tempfile.TemporaryDirectory(prefix="nbproctor-") as name:
        temporary = Path(name)
        for file in ("nbgrader_config.py", "autotests.yml", "autotests.yaml"):
            if (course.root / file).is_file():
                shutil.copy(course.root / file, temporary)
        copied = Course(temporary)
        if source.is_dir():
            shutil.copytree(source, copied.folder("source", assignment))
        try:
            check_sources(course, assignment)
            generate(copied, assignment)
        except CourseError as error:
            return [Check("source", False, str(error))]
        fresh = _contents(copied.folder("release", assignment))
    notebooks = (data for path, data in fresh.items() if path.suffix == ".ipynb")
    left = [m for data in notebooks for m in markers.left_over(data.decode())]
    checks = [
        Check("source", True, "can be released"),
        Check("release is clean", not left, f"found {left}" if left else "no markers"),
    ]
    if old := _contents(course.folder("release", assignment)):
        found = f"release/{assignment} is not what the source makes: release it again"
        if fresh == old:
            found = "as the source makes it"
        checks.append(Check("release is new", fresh == old, found))
    return checks


def _contents(folder: Path) -> dict[Path, bytes]:
    files = (p for p in folder.rglob("*.*") if "__pycache__" not in p.parts)
    return {p.relative_to(folder): p.read_bytes() for p in files if p.is_file()}
