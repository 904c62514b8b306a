"""What a student is told of an exception of their own code in a hidden test."""

from collections.abc import Callable
from typing import Any, cast

import numpy as np
import pytest

from nbproctor import expect
from nbproctor.judge.exports import NotExportableError
from nbproctor.judge.proxy import StudentError
from nbproctor.judge.verdicts import explain

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


@pytest.mark.parametrize("hidden", [True, False])
def test_a_proxy_is_not_named(hidden: bool) -> None:
    error = TypeError("'Proxy' object is not callable")
    _, said = explain(error, SOURCES, hidden=hidden)
    assert said.endswith("an object of yours is not callable")


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


# --- what a test cell itself raises --------------------------------------------------

SECRET = 0.73105857


def judged(source: str, *, hidden: bool, **names: object) -> tuple[str, str]:
    """Return what is said of a test cell with this source."""
    code = compile(source, "<test area-test>", "exec")
    with pytest.raises(Exception) as caught:
        exec(code, {"np": np, "expect": expect, "secret": SECRET, **names})
    return explain(caught.value, SOURCES, hidden=hidden)


@pytest.mark.parametrize("hidden", [True, False])
def test_what_the_author_of_a_test_wrote_is_shown(hidden: bool) -> None:
    source = "assert secret == 0, 'area(1) is about 3.14\\nand more'"
    assert judged(source, hidden=hidden) == ("failed", "area(1) is about 3.14")


def test_what_expect_says_is_shown() -> None:
    source = "expect.expect_shape(np.zeros(3), (4,), 'area(1)')"
    outcome, said = judged(source, hidden=True)
    assert outcome == "failed"
    assert "area(1)" in said
    assert "(3,)" in said


def test_what_numpy_says_of_a_hidden_test_s_values_is_not_shown() -> None:
    values = "np.testing.assert_allclose(np.zeros(2), np.full(2, secret))"
    assert judged(values, hidden=True) == ("failed", "A hidden check fails.")
    assert "tolerance" in judged(values, hidden=False)[1]
    shapes = "np.testing.assert_allclose(np.zeros(2), np.full((3, 1), secret))"
    assert judged(shapes, hidden=True) == (
        "failed",
        "A hidden check fails: shapes (2,) and (3, 1) differ.",
    )


@pytest.mark.parametrize(
    ("hidden", "said"), [(True, "A hidden check fails."), (False, "A check fails.")]
)
def test_a_check_without_words_says_that_it_fails(hidden: bool, said: str) -> None:
    assert judged("assert secret == 0", hidden=hidden) == ("failed", said)


def test_an_exception_of_a_hidden_test_shows_no_value() -> None:
    source = "raise KeyError(secret)"
    assert judged(source, hidden=True) == (
        "failed",
        "Your answer could not be checked: it leads to a KeyError.",
    )
    assert str(SECRET) in judged(source, hidden=False)[1]
    # What helps and holds no value is said in a hidden test too.
    said = judged("np.zeros(3) + np.zeros(4)", hidden=True)[1]
    assert "TypeError" not in said
    assert "shapes (3,) (4,)" in said


def test_a_name_that_the_student_deleted_is_an_error_not_a_wrong_answer() -> None:
    outcome, said = judged("area(1)", hidden=True)
    assert outcome == "error"
    assert said.startswith("`area` does not exist")


def test_a_line_that_does_not_exist_is_not_quoted() -> None:
    for line in (0, 3, -1):
        error = StudentError()
        error.kind, error.cell, error.line = "ValueError", "area", line
        said = explain(error, SOURCES, hidden=True)[1]
        assert said == "Your code raised Exception in cell `area`"


def test_the_class_of_an_exception_is_named_if_the_student_wrote_it() -> None:
    error = StudentError()
    error.kind = "TooFlat"
    written = {"area": "class TooFlat(Exception): pass"}
    assert "raised TooFlat" in explain(error, written, hidden=True)[1]
    for made_up in ("TooFlatter", "Flat"):
        error.kind = made_up
        assert made_up not in explain(error, written, hidden=True)[1]


def test_a_test_that_hands_over_what_it_may_not_is_broken_not_failed() -> None:
    outcome, said = explain(NotExportableError("no Lock"), SOURCES, hidden=True)
    assert outcome == "not run"
    assert said == "This test is broken, tell your teacher: no Lock"


def test_an_exception_that_cannot_be_asked_for_its_text_is_explained() -> None:
    class MuteError(KeyError):
        def __str__(self) -> str:
            raise RuntimeError

    for hidden in (True, False):
        outcome, said = explain(MuteError(), SOURCES, hidden=hidden)
        assert outcome == "failed"
        assert "KeyError" in said


def test_a_long_name_is_shown_if_it_is_the_student_s_own() -> None:
    name = "weights_of_the_output_layer"
    text = f"name '{name}' is not defined"
    error = StudentError()
    error.kind, error.text = "NameError", text
    own = {"area": f"def area(r):\n    return {name}\n"}
    assert text in explain(error, own, hidden=True)[1]
    assert name not in explain(error, SOURCES, hidden=True)[1]
