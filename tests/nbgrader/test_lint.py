"""Lint finds tests that do not stand alone, or mean different things to each side."""

import json
import shutil
from pathlib import Path

import pytest

from nbproctor.nbgrader import lint

pytestmark = pytest.mark.slow
TINY = Path(__file__).parents[2] / "examples" / "tiny"


def lint_with(tmp_path: Path, **changed: str) -> list[str]:
    """Lint the tiny course with the code of some cells replaced."""
    course = tmp_path / "course"
    shutil.copytree(TINY, course)
    path = course / "source/tiny/tiny.ipynb"
    notebook = json.loads(path.read_text("utf-8"))
    left = {name.replace("_", "-"): source for name, source in changed.items()}
    for cell in notebook["cells"]:
        marks = cell["metadata"].get("nbgrader", {})
        name = marks.get("grade_id", cell["id"]).replace("_", "-")
        if name in left:
            cell["source"] = left.pop(name)
    assert not left
    path.write_text(json.dumps(notebook), "utf-8")
    return lint(course, "tiny")


def test_a_test_that_needs_a_skipped_demo_or_writes_to_stderr_is_found(tmp_path):
    faults = lint_with(
        tmp_path,
        fizz_show="shown = 3",
        fizz_numbers="assert fizz(shown) == 'fizz'",
        fizz_multiples="import sys\nprint('hm', file=sys.stderr)",
    )
    assert [f for f in faults if "stock" in f and "fizz-numbers" in f]
    assert [f for f in faults if "nbproctor" in f and "fizz-numbers" in f]
    (fault,) = [f for f in faults if "fizz-multiples" in f]
    assert fault.startswith("stock nbgrader: the reference earns 0 of 3.0")


def test_what_goes_in_a_kernel_is_no_fault(tmp_path):
    faults = lint_with(
        tmp_path,
        fizz_numbers="made = fizz(1)\nassert made == '1'",
        fizz_multiples="assert made == '1'",
        setup="from fractions import Fraction\nimport sys, threading\n"
        "print('bar', file=sys.stderr); threading.Timer(60, print).start()",
    )
    assert faults == []
