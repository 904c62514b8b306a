"""Calls of a student's functions: with copies of the arguments, many in one message."""

import contextlib
import io
import warnings
from collections.abc import Iterator
from typing import Any, TypeAlias

from nbproctor.protocol.calls import (
    copy_values,
    make_calls,
    make_read_only,
    objects_in,
)

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
    names = dir(owner)
    with contextlib.ExitStack() as stack:
        for name, value in attributes.items():
            if name in names:
                stack.callback(setattr, owner, name, getattr(owner, name))
            else:
                stack.callback(delattr, owner, name)
            setattr(owner, name, value)
        yield


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
    # An object of the student's is no value, and no copy of it is sent.
    copied = copy_values([*calls], copies)
    if read_only:
        make_read_only(copied)
    parts = objects_in(copied)
    proxies = (part for part in parts if hasattr(type(part), "_nbproctor_calls"))
    proxy = next(proxies, None)
    with quiet():
        if proxy is None:
            answers = make_calls(copied, keep)
        else:
            answers = type(proxy)._nbproctor_calls(proxy, copied, keep)
    return _with_later_calls(answers, copied, proxy)


def _with_later_calls(
    answers: list[Any],
    calls: list[FunctionCall],
    proxy: Any,
) -> Iterator[Any]:
    """Yield the answers; then make the call that raised, and those after it."""
    yield from answers
    for function, *arguments in calls[len(answers) :]:
        with quiet():
            if proxy is None:
                answer = function(*arguments)
            else:
                answer = type(proxy)._nbproctor_call(proxy, function, arguments)
        yield answer
