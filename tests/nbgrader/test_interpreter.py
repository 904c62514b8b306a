"""However Python is started, an assignment earns the same marks.

That its reference is proved is looked at in tests/nbgrader/test_release.py.
"""

import shutil
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.broken.cases import by_id
from tests.nbgrader.tiny import hand_in, source_of, totals
from tests.programs import run_here, start, succeeded

pytestmark = pytest.mark.slow
# An answer that is right only where the student's own assertions run.
OWN_ASSERTION = """\
def fizz(n):
    try:
        assert n % 3
    except AssertionError:
        return "fizz"
    return str(n)
"""
WRONG = {
    "fizz": "def fizz(n):\n    return 1",
    "mean_of": "def mean_of(n):\n    return 1",
}
# No assertions, warnings are errors, a safe path; and variables of the same meaning,
# and one that moves a cache to somewhere else in each process.
FLAGS = ["-P", "-O", "-W", "error", "-s"]
VARIABLES = {
    "PYTHONOPTIMIZE": "1",
    "PYTHONWARNINGS": "error",
    "PYTHONSAFEPATH": "1",
    "XDG_CACHE_HOME": "not/absolute",
}
MARKS = {
    "right": 10,
    "own": 10,
    "wrong": 0,
}


def test_marks_are_the_same_however_python_is_started(course: Path) -> None:
    """One of the tests warns when it is compiled, and one is in process."""
    with source_of(course) as notebook:
        warns: Any = by_id(notebook, "fizz-numbers")["source"]
        warns.insert(-1, 'assert len("\\d") == 2\n')
        by_id(notebook, "mean-input")["metadata"]["tags"] = ["judge-beside"]
    hand_in(course, "right")
    hand_in(course, "own", fizz=OWN_ASSERTION)
    hand_in(course, "wrong", **WRONG)
    command = [sys.executable, *FLAGS, "-m", "nbproctor", "grade"]
    succeeded(start(*command, cwd=course, **VARIABLES))
    assert totals(course) == MARKS
    # What a run like this has cached is right for the runs after it.
    shutil.rmtree(course / "autograded")
    succeeded(run_here("grade", cwd=course))
    assert totals(course) == MARKS
