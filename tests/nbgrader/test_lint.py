"""Lint finds tests that do not stand alone, or mean different things to each side."""

from pathlib import Path

import pytest

from nbproctor.nbgrader import lint
from tests.nbgrader.tiny import with_cells

pytestmark = pytest.mark.slow
CELLS = {
    "setup": "from fractions import Fraction\nimport sys, threading\n"
    "print('bar', file=sys.stderr); threading.Timer(3, print).start()",
    "fizz-show": "shown = 3",  # a demo, which is not run
    "fizz-numbers": "assert fizz(shown) == 'fizz'",
    "fizz-multiples": "import sys\nprint('hm', file=sys.stderr)",
    "mean-values": "made = mean_of([1, 3])\nassert made == 2",
    "mean-input": "assert made == 2",
}


def test_a_test_that_needs_a_skipped_demo_or_writes_to_stderr_is_found(
    course: Path,
) -> None:
    """What goes in a kernel is no fault: another test's names, a thread, a warning."""
    with_cells(course, CELLS)
    *needing, writing = sorted(lint(course, "tiny"), key=lambda f: "multiples" in f)
    assert [fault.partition(":")[0] for fault in sorted(needing)] == [
        "nbproctor",
        "stock nbgrader",
    ]
    assert all("fizz-numbers" in fault for fault in needing)
    assert writing.startswith("stock nbgrader: the reference earns 0 of 3.0")
