"""Calls of a student's functions: with copies of the arguments, many in one message."""

import contextlib
import io
import warnings
from collections.abc import Callable, Iterator
from typing import Any, TypeAlias, TypeVar

from nbproctor.protocol.calls import (
    copy_values,
    fill_in,
    make_calls,
    make_read_only,
    objects_in,
)

Method = TypeVar("Method", bound=Callable[..., Any])
#: A function, and its arguments.
FunctionCall: TypeAlias = tuple[Any, ...]


@contextlib.contextmanager
def quiet() -> Iterator[None]:
    """Suppress warnings and progress bars on stderr."""
    with warnings.catch_warnings(), contextlib.redirect_stderr(io.StringIO()):
        warnings.simplefilter("ignore")
        yield


@contextlib.contextmanager
def replaced(owner: Any, **attributes: Any) -> Iterator[None]:
    """Replace methods or attributes of a class, and restore them at the end.

    All objects of the class then have them. Attributes that did not exist before are
    removed at the end.
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


def by_value(method: Method) -> Method:
    """Send a method of a test's class by value: a call of it needs no message.

    A decorator. The method runs in the student's process and can use the public
    attributes of its object. Student code can read the method's code and every function
    that it names, so never decorate a right answer, or a method that stores its calls.

    Examples
    --------
    >>> class Activation:
    ...     @by_value
    ...     def __call__(self, z):
    ...         return np.sinh(z)
    """
    method._nbproctor_by_value = True  # type: ignore[attr-defined]
    return method


def answers_of(
    *calls: FunctionCall,
    keep: bool = False,
    copies: dict[int, Any] | None = None,
    read_only: bool = False,
) -> Iterator[Any]:
    """Make calls, each ``(function, *arguments)``, in turn, and yield their answers.

    If a function or an argument belongs to the student, all calls are sent in one
    message. The calls get copies of the arguments; an array that occurs twice is copied
    once. ``operator.iadd`` and ``setattr`` are possible calls, too. With `keep`, an
    earlier answer shows what a later call has changed in it; otherwise, each answer is
    copied immediately. `copies` receives the copy of each argument, by its id, and
    shows what the calls have changed. With `read_only`, arrays are read-only, so a call
    that would change one raises an exception. An exception is raised when the answer to
    its call is next. In later calls, ``Answer(0)`` stands for the answer to the first.
    """
    # An object of the student is not a value, so no copy of it is sent.
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
    for call in calls[len(answers) :]:
        function, *arguments = fill_in(call, answers)
        with quiet():
            if proxy is None:
                answer = function(*arguments)
            else:
                answer = type(proxy)._nbproctor_call(proxy, function, arguments)
        answers.append(answer)
        yield answer
