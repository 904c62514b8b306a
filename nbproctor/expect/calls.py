"""Calls of a student's functions: with copies of the arguments, many in one message."""

import contextlib
import copy
import io
import warnings
from collections.abc import Iterator
from typing import Any, TypeAlias

import numpy as np

from nbproctor.protocol.calls import VALUES, make_calls

#: A function, and its arguments.
FunctionCall: TypeAlias = tuple[Any, ...]


@contextlib.contextmanager
def quiet() -> Iterator[None]:
    """Drop what is no part of an answer: warnings, and progress bars on stderr."""
    with warnings.catch_warnings(), contextlib.redirect_stderr(io.StringIO()):
        warnings.simplefilter("ignore")
        yield


@contextlib.contextmanager
def replaced(owner: Any, **attributes: Any) -> Iterator[None]:
    """Give a class other methods or attributes, and take them back.

    So all its objects have them, whoever makes these. What was not there before is
    removed again.
    """
    before = {name: getattr(owner, name) for name in attributes if name in dir(owner)}
    try:
        for name, value in attributes.items():
            setattr(owner, name, value)
        yield
    finally:
        for name in attributes:
            if name in before:
                setattr(owner, name, before[name])
            else:
                delattr(owner, name)


def answers_of(
    *calls: FunctionCall,
    keep: bool = False,
    copies: dict[int, Any] | None = None,
    read_only: bool = False,
) -> Iterator[Any]:
    """Yield what calls answer, made one after another: ``(function, *arguments)`` each.

    If any part is a student's, one message asks all. They get copies of the arguments,
    the same one of an array that comes twice; ``operator.iadd`` and ``setattr`` may
    stand between them. With `keep`, what a later call has changed in an earlier answer
    shows; else each answer is copied at once. `copies` gets the copy of each argument,
    by the id of that: what calls have changed shows there. With `read_only`, arrays
    are, so a call that would change one raises. A call that raises does so when its
    turn comes.
    """
    parts = [part for call in calls for part in call]
    # An object of the student's is no value, and no copy of it is sent.
    memo = {} if copies is None else copies
    memo |= {id(part): part for part in parts if not isinstance(part, VALUES)}
    copied: list[FunctionCall] = []
    for function, *arguments in calls:
        copied.append((function, *copy.deepcopy(arguments, memo)))
    if read_only:
        _make_read_only(copied)
    proxies = (part for part in parts if hasattr(type(part), "_nbproctor_calls"))
    proxy = next(proxies, None)
    with quiet():
        if proxy is None:
            answers = make_calls(copied, keep)
        else:
            answers = type(proxy)._nbproctor_calls(proxy, copied, keep)
    return _with_later_calls(answers, copied)


def _make_read_only(value: Any) -> None:
    """Make arrays read-only, also those in tuples, lists and dictionaries."""
    if isinstance(value, np.ndarray):
        value.flags.writeable = False
    elif isinstance(value, dict | list | tuple):
        for entry in value.values() if isinstance(value, dict) else value:
            _make_read_only(entry)


def _with_later_calls(answers: list[Any], calls: list[FunctionCall]) -> Iterator[Any]:
    """Yield the answers; then make the call that raised, and those after it."""
    yield from answers
    for function, *arguments in calls[len(answers) :]:
        with quiet():
            answer = function(*arguments)
        yield answer
