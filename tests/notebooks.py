"""Cells and notebooks as nbgrader writes them, for assignments made in a test."""

from __future__ import annotations

from typing import Any

Notebook = dict[str, Any]


def cell(name: str, source: str, **flags: Any) -> Notebook:
    """Return a locked code cell, or with flags another that nbgrader knows."""
    meta = {"grade_id": name, "grade": False, "solution": False, "locked": True}
    return {
        "cell_type": "code",
        "id": name,
        "metadata": {"nbgrader": meta | {"schema_version": 3, "task": False} | flags},
        "source": source,
        "outputs": [],
        "execution_count": None,
    }


def notebook(cells: list[Notebook]) -> Notebook:
    """Return a notebook of these cells."""
    return {"cells": cells, "metadata": {}, "nbformat": 4, "nbformat_minor": 5}
