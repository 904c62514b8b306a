"""One notebook of three exercises through the whole judge, honest and hostile."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import nbformat
import numpy as np
import pytest
from msgspec import msgpack
from nbgrader.utils import determine_grade

from nbproctor.judge import run
from nbproctor.notebook import Cell, Kind
from nbproctor.results import Job, Report, StudentCell, Verdict
from tests.forked import spawn
from tests.timing import limits

pytestmark = pytest.mark.slow

PROVIDED = """
import numpy as np
from numpy.testing import assert_allclose

def add_to(cls):
    def attach(method):
        setattr(cls, method.__name__, method)
        return method
    return attach

class Act: ...
class Net:
    def __init__(self, n):
        self.n, self.activation = n, Act()
        self.W = np.ones((n, n))
"""
ACT = """
@add_to(Act)
def __call__(self, z):
    return np.maximum(z, 0)
"""
FORWARD = """
@add_to(Net)
def forward(self, X):
    Z = self.W @ X
    return {"Z": Z, "A": self.activation(Z)}
"""
SCALE = """
def scale_in_place(x, factor):
    x *= factor
"""
DEMO = "print(Net(3).forward(np.eye(3))['A'].sum())"
ORACLE = """
### BEGIN HIDDEN TESTS
class Twice:
    def __init__(self): self._calls = 0
    def __call__(self, z):
        self._calls += 1
        return 2 * z
def make_net(W, activation):
    net = Net.__new__(Net)
    net.W, net.activation = W, activation
    return net
### END HIDDEN TESTS
"""
TESTS = {
    "act_public": """
got = Act()(np.array([-1.0, 2.0]))
assert got.shape == (2,), f"expected shape (2,), found {got.shape}"
assert_allclose(got, [0, 2])
print("looks good")
""",
    "act_values": """
assert_allclose(Act()(np.array([-3.5, 0.0, 4.25])), [0, 0, 4.25])
""",
    "act_partial": """
points = 0.0
for z in (-2.0, 5.0):
    points += float(Act()(z)) == max(z, 0)
points
""",
    "forward_values": """
from nbproctor.expect import expect
twice, W = Twice(), np.arange(6.0).reshape(2, 3)
net = make_net(W, twice)
got = net.forward(np.ones((3, 4)))
expect(got["Z"], W @ np.ones((3, 4)), "Z")
expect(got["A"], 2 * W @ np.ones((3, 4)), "A")
assert twice._calls == 1, "activation is called once"
""",
    "forward_unchanged": """
W = np.ones((2, 2))
net = make_net(W, Twice())
net.forward(np.ones((2, 1)))
assert_allclose(net.W, W, err_msg="W was changed")
""",
    "scale_values": """
x = np.arange(4.0)
assert scale_in_place(x, 2.5) is None
assert_allclose(x, [0, 2.5, 5, 7.5])
""",
}
POINTS = {
    "act_public": 0,
    "act_values": 4,
    "act_partial": 2,
    "forward_values": 6,
    "forward_unchanged": 1,
    "scale_values": 3,
}
FULL = {name: float(points) for name, points in POINTS.items()}
LIMITS = limits(call=1.0, cell=3.0, submission=60.0)


def cell(name: str, kind: Kind, source: str, exercise: str | None = None) -> Cell:
    points = float(POINTS.get(name, 0))
    skip = name == "demo"
    return Cell(name, kind, source, points, exercise, skip, name, source, {})


SOURCE = (
    cell("provided", "provided", PROVIDED),
    cell("oracle", "helper", ORACLE),
    cell("act", "solution", ACT, "act"),
    cell("act_public", "test", TESTS["act_public"], "act"),
    cell("act_values", "test", TESTS["act_values"], "act"),
    cell("act_partial", "test", TESTS["act_partial"], "act"),
    cell("forward", "solution", FORWARD, "forward"),
    cell("forward_values", "test", TESTS["forward_values"], "forward"),
    cell("forward_unchanged", "test", TESTS["forward_unchanged"], "forward"),
    cell("demo", "provided", DEMO),
    cell("scale", "solution", SCALE, "scale"),
    cell("scale_values", "test", TESTS["scale_values"], "scale"),
)


def submission(
    *,
    extra: dict[str, str] | None = None,
    without: tuple[str, ...] = (),
    **changed: str,
) -> tuple[StudentCell, ...]:
    """Return the notebook of a student; `extra` cells come before a named cell."""
    cells: list[tuple[str | None, str]] = []
    for ours in SOURCE:
        if extra and ours.id in extra:
            cells.append((None, extra[ours.id]))
        if ours.id not in without:
            cells.append((ours.id, changed.get(ours.id, ours.source)))
    if extra and "end" in extra:
        cells.append((None, extra["end"]))
    return tuple(StudentCell(n, *pair) for n, pair in enumerate(cells))


def judged(job: Job) -> Report:
    """Return what the judge's own process answers, through bytes and back."""
    return msgpack.decode(run.main(msgpack.encode(job), spawn), type=Report)


def grade(student: tuple[StudentCell, ...], **options: Any) -> Report:
    job = Job(SOURCE, student, options.pop("limits", LIMITS), **options)
    return judged(job)


def points(report: Report) -> dict[str, float]:
    return {verdict.cell_id: verdict.points for verdict in report.verdicts}


def verdict(report: Report, name: str) -> Verdict:
    return next(v for v in report.verdicts if v.cell_id == name)


def lost(report: Report) -> set[str]:
    """Tests that earned less than everything, or failed without points to lose."""
    return {v.cell_id for v in report.verdicts if v.outcome != "passed"}


def nbgrader_points(report: Report) -> dict[str, float]:
    """What nbgrader's own rule makes of the outputs."""
    made = {}
    for name, most in POINTS.items():
        said = verdict(report, name).outputs()
        node: Any = nbformat.v4.new_code_cell("", outputs=said)
        node.metadata["nbgrader"] = {"grade": True, "solution": False, "points": most}
        made[name] = determine_grade(nbformat.from_dict(node))[0]
    return made


# --- honest -----------------------------------------------------------------------


def test_the_reference_earns_everything_and_nbgrader_agrees() -> None:
    report = grade(submission())
    assert points(report) == FULL
    assert lost(report) == set()
    assert nbgrader_points(report) == FULL
    assert report.notes == []
    assert "looks good" in json.dumps(verdict(report, "act_public").outputs())


ACT_LOST = {"act_values": 0.0, "act_partial": 0.0}
WRONG: dict[str, tuple[dict[str, str], dict[str, float]]] = {
    "sign": (
        {"act": ACT.replace("np.maximum(z, 0)", "z")},
        {"act_values": 0.0, "act_partial": 1.0},
    ),
    "blank": (
        {"forward": FORWARD.split("Z =")[0] + "raise NotImplementedError"},
        {"forward_values": 0.0, "forward_unchanged": 0.0},
    ),
    "copy": (
        {"scale": SCALE.replace("x *= factor", "x = x * factor")},
        {"scale_values": 0.0},
    ),
    "no cell": ({"act": "1/0"}, ACT_LOST),
    "no syntax": ({"act": "def __call__(self, z"}, ACT_LOST),
    "a cell that dies": ({"act": "import os; os._exit(1)"}, ACT_LOST),
    "changes W": (
        {"forward": FORWARD.replace("Z = self", "self.W += 1; Z = self")},
        {"forward_values": 0.0, "forward_unchanged": 0.0},
    ),
}


@pytest.mark.parametrize("name", WRONG)
def test_a_wrong_exercise_loses_its_own_points_and_no_others(name: str) -> None:
    changed, expected = WRONG[name]
    report = grade(submission(**changed))  # type: ignore[arg-type]
    assert points(report) == FULL | expected
    assert nbgrader_points(report) == FULL | expected


def test_messages_name_the_students_line_and_nothing_of_a_hidden_test() -> None:
    report = grade(
        submission(
            act="\n\n@add_to(Act)\ndef __call__(self, z):\n    y = z\n"
            "    raise ValueError(f'got {z}')",
            scale=SCALE.replace("x *= factor", "x += factor"),
            forward=FORWARD.replace("self.W @ X", "X.T @ self.W"),
        ),
    )
    told = verdict(report, "act_values")
    assert told.outcome == "error"
    assert "ValueError" in told.message
    assert "line 6" in told.message
    assert "raise ValueError" in told.message
    said = [verdict(report, n).outputs() for n in POINTS if n != "act_public"]
    text = json.dumps(said)
    for secret in ("3.5", "4.25", "7.5", "assert", "Twice", "make_net"):
        assert secret not in text.replace("AssertionError", "")
    assert "got [-1." in verdict(report, "act_public").message
    assert "forward" in verdict(report, "forward_values").message


def test_a_test_sees_the_notebook_as_it_is_at_its_place() -> None:
    cells = submission(extra={"forward": "del Act.__call__"})
    report = grade(cells)
    assert points(report) == FULL  # the tests of `act` come before


def test_what_a_test_draws_does_not_depend_on_the_tests_before_it() -> None:
    drawn = np.random.RandomState(0).rand()
    draws = f"assert np.random.rand() == {drawn}\nnp.random.rand(5)"
    cells = (
        *SOURCE,
        cell("act_public", "test", draws, "act"),
        cell("act_partial", "test", draws + "\n2", "act"),
    )
    report = run.grade(Job(cells, submission(), LIMITS), spawn)
    assert [v.outcome for v in report.verdicts[-2:]] == ["passed", "passed"]


@pytest.mark.parametrize(
    "body", ["raise KeyError(1)", "import os; os._exit(0)", "while True: pass"]
)
def test_an_object_without_text_costs_its_own_exercise_only(body: str) -> None:
    act = f"""
class Odd:
    def __repr__(self): {body}
    __str__ = __repr__
@add_to(Act)
def __call__(self, z): return Odd()
"""
    told = cell("act_values", "test", "got = Act()(1)\nassert got == 1, got", "act")
    cells = tuple(told if ours.id == told.id else ours for ours in SOURCE)
    report = judged(Job(cells, submission(act=act), LIMITS))
    assert verdict(report, "act_values").outcome == "failed"
    assert points(report) == FULL | {"act_values": 0, "act_partial": 0}


def test_a_process_that_cannot_be_started_is_no_verdict() -> None:
    started = []

    def fail_later() -> Any:
        started.append(1)
        if len(started) > 1:
            raise OSError("no process left")
        return spawn()

    hang = ACT.replace("return", "import os; os._exit(0)\n    return")
    job = Job(SOURCE, submission(act=hang), LIMITS, follow_through=False)
    with pytest.raises(OSError, match="no process left"):
        run.main(msgpack.encode(job), fail_later)


def test_a_test_may_bind_a_name_of_the_students_anew() -> None:
    source = "Net = Net\nold = scale_in_place\ndel scale_in_place\nassert old, Net(1)"
    anew = cell("scale_values", "test", source, "scale")
    cells = tuple(anew if ours.id == anew.id else ours for ours in SOURCE)
    report = judged(Job(cells, submission(), LIMITS))
    assert points(report) == FULL


def test_a_test_imports_own_modules_and_the_folder_shadows_none_of_pythons(
    tmp_path: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend("")
    (tmp_path / "colorsys.py").write_text("raise SystemError('shadowed')")
    (tmp_path / "course_tools.py").write_text("right = True")
    text = "import colorsys, course_tools; assert course_tools.right"
    source = (*SOURCE[:-1], replace(SOURCE[-1], source=text))
    job = Job(source, submission(), LIMITS)
    report = judged(job)
    assert lost(report) == set()


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
ROOT, ROOT_TEST = "from math import sqrt as root", "assert root(4) == 2"
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


@pytest.mark.parametrize("provided", ["import numpy as np", "x = 1"])
@pytest.mark.parametrize("name", NAMES)
def test_a_name_is_the_student_s_where_the_exercise_is_to_define_it(
    name: str, provided: str
) -> None:
    reference, test, answer, points = NAMES[name]
    source = (
        cell("provided", "provided", provided),
        cell("answer", "solution", reference, "answer"),
        cell("another", "test", ROOT_TEST, "answer"),
        replace(cell("t", "test", test, "answer"), points=2),
    )
    student = StudentCell(0, "provided", provided), StudentCell(1, "answer", answer)
    _, verdict = run.grade(Job(source, student, LIMITS), spawn).verdicts
    assert verdict.points == points, verdict.message


# --- hostile ----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("body", "outcome"),
    [
        ("while True: pass", "timeout"),
        ("__import__('os')._exit(0)", "died"),
        ("__import__('ctypes').string_at(0)", "died"),
    ],
)
def test_a_function_that_hangs_or_dies_costs_only_its_exercise(
    body: str, outcome: str
) -> None:
    report = grade(submission(act=ACT.replace("return np.maximum(z, 0)", body)))
    assert lost(report) == {"act_public", "act_values", "act_partial"}
    assert {verdict(report, n).outcome for n in lost(report)} == {outcome}
    assert "`act`" in verdict(report, "act_values").message
    assert points(report)["forward_values"] == 6  # the untouched exercises
    assert points(report)["scale_values"] == 3
    assert nbgrader_points(report) == points(report)


def test_a_cell_that_dies_when_it_is_run_again_takes_no_other_with_it(
    tmp_path: Path,
) -> None:
    was_here = tmp_path / "was here"
    again = (
        f"import os, pathlib; here = pathlib.Path({str(was_here)!r})\n"
        "os._exit(1) if here.exists() else here.touch()"
    )
    cells = submission(extra={"provided": again, "forward": "import os; os._exit(1)"})
    assert points(grade(cells, follow_through=False)) == FULL


def test_a_cell_that_asks_for_too_much_keeps_what_it_did_before() -> None:
    greedy = "helper = 1\nnp.ones(1 << 50)"
    scale = SCALE.replace("x *= factor", "x *= factor * helper")
    cells = submission(extra={"act": greedy, "scale": "other = helper"}, scale=scale)
    report = grade(cells)
    assert points(report) == FULL
    assert report.notes == []


def test_a_notebook_ends_only_so_many_processes(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("nbproctor.judge.processes.MAX_SPAWNS", 1)
    dies = "@add_to(Act)\ndef __call__(self, z):\n    import os; os._exit(1)"
    report = grade(submission(act=dies), follow_through=False)
    assert {v.outcome for v in report.verdicts} == {"died"}


def test_an_object_of_a_test_is_dead_in_the_cells_after_it() -> None:
    keeps = FORWARD.replace("Z =", "kept.append(self.activation); Z =")
    uses = (
        "try: kept[-1](1); alive = True\n"
        "except AttributeError: alive = False\n"
        "def scale_in_place(x, factor):\n    if not alive: x *= factor"
    )
    report = grade(submission(forward="kept = []" + keeps, scale=uses))
    assert points(report) == FULL


def test_what_a_call_prints_in_a_hidden_test_stays_out() -> None:
    leak = ACT.replace(
        "return", "print('leak', z); print('leak', z, flush=True); return"
    )
    report = grade(submission(act=leak))
    assert points(report) == FULL
    assert "leak" not in str([report.outputs, *(v.outputs() for v in report.verdicts)])
