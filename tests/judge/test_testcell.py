"""A test cell: what only a notebook can run, and the points of whatever it ends in.

The student defines every name that the rewritten cell could call, and keeps what it is
given. Nothing of a test cell's text may be among it.
"""

from __future__ import annotations

from decimal import Decimal
from fractions import Fraction
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import example, given, settings

from nbproctor.judge.proxy import Handle, Proxy
from nbproctor.judge.testcell import points_of
from nbproctor.notebook import Where
from nbproctor.results import Report
from tests.judge import notebooks
from tests.judge.notebooks import cell
from tests.protocol import messages

MARK = "a-word-of-the-hidden-test"
ANSWER = "def f(x): return x + 1"
SPY = """\
import builtins
seen = []
class Spy:
    def __getattr__(self, name): return spy
    def __call__(self, *args, **kwargs): seen.append((args, kwargs)); return self
def spy(*args, **kwargs): seen.append((args, kwargs)); return Spy()
get_ipython = display = system = getoutput = spy
run_line_magic = run_cell_magic = __main__ = exec = eval = compile = spy
for name in ("get_ipython", "display"): setattr(builtins, name, spy)
def f(x): return 0
"""

# These are a notebook's own, so such a cell belongs in the student's process.
NOT_JUDGED = {
    "!": "!echo 1\nassert f(1) == 2",
    "%": "%who\nassert f(1) == 2",
    "%%": "%%timeit -n 1 -r 1\nassert f(1) == 2",
    "within another": "%%time\n!echo 1\nassert f(1) == 2",
    "%%bash": "%%bash\necho 1",
    "?": "f?\nassert f(1) == 2",
    "its name": "s = get_ipython()\nassert s and f(1) == 2",
    "its name in a function": "def g(): return get_ipython\nassert f(1) == 2",
    "await": "async def g(): return f(1)\nassert await g() == 2",
}


def judged(
    test: str,
    answer: str,
    where: Where = "judge",
) -> Report:
    cells = cell("f", "solution", ANSWER), cell("t", "test", test, 1.0, where=where)
    last = "print(globals().get('seen'))"
    return notebooks.judged(cells, ("f", answer), ("last", last))


def hidden(test: str) -> str:
    """Add the mark, where IPython would hand it over with the rest."""
    lines = test.split("\n")
    if lines[0].startswith("%%"):
        return "\n".join([lines[0], f"note = {MARK!r}", *lines[1:]])
    return "\n".join(f"{line}  # {MARK}" if "%" in line else line for line in lines)


@pytest.mark.slow
@pytest.mark.parametrize(
    "test",
    [
        f"display({MARK!r})\nassert f(1) == 2",
        f"%%time\nassert f(1) == 2  # {MARK}",
        f"%matplotlib inline\nassert f(1) == 2  # {MARK}",
    ],
)
def test_what_a_test_shows_or_times_is_judged_in_the_judge(test: str) -> None:
    (verdict,) = judged(test, ANSWER).verdicts
    assert (verdict.outcome, verdict.points) == ("passed", 1), verdict.message
    report = judged(test, SPY)
    assert report.verdicts[0].points == 0
    assert "[" in report.outputs[1][0]["text"]  # what the spy was given is shown
    assert MARK not in str(report.outputs)


@pytest.mark.slow
@pytest.mark.parametrize("syntax", NOT_JUDGED)
def test_a_cell_of_ipython_s_own_syntax_is_not_judged_in_the_judge(syntax: str) -> None:
    test = NOT_JUDGED[syntax]
    for answer in (ANSWER, SPY):
        report = judged(hidden(test), answer)
        (verdict,) = report.verdicts
        assert (verdict.outcome, verdict.points) == ("not run", 0)
        assert "the cell t " in verdict.message
        assert MARK not in str(report.outputs)
    if syntax not in (
        "%%bash",
        "!",
        "within another",
    ):  # no program runs there
        (verdict,) = judged(test, ANSWER, "beside").verdicts
        assert verdict.points == 1, verdict.message


@pytest.mark.slow
def test_a_cell_that_ends_in_a_semicolon_has_no_value() -> None:
    assert judged("f(1) / 4", ANSWER).verdicts[0].points == 0.5
    assert judged("%%time\nf(1) / 4", ANSWER).verdicts[0].points == 0.5
    assert judged("f(1) / 4;", ANSWER).verdicts[0].points == 1


# --- points ---------------------------------------------------------------------------


class Unfriendly:
    """An object of a test that cannot even be asked for its class."""

    @property  # type: ignore[misc]
    def __class__(self) -> Any:
        raise RuntimeError


class BadMinimum(np.ndarray):  # type: ignore[type-arg]
    def min(self, *args: Any, **kwargs: Any) -> Any:
        raise RuntimeError


@pytest.mark.slow
@given(messages.anything)
@example(Decimal("sNaN"))
@example(Decimal("-sNaN123"))
@example(10**5000)
@example(np.array([np.nan, 1.0]))
@settings(max_examples=200)
def test_every_value_gives_points_within_the_limits(value: Any) -> None:
    assert 0 <= points_of(value, 2.0) <= 2


@pytest.mark.parametrize(
    ("value", "points"),
    [
        # What nbgrader takes for no number earns everything.
        (None, None),
        (True, None),
        (np.False_, None),
        (np.array([False, True]), None),
        ([0], None),
        # A number is the points, within 0 and the most.
        (0, 0),
        (3, 2),
        (-1, 0),
        (0.5, 0.5),
        (float("inf"), 2),
        (float("nan"), 0),
        (10**400, 2),
        (Fraction(3, 2), 1.5),
        (Decimal("-1e500"), 0),
        (Decimal("nan"), 0),
        (Decimal("1.5"), 1.5),
        (np.float32(0.5), 0.5),
        (np.int64(-1), 0),
        # Of an array the smallest counts; of no number, nothing does.
        (np.array([1.5, 0.5]), 0.5),
        (np.array([np.nan, 1.0]), 0),
        (np.array([]), 0),
        (np.array([(1, 2)], "i8,i8"), 0),
        (np.array(["a"]), 0),
        (1j, 0),
        (np.datetime64("2026-01-01"), 0),
        (sum(abs(pd.NA - want) < 1e-9 for want in (0.1, 7)), 0),
        (Proxy(Handle(None, 0, "")), 0),
        # What cannot be looked at.
        (Decimal("sNaN"), 0),
        (Unfriendly(), 0),
        (np.zeros(2).view(BadMinimum), 0),
    ],
    ids=lambda value: type(value).__name__,
)
def test_the_points_of_a_value(value: Any, points: float | None) -> None:
    if points is None:
        assert points_of(value, 2.0) == 2
    else:
        assert points_of(value, 2.0) == points


# What a test draws without a seed of its own, and how an answer draws from another.
GUESSES = {
    "random.random()": "random.Random({}).random()",
    "np.random.rand()": "np.random.RandomState({}).rand()",
}


@pytest.mark.parametrize("draw", GUESSES)
def test_what_a_test_draws_cannot_be_computed(draw: str) -> None:
    def earned(answer: str, before: str = "") -> float:
        imports = "import random\nimport numpy as np"
        test = f"{before}x = {draw}\nassert f(1) == x"
        source = (
            cell("given", "provided", imports, stub=imports),
            cell("f", "solution", "def f(n): return hidden", stub=""),
            cell("test", "test", test, 1.0, stub=""),
        )
        report = notebooks.judged(source, ("given", imports), ("f", answer))
        (verdict,) = report.verdicts
        return verdict.points

    guesses = ["f = lambda n: " + GUESSES[draw].format(seed) for seed in ("0", "1", "")]
    seeded = "random.seed(0)\nnp.random.seed(0)\n"
    assert earned(guesses[0], seeded) == 1  # the control: a seed that is known
    assert [earned(guess) for guess in guesses] == [0, 0, 0]
