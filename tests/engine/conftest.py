"""The tiny assignment, read once."""

from pathlib import Path

import pytest

from nbproctor.notebook import MasterNotebook


@pytest.fixture(scope="module")
def master(project: Path) -> MasterNotebook:
    return MasterNotebook.read(project / "examples/tiny/source/tiny/tiny.ipynb")
