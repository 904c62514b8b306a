"""A small lab and what students hand in, as pages are made from it."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

from nbproctor.notebook import MasterNotebook
from nbproctor.pages.data import Mark, Submission
from nbproctor.pages.outline import Outline
from nbproctor.results import Verdict

SECRET = "only the hidden test knows this"


def cell(kind: str, source: str, name: str = "", **grader: Any) -> dict[str, Any]:
    meta: dict[str, Any] = {}
    if name:
        flags = {"grade": False, "solution": False, "locked": True, "task": False}
        meta["nbgrader"] = flags | {"grade_id": name, "schema_version": 3} | grader
    made = {"cell_type": kind, "metadata": meta, "source": source, "id": name or "c"}
    return made | ({"outputs": [], "execution_count": None} if kind == "code" else {})


def hidden(comment: str) -> str:
    return (
        f"# {comment}\n### BEGIN HIDDEN TESTS\nassert {SECRET!r}\n### END HIDDEN TESTS"
    )


def source_cells() -> list[dict[str, Any]]:
    answer: dict[str, Any] = {"solution": True, "locked": False}
    stub = "    ### BEGIN SOLUTION\n    return x\n    ### END SOLUTION"
    return [
        cell("markdown", "# A small lab\n\n## 1.1 First function (3 points)"),
        cell("code", f"def first(x):\n{stub}", "first", **answer),
        cell("code", "# Public.\nassert first(1) == 1", "first-public", grade=True),
        cell("code", hidden("Values."), "first-values", grade=True, points=2),
        cell("code", hidden("Types."), "first-types", grade=True, points=1),
        cell("markdown", "## 1.2 Second function\n\n$\\sum_i x_i$"),
        cell("code", f"def second(x):\n    first(x)\n{stub}", "second", **answer),
        cell("code", "# Public.\nassert second(1) == 1", "second-public", grade=True),
        cell("code", hidden("Values."), "second-values", grade=True, points=4),
        cell("markdown", "## 1.3 An essay"),
        cell("markdown", "Why?", "essay", grade=True, points=3, **answer),
    ]


def outline_in(folder: Path, heading: str = "") -> Outline:
    """Write the source notebook, with another first heading if given, and read it."""
    path = folder / "source" / "lab" / "lab.ipynb"
    path.parent.mkdir(parents=True)
    cells = source_cells()
    if heading:
        cells[0]["source"] = f"# A small lab\n\n{heading}"
    notebook = {"cells": cells, "metadata": {}, "nbformat": 4}
    path.write_text(json.dumps(notebook | {"nbformat_minor": 5}), "utf-8")
    return Outline.read(path, MasterNotebook.read(path))


def graded(folder: Path, **answers: str) -> Path:
    """Write the graded notebook of a student, as nbgrader keeps it."""
    cells = source_cells()
    for made in cells:
        name = made["id"]
        if name in answers:
            made["source"] = answers[name]
        elif name in ("first", "second"):
            made["source"] = f"def {name}(x):\n    return x"
    if "own" in answers:
        cells.insert(3, cell("code", answers["own"], "own"))
        cells[3]["metadata"] = {}
    if "text" in answers:
        cells.insert(3, cell("markdown", answers["text"]))
    path = folder / "graded.ipynb"
    path.write_text(json.dumps({"cells": cells, "metadata": {}}), "utf-8")
    return path


def verdicts(**points: float) -> list[Verdict]:
    """Everything passed, but for those of which the points are given."""
    made = []
    for found in source_cells():
        grader = found["metadata"].get("nbgrader", {})
        if found["cell_type"] == "code" and grader.get("grade"):
            name, most = grader["grade_id"], float(grader.get("points", 0))
            earned = points.get(name.replace("-", "_"), most)
            outcome = "passed" if name.replace("-", "_") not in points else "failed"
            told = "" if outcome == "passed" else f"{name} is wrong."
            exercise = name.partition("-")[0]
            made.append(Verdict(name, exercise, earned, most, outcome, told))  # type: ignore[arg-type]
    return made


def submission(path: Path | None, said: list[Verdict], **more: Any) -> Submission:
    marks = {v.cell_id: Mark(v.points) for v in said if v.max_points}
    marks["essay"] = Mark(None)
    made = Submission("ann", "Ann Ode", "lab", "lab", "graded", verdicts=said)
    graded = str(path) if path else None
    return replace(made, **({"marks": marks, "graded": graded} | more))
