"""Fork servers that the tests of a file share."""

from collections.abc import Iterator

import pytest

from nbproctor.engine import Servers


@pytest.fixture(scope="module")
def servers() -> Iterator[Servers]:
    with Servers() as new_servers:
        yield new_servers
