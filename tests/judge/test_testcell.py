"""The points of whatever a test cell ends in."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import numpy as np
import pytest
from hypothesis import example, given, settings

from nbproctor.judge.testcell import points_of
from tests.protocol import messages


@pytest.mark.slow
@given(messages.anything)
@example(Decimal("sNaN"))
@example(Decimal("-sNaN123"))
@example(10**5000)
@example(np.array([np.nan, 1.0]))
@settings(max_examples=200)
def test_every_value_gives_points_within_the_limits(value: Any) -> None:
    assert 0 <= points_of(value, 2.0) <= 2
