"""Borrowers: objects that tests pass to student code, tried as answers.

An answer that only calls an object of a test has solved nothing. So it may not earn
more than a dummy answer, which raises an exception, returns nothing, returns its
argument, or gets every value wrong. If it earns more, the object gives a right answer
away: student code could store what the object returns.
"""

from __future__ import annotations

import ast
import copy
import inspect
import types
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from functools import wraps
from itertools import product
from typing import Any

import numpy as np

from nbproctor.judge.exports import (
    Exports,
    ReferenceFunction,
    is_of_test,
    public_attributes,
)
from nbproctor.markers import parse, walk_top_level

BORROWED_NAME = "_handed_over"  # the name of the call that is borrowed
LEAST = 6
_PLAIN = bool, int, float, str, tuple, list, dict, np.ndarray
Function = Callable[..., Any]
Call = tuple[str, Function]  # of a test's object: its name, and a function for it
Array = np.ndarray[Any, Any]


@dataclass(frozen=True)
class BorrowedAnswer:
    """A test's object, tried as the answer to an exercise."""

    exercise: str
    name: str
    says: str  # what the object earns or returns; empty if it is not a right answer


def find_calls(objects: Iterable[Any]) -> dict[Any, Call]:
    """Return the calls that an answer can make on the objects that tests pass to it.

    Each call is listed once, by its code, because helper cells define their classes
    again for every test. Student code can also reach the names in the code of a method
    that is passed by value.
    """
    calls: dict[Any, Call] = {}
    objects = [*objects]
    for value in objects:
        if isinstance(value, type | ReferenceFunction):
            continue
        offered: dict[str, Any] = {}
        if isinstance(value, types.FunctionType):
            offered[value.__name__] = value
        else:
            for name in ["__call__", *dir(value)]:
                if name == "__call__" or name[0] != "_":
                    title = f"{type(value).__qualname__}.{name}"
                    offered[title] = getattr(value, name, None)
        for title, call in offered.items():
            if callable(call):
                function = getattr(call, "__func__", call)
                code = getattr(function, "__code__", title)
                calls[code] = title, _borrowed(value, call)
                if hasattr(function, "_nbproctor_by_value"):
                    named = inspect.getclosurevars(function)
                    for names in (named.globals, named.nonlocals):
                        objects += filter(is_of_test, names.values())
    return calls


def _borrowed(target: Any, call: Function) -> Function:
    """Return a function that calls a test's object as student code could.

    The function takes the attributes of the answer's own object, and sets on the
    test's object those that may be set. It passes as many of its arguments as the call
    accepts. It returns the result and the public attributes of the test's object.
    """

    def ask(attributes: dict[str, Any], arguments: tuple[Any, ...]) -> Any:
        for key, value in attributes.items():
            with suppress(Exception):
                Exports().set(target, key, value)
        for count in range(len(arguments), -1, -1):
            try:
                result = call(*arguments[:count])
                break
            except TypeError:
                if not count:
                    raise
        return result, public_attributes(target, lambda x: isinstance(x, _PLAIN))

    return ask


class PassedArrays:
    """Arrays that tests pass to student code, to be searched for right results."""

    def __init__(self) -> None:
        self._arguments: dict[str, list[Array]] = defaultdict(list)
        self._results: dict[str, list[Array]] = defaultdict(list)

    def note(
        self,
        exercise: str,
        arguments: list[Array],
        results: list[Array],
    ) -> None:
        """Record arguments and results of a right solution of an exercise."""
        self._arguments[exercise] += arguments
        self._results[exercise] += results

    def exercises_passing(self, exercise: str) -> Iterator[BorrowedAnswer]:
        """Yield the other exercises whose tests pass one of its results as argument."""
        for other, arrays in self._arguments.items():
            is_passed = any(
                array.shape == result.shape and np.allclose(array, result)
                for array, result in product(arrays, self._results[exercise])
            )
            if is_passed and other != exercise:
                yield BorrowedAnswer(
                    exercise=exercise,
                    name=f"an array that tests pass to {other}",
                    says="it is the correct result of a call",
                )


# ---- in the student's process --------------------------------------------------------


def decorate_functions(source: str, decorator: str) -> str:
    """Return a solution cell whose functions have a decorator from this module.

    `decorator` is a name, or a call such as ``borrows(call)``. Returns an empty
    text if the cell is not Python or defines no function.
    """
    tree = parse(source)
    functions = [
        node
        for node in walk_top_level(tree, ast.FunctionDef)
        if isinstance(node, ast.FunctionDef)
        and node.name not in ("__init__", "__new__")
    ]
    if not functions:
        return ""
    added = parse(f"borrowers.{decorator}").body[0]
    assert isinstance(added, ast.Expr)
    for function in functions:
        function.decorator_list.append(added.value)
    return f"from nbproctor.audit import borrowers\n{ast.unparse(tree)}"


def make_decorator(behaviour: Function) -> Callable[[Function], Function]:
    """Return a decorator that replaces a function by `behaviour`.

    `behaviour` takes the function, its positional arguments and its keyword arguments.
    """

    def decorate(function: Function) -> Function:
        @wraps(function)
        def replaced(*arguments: Any, **named: Any) -> Any:
            return behaviour(function, arguments, named)

        return replaced

    return decorate


def borrows(call: Function) -> Callable[[Function], Function]:
    """Replace a function by a call of a test's object."""

    @make_decorator
    def borrow(
        _: Function,
        arguments: tuple[Any, ...],
        named: dict[str, Any],
    ) -> Any:
        values = (*arguments, *named.values())
        attributes = {}
        if arguments and hasattr(arguments[0], "__dict__"):
            attributes = vars(arguments[0])
            values = values[1:]
        result, state = call(attributes, values)
        attributes.update(state)
        return result

    return borrow


def notes(note: Function) -> Callable[[Function], Function]:
    """Record the arrays among the arguments and results of a function."""

    @make_decorator
    def noting(
        function: Function,
        arguments: Any,
        named: dict[str, Any],
    ) -> Any:
        passed = [*arrays_in(arguments), *arrays_in(named)]
        passed = copy.deepcopy(passed)
        result = function(*arguments, **named)
        note(passed, [*arrays_in(result)])
        return result

    return noting


def arrays_in(value: Any) -> Iterator[Array]:
    """Yield the arrays in a value that hardly equal another array by chance.

    They have at least `LEAST` elements, and not all of these are equal.
    """
    if isinstance(value, dict):
        value = [*value.values()]
    if isinstance(value, list | tuple):
        for part in value:
            yield from arrays_in(part)
    elif (
        isinstance(value, np.ndarray)
        and value.dtype.kind in "iufc"  # `ptp` fails for booleans
        and value.size >= LEAST
        and np.ptp(value)
    ):
        yield value


@make_decorator
def raises(*_: Any) -> Any:
    """Let a function raise an exception."""
    raise NotImplementedError


@make_decorator
def returns_nothing(*_: Any) -> Any:
    """Let a function do nothing and return None."""


@make_decorator
def returns_argument(
    _: Function,
    arguments: tuple[Any, ...],
    __: Any,
) -> Any:
    """Let a function return its last argument."""
    return arguments[-1]


@make_decorator
def makes_wrong_values(
    function: Function,
    arguments: Any,
    named: Any,
) -> Any:
    """Make wrong all values that a function returns, or sets in its own object."""
    owner = getattr(arguments[0], "__dict__", {}) if arguments else {}
    before = dict(owner)
    result = function(*arguments, **named)
    for name, value in list(owner.items()):
        if value is not before.get(name):
            owner[name] = make_wrong(value)
    return make_wrong(result)


DUMMY_ANSWERS = "raises", "returns_nothing", "returns_argument", "makes_wrong_values"


def make_wrong(value: Any) -> Any:
    """Return a value of the same type and shape that is wrong everywhere."""
    if isinstance(value, dict):
        return {key: make_wrong(each) for key, each in value.items()}
    if isinstance(value, list | tuple):
        return type(value)(map(make_wrong, value))
    kind = np.asarray(value).dtype.kind
    if kind == "b":
        return np.logical_not(value)
    if kind in "iu":
        return value + 1
    if kind in "fc":
        return value * 1.7 + 0.3
    return value
