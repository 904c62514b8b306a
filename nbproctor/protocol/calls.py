"""Calls in one message, made one after another where their functions are."""

import copy
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

import numpy as np

from nbproctor.protocol.objects import read_reference
from nbproctor.protocol.table import Row, add_rows

# A later call may change answers of these types.
VALUES = np.ndarray, dict, list, tuple


@dataclass(frozen=True)
class Answer:
    """Stands for the answer to an earlier call of the same message, by its position."""

    position: int


add_rows(
    Row(
        tag="answer",
        fields="integer",
        classes=Answer,
        write=lambda sender, answer, depth: ["answer", answer.position],
        # A student's process may send none: in a later call of the judge's, it would
        # stand for what another function answers there.
        read=read_reference,
    )
)


def fill_in(call: Sequence[Any], answers: Sequence[Any]) -> list[Any]:
    """Return a function and its arguments, with earlier answers where they belong."""
    return [answers[each.position] if type(each) is Answer else each for each in call]


def _parts(value: Any) -> Iterator[Any]:
    """Yield what tuples, lists and dictionaries hold, or the value itself."""
    if isinstance(value, dict | list | tuple):
        for part in value.values() if isinstance(value, dict) else value:
            yield from _parts(part)
    else:
        yield value


def objects_in(value: Any) -> Iterator[Any]:
    """Yield the objects in a value that are of none of the types `VALUES`."""
    return (part for part in _parts(value) if not isinstance(part, np.ndarray))


def copy_values(value: Any, memo: dict[int, Any] | None = None) -> Any:
    """Copy arrays, lists, tuples and dictionaries deeply, but no object in them."""
    memo = {} if memo is None else memo
    memo |= {id(part): part for part in objects_in(value)}
    return copy.deepcopy(value, memo)


def _copy_answer(answer: Any) -> Any:
    """Copy an answer, if it lets itself be copied."""
    try:
        return copy_values(answer)
    except Exception:  # a class of the student's that answers wrong names, too
        return answer


def _copy_plainly(value: Any) -> Any:
    """Copy arrays and dictionaries; whatever a class derived from them says of that."""
    if isinstance(value, np.ndarray):
        return np.array(np.ndarray.view(value, np.ndarray))
    if isinstance(value, dict):
        return {key: _copy_plainly(part) for key, part in dict.items(value)}
    return value


def make_read_only(value: Any) -> None:
    """Make arrays read-only, also those in tuples, lists and dictionaries."""
    for part in _parts(value):
        if isinstance(part, np.ndarray):
            part.flags.writeable = False


def make_object(kind: Any, attributes: Mapping[str, Any] | None) -> Any:
    """Make an object without ``__init__`` that has attributes; with it, if None."""
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
    """Call a method of a new object; return its answer, and attributes after it.

    What the object lacks is None. With `read_only`, arrays in the arguments are.
    """
    owner = make_object(kind, attributes)
    if read_only:
        make_read_only(arguments)
    answer = _copy_answer(getattr(owner, name)(*arguments))
    return [answer, *(_copy_answer(getattr(owner, each, None)) for each in reads)]


def set_in_place(
    owner: Any,
    name: str,
    value: Any,
) -> None:
    """Set an attribute: the numbers of its own array, if it can hold these."""
    array = getattr(owner, name, None)
    if type(array) is type(value) is np.ndarray and array.shape == value.shape:
        with suppress(Exception):
            np.copyto(array, value)
            return
    setattr(owner, name, value)


def answer_and_overwrite(function: Any, *arguments: Any) -> Any:
    """Return what a function answers, and overwrite the arrays that it answered."""
    answer = function(*arguments)
    before = _copy_plainly(answer)
    arrays = answer.values() if isinstance(answer, dict) else [answer]
    for array in arrays:
        with suppress(Exception):  # it is no array, or read-only
            np.copyto(array, 1 - array)
    return before


def make_calls(calls: Sequence[tuple[Any, ...]], keep: bool) -> list[Any]:
    """Make calls, ``(function, *arguments)`` each, until one raises.

    Any of these may be an `Answer`. With `keep` an answer is the object itself, else a
    copy of the value that it is now.
    """
    answers: list[Any] = []
    copies = []
    with suppress(Exception):
        for call in calls:
            function, *arguments = fill_in(call, answers)
            answers.append(function(*arguments))
            copies.append(answers[-1] if keep else _copy_answer(answers[-1]))
    return copies
