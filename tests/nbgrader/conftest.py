"""The tiny course, fresh for each test of this room."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pytest

from tests.nbgrader import tiny
from tests.nbgrader.tiny import HandIn, Notebook, released
from tests.warm import lasting_fork_servers


@pytest.fixture(scope="package", autouse=True)
def warm_processes() -> Iterator[None]:
    """Processes for all files of this room, as long as no other room's test comes."""
    with lasting_fork_servers():
        yield


@pytest.fixture
def course(template: Path, tmp_path: Path) -> Path:
    return shutil.copytree(template, tmp_path / "course")


@pytest.fixture
def release(course: Path) -> Notebook:
    return released(course)


@pytest.fixture
def hand_in(course: Path) -> HandIn:
    return partial(tiny.hand_in, course)
