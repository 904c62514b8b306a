"""Calls in one message, made one after another where their functions are."""

import copy
from collections.abc import Sequence
from contextlib import suppress
from typing import Any

import numpy as np

# A later call may change answers of these types.
VALUES = np.ndarray, dict, list, tuple


def make_object(kind: Any, names: Sequence[str], *values: Any) -> Any:
    """Make an object without ``__init__``, and give it attributes."""
    new_object = kind.__new__(kind)
    for name, value in zip(names, values, strict=True):
        setattr(new_object, name, value)
    return new_object


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
    before = copy.deepcopy(answer)
    arrays = answer.values() if isinstance(answer, dict) else [answer]
    for array in arrays:
        with suppress(Exception):  # it is no array, or read-only
            np.copyto(array, 1 - array)
    return before


def make_calls(calls: Sequence[tuple[Any, ...]], keep: bool) -> list[Any]:
    """Make calls, ``(function, *arguments)`` each, until one raises.

    With `keep` an answer is the object itself, else a copy of the value that it is now.
    """
    answers = []
    with suppress(Exception):
        for function, *arguments in calls:
            answer = function(*arguments)
            if isinstance(answer, VALUES) and not keep:
                answer = copy.deepcopy(answer)
            answers.append(answer)
    return answers
