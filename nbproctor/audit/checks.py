"""Checks of whole notebooks: the master earns every point, a blank one earns none."""

from __future__ import annotations

from nbproctor.engine import (
    EngineError,
    ExecutionError,
    Servers,
    Settings,
    execute,
)
from nbproctor.notebook import MasterNotebook
from nbproctor.results import Check, Report, StudentCell


def check_scores(
    master: MasterNotebook, settings: Settings, servers: Servers
) -> list[Check]:
    """Grade the master notebook and a blank one as the class is graded."""
    most = sum(cell.points for cell in master.of_kind("test"))
    checks = []
    for name, want in ("master", most), ("blank", 0.0):
        cells = [
            StudentCell(i, c.id, c.source if name == "master" or c.locked else c.stub)
            for i, c in enumerate(master.cells)
            if c.kind in ("provided", "solution", "test")
        ]
        try:
            report = execute(cells, master, settings, {}, servers)
        except (ExecutionError, EngineError) as error:
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
