"""Grading a class of GitHub Classroom: a workflow for the teacher's own repository."""

from __future__ import annotations

import sys
from importlib.resources import files
from pathlib import Path
from string import Template


def write_workflow(assignment: str, target: Path) -> Path:
    """Write the workflow; it clones the students' repositories and grades them."""
    path = files("nbproctor").joinpath("templates", "classroom.yml")
    text = Template(path.read_text("utf-8")).substitute(
        assignment=assignment, python=f"{sys.version_info[0]}.{sys.version_info[1]}"
    )
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_text(text, "utf-8")
    return target
