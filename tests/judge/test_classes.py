"""Classes of what student code raises and returns, as a test is told of them."""

from __future__ import annotations

import builtins

import pytest

from nbproctor.judge.classes import make_student_error
from nbproctor.judge.proxy import NEVER_RERAISED, StudentError

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
