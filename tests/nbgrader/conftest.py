"""The tiny course, fresh for each test of this room."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.broken.cases import answered, by_id, write
from tests.nbgrader.tiny import HandIn, Notebook
from tests.warm import lasting_fork_servers, lasting_workers


@pytest.fixture(scope="package", autouse=True)
def warm_processes() -> Iterator[None]:
    """Processes for all files of this room, as long as no other room's test comes."""
    with lasting_fork_servers(), lasting_workers():
        yield


@pytest.fixture
def course(template: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(template, tmp_path / "course"))


@pytest.fixture
def release(course: Path) -> Notebook:
    notebook: Notebook = json.loads((course / "release/tiny/tiny.ipynb").read_text())
    return notebook


@pytest.fixture
def hand_in(course: Path, release: Notebook) -> HandIn:
    """Hand in right answers, but for those given as ``exercise=source``."""

    def put(student: str, name: str = "tiny.ipynb", **cells: str) -> Path:
        notebook = answered(release)
        for exercise, source in cells.items():
            by_id(notebook, exercise)["source"] = source
        return write(course / "submitted" / student / "tiny", notebook, name)

    return put
