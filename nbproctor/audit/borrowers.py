"""Borrowers: objects that tests pass to student code, tried as answers.

An answer that calls an object of a test has solved nothing. So it may earn only what a
dummy answer earns: one that raises an exception, returns nothing or its argument, or in
which every value is wrong. If it earns more, that object is a right answer for code
that stores what the object returns.
"""

from __future__ import annotations

import ast
import copy
import types
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from functools import wraps
from typing import Any, NamedTuple

import numpy as np

from nbproctor.cells import parse_code
from nbproctor.judge.exports import Exports, ReferenceFunction
from nbproctor.judge.testcell import MODULE

LENT = "_handed_over"  # the name of the call that is borrowed
_PLAIN = bool, int, float, str, tuple, list, dict, np.ndarray
Function = Callable[..., Any]
Array = np.ndarray[Any, Any]


class Borrowed(NamedTuple):
    """A call that a test's object offers, as `borrows` makes it."""

    name: str
    call: Function


def calls_of(objects: Iterable[Any]) -> dict[Any, Borrowed]:
    """Return what an answer could call on the objects that tests pass to it.

    Each call is listed once, by its code: helper cells make their classes again for
    every test.
    """
    calls: dict[Any, Borrowed] = {}
    for value in objects:
        if isinstance(value, types.FunctionType):
            calls[value.__code__] = _borrowed(value.__name__, value, value)
        elif not isinstance(value, type | ReferenceFunction):
            kind = type(value)
            public = [name for name in dir(value) if not name.startswith("_")]
            for name in [*public, "__call__"]:
                call = getattr(value, name, None)
                if callable(call):
                    title = f"{kind.__qualname__}.{name}"
                    code = getattr(getattr(call, "__func__", call), "__code__", title)
                    calls[code] = _borrowed(title, value, call)
    return calls


def _borrowed(name: str, target: Any, call: Function) -> Borrowed:
    """Make a function that calls a test's object as a student could.

    It gets the attributes of the answer's own object, sets those that it may, and
    passes on as many of the arguments as are taken.
    """

    def ask(attributes: dict[str, Any], arguments: tuple[Any, ...]) -> Any:
        for key, value in attributes.items():
            with suppress(Exception):
                Exports(MODULE).set(target, key, value)
        for count in range(len(arguments), -1, -1):
            try:
                result = call(*arguments[:count])
                break
            except TypeError:
                if not count:
                    raise
        state = getattr(target, "__dict__", {}).items()
        public = {k: v for k, v in state if isinstance(v, _PLAIN) and k[0] != "_"}
        return result, public

    return Borrowed(name, ask)


class HandedArrays:
    """Arrays that tests pass to student code, in which right results are looked for.

    Arrays smaller than `LEAST`, or with the same number everywhere, may be equal by
    chance.
    """

    LEAST = 6

    def __init__(self) -> None:
        self._arguments: dict[str, list[Array]] = defaultdict(list)
        self._results: dict[str, list[Array]] = defaultdict(list)

    def note(self, exercise: str, arguments: list[Any], result: Any) -> None:
        """Note what a right solution of an exercise was called with, and returned."""
        for arrays, value in (
            (self._arguments[exercise], arguments),
            (self._results[exercise], result),
        ):
            large = [each for each in _arrays_in(value) if each.size >= self.LEAST]
            arrays += [array for array in large if np.ptp(array)]

    def lenders_of(self, exercise: str) -> list[str]:
        """Return the other exercises whose tests pass on one of its results."""
        return [
            other
            for other, arrays in self._arguments.items()
            if other != exercise
            and any(
                array.shape == result.shape and np.allclose(array, result)
                for array in arrays
                for result in self._results[exercise]
            )
        ]


def _arrays_in(value: Any) -> Iterator[Array]:
    if isinstance(value, dict | list | tuple):
        for part in value.values() if isinstance(value, dict) else value:
            yield from _arrays_in(part)
    elif isinstance(value, np.ndarray) and value.dtype.kind in "biufc":
        yield value


# ---- in the student's process --------------------------------------------------------


def decorated(source: str, decorator: str, *lent: str) -> str | None:
    """Return a solution cell whose functions are decorated by a function from here.

    That is called first with a function that is `lent`, if there is one. The cell has
    to be plain Python and define functions; otherwise there is none.
    """
    try:
        tree = parse_code(source)
    except SyntaxError:
        return None
    bodies = [node.body for node in tree.body if isinstance(node, ast.ClassDef)]
    functions = [
        node
        for body in (tree.body, *bodies)
        for node in body
        if isinstance(node, ast.FunctionDef)
        and node.name not in ("__init__", "__new__")
    ]
    applied: ast.expr = ast.Name(decorator, ast.Load())
    if lent:
        applied = ast.Call(applied, [ast.Name(name, ast.Load()) for name in lent], [])
    for function in functions:
        function.decorator_list.append(applied)
    imported = f"from {__name__} import {decorator}\n"
    return imported + ast.unparse(tree) if functions else None


def borrows(call: Function) -> Callable[[Function], Function]:
    """Replace a function by a call of a test's object."""

    def decorate(function: Function) -> Function:
        @wraps(function)
        def borrowing(*arguments: Any, **named: Any) -> Any:
            owner = arguments[0] if arguments else None
            if not hasattr(owner, "__dict__"):
                return call({}, (*arguments, *named.values()))[0]
            result, state = call(vars(owner), (*arguments[1:], *named.values()))
            vars(owner).update(state)
            return result

        return borrowing

    return decorate


def notes(note: Function) -> Callable[[Function], Function]:
    """Record the arguments and results of a function."""

    def decorate(function: Function) -> Function:
        @wraps(function)
        def noting(*arguments: Any, **named: Any) -> Any:
            values = (*arguments, *named.values())
            plain = [value for value in values if isinstance(value, _PLAIN)]
            plain = copy.deepcopy(plain)
            result = function(*arguments, **named)
            note(plain, result if isinstance(result, _PLAIN) else None)
            return result

        return noting

    return decorate


def raises(function: Function) -> Function:
    """Let a function raise an exception."""

    @wraps(function)
    def raising(*_: Any, **__: Any) -> Any:
        raise NotImplementedError

    return raising


def returns_nothing(function: Function) -> Function:
    """Let a function do and return nothing."""
    return wraps(function)(lambda *_, **__: None)


def returns_argument(function: Function) -> Function:
    """Let a function return its last argument."""
    return wraps(function)(lambda *arguments, **_: arguments[-1])


def makes_wrong_values(function: Function) -> Function:
    """Let every value be wrong that a function returns, or sets in its own object."""

    @wraps(function)
    def spoiled(*arguments: Any, **named: Any) -> Any:
        owner = getattr(arguments[0], "__dict__", {}) if arguments else {}
        before = dict(owner)
        result = function(*arguments, **named)
        for name, value in list(owner.items()):
            if value is not before.get(name):
                owner[name] = wrong(value)
        return wrong(result)

    return spoiled


DULL = "raises", "returns_nothing", "returns_argument", "makes_wrong_values"


def wrong(value: Any) -> Any:
    """Return a value of the same type and shape that is wrong everywhere."""
    if isinstance(value, dict):
        return {key: wrong(each) for key, each in value.items()}
    if isinstance(value, list | tuple):
        return type(value)(map(wrong, value))
    kind = np.asarray(value).dtype.kind
    if kind == "b":
        return np.logical_not(value)
    if kind in "iu":
        return value + 1
    return value * 1.7 + 0.3 if kind in "fc" else value
