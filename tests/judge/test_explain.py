"""What a student is told of an exception of their own code in a hidden test."""

from collections.abc import Callable
from typing import Any, cast

import numpy as np
import pytest

from nbproctor.judge.explain import explain
from nbproctor.judge.student_errors import StudentError

MATRIX, THREE = np.zeros((3, 4)), cast(Any, 3)
SOURCES = {"area": "def area(r):\n    return rr * r\n"}


def two(a: object, b: object) -> None: ...


def endless() -> None:
    endless()


# Raised for real, so that a new wording of Python's or NumPy's shows here.
REAL: list[Callable[[], object]] = [
    lambda: MATRIX + np.zeros((2, 2)),
    lambda: MATRIX.__iadd__(np.zeros((5, 3, 4))),
    lambda: MATRIX.__setitem__(slice(2), np.zeros((3, 3))),
    lambda: MATRIX.dot(MATRIX),
    lambda: MATRIX @ MATRIX,
    lambda: MATRIX @ 3.0,
    lambda: bool(MATRIX),
    lambda: MATRIX.foo,  # type: ignore[attr-defined]
    lambda: MATRIX[7],
    lambda: MATRIX.sum(axis=5),
    lambda: MATRIX.reshape(5, 5),
    lambda: MATRIX.reshape(5, -1),
    lambda: np.concatenate([MATRIX, np.zeros(3)]),
    lambda: rr,  # type: ignore[name-defined]  # noqa: F821
    lambda: two(1),  # type: ignore[call-arg]
    lambda: two(1, 2, 3),  # type: ignore[call-arg]
    lambda: two(1, a=3),  # type: ignore[call-arg,misc]
    lambda: "a" + 1,  # type: ignore[operator]
    lambda: None**2,  # type: ignore[operator]
    lambda: None < 3,  # type: ignore[operator]
    lambda: THREE(),
    lambda: THREE[0],
    lambda: len(THREE),
    lambda: [1][4],
    lambda: 1 / 0,
    lambda: 1.0 // 0,
    lambda: 1 % 0,
    endless,
]


def told(text: str) -> str:
    error = StudentError()
    error.kind, error.text, error.cell, error.line = "ValueError", text, "area", 2
    return explain(error, SOURCES, hidden=True)[1]


def message(code: Callable[[], object]) -> str:
    with pytest.raises(Exception) as caught:
        code()
    return str(caught.value)


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("code", REAL)
def test_a_message_that_helps_is_shown(code: Callable[[], object]) -> None:
    text = message(code)
    assert text.strip() in told(text), text


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("code", REAL)
def test_a_message_with_anything_more_in_it_is_not(code: Callable[[], object]) -> None:
    text = message(code)
    for forged in (
        f"{text} 0.73105857",
        f"0.73105857 {text}",
        text.replace(" ", " x "),
    ):
        assert told(forged) == (
            "Your code raised Exception in cell `area`, line 2: `return rr * r`"
        )


@pytest.mark.parametrize("name", ["x" * 30, "n73105857863000487925"])
def test_a_name_that_carries_data_is_not_shown(name: str) -> None:
    assert name not in told(f"name '{name}' is not defined")
    assert name not in told(f"{name}() missing 1 required positional argument: 'r'")


def test_a_stub_says_that_it_is_not_solved() -> None:
    error = StudentError()
    error.kind, error.cell, error.line = "NotImplementedError", "area", 1
    sources = {"area": "def area(r): raise NotImplementedError"}
    assert explain(error, sources, hidden=True) == (
        "error",
        "Not solved yet: NotImplementedError in cell `area`, line 1: "
        "`def area(r): raise NotImplementedError`",
    )


@pytest.mark.parametrize(
    ("cell", "where"),
    [
        (None, "when your code was called"),
        ("reference", "in code of another exercise"),
        ("area", "in cell `area`, line 2: `return rr * r`"),
    ],
)
def test_only_lines_of_the_students_own_are_quoted(
    cell: str | None, where: str
) -> None:
    error = StudentError()
    error.kind, error.cell, error.line = "ValueError", cell, 2
    assert explain(error, SOURCES, hidden=True)[1] == (
        f"Your code raised Exception {where}"
    )


def test_a_public_test_says_everything() -> None:
    error = StudentError()
    error.kind, error.text, error.cell, error.line = "ValueError", "r is 3", "area", 2
    assert "(r is 3)" in explain(error, SOURCES, hidden=False)[1]
    assert "r is 3" not in explain(error, SOURCES, hidden=True)[1]
