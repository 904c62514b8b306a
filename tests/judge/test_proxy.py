"""What an object of the test's tells the student: nothing but what it is asked for."""

from __future__ import annotations

from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import pytest

from nbproctor.judge import exports
from nbproctor.judge.proxy import StudentError
from nbproctor.judge.session import Session
from tests.forked import spawn

CELL = """
import copy
def calls(f): return f()
def swallow(f):
    try: f()
    except Exception as error: return type(error).__name__, str(error)
def start(model): model.__init__()
def anew(model): return type(model)()
def copy_of(thing): return copy.copy(thing), copy.deepcopy(thing)
"""


@pytest.fixture
def student(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """The student's names, for objects of this file as if it were a test cell."""
    monkeypatch.setattr(exports, "MODULE", __name__)
    session = Session(spawn(), 5.0)
    assert session.ask("run", CELL, "functions", False) == ([], False, None)
    names = "calls swallow start anew copy_of"
    yield SimpleNamespace(**session.begin(names.split()))
    session.close()


class Oracle:
    """What a test hands over."""

    def fail(self) -> None:
        raise KeyError("the secret is 42")


def test_a_test_exception_comes_back_itself_and_tells_the_student_nothing(
    student: Any,
) -> None:
    oracle = Oracle()
    with pytest.raises(KeyError, match="42") as caught:
        student.calls(oracle.fail)
    assert not isinstance(caught.value, StudentError)
    name, text = student.swallow(oracle.fail)
    assert name == "KeyError"
    assert "42" not in text


def test_an_object_that_does_not_say_how_is_not_made_again_or_copied(
    student: Any,
) -> None:
    oracle = Oracle()
    for again in (student.start, student.anew):
        with pytest.raises(TypeError, match="cannot be created again"):
            again(oracle)
    assert all(copied is oracle for copied in student.copy_of(oracle))
