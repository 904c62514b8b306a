"""A course to which nbproctor is added."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

STOCK = """\
c = get_config()
c.CourseDirectory.course_id = "stock"
c.ClearHiddenTests.enforce_metadata = False"""  # without an end of line


@pytest.fixture
def stock(project: Path, tmp_path: Path) -> Path:
    """A course that has never heard of nbproctor."""
    course = tmp_path / "course"
    shutil.copytree(project / "examples/tiny/source", course / "source")
    (course / "nbgrader_config.py").write_text(STOCK)
    return course
