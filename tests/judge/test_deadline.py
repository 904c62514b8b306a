"""How long a call may take, on a computer that has other work, too."""

from __future__ import annotations

import math

import pytest

from nbproctor.judge import deadline
from nbproctor.protocol.frames import LateError


@pytest.mark.parametrize(
    ("share", "seconds"),
    [(1.0, 5), (0.5, 10), (0.25, 20), (0.12, 30), (0.05, 5), (0.0, 5)],
)
def test_a_call_on_a_busy_computer_has_its_limit_of_processor_time(
    share: float,
    seconds: float,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """It has a `share` of a processor; what has next to none, as it waits, is late."""
    now = 0.0
    monkeypatch.setattr(deadline, "monotonic", lambda: now)
    monkeypatch.setattr(deadline, "process_time", lambda: 0.0)
    call = deadline.CallDeadline(5, math.inf, student_seconds=lambda: share * now)
    with pytest.raises(LateError):
        for _ in range(1000):
            now += call()
    assert now == pytest.approx(seconds, abs=0.2)
