"""Cells and notebooks as nbgrader writes them, for assignments made in a test."""

from __future__ import annotations

from typing import Any

Notebook = dict[str, Any]


def cell(name: str, source: str, kind: str = "code", **flags: Any) -> Notebook:
    """Return a locked cell, or with flags another that nbgrader knows."""
    meta = {"grade_id": name, "grade": False, "solution": False, "locked": True}
    new_cell = {
        "cell_type": kind,
        "id": name,
        "metadata": {"nbgrader": meta | {"schema_version": 3, "task": False} | flags},
        "source": source,
    }
    return new_cell | (
        {"outputs": [], "execution_count": None} if kind == "code" else {}
    )


def notebook(cells: list[Notebook]) -> Notebook:
    """Return a notebook of these cells."""
    return {"cells": cells, "metadata": {}, "nbformat": 4, "nbformat_minor": 5}
