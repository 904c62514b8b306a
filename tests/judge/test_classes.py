"""Classes of what student code raises and returns, as a test is told of them."""

from __future__ import annotations

import builtins

import pytest

from nbproctor.judge.classes import error_of
from nbproctor.judge.proxy import NOT_AS_SUCH, StudentError
from nbproctor.results import Verdict
from tests.judge import notebooks
from tests.judge.notebooks import cell

BUILTIN = sorted(
    {
        kind
        for kind in vars(builtins).values()
        if isinstance(kind, type) and issubclass(kind, Exception)
        if not issubclass(kind, NOT_AS_SUCH)
    },
    key=lambda kind: kind.__name__,
)


@pytest.mark.parametrize("kind", BUILTIN)
def test_every_built_in_exception_can_be_caught_as_what_it_is(
    kind: type[Exception],
) -> None:
    error = error_of(kind.__name__, "too much")
    assert isinstance(error, kind)
    assert isinstance(error, StudentError)
    assert str(error) == "too much"


def judged(answer: str, test: str) -> Verdict:
    cells = (cell("f", "solution", answer), cell("test", "test", test, 1.0))
    (verdict,) = notebooks.judged(cells, ("f", answer)).verdicts
    return verdict


ASKS_FOR_TOO_MUCH = "import numpy as np\ndef f(x): return np.ones(1 << 50)"
OWN = "class Full(MemoryError): pass\ndef f(x): raise Full(x)"


@pytest.mark.parametrize("answer", [ASKS_FOR_TOO_MUCH, OWN], ids=["numpy", "own"])
def test_a_test_may_expect_that_the_memory_does_not_suffice(answer: str) -> None:
    expects = "try: f(1)\nexcept MemoryError: pass\nelse: assert False"
    verdict = judged(answer, expects)
    assert verdict.outcome == "passed", verdict.message


def test_a_call_that_asks_for_too_much_memory_is_named() -> None:
    verdict = judged(ASKS_FOR_TOO_MUCH, "assert f(1) is not None")
    assert verdict.outcome == "error"
    assert "MemoryError" in verdict.message
    assert "line 2" in verdict.message


GUARD = """\
class Guard:
    def __enter__(self): return self
    def __exit__(self, kind, error, trace): return True
def f(): return Guard()
def g(): raise KeyError(1)
"""


def test_a_student_s_with_holds_back_what_student_code_raised() -> None:
    assert judged(GUARD, "with f():\n    g()").outcome == "passed"


@pytest.mark.parametrize("raises", ["assert False", "1 / 0"])
def test_a_student_s_with_holds_back_nothing_that_the_test_raised(raises: str) -> None:
    verdict = judged(GUARD, f"with f():\n    {raises}")
    assert (verdict.outcome != "passed", verdict.points) == (True, 0)
