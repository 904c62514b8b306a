"""Two differences from stock nbgrader, and the line of configuration for each."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.nbgrader.tiny import HandIn, configure, graded

pytestmark = pytest.mark.slow
WARNS = (
    "import sys\n"
    "def fizz(n):\n"
    "    print('old', file=sys.stderr)\n"
    "    return 'fizz' if n % 3 == 0 else str(n)"
)


@pytest.mark.parametrize("line", ["", "c.Nbproctor.stderr_fails_tests = True"])
def test_text_on_stderr_costs_points_where_the_course_says_so(
    course: Path, hand_in: HandIn, line: str
) -> None:
    configure(course, line)
    hand_in("warns", fizz=WARNS)
    verdicts = graded(course)["warns"].verdicts["tiny"]
    fizz = [v for v in verdicts if v.cell_id.startswith("fizz-") and v.max_points]
    assert fizz
    if line:
        assert all(v.points == 0 and "stderr" in v.message for v in fizz)
    else:
        assert all(v.points == v.max_points for v in fizz)
