"""What a run through a notebook tells students of the tests that it judged."""

from __future__ import annotations

import math
import sys
from dataclasses import replace

import numpy as np
import pytest

from nbproctor.expect import measure
from nbproctor.notebook import Cell
from nbproctor.results import Limits, Measure, Report
from tests.judge import notebooks
from tests.judge.notebooks import cell, earned, usual_limits

ANSWER = "def f(x):\n    print('in f')\n    return x"


def judged(*tests: Cell, answer: str = ANSWER, limits: Limits | None = None) -> Report:
    cells = (cell("f", "solution", ANSWER), *tests)
    return notebooks.judged(cells, ("f", answer), limits=limits or usual_limits())


def test_what_a_test_prints_is_told_of_public_ones_alone() -> None:
    prints = "print('checked')\nassert f(1) == 1"
    fails = prints + "\nassert f(2) == 3"
    report = judged(
        cell("public", "test", prints),
        cell("public-fails", "test", fails),
        cell("hidden", "test", prints, 1.0),
        cell("hidden-fails", "test", fails, 1.0),
        cell("hidden-part", "test", prints + "\n0.5", 1.0),
    )
    printed = [verdict.printed for verdict in report.verdicts]
    assert ["checked" in text for text in printed] == [True, True, False, False, False]
    assert [v.outcome for v in report.verdicts] == ["passed", "failed"] * 2 + ["failed"]


MEASURES = """
from nbproctor.expect import measure
measure("answer", f(3), "of three")
assert f(2) == 3
"""
FORGES = "import nbproctor.expect as e\ne.measures.measured = []\n"


@pytest.mark.parametrize("points", [0.0, 1.0])
def test_a_test_reports_what_it_measures_until_it_fails(points: float) -> None:
    forges = f"{FORGES}def f(x):\n    e.measure('answer', 9.0)\n    return x"
    measures = cell("measures", "test", MEASURES, points)
    report = judged(
        measures, replace(measures, id="beside", where="beside"), answer=forges
    )
    measured, in_process = report.verdicts
    assert (measured.outcome, measured.points) == ("failed", 0)
    assert measured.measures == (Measure("answer", 3.0, "of three"),)
    assert in_process.measures == ()  # there, an answer could say anything
    assert measured.outputs()[0]["text"] == "answer: 3, of three\n"


def test_what_is_no_number_or_picture_is_not_measured(
    capsys: pytest.CaptureFixture[str],
) -> None:
    measure("in a kernel", 2)
    measure("words", 375, "in a minute", of=500)
    printed = capsys.readouterr().out
    assert printed == "in a kernel: 2\nwords: 375 of 500, in a minute\n"
    assert Measure("words", 375.0, of=500).amount == "375 of 500 (75 %)"
    with pytest.raises(ValueError, match="measures loss as nan"):
        measure("loss", math.nan)
    for pictures in [("too large", np.zeros((1, 129)))], [("small", [[0]])] * 7:
        with pytest.raises(ValueError, match="The test"):
            measure("read", 1, pictures=pictures)


TROUBLES = ["1 / 0", "def (", "raise KeyError(f(1))", "raise SystemExit"]


@pytest.mark.parametrize("trouble", TROUBLES)
def test_a_helper_of_the_teacher_s_that_fails_is_the_teacher_s_to_know(
    trouble: str,
) -> None:
    report = judged(cell("tools", "helper", trouble), cell("t", "test", "f(1)", 1.0))
    (verdict,) = report.verdicts
    assert verdict.outcome == "not run"
    assert verdict.message.startswith("This test is broken. Please tell your teacher:")


@pytest.mark.parametrize(
    "check", ["assert f(1) == 3", "f()", "assert f(1) == 3\nx = 2"]
)
def test_a_check_without_points_costs_nothing_that_does_not_need_it(check: str) -> None:
    checks = cell("checks", "helper", f"y = 1\n{check}")
    needs_it = cell("needs it", "test", "assert f(1) == 1 and x == 2", 1.0)
    report = judged(checks, cell("t", "test", "assert f(y) == 1", 1.0), needs_it)
    assert earned(report) == [1, 0]


def test_whatever_a_test_raises_costs_that_test_alone() -> None:
    fails = "import pytest\nwith pytest.raises(ValueError):\n    f(1)"
    hands_over = "def leave(): raise SystemExit\nf(leave)()"
    text = "Your answer could not be checked: it leads to SystemExit."
    report = judged(
        cell("public", "test", fails),
        cell("hidden", "test", fails, 1.0),
        cell("exits", "test", "made = 1\nraise SystemExit", 1.0),
        cell("hands-over", "test", hands_over, 1.0),
        cell("after", "test", "assert made == 1 and f(2) == 2", 1.0),
    )
    public, *hidden = report.verdicts
    assert public.message.startswith("DID NOT RAISE")
    assert [(v.points, v.message) for v in hidden] == [
        (0, "A hidden check fails."),
        (0, text),
        (0, text),
        (1, ""),
    ]


def test_an_answer_that_waits_for_input_is_not_called_unsolved() -> None:
    report = judged(cell("t", "test", "f(1)", 1.0), answer="def f(x): return input()")
    assert "Your code raised NotImpl" in report.verdicts[0].message


def test_a_process_that_ends_is_noted_once_however_many_tests_it_costs() -> None:
    dies = "def f(x):\n    import os; os._exit(1)"
    tests = [cell(f"t{number}", "test", "assert f(1)", 1.0) for number in range(3)]
    report = judged(*tests, answer=dies)
    text = "`f` ended the Python process that it ran in."
    assert report.notes == [text]
    assert [verdict.message for verdict in report.verdicts] == [
        text,
        text,
        "Not run: `f` was stopped in earlier tests.",
    ]
    assert {verdict.outcome for verdict in report.verdicts} == {"died"}


WORKS = """\
import time
def f(seconds):
    end = time.process_time() + seconds
    while time.process_time() < end: pass"""


@pytest.mark.slow
def test_processor_time_is_the_answers_and_does_not_pass_while_it_waits() -> None:
    source = """\
import time
from nbproctor.expect import measure, processor_seconds
for name, clock in ("in words", processor_seconds), ("Python's", time.process_time):
    start = clock()
    f(0.3)
    measure(name, clock() - start)"""
    measured = cell("measured", "test", source)
    waits = "import time\ndef f(seconds): time.sleep(seconds)"
    short, long = (
        [each.value for each in judged(measured, answer=answer).verdicts[0].measures]
        for answer in (waits, WORKS)
    )
    assert len(short) == len(long) == 2
    assert max(short) < 0.2 < 0.3 <= min(long)


@pytest.mark.slow
def test_what_a_test_measures_does_not_contain_the_transfer_of_large_values() -> None:
    """Neither of arguments nor of a result; the call itself is measured as it is."""
    source = """\
import time
import numpy as np
from time import perf_counter
from timeit import default_timer
values = np.zeros(10_000_000)
for clock in perf_counter, default_timer:
    start, whole = clock(), time.monotonic()
    f(values)
    assert 0 < clock() - start < time.monotonic() - whole - 0.01
    start = clock()
    f(0.05)
    assert clock() - start >= 0.05"""
    provided = cell("imports", "provided", source.partition("values")[0])
    tests = provided, cell("of f", "test", source, 1.0)
    answer = """\
def f(values):
    import time
    time.sleep(values if isinstance(values, float) else 0)
    return values + 1"""
    (verdict,) = judged(*tests, answer=answer).verdicts
    assert (verdict.points, verdict.message) == (1, "")


BRANCHING = """\

def f(x):
    if x > 100:
        return 0
    elif x > 10:
        x += 0
    for _ in range(x - 50):
        x -= 0
    try:
        x + 0
    except TypeError:
        raise
    return x
def unused(x):
    if x: return 1
"""
BRANCHES = ["`f`, line 4: `return 0`", "`f`, line 6: `x += 0`", "`f`, line 8: `x -= 0`"]


@pytest.mark.parametrize(
    ("value", "untried"), [(1, BRANCHES), (11, [BRANCHES[0], BRANCHES[2]]), (101, [])]
)
def test_a_branch_that_no_test_has_entered_is_named(
    value: int, untried: list[str]
) -> None:
    """If its answer has all points; what only raises, or was never called, is not.

    Python tells it from 3.12 on.
    """
    if sys.version_info < (3, 12):
        untried = []
    calls = [f"f({n})" for n in (1, 11, 101) if n <= value]
    tests = [cell(call, "test", call, 1.0) for call in calls]
    assert judged(*tests, answer=BRANCHING).untried == untried
    fails = cell("fails", "test", "assert f(1) == 2", 1.0)
    assert judged(*tests, fails, answer=BRANCHING).untried == []


def test_what_counts_nothing_is_no_note_on_a_submission() -> None:
    dies = "def f(x):\n    import os; os._exit(1)"
    report = judged(cell("measured", "test", "f(1)", exercise=None), answer=dies)
    assert (report.verdicts[0].outcome, report.notes) == ("died", [])


@pytest.mark.slow
def test_a_stop_that_costs_nothing_is_no_note() -> None:
    """The caller is stopped with its callee, and has its points in the second run."""
    caller = "def g(x):\n    return f(x) + 1"
    cells = [
        cell("f", "solution", ANSWER),
        cell("of f", "test", "assert f(1) == 1", 1.0),
        cell("g", "solution", caller, exercise="g"),
        cell("of g", "test", "assert g(1) == 2", 1.0, exercise="g"),
    ]
    hangs = "def f(x):\n    while True: pass"
    limits = usual_limits(call=0.4)
    report = notebooks.judged(
        cells, ("f", hangs), ("g", caller), limits=limits, follow_through=True
    )
    assert earned(report) == [0, 1]
    assert report.notes == [report.verdicts[0].message]


@pytest.mark.slow
def test_when_the_time_is_used_up_the_rest_is_said_to_be_not_run() -> None:
    limits = Limits(
        call=5.0,
        cell=10.0,
        submission=0.5,
    )
    endless = cell("endless", "test", "while True: pass", 1.0)
    last = cell("rest", "test", "assert f(1) == 1", 1.0)
    first, second = judged(endless, last, limits=limits).verdicts
    assert first.outcome == "timeout"
    assert "the notebook's time is used up" in first.message
    assert (second.outcome, second.points) == ("not run", 0)
    assert second.message == "Not run: no time left for this notebook."


# --- what a right answer loses because of us waits for a person ---------------------

BAG = "class Bag:\n    def __init__(self, *items): self.items = items\n"
# Right answers of another form than the reference: answer, test, words of the reason.
ROWS = {
    "an equality of its own": (
        "from collections import UserDict\ndef f(): return UserDict(a=1)",
        'assert f() == {"a": 1}',
        "object's `__eq__",
    ),
    "a truth of its own": (
        BAG + "    def __len__(self): return len(self.items)\ndef f(): return Bag()",
        "assert not f()",
        "object's `__len__",
    ),
    "arithmetic of its own": (
        BAG + "    def __mul__(self, n): return 2 * n\ndef f(): return Bag()",
        "assert f() * 3 == 6",
        "object's `__mul__",
    ),
    "a list with methods of its own": (
        "class V(list):\n    def norm(self): return 5\ndef f(): return V([3, 4])",
        "assert f() == [3, 4] and f().norm() == 5",
        "object's `__class__`",
    ),
    "an attribute of the class of a number": (
        "class Length(float): unit = 'm'\ndef f(): return Length(2)",
        "assert f().unit == 'm'",
        "object's `__class__`",
    ),
    "an array with a mask": (
        "import numpy as np\n"
        "def f(): return np.ma.array([1.0, 9.0], mask=[False, True])",
        "assert f().mean() == 1",
        "object's `__class__`",
    ),
    "what the sandbox forbids": (
        "def f(): raise PermissionError(1, 'no')",
        "assert f() == 1",
        "that grading does not allow",
    ),
    "a file that is read-only": (
        "import errno\ndef f(): raise OSError(errno.EROFS, 'Read-only file system')",
        "assert f() == 1",
        "that grading does not allow",
    ),
    "a folder outside, which is not there": (
        "import numpy as np\ndef f(): return np.loadtxt('/srv/nonesuch/data.csv')",
        "assert f()",
        "that grading does not allow",
    ),
    "what the sandbox forbids, in its cell": (
        "import subprocess\nsubprocess.run(['ls'])\ndef f(): return 1",
        "assert f() == 1",
        "that grading does not allow",
    ),
    "the output of another program": (
        "count = !wc -l < table.csv\ndef f(): return len(count)",
        "assert f() == 1",
        "that grading does not allow",
    ),
    "what cannot be sent": (
        "def f():\n    x = []\n    x.append(x)\n    return x",
        "assert f()[0]",
        "too large or too deep",
    ),
}


@pytest.mark.parametrize("row", ROWS.values(), ids=ROWS)
def test_what_cannot_cross_is_not_judged_and_says_why(
    row: tuple[str, str, str],
) -> None:
    answer, test, reason = row
    result = notebooks.verdict(answer, test, 2.0)
    assert (result.outcome, result.points) == ("not run", 0)
    assert reason in result.message


@pytest.mark.parametrize(
    "answer",
    [
        BAG + "def f(): return Bag()",
        "class Length(float): pass\ndef f(): return Length(2)",
        "class Row(list): pass\ndef f(): return Row([1])",
    ],
)
def test_a_wrong_answer_without_such_an_excuse_is_wrong(answer: str) -> None:
    result = notebooks.verdict(answer, "assert f() == 1")
    assert result.outcome == "failed"


@pytest.mark.parametrize(
    "line",
    ["!pip install numpy", "%pip list", "import os; os.system('clear')"],
)
def test_a_line_that_only_shows_something_decides_nothing(line: str) -> None:
    for value, outcome in (1, "passed"), (2, "failed"):
        answer = f"{line}\ndef f(): return {value}"
        test = cell("t", "test", "assert f() == 1", 1.0)
        (result,) = judged(test, answer=answer).verdicts
        assert result.outcome == outcome


PRINTS = (
    "import io, contextlib\nwith contextlib.redirect_stdout(io.StringIO()) as out:\n"
)


@pytest.mark.parametrize(
    ("answer", "outcome"),
    [
        ("def f(): print(1)", "not run"),
        ("def f(): print(2)", "failed"),
        (
            "import io, os, sys\ndef f():\n    print(1)\n"
            "    isinstance(sys.stdout, io.StringIO) or os._exit(1)",
            "not run",
        ),
        (
            "import io, os, sys\ndef f():\n    print(2)\n"
            "    isinstance(sys.stdout, io.StringIO) and os._exit(1)",
            "failed",
        ),
    ],
)
def test_where_no_place_is_known_what_passes_inside_alone_waits(
    answer: str, outcome: str
) -> None:
    test = f"{PRINTS}    f()\nassert out.getvalue() == '1\\n'"
    result = notebooks.verdict(answer, test, 2.0, placement_reason="nobody knows")
    assert (result.outcome, result.points) == (outcome, 0)


def test_a_test_in_the_student_s_process_waits_for_what_the_sandbox_forbids() -> None:
    answer = "!touch table.csv\ndef f(): return open('table.csv').read()"
    test = cell("t", "test", "assert f() == ''", 1.0, where="beside")
    (result,) = judged(test, answer=answer).verdicts
    assert result.outcome == "not run"
    assert "that grading does not allow in `f`" in result.message


@pytest.mark.parametrize(
    ("answer", "message"),
    [
        ("def f(x)\n    return", "SyntaxError in your cell `f`, line 1: expected ':'."),
        ("\n\ndef f(x):\nreturn x", "IndentationError in your cell `f`, line 4: "),
    ],
)
def test_what_python_cannot_read_is_said_before_anything_else(
    answer: str, message: str
) -> None:
    tests = cell("public", "test", "assert f(1) == 1"), cell("hidden", "test", "f", 1.0)
    for verdict in judged(*tests, answer=answer).verdicts:
        assert verdict.outcome == "error"
        assert verdict.message.startswith(message)
