"""The points of whatever a test cell ends in, and what an answer is equal to."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import example, given, settings

from nbproctor.judge.testcell import refuse_truth_of_arrays
from nbproctor.judge.verdicts import score_value
from tests.protocol import messages


@pytest.mark.slow
@given(messages.anything)
@example(Decimal("sNaN"))
@example(Decimal("-sNaN123"))
@example(10**5000)
@example(np.array([np.nan, 1.0]))
@settings(max_examples=200)
def test_every_value_gives_points_within_the_limits(value: Any) -> None:
    assert 0 <= score_value(value, 2.0) <= 2


VALUES = messages.values(messages.plain)
OBJECTS = {"student", "judge", "library", "answer", "request", "again"}
EXPECTED = 12345.678901, "what the test expects", datetime(1815, 12, 10)


@pytest.mark.parametrize("tag", sorted(VALUES.keys() - OBJECTS))
def test_no_kind_of_value_is_equal_to_what_a_test_expects(
    tag: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    array_type = pd.api.extensions.ExtensionArray
    monkeypatch.setattr(array_type, "__bool__", None, raising=False)  # undone after
    refuse_truth_of_arrays()

    @given(VALUES[tag])
    @settings(max_examples=20)
    def is_equal_to_nothing(value: Any) -> None:
        for expected in EXPECTED:
            assert not _is_equal(value, expected)
            assert not _is_equal([value], [expected])

    is_equal_to_nothing()


def _is_equal(value: Any, expected: Any) -> bool:
    """Whether ``assert value == expected`` passes."""
    try:
        return bool(value == expected)
    except (TypeError, ValueError, Warning):  # a test would fail
        return False
