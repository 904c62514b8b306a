"""The tiny course, fresh for each test of this room."""

from __future__ import annotations

import shutil
from functools import partial
from pathlib import Path

import pytest

from tests.nbgrader import tiny
from tests.nbgrader.tiny import HandIn
from tests.warm import warm_processes  # noqa: F401


@pytest.fixture(scope="module")
def original(template: Path) -> Path:
    """What `course` is a copy of; in some files, a course with a graded class."""
    return template


@pytest.fixture
def course(original: Path, tmp_path: Path) -> Path:
    return shutil.copytree(original, tmp_path / "course")


@pytest.fixture
def hand_in(course: Path) -> HandIn:
    return partial(tiny.hand_in, course)
