"""The points of whatever a test cell ends in."""

from __future__ import annotations

from decimal import Decimal
from fractions import Fraction
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import example, given, settings

from nbproctor.judge.proxy import Handle, Proxy
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


@pytest.mark.slow
@given(messages.anything)
@example(Decimal("sNaN"))
@example(Decimal("-sNaN123"))
@example(10**5000)
@example(np.array([np.nan, 1.0]))
@settings(max_examples=200)
def test_every_value_gives_points_within_the_limits(value: Any) -> None:
    assert 0 <= points_of(value, 2.0) <= 2


@pytest.mark.parametrize(
    ("value", "points"),
    [
        # What nbgrader takes for no number earns everything.
        (None, None),
        (True, None),
        (np.False_, None),
        (np.array([False, True]), None),
        ([0], None),
        # A number is the points, within 0 and the most.
        (0, 0),
        (3, 2),
        (-1, 0),
        (0.5, 0.5),
        (float("inf"), 2),
        (float("nan"), 0),
        (10**400, 2),
        (Fraction(3, 2), 1.5),
        (Decimal("-1e500"), 0),
        (Decimal("nan"), 0),
        (Decimal("1.5"), 1.5),
        (np.float32(0.5), 0.5),
        (np.int64(-1), 0),
        # Of an array the smallest counts; of no number, nothing does.
        (np.array([1.5, 0.5]), 0.5),
        (np.array([np.nan, 1.0]), 0),
        (np.array([]), 0),
        (np.array([(1, 2)], "i8,i8"), 0),
        (np.array(["a"]), 0),
        (1j, 0),
        (np.datetime64("2026-01-01"), 0),
        (sum(abs(pd.NA - want) < 1e-9 for want in (0.1, 7)), 0),
        (Proxy(Handle(None, 0, "")), 0),
        # What cannot be looked at.
        (Decimal("sNaN"), 0),
        (Unfriendly(), 0),
        (np.zeros(2).view(BadMinimum), 0),
    ],
    ids=lambda value: type(value).__name__,
)
def test_the_points_of_a_value(value: Any, points: float | None) -> None:
    if points is None:
        assert points_of(value, 2.0) == 2
    else:
        assert points_of(value, 2.0) == points
