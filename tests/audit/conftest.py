"""Fork servers that all files of this room share."""

from collections.abc import Iterator

import pytest

from tests.warm import lasting_fork_servers


@pytest.fixture(scope="package", autouse=True)
def warm_processes() -> Iterator[None]:
    with lasting_fork_servers():
        yield
