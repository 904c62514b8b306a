"""Lint: prove that the reference solution earns every point, before students see it.

Once as stock nbgrader grades, in a kernel, and once through the engine, where tests
see proxies; without what skipped demo cells make. A test that passes here and there
means the same to both.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from pathlib import Path

from nbproctor.engine import Pool, Settings
from nbproctor.nbgrader.course import Course
from nbproctor.nbgrader.kernel import kernel_faults
from nbproctor.nbgrader.placement import place, reference
from nbproctor.notebook import MasterNotebook, support_files
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
