"""Points of a test cell, whatever it ends in."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import numpy as np
import pytest
from hypothesis import example, given, settings

from nbproctor.judge.testcell import points_of
from tests.protocol import messages


class Unfriendly:
    """An object of a test that cannot even be asked for its class."""

    @property  # type: ignore[misc]
    def __class__(self) -> Any:
        raise RuntimeError


class BadMinimum(np.ndarray):  # type: ignore[type-arg]
    def min(self, *args: Any, **kwargs: Any) -> Any:
        raise RuntimeError


@given(messages.anything)
@example(Decimal("sNaN"))
@example(Decimal("-sNaN123"))
@example(10**5000)
@example(np.array([np.nan, 1.0]))
@settings(max_examples=300, deadline=None)
def test_every_value_gives_points_within_the_limits(value: Any) -> None:
    points, shown = points_of(value, 2.0)
    assert 0 <= points <= 2
    assert shown is None or float(shown) == points


@pytest.mark.parametrize(
    "make",
    [lambda: Decimal("sNaN"), Unfriendly, lambda: np.zeros(2).view(BadMinimum)],
    ids=["signaling NaN", "no class", "no minimum"],
)
def test_a_value_that_cannot_be_looked_at_earns_nothing(make: Any) -> None:
    assert points_of(make(), 2.0) == (0.0, "0.0")
    assert points_of(Decimal("1.5"), 2.0) == (1.5, "1.5")
