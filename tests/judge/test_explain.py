"""What a student is told of an exception of their own code in a hidden test."""

import numpy as np
import pytest

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


def explain_to_student(
    text: str = "", line: int | None = 2, cell: str | None = "area"
) -> str:
    """Return what is said of an exception in a student's code."""
    error = StudentError()
    error.kind = "ValueError"
    error.text = text
    error.cell = cell
    error.line = line
    return explain(error, SOURCES, hidden=True).text


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


@pytest.mark.parametrize("line", [0, 3, -1, None])
def test_only_a_line_that_a_cell_has_is_quoted(line: int | None) -> None:
    explanation = "Your code raised Exception in cell `area`"
    assert explain_to_student(line=line) == explanation
    explanation = "Your code raised Exception when your code was called"
    assert explain_to_student(line=line, cell=None) == explanation


@pytest.mark.parametrize("name", ["x" * 30, "n73105857863000487925"])
def test_a_name_that_carries_data_is_not_shown(name: str) -> None:
    assert name not in explain_to_student(text=f"name '{name}' is not defined")
    assert name not in explain_to_student(
        text=f"{name}() missing 1 required positional argument"
    )


@pytest.mark.parametrize("hidden", [True, False])
def test_a_proxy_is_not_named_nor_the_data_of_a_hidden_test(hidden: bool) -> None:
    error = TypeError("'Proxy' object is not callable")
    explanation = explain(error, SOURCES, hidden=hidden).text
    assert explanation.endswith("an object of yours is not callable")
    explanation = explain(TypeError("no 0.73"), SOURCES, hidden=hidden).text
    assert explanation.endswith("no 0.73") != hidden
