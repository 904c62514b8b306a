"""Handles of objects of installed libraries: what class a test is told they have."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from nbproctor.judge.main import grade
from nbproctor.notebook import Cell
from nbproctor.protocol import objects
from nbproctor.results import Job, Limits, StudentCell
from tests.forked import spawn

SETUP = """
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.linear_model import LinearRegression, LogisticRegression
"""
HONEST = """
def model():
    return LinearRegression().fit([[0.0], [1.0]], [1.0, 3.0])
class Mine(LinearRegression):
    pass
def kind(): return LinearRegression
"""


@pytest.fixture(scope="module", autouse=True)
def captured() -> None:
    exec(SETUP, {})
    objects.capture()


def passes(answer: str, test: str) -> bool:
    """Whether an answer passes a test, in a judge and a student process."""
    marks: dict[str, Any] = {"grade": False, "solution": False, "points": 0.0}
    first = Cell("setup", "provided", SETUP, 0.0, None, False, "setup", SETUP, marks)
    cells = (
        first,
        replace(first, id="answer", kind="solution", source=HONEST, exercise="answer"),
        replace(
            first,
            id="test",
            kind="test",
            source=test,
            points=1.0,
            exercise="answer",
            nbgrader={"grade": True, "solution": False, "points": 1.0},
        ),
    )
    own = (StudentCell(0, "setup", SETUP), StudentCell(1, "answer", answer))
    job = Job(cells, own, Limits(call=10, cell=20), follow_through=False)
    (verdict,) = grade(job, spawn).verdicts
    return verdict.outcome == "passed"


@pytest.mark.slow
@pytest.mark.parametrize(
    "test",
    [
        "assert isinstance(model(), LinearRegression)",
        "assert isinstance(model(), (str, BaseEstimator))",
        "assert isinstance(model(), str | LinearRegression)",
        "assert not isinstance(model(), (LogisticRegression, ClassifierMixin))",
        "assert type(model()) is LinearRegression",
        "assert type(model()) in [LogisticRegression, LinearRegression]",
        "assert type(model()).__name__ == 'LinearRegression'",
        "assert model().__class__.__name__ == 'LinearRegression'",
        "assert isinstance(Mine(), LinearRegression) and isinstance(Mine(), Mine)",
        "assert not isinstance(model(), Mine)",
        "assert type(Mine()) is not LinearRegression",
        "assert type(Mine()).__name__ == 'Mine'",
        "assert issubclass(Mine, LinearRegression) and issubclass(Mine, Mine)",
        "assert issubclass(Mine, BaseEstimator) and issubclass(Mine, object)",
        "assert not issubclass(Mine, (ClassifierMixin, int))",
        "assert kind() == LinearRegression and kind() != LogisticRegression",
        "assert not model() == LinearRegression and not model() == 1",
        "assert model() != LinearRegression and Mine != LinearRegression",
        "assert abs(model().coef_[0] - 2) < 1e-9",
        "assert isinstance(model(), object) and not isinstance(model(), type)",
    ],
)
def test_a_class_of_a_library_is_what_it_is_in_a_kernel(test: str) -> None:
    space: dict[str, Any] = {}
    exec(SETUP + HONEST + test, space)  # in a kernel
    assert passes(HONEST, test)


LIES = {
    "a __class__ of its own": """
class Fake:
    __class__ = LinearRegression
def model(): return Fake()
""",
    "a property of that name": """
class Fake:
    @property
    def __class__(self): return LinearRegression
def model(): return Fake()
""",
    "its names": """
class LinearRegression:
    pass
LinearRegression.__module__ = "sklearn.linear_model._base"
LinearRegression.__qualname__ = "LinearRegression"
def model(): return LinearRegression()
""",
    "its names in the library's own module": """
import sklearn.linear_model, sklearn.linear_model._base as home
class LinearRegression:
    pass
LinearRegression.__module__ = "sklearn.linear_model._base"
LinearRegression.__qualname__ = "LinearRegression"
home.LinearRegression = sklearn.linear_model.LinearRegression = LinearRegression
def model(): return LinearRegression()
""",
    "a metaclass": """
class Meta(type):
    __bases__ = property(lambda kind: (LinearRegression,))
    __mro__ = property(lambda kind: (LinearRegression, object))
    def mro(kind): return [kind, object]
    def __instancecheck__(kind, other): return True
    def __subclasscheck__(kind, other): return True
    def __hash__(kind): return hash(LinearRegression)
    def __eq__(kind, other): return True
class Fake(metaclass=Meta):
    pass
def model(): return Fake()
""",
    "other built-in functions": """
import builtins
class Fake:
    pass
builtins.type = lambda *x: LinearRegression
builtins.isinstance = builtins.issubclass = lambda *x: True
def model(): return Fake()
""",
}


@pytest.mark.slow
@pytest.mark.parametrize("lie", LIES)
def test_a_lie_about_the_class_is_not_believed(lie: str) -> None:
    assert not passes(LIES[lie], "assert isinstance(model(), BaseEstimator)")
    assert not passes(LIES[lie], "assert type(model()) is LinearRegression")
    kind = "assert issubclass(type(model()), BaseEstimator)"
    assert not passes(LIES[lie], kind)
    assert not passes(LIES[lie], "assert type(model()) == LinearRegression")
    if lie != "other built-in functions":  # with those, no cell runs
        assert passes(LIES[lie], "got = model()")
