"""What a student is told of an exception of their own code in a hidden test."""

from typing import Any

import numpy as np
import pytest

from nbproctor import expect
from nbproctor.judge.exports import NotExportableError
from nbproctor.judge.proxy import StudentError
from nbproctor.judge.verdicts import explain

SOURCES = {"area": "def area(r):\n    return rr * r\n"}


# Run for real, so that a new wording of Python's or NumPy's shows here.
REAL = """\
MATRIX + np.zeros((2, 2))
MATRIX.__iadd__(np.zeros((5, 3, 4)))
MATRIX.__setitem__(slice(2), np.zeros((3, 3)))
MATRIX.dot(MATRIX)
MATRIX @ MATRIX
MATRIX @ 3.0
bool(MATRIX)
MATRIX.foo
MATRIX[7]
MATRIX.sum(axis=5)
MATRIX.reshape(5, 5)
MATRIX.reshape(5, -1)
np.concatenate([MATRIX, np.zeros(3)])
rr
two(1)
two(1, 2, 3)
two(1, a=3)
"a" + 1
None**2
None < 3
three()
three[0]
len(three)
[1][4]
1 / 0
1.0 // 0
1 % 0
endless()"""
NAMES = {
    "np": np,
    "MATRIX": np.zeros((3, 4)),
    "three": 3,
}
exec("def two(a, b): pass\ndef endless(): endless()", NAMES)


def explain_to_student(kind: str = "ValueError", text: str = "", **more: Any) -> str:
    """Return what is said of an exception in a student's code."""
    error = StudentError()
    error.kind = kind
    error.text = text
    error.cell = more.get("cell", "area")
    error.line = more.get("line", 2)
    sources = {"area": more["own"]} if "own" in more else SOURCES
    return explain(error, sources, hidden=more.get("hidden", True))[1]


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("code", REAL.splitlines())
def test_a_message_that_helps_is_shown_and_with_anything_more_in_it_not(
    code: str,
) -> None:
    with pytest.raises(Exception) as caught:
        eval(code, NAMES)
    text = str(caught.value)
    assert text.strip() in explain_to_student(text=text), text
    for forged in (
        f"{text} 0.73105857",
        f"0.73105857 {text}",
        text.replace(" ", " x "),
    ):
        assert explain_to_student(text=forged) == (
            "Your code raised Exception in cell `area`, line 2: `return rr * r`"
        )


STUB = "def area(r): raise NotImplementedError"
FLAT = "class TooFlat(Exception): pass"
LONG = "weights_of_the_output_layer"
HERE = "Your code raised Exception in cell `area`"


@pytest.mark.parametrize(
    ("raised", "explanation"),
    [
        (
            {
                "kind": "NotImplementedError",
                "line": 1,
                "own": STUB,
            },
            "Not solved yet: NotImplementedError in cell `area`, line 1: "
            "`def area(r): raise NotImplementedError`",
        ),
        ({}, f"{HERE}, line 2: `return rr * r`"),
        # Only lines of the student's own are quoted.
        ({"cell": None}, "Your code raised Exception when your code was called"),
        *(({"line": line}, HERE) for line in (0, 3, -1)),
        # A class is named if the student wrote it.
        (
            {
                "kind": "TooFlat",
                "line": 0,
                "own": FLAT,
            },
            HERE.replace("Exception", "TooFlat"),
        ),
        (
            {
                "kind": "TooFlatter",
                "line": 0,
                "own": FLAT,
            },
            HERE,
        ),
        (
            {
                "kind": "Flat",
                "line": 0,
                "own": FLAT,
            },
            HERE,
        ),
        # A name that may carry data is shown if it is the student's own.
        ({"text": f"name '{LONG}' is not defined"}, f"{HERE}, line 2: `return rr * r`"),
        (
            {
                "kind": "NameError",
                "text": f"name '{LONG}' is not defined",
                "own": f"def area(r):\n    return {LONG}\n",
            },
            f"Your code raised Exception (name '{LONG}' is not defined) in cell "
            f"`area`, line 2: `return {LONG}`",
        ),
    ],
)
def test_an_exception_of_a_student_s_is_told_so(
    raised: dict[str, Any], explanation: str
) -> None:
    assert explain_to_student(**raised) == explanation


@pytest.mark.parametrize("name", ["x" * 30, "n73105857863000487925"])
def test_a_name_that_carries_data_is_not_shown(name: str) -> None:
    assert name not in explain_to_student(text=f"name '{name}' is not defined")
    assert name not in explain_to_student(
        text=f"{name}() missing 1 required positional argument"
    )


def test_a_public_test_says_everything() -> None:
    assert "(r is 3)" in explain_to_student(text="r is 3", hidden=False)
    assert "r is 3" not in explain_to_student(text="r is 3")


# --- what a test cell itself raises --------------------------------------------------

SECRET = 0.73105857
CLOSE = "np.testing.assert_allclose(np.zeros(2), np.full({}, secret))"
NO_CHECK = "Your answer could not be checked: it leads to KeyError."
NO_SUM = (
    "Your answer could not be checked: ValueError: operands could not be broadcast "
    "together with shapes (3,) (4,)"
)
DELETED = (
    "`area` does not exist: the cell that makes it was deleted, changed or failed."
)
SHAPE = "area(1) has shape (3,), but should be an array of shape (4,)"


def judged(source: str, *, hidden: bool, **names: object) -> tuple[str, str]:
    """Return what is said of a test cell with this source."""
    code = compile(source, "<test area-test>", "exec")
    with pytest.raises(Exception) as caught:
        exec(code, {"np": np, "expect": expect, "secret": SECRET, **names})
    return explain(caught.value, SOURCES, hidden=hidden)


@pytest.mark.parametrize(
    ("source", "outcome", "hidden", "public"),
    [
        # What the author of the test wrote.
        ("assert secret == 0, 'about 3.14\\nand more'", "failed", *["about 3.14"] * 2),
        # Without words.
        ("assert secret == 0", "failed", "A hidden check fails.", "A check fails."),
        # What NumPy says of values, and of shapes.
        (CLOSE.format(2), "failed", "A hidden check fails.", "tolerance"),
        (
            CLOSE.format((3, 1)),
            "failed",
            "A hidden check fails: shapes (2,) and (3, 1) differ.",
            "mismatch",
        ),
        ("raise KeyError(secret)", "failed", NO_CHECK, str(SECRET)),
        ("np.zeros(3) + np.zeros(4)", "failed", NO_SUM, "shapes (3,) (4,)"),
        # A name that the student deleted is an error, not a wrong answer.
        ("area(1)", "error", DELETED, DELETED),
        ("expect.expect_shape(np.zeros(3), (4,), 'area(1)')", "failed", *[SHAPE] * 2),
    ],
)
def test_what_a_test_raises_hides_values(
    source: str,
    outcome: str,
    hidden: str,
    public: str,
) -> None:
    got, explanation = judged(source, hidden=True)
    assert (got, explanation) == (outcome, hidden)
    assert public in judged(source, hidden=False)[1]


@pytest.mark.parametrize("hidden", [True, False])
def test_a_proxy_is_not_named(hidden: bool) -> None:
    error = TypeError("'Proxy' object is not callable")
    _, explanation = explain(error, SOURCES, hidden=hidden)
    assert explanation.endswith("an object of yours is not callable")


def test_a_test_that_hands_over_what_it_may_not_is_broken_not_failed() -> None:
    outcome, explanation = explain(NotExportableError("no Lock"), SOURCES, hidden=True)
    assert outcome == "not run"
    assert explanation == "This test is broken. Please tell your teacher: no Lock"


def test_an_exception_that_cannot_be_asked_for_its_text_is_explained() -> None:
    class MuteError(KeyError):
        def __str__(self) -> str:
            raise RuntimeError

    for hidden in (True, False):
        outcome, explanation = explain(MuteError(), SOURCES, hidden=hidden)
        assert outcome == "failed"
        assert "KeyError" in explanation
