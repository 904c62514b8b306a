"""A test cell beside the answer: what runs before it, and what its outputs earn."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import nbformat
import pytest
from nbgrader.utils import determine_grade

from nbproctor.judge.verdicts import score_outputs
from nbproctor.notebook import Cell, Kind
from nbproctor.results import Output
from tests.forked import StudentProcess, spawn
from tests.judge import notebooks
from tests.judge.notebooks import earned


def cell(
    name: str,
    kind: Kind,
    source: str,
    points: float = 0.0,
) -> Cell:
    where = "beside" if name == "beside" else "judge"
    return notebooks.cell(name, kind, source, points, where=where)


def error(name: str, text: str) -> Output:
    return {
        "output_type": "error",
        "ename": name,
        "evalue": text,
        "traceback": [],
    }


def result(text: str, mime: str = "text/plain") -> Output:
    data = {mime: text}
    base = {"output_type": "execute_result", "execution_count": 1}
    return base | {"data": data, "metadata": {}}


PRINTED: Output = {
    "output_type": "stream",
    "name": "stdout",
    "text": "1",
}
SHOWN: Output = {"output_type": "display_data", "data": {"text/plain": "1"}}
EARNS: list[tuple[list[Output], float, str]] = [
    ([], 2, "passed"),
    ([PRINTED], 2, "passed"),
    ([SHOWN | {"metadata": {}}], 2, "passed"),
    ([result("'well done'")], 2, "passed"),
    ([result("2.0")], 2, "passed"),
    ([result("1.5")], 1.5, "failed"),
    ([PRINTED, result("0.5")], 0.5, "failed"),
    ([result("0")], 0, "failed"),
    ([error("AssertionError", "")], 0, "failed"),
    ([PRINTED, error("ZeroDivisionError", "division by zero")], 0, "error"),
]


@pytest.mark.parametrize(("outputs", "points", "outcome"), EARNS)
def test_its_outputs_earn_what_nbgrader_gives_for_them(
    outputs: list[Output],
    points: float,
    outcome: str,
) -> None:
    test = cell("beside", "test", "assert f(1)", 2.0)
    earned, judgement = score_outputs(outputs, test)
    assert (earned, judgement.outcome) == (points, outcome)
    node: Any = nbformat.v4.new_code_cell("", outputs=outputs)
    node.metadata["nbgrader"] = {
        "grade": True,
        "solution": False,
        "points": 2.0,
    }
    assert determine_grade(nbformat.from_dict(node))[0] == points


def test_a_mark_from_the_student_s_process_carries_no_text_out() -> None:
    """Six bytes of a hidden test fit into a float; two marks of one test do not."""
    source = "assert f(40) == 41\n1.125 if f(1) == 2 else 2 * f(3) / 7"
    test = cell("beside", "test", source, 2.0)
    number = int.from_bytes(source[:6].encode())
    texts = [repr(2 * (number >> shift) / 2**48) for shift in range(50)]
    texts += [repr(n / 1e6) for n in range(-10_000, 2_100_000, 997)]
    marks = {score_outputs([result(text)], test)[0] for text in texts}
    assert len({float(text) for text in texts}) > 2_000  # the control
    assert marks == {n / 10 for n in range(21)}
    # What the test itself gives is given.
    assert score_outputs([result("1.125")], test)[0] == 1.125
    assert score_outputs([result(repr(2 * 3 / 7))], test)[0] == 0.9
    assert score_outputs([result("1.96")], test) == (2, ("passed", ""))
    # Nor does the name of an exception.
    words = {
        score_outputs([error(n, "")], test)[1].text for n in ("abs", "x41", "print")
    }
    assert words == {"The test ends in an exception"}


def test_a_result_that_is_no_score_earns_nothing_and_a_picture_is_none() -> None:
    test = cell("beside", "test", "f(1)", 2.0)
    for text in "nan", "-1", "-inf":
        judgement = "failed", "Partly right: 0 of 2 points."
        assert score_outputs([result(text)], test) == (0, judgement)
    picture = result("1", "image/png")
    assert score_outputs([picture, result("1")], test)[0] == 1
    assert score_outputs([picture], test) == (2, ("passed", ""))


def test_they_come_last_when_the_notebook_s_own_process_has_ended() -> None:
    cells = [
        cell("f", "solution", "def f(x): return x + 1"),
        cell("beside", "test", "assert f(0)", 1.0),
        cell("after", "test", "assert f(1) == 2", 1.0),
    ]
    children: list[StudentProcess] = []
    living = []

    def counted() -> StudentProcess:
        living.append([child.pid for child in children if child.pid])
        children.append(spawn())
        return children[-1]

    submitted = [(c.id, c.source) for c in cells]
    assert earned(notebooks.judged(cells, *submitted, start=counted)) == [1, 1]
    assert living == [[], []]


def test_modules_beside_a_notebook_are_found_in_every_process(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Those of the assignment, and those that were handed in with the notebook."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "given_module.py").write_text("class Fruit:\n    price = 3\n")
    answer = "import given_module, own_module\ndef f(): return own_module.fruit()"
    test = "import given_module\nassert isinstance(f(), given_module.Fruit)"
    cells = [
        cell("f", "solution", answer),
        cell("judge", "test", "assert f().price == 3", 1.0),
        cell("beside", "test", test, 1.0),
    ]
    module = b"from given_module import Fruit as fruit"
    report = notebooks.judged(cells, ("f", answer), files={b"own_module.py": module})
    assert [v.message for v in report.verdicts] == ["", ""]
    assert [v.where for v in report.verdicts] == ["judge", "beside"]
