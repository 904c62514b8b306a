"""A test cell beside the answer: what runs before it, and what its outputs earn."""

from __future__ import annotations

from pathlib import Path

import pytest

from nbproctor.judge.verdicts import score_outputs
from tests.judge.notebooks import cell, judged

SOURCE = "assert f(40) == 41\n1.125 if f(1) == 2 else 2 * f(3) / 7"


def mark_for(text: str) -> float:
    """Return what a test of two points earns that ends in this text."""
    output = {"output_type": "execute_result", "data": {"text/plain": text}}
    return score_outputs([output], cell("beside", "test", SOURCE, 2.0))[0]


def test_a_mark_from_the_student_s_process_carries_no_text_out() -> None:
    """Six bytes of a hidden test fit into a float; two marks of one test do not."""
    number = int.from_bytes(SOURCE[:6].encode())
    texts = [repr(2 * (number >> shift) / 2**48) for shift in range(50)]
    texts += [repr(n / 1e6) for n in range(-10_000, 2_100_000, 997)]
    assert len({float(text) for text in texts}) > 2_000  # the control
    assert {*map(mark_for, texts)} == {n / 10 for n in range(21)}
    # What the test itself gives is given.
    assert mark_for("1.125") == 1.125
    assert mark_for(repr(2 * 3 / 7)) == 0.9
    assert mark_for("1.96") == 2


JUDGED = """\
import colorsys, given_module
assert f().price == given_module.Fruit.price"""


def test_modules_beside_a_notebook_are_found_in_every_process(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Those of the assignment, and those that were handed in with the notebook.

    None of them shadows one of Python's own.
    """
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend("")
    (tmp_path / "colorsys.py").write_text("raise SystemError('shadowed')")
    (tmp_path / "given_module.py").write_text("class Fruit:\n    price = 3\n")
    answer = "import given_module, own_module\ndef f(): return own_module.fruit()"
    test = "import given_module\nassert isinstance(f(), given_module.Fruit)"
    cells = [
        cell("f", "solution", answer),
        cell("judge", "test", JUDGED, 1.0),
        cell("beside", "test", test, 1.0, where="beside"),
    ]
    module = b"from given_module import Fruit as fruit"
    report = judged(cells, ("f", answer), files={b"own_module.py": module})
    assert [v.message for v in report.verdicts] == ["", ""]
    assert [v.where for v in report.verdicts] == ["judge", "beside"]
