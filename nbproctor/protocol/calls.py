"""Several calls in one message, made in turn in the process that has the functions."""

import copy
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

import numpy as np

from nbproctor.protocol.objects import read_reference
from nbproctor.protocol.table import Row, add_rows

# Types of answers that a later call may change.
VALUES = np.ndarray, dict, list, tuple


@dataclass(frozen=True)
class Answer:
    """The answer to an earlier call in the same message, given by its position."""

    position: int


add_rows(
    Row(
        tag="answer",
        fields="integer",
        classes=Answer,
        write=lambda sender, answer, depth: ["answer", answer.position],
        # The judge accepts none from a student's process: in the judge's next calls, it
        # would be replaced by the answer of another function.
        read=read_reference,
    )
)


def fill_in(call: Sequence[Any], answers: Sequence[Any]) -> list[Any]:
    """Return a function and its arguments, with each `Answer` replaced by its value."""
    parts = []
    for part in call:
        if type(part) is Answer:
            part = answers[part.position]
        parts.append(part)
    return parts


def _parts(value: Any) -> Iterator[Any]:
    """Yield the parts of tuples, lists and dictionaries, or the value itself."""
    if isinstance(value, dict | list | tuple):
        for part in value.values() if isinstance(value, dict) else value:
            yield from _parts(part)
    else:
        yield value


def objects_in(value: Any) -> Iterator[Any]:
    """Yield the objects in a value whose type is not in `VALUES`."""
    return (part for part in _parts(value) if not isinstance(part, np.ndarray))


def copy_values(value: Any, memo: dict[int, Any] | None = None) -> Any:
    """Copy arrays, lists, tuples and dictionaries deeply, but no object in them."""
    memo = {} if memo is None else memo
    memo |= {id(part): part for part in objects_in(value)}
    return copy.deepcopy(value, memo)


def _copy_answer(answer: Any) -> Any:
    """Copy an answer if possible; otherwise return the answer itself."""
    try:
        return copy_values(answer)
    except Exception:  # a student's class may answer any name, also ``__deepcopy__``
        return answer


def _copy_plainly(value: Any) -> Any:
    """Copy arrays and dictionaries, without the methods of a derived class."""
    if isinstance(value, np.ndarray):
        return np.array(value)
    if isinstance(value, dict):
        return {key: _copy_plainly(part) for key, part in dict.items(value)}
    return value


def make_read_only(value: Any) -> None:
    """Make arrays read-only, also those in tuples, lists and dictionaries."""
    for part in _parts(value):
        if isinstance(part, np.ndarray):
            part.flags.writeable = False


def make_object(kind: Any, attributes: Mapping[str, Any] | None) -> Any:
    """Make an object that has these attributes; if they are None, call ``__init__``."""
    if attributes is None:
        return kind()
    new_object = kind.__new__(kind)
    for name, value in attributes.items():
        setattr(new_object, name, value)
    return new_object


def call_method(
    kind: Any,
    name: str,
    attributes: Mapping[str, Any] | None,
    arguments: Sequence[Any],
    reads: Sequence[str],
    read_only: bool,
) -> list[Any]:
    """Call a method of a new object; return its answer and the attributes in `reads`.

    An attribute that the object does not have is None. With `read_only`, arrays in the
    arguments are read-only.
    """
    owner = make_object(kind, attributes)
    if read_only:
        make_read_only(arguments)
    answers = [_copy_answer(getattr(owner, name)(*arguments))]
    for attribute in reads:
        answers.append(_copy_answer(getattr(owner, attribute, None)))
    return answers


def set_in_place(
    owner: Any,
    name: str,
    value: Any,
) -> None:
    """Set an attribute; if possible, by copying the numbers into its present array."""
    array = getattr(owner, name, None)
    if type(array) is type(value) is np.ndarray and array.shape == value.shape:
        with suppress(Exception):
            np.copyto(array, value)
            return
    setattr(owner, name, value)


def answer_and_overwrite(function: Any, *arguments: Any) -> Any:
    """Return a copy of what a function answers, and overwrite the answer's arrays."""
    answer = function(*arguments)
    before = _copy_plainly(answer)  # it is overwritten below, so never the same
    arrays = answer.values() if isinstance(answer, dict) else [answer]
    for array in arrays:
        with suppress(Exception):  # it is not an array, or it is read-only
            np.copyto(array, 1 - array)
    return before


def make_calls(calls: Sequence[tuple[Any, ...]], keep: bool) -> list[Any]:
    """Make calls, each ``(function, *arguments)``, until one raises an exception.

    The function or an argument may be an `Answer`. Returns the answers themselves with
    `keep`, and otherwise copies of their present values.
    """
    answers: list[Any] = []
    copies = []
    with suppress(Exception):
        for call in calls:
            function, *arguments = fill_in(call, answers)
            answer = function(*arguments)
            answers.append(answer)
            copies.append(answer if keep else _copy_answer(answer))
    return copies
