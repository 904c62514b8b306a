"""The small assignment, read once."""

import pytest

from nbproctor.notebook import MasterNotebook
from tests.submission.small import written


@pytest.fixture(scope="session")
def master(tmp_path_factory: pytest.TempPathFactory) -> MasterNotebook:
    return written(tmp_path_factory.mktemp("small"))
