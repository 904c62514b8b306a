"""One notebook of three exercises through the whole judge, honest and hostile."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from msgspec import msgpack

from nbproctor.judge import run
from nbproctor.notebook import Cell
from nbproctor.results import Job, Report, StudentCell, Verdict
from tests.forked import spawn
from tests.judge import notebooks
from tests.judge.notebooks import cell
from tests.notebooks import student_cells
from tests.timing import limits

pytestmark = pytest.mark.slow

ACT = "def act(z):\n    return np.maximum(z, 0)"
SCALE = "def scale(x, factor):\n    x *= factor"
SOURCE = notebooks.cells_of(f"""
--- provided provided
import numpy as np
from numpy.testing import assert_allclose
--- oracle helper
### BEGIN HIDDEN TESTS
class Twice:
    def __init__(self): self._calls = 0
    def __call__(self, z):
        self._calls += 1
        return 2 * z
### END HIDDEN TESTS
--- act solution
{ACT}
--- act_public test
got = act(np.array([-1.0, 2.0]))
assert_allclose(got, [0, 2])
print("looks good")
--- act_values test 4
assert_allclose(act(np.array([-3.5, 0.0, 4.25])), [0, 0, 4.25])
--- act_partial test 2
points = 0.0
for z in (-2.0, 5.0):
    points += float(act(z)) == max(z, 0)
points
--- forward solution
def forward(W, X, activation):
    Z = W @ X
    return Z, activation(Z)
--- forward_values test 6
from nbproctor.expect import expect
twice, W = Twice(), np.arange(6.0).reshape(2, 3)
Z, A = forward(W, np.ones((3, 4)), twice)
expect(Z, W @ np.ones((3, 4)), "Z")
expect(A, 2 * W @ np.ones((3, 4)), "A")
assert twice._calls == 1, "activation is called once"
--- forward_unchanged test 1
W = np.ones((2, 2))
forward(W, np.ones((2, 1)), Twice())
assert_allclose(W, np.ones((2, 2)), err_msg="W was changed")
--- scale solution
{SCALE}
--- scale_values test 3
x = np.arange(4.0)
assert scale(x, 2.5) is None
assert_allclose(x, [0, 2.5, 5, 7.5])
""")
FULL = {c.id: c.points for c in SOURCE if c.kind == "test"}


def submission(**changed: str) -> tuple[StudentCell, ...]:
    """Return the notebook of a student; `before_<cell>` comes before a named cell."""
    cells: list[tuple[str | None, str]] = []
    for source_cell in SOURCE:
        if text := changed.get(f"before_{source_cell.id}"):
            cells.append((None, text))
        cells.append((source_cell.id, changed.get(source_cell.id, source_cell.source)))
    return student_cells(cells)


def judged(*tests: Cell, follow_through: bool = True, **changed: str) -> Report:
    """Return what the judge's own process answers, through bytes and back.

    `tests` stand for those of the same name; the student's cells may be `changed`.
    """
    others = {test.id: test for test in tests}
    cells = tuple(others.get(source_cell.id, source_cell) for source_cell in SOURCE)
    times = limits(
        call=1.0,
        cell=3.0,
        submission=60.0,
    )
    job = Job(cells, submission(**changed), times, follow_through=follow_through)
    return msgpack.decode(run.main(msgpack.encode(job), spawn), type=Report)


def points(report: Report) -> dict[str, float]:
    return {verdict.cell_id: verdict.points for verdict in report.verdicts}


def verdict(report: Report, name: str) -> Verdict:
    return next(v for v in report.verdicts if v.cell_id == name)


# --- honest -----------------------------------------------------------------------


def test_the_reference_earns_everything() -> None:
    report = judged()
    assert points(report) == FULL
    assert {v.outcome for v in report.verdicts} == {"passed"}
    assert report.notes == []
    assert "looks good" in json.dumps(verdict(report, "act_public").outputs())


ACT_LOST = {"act_values": 0.0, "act_partial": 0.0}


def test_a_test_sees_the_notebook_as_it_is_at_its_place() -> None:
    report = judged(before_forward="del act")
    assert points(report) == FULL  # the tests of `act` come before


def test_what_a_test_draws_does_not_depend_on_the_tests_before_it() -> None:
    shows = "print(np.random.rand())"
    shown = replace(
        SOURCE[4],
        source=shows,
        stub=shows,
        points=0.0,
    )
    before = (replace(SOURCE[3], source=f"np.random.rand({n})") for n in (1, 5))
    first, second = (judged(test, shown).verdicts[1].printed for test in before)
    assert first == second != ""


@pytest.mark.parametrize(
    "body", ["raise KeyError(1)", "import os; os._exit(0)", "while True: pass"]
)
def test_an_object_without_text_costs_its_own_exercise_only(body: str) -> None:
    odd = (
        f"class Odd:\n    def __repr__(self):\n        {body}\n    __str__ = __repr__\n"
    )
    changed_test = replace(SOURCE[4], source="got = act(1)\nassert got == 1, got")
    report = judged(changed_test, act=f"{odd}def act(z): return Odd()")
    assert verdict(report, "act_values").outcome == "failed"
    assert points(report) == FULL | ACT_LOST


def test_a_process_that_cannot_be_started_is_no_verdict() -> None:
    started = []

    def fail_later() -> Any:
        started.append(1)
        if len(started) > 1:
            raise OSError("no process left")
        return spawn()

    dies = submission(act="def act(z): __import__('os')._exit(0)")
    job = Job(SOURCE, dies, follow_through=False)
    with pytest.raises(OSError, match="no process left"):
        run.main(msgpack.encode(job), fail_later)


def test_a_test_may_bind_a_name_of_the_students_anew() -> None:
    source = "act = act\nold = scale\ndel scale\nassert old, act(1)"
    assert points(judged(replace(SOURCE[-1], source=source))) == FULL


def test_a_test_imports_own_modules_and_the_folder_shadows_none_of_pythons(
    tmp_path: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend("")
    (tmp_path / "colorsys.py").write_text("raise SystemError('shadowed')")
    (tmp_path / "course_tools.py").write_text("right = True")
    text = "import colorsys, course_tools; assert course_tools.right"
    assert points(judged(replace(SOURCE[-1], source=text))) == FULL


SUM = "def sum(values):\n    return values[0] + values[1]"
SUM_TEST = "assert sum([1, 2]) == len('abc')"
HALF = "import numpy as np\ndef half(x): return np.divide(x, 2)"
HALF_TEST = "np.testing.assert_allclose(half(4.0), 2.0)"
FAKE = """
class Any:
    def __getattr__(self, name): return self
    def __call__(self, *_): return True
np = Any()
def half(x): return -1
"""
ROOT = "from math import sqrt as root"
ROOT_TEST = "assert root(4) == 2"
# A name of Python's or of a module: the reference, the test, an answer, its points.
NAMES: dict[str, tuple[str, str, str, int]] = {
    "Python's own, right": (SUM, SUM_TEST, SUM, 2),
    "Python's own, wrong": (SUM, SUM_TEST, "def sum(values):\n    return 7", 0),
    "Python's own, missing": (SUM, SUM_TEST, "", 0),
    "a module, right": (HALF, HALF_TEST, HALF, 2),
    "a module, forged": (HALF, HALF_TEST, FAKE, 0),
    "a module, missing": (HALF, HALF_TEST, "", 0),
    "to be imported, right": (ROOT, ROOT_TEST, ROOT, 2),
    "to be imported, missing": (ROOT, ROOT_TEST, "", 0),
    "looked for by its text, right": (ROOT, "assert 'root' in dir()", ROOT, 2),
    "looked for by its text, missing": (ROOT, "assert 'root' in dir()", "", 0),
}


@pytest.mark.parametrize("name", NAMES)
def test_a_name_that_an_exercise_defines_is_the_student_s(name: str) -> None:
    reference, test, answer, points = NAMES[name]
    provided = "import numpy as np" if "forged" in name else "x = 1"
    source = (
        cell("provided", "provided", provided, exercise=None),
        cell("f", "solution", reference),
        cell("another", "test", ROOT_TEST),
        cell("t", "test", test, 2.0),
    )
    _, verdict = notebooks.judged(
        source, ("provided", provided), ("f", answer)
    ).verdicts
    assert verdict.points == points, verdict.message


# --- hostile ----------------------------------------------------------------------


def test_a_cell_that_dies_when_it_is_run_again_takes_no_other_with_it(
    tmp_path: Path,
) -> None:
    was_here = tmp_path / "was here"
    again = (
        f"import os, pathlib; here = pathlib.Path({str(was_here)!r})\n"
        "os._exit(1) if here.exists() else here.touch()"
    )
    dies = "import os; os._exit(1)"
    report = judged(
        before_provided=again,
        before_forward=dies,
        follow_through=False,
    )
    assert points(report) == FULL


def test_a_cell_that_asks_for_too_much_keeps_what_it_did_before() -> None:
    scale = SCALE.replace("x *= factor", "x *= factor * helper")
    greedy = "helper = 1\nnp.ones(1 << 50)"
    report = judged(
        before_act=greedy,
        before_scale="other = helper",
        scale=scale,
    )
    assert points(report) == FULL
    assert report.notes == []


def test_a_notebook_ends_only_so_many_processes(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("nbproctor.judge.processes.MAX_SPAWNS", 1)
    dies = "def act(z):\n    import os; os._exit(1)"
    report = judged(act=dies, follow_through=False)
    assert {v.outcome for v in report.verdicts} == {"died"}


def test_what_a_call_prints_in_a_hidden_test_stays_out() -> None:
    printing = "print('leak', z); print('leak', z, flush=True); return"
    report = judged(act=ACT.replace("return", printing))
    assert points(report) == FULL
    assert "leak" not in str([report.outputs, *(v.outputs() for v in report.verdicts)])
