"""Of a test's objects, students reach what the test handed over, and no more."""

from __future__ import annotations

import copy
import functools
import json
import pickle
import threading
from typing import Any

import cloudpickle
import numpy as np
import pytest

from nbproctor.expect import by_value, replaced
from nbproctor.judge.exports import (
    MODULE,
    Expired,
    Exports,
    NotExportableError,
    RefusedError,
)
from nbproctor.judge.proxy import CallableProxy, Handle
from nbproctor.protocol.frames import UnsendableError
from nbproctor.protocol.objects import Ref

SOURCE = """
import json
from collections import UserDict
from functools import partial
from types import SimpleNamespace

def square(x):
    return x * x

class Spy:
    rate = 0.5
    library = json

    def __init__(self):
        self.seen = []
        self._answer = 42
        self.module = json

    def forward(self, x):
        return x

    @staticmethod
    def scale(x):
        return x

    @property
    def shape(self):
        return (2, 3)

    def _hidden(self):
        return 42

class Anything:
    def __getattr__(self, name):
        return "made up"

class Table(UserDict):
    def first(self):
        return 1

class Tanh:
    def __call__(self, x):
        return x
"""


NONE = cloudpickle.dumps({})  # no method is sent by value
# The namespace of a test cell.
TEST: dict[str, Any] = {"__name__": MODULE}
exec(SOURCE, TEST)


@pytest.fixture
def exports() -> Exports:
    return Exports()


@pytest.mark.parametrize(
    ("value", "description"),
    [
        ("square", ("function", NONE, {})),
        ("Spy()", ("Spy", NONE, {}, "forward")),
        ("Spy().forward", ("method", NONE, {})),
        ("partial(square, 1)", ("partial", NONE, {})),
        ("SimpleNamespace(x=1)", ("SimpleNamespace", NONE, {"x": 1})),
        ("Table()", ("Table", NONE, {}, "first")),  # no method that a library wrote
    ],
)
def test_what_a_test_defines_can_be_handed_over(
    exports: Exports,
    value: str,
    description: tuple[Any, ...],
) -> None:
    assert exports.export(eval(value, TEST)) == Ref("judge", (0, *description))


@pytest.mark.parametrize(
    "value",
    [
        threading.Lock(),
        json.JSONEncoder(),
        np.random.default_rng(1),
        functools.partial(json.dumps, 1),
        json.JSONEncoder().encode,
        lambda: 1,
    ],
    ids=lambda value: type(value).__name__,
)
def test_an_object_that_is_not_the_test_s_own_is_not_handed_over(
    exports: Exports, value: Any
) -> None:
    with pytest.raises(NotExportableError):
        exports.export(value)


@pytest.mark.parametrize(
    ("value", "names"),
    [
        ("Spy()", "_answer _hidden __class__ __init__ __dict__ module library missing"),
        ("Anything()", "_x"),
        ("Table()", "update pop"),
        ("square", "__code__ __globals__ __closure__ func_code"),
    ],
)
def test_what_is_private_or_a_library_s_cannot_be_read(
    exports: Exports,
    value: str,
    names: str,
) -> None:
    for name in names.split():
        with pytest.raises(RefusedError):
            exports.get(eval(value, TEST), name)


def test_a_student_sets_a_value_and_no_code(exports: Exports) -> None:
    spy = TEST["Spy"]()
    exports.set(spy, "rate", 0.25)
    exports.set(spy, "new", 1)
    assert (spy.rate, spy.new, TEST["Spy"].rate) == (0.25, 1, 0.5)
    for target, name in (
        (spy, "forward"),
        (spy, "scale"),
        (spy, "_answer"),
        (spy, "__class__"),
        (TEST["Spy"], "rate"),
        (TEST["square"], "name"),
        (spy.forward, "name"),
        (functools.partial(TEST["square"]), "name"),
    ):
        with pytest.raises(RefusedError):
            exports.set(target, name, lambda *x: 1)
    assert (spy.forward(7), spy._answer, TEST["Spy"].rate) == (7, 42, 0.5)


def test_a_method_that_a_test_replaces_is_sent_as_it_is_now(exports: Exports) -> None:
    doubles = by_value(eval("lambda self, x: 2 * x", TEST))
    tanh = TEST["Tanh"]()
    with replaced(TEST["Tanh"], __call__=doubles):
        assert exports.export(tanh).fields[2] != NONE
    assert exports.export(tanh).fields[2] == NONE


def test_an_object_of_the_test_before_is_taken_back(exports: Exports) -> None:
    spy = TEST["Spy"]()
    exports.export(spy)
    exports.clear()
    with pytest.raises(RefusedError):
        exports.find(0)
    old = exports.resolve(0)
    assert type(old) is Expired
    with pytest.raises(UnsendableError):
        exports.export(old)
    # Its number is never another object's.
    assert exports.export(TEST["square"]).fields[0] == 1
    assert exports.export(spy).fields[0] == 2


class Silent:
    """The session of a process that is asked nothing."""

    def ask(self, *request: Any) -> Any:
        raise AssertionError(request)


@pytest.mark.parametrize("reads", [copy.copy, pickle.dumps, cloudpickle.dumps])
def test_no_library_asks_a_student_s_object_how_it_is_made(reads: Any) -> None:
    """It would import what the object says, and call it."""
    proxy = CallableProxy(Handle(Silent(), 1, "function f", None, ""))
    with pytest.raises(TypeError, match="cannot pickle"):
        reads(proxy)
