"""A test cell run in the judge: its clock, its random numbers, its points."""

from __future__ import annotations

import contextlib
import io
import random
import signal
import warnings
from collections.abc import Iterator
from decimal import Decimal
from fractions import Fraction
from typing import Any

import numpy as np

from nbproctor import expect
from nbproctor.judge.classes import ErrorClass, OwnError
from nbproctor.judge.compiled import Program
from nbproctor.judge.proxy import Proxy
from nbproctor.judge.session import Session

MAX_PRINTED = 20_000  # characters of a test


class TestTimeout(BaseException):
    """A test cell took too long; not an error that a test may catch."""


def run(test: Program, space: dict[str, Any], link: Session, seconds: float) -> Any:
    """Run a test cell and return its last value, or raise what it raises.

    After so many seconds, that is a `TestTimeout`.
    """
    with _afresh(link), _alarm(seconds):
        exec(test.body, space)
        return eval(test.last, space) if test.last is not None else None


def points_of(value: Any, most: float) -> float:
    """Score the value of a test cell that raised nothing: within 0 and `most`.

    By nbgrader's rule, what is no plain number earns all points. If that were so for
    NumPy's numbers, a wrong answer of such a type would make ``sum(abs(got - want) <
    tol …)`` worth everything. An array counts as its smallest number; an array of no
    numbers, a complex number and what only the student's process knows as nothing.
    """
    try:
        number = _number(value)
        if number is None:
            return most
        # Limited first: an integer may be too long for a float. Only NaN is not itself.
        return float(min(max(number, 0), most)) if number == number else 0.0
    # A signaling NaN; an object of the test's that cannot be looked at.
    except Exception:
        return 0.0


def _number(value: Any) -> Any:
    """Return the number that a test cell ends in; None if it ends in no number."""
    if isinstance(value, Proxy | ErrorClass | OwnError | complex):
        return 0
    if isinstance(value, np.ndarray | np.generic) and value.dtype.kind != "b":
        return float(value.min()) if value.size and value.dtype.kind in "iuf" else 0.0
    return value if type(value) in (int, float, Fraction, Decimal) else None


@contextlib.contextmanager
def captured() -> Iterator[tuple[io.StringIO, io.StringIO, expect.Measured]]:
    """Collect what a test prints, what it writes to stderr, and what it measures."""
    out, err = io.StringIO(), io.StringIO()
    expect.measured = []
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        yield out, err, expect.measured
    expect.measured = None
    out.truncate(MAX_PRINTED)


@contextlib.contextmanager
def _afresh(link: Session) -> Iterator[None]:
    """Start every test with the same global state; what it seeds, the student seeds."""
    with contextlib.ExitStack() as stack:
        for name, module in (("numpy", np.random), ("random", random)):
            own: Any = module.seed
            own(0)
            stack.callback(setattr, module, "seed", own)
            setattr(module, "seed", _seed(own, name, link))  # noqa: B010 - for mypy
        for state in (warnings.catch_warnings(), np.errstate(), np.printoptions()):
            stack.enter_context(state)
        yield


def _seed(own: Any, module: str, link: Session) -> Any:
    """Make what seeds a global generator, and the student's."""

    def seed(*values: Any) -> None:
        own(*values)
        link.ask("seed", module, list(values))

    return seed


@contextlib.contextmanager
def _alarm(seconds: float) -> Iterator[None]:
    def ring(*_: Any) -> None:
        raise TestTimeout

    before = signal.signal(signal.SIGALRM, ring)
    signal.setitimer(signal.ITIMER_REAL, max(seconds, 0.001))
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
