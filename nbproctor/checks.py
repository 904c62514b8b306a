"""Whole notebooks on trial: the master earns everything, a blank nothing."""

from __future__ import annotations

import shutil
import tempfile
from dataclasses import dataclass
from pathlib import Path

from nbproctor import bridge, engine
from nbproctor.bundle import Bundle
from nbproctor.engine import Settings, StudentCell
from nbproctor.verdicts import Report

MARKERS = ("BEGIN SOLUTION", "BEGIN HIDDEN TESTS", "END HIDDEN TESTS", "END SOLUTION")


@dataclass(frozen=True)
class Check:
    """One thing that must hold for a whole notebook, and what was found."""

    name: str
    passed: bool
    found: str


def check_release(course: Path, assignment: str, notebook: Path) -> list[Check]:
    """Check the source, and that the release on disk is what it makes.

    Everything is made in a temporary course; yours is only read.
    """
    released = course / "release" / assignment
    with tempfile.TemporaryDirectory(prefix="nbproctor-") as name:
        temporary = Path(name)
        shutil.copy(course / "nbgrader_config.py", temporary)
        shutil.copytree(notebook.parent, temporary / "source" / assignment)
        try:
            bridge.check_source(notebook)
            bridge.generate(temporary, assignment)
        except bridge.CourseError as error:
            return [Check("source", False, str(error))]
        made = temporary / "release" / assignment
        fresh, old = (
            {
                p.relative_to(root): p.read_bytes()
                for p in sorted(root.rglob("*.*"))
                if "__pycache__" not in p.parts
            }
            for root in (made, released)
        )
        text = (made / notebook.name).read_text("utf-8")
    left = [marker for marker in MARKERS if marker in text]
    checks = [
        Check("source", True, "can be released"),
        Check("release is clean", not left, f"found {left}" if left else "no markers"),
    ]
    if old:
        found = (
            "as the source makes it"
            if fresh == old
            else (
                f"release/{assignment} is not what the source makes: release it again"
            )
        )
        checks.append(Check("release is new", fresh == old, found))
    return checks


def check_scores(bundle: Bundle, settings: Settings) -> list[Check]:
    """Grade the master notebook and a blank one as the class is graded."""
    most = sum(cell.points for cell in bundle.of_kind("test"))
    checks = []
    for name, want in ("master", most), ("blank", 0.0):
        cells = [
            StudentCell(i, c.id, c.source if name == "master" or c.locked else c.stub)
            for i, c in enumerate(bundle.cells)
            if c.kind in ("provided", "solution", "test")
        ]
        try:
            report = engine.execute(cells, bundle, settings, {})
        except (engine.ExecutionError, engine.EngineError) as error:
            checks.append(Check(name, False, str(error)))
            continue
        got = sum(verdict.points for verdict in report.verdicts)
        passed = got == want and (name == "blank" or _all_pass(report))
        checks.append(Check(name, passed, _found(report, got, most)))
    return checks


def _all_pass(report: Report) -> bool:
    return all(verdict.outcome == "passed" for verdict in report.verdicts)


def _found(report: Report, got: float, most: float) -> str:
    failed = [v for v in report.verdicts if v.outcome != "passed"]
    text = f"{got:g} of {most:g} points"
    if failed and got:
        first = failed[0]
        text += f"; {first.cell_id}: {first.message}"
    return text
