"""Classes of what student code raises and returns, as a test is told of them."""

from __future__ import annotations

import builtins

import pytest

from nbproctor.judge.classes import make_student_error
from nbproctor.judge.proxy import NEVER_RERAISED, StudentError
from tests.judge.notebooks import verdict

BUILTIN = sorted(
    {
        kind
        for kind in vars(builtins).values()
        if isinstance(kind, type) and issubclass(kind, Exception)
        if not issubclass(kind, NEVER_RERAISED)
    },
    key=lambda kind: kind.__name__,
)


@pytest.mark.parametrize("kind", BUILTIN)
def test_every_built_in_exception_can_be_caught_as_what_it_is(
    kind: type[Exception],
) -> None:
    error = make_student_error(kind.__name__, "too much")
    assert isinstance(error, kind)
    assert isinstance(error, StudentError)
    assert str(error) == "too much"


ASKS_FOR_TOO_MUCH = "import numpy as np\ndef f(x): return np.ones(1 << 50)"
OWN = "class Full(MemoryError): pass\ndef f(x): raise Full(x)"


@pytest.mark.parametrize("answer", [ASKS_FOR_TOO_MUCH, OWN], ids=["numpy", "own"])
def test_a_test_may_expect_that_the_memory_does_not_suffice(answer: str) -> None:
    expects = "try: f(1)\nexcept MemoryError: pass\nelse: assert False"
    result = verdict(answer, expects)
    assert result.outcome == "passed", result.message


def test_a_call_that_asks_for_too_much_memory_is_named() -> None:
    result = verdict(ASKS_FOR_TOO_MUCH, "assert f(1) is not None")
    assert result.outcome == "error"
    assert "MemoryError" in result.message
    assert "line 2" in result.message


GUARD = """\
class Guard:
    def __enter__(self): return self
    def __exit__(self, kind, error, trace): return True
def f(): return Guard()
def g(): raise KeyError(1)
"""


@pytest.mark.parametrize(
    ("raises", "points"), [("g()", 1), ("assert False", 0), ("1 / 0", 0)]
)
def test_a_student_s_with_holds_back_only_what_student_code_raised(
    raises: str, points: float
) -> None:
    result = verdict(GUARD, f"with f():\n    {raises}")
    assert (result.outcome == "passed", result.points) == (bool(points), points)
