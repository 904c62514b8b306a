"""One line for the student about a test that did not pass.

A public test may say everything. A hidden one may say what its author wrote, which
exception the student's code raised and at which of *their* lines, but neither what the
test computed nor text that the student's code made up: either could show the test's
data.
"""

from __future__ import annotations

import re
import traceback
from collections.abc import Mapping
from pathlib import Path

from nbproctor import expect
from nbproctor.clean import one_line
from nbproctor.exports import builtin_name
from nbproctor.pack import UnsendableError
from nbproctor.proxy import StudentError

TEST_FILE = "<test "  # file names of our code objects start so

# Messages of Python and NumPy that help and carry nothing but shapes and names.
_N, _NAME, _SHAPE = r"-?\d{1,6}", r"'?([A-Za-z_]\w{0,60})'?", r"\([\d, ]{0,40}\)"
_HELPFUL = [
    re.compile(pattern)
    for pattern in (
        rf"operands could not be broadcast together with shapes ({_SHAPE} ?)+",
        rf"(non-broadcastable output operand|could not broadcast).{{0,40}}{_SHAPE}"
        rf".{{0,40}}{_SHAPE}",
        rf"shapes {_SHAPE} and {_SHAPE} not aligned: {_N} \(dim {_N}\) != {_N}"
        rf" \(dim {_N}\)",
        r"matmul: Input operand \d has .{0,160}",
        r"The truth value of an array with more than one element is ambiguous.*",
        rf"(cannot access )?(free variable|local variable|name) {_NAME} .{{0,80}}",
        rf"{_NAME} object has no attribute {_NAME}",
        rf"{_NAME}(\.{_NAME})?\(\) (takes|missing|got) .{{0,80}}",
        rf"unsupported operand type\(s\) for .{{1,4}}: {_NAME} and {_NAME}",
        rf"{_NAME} object is not (callable|iterable|subscriptable)",
        rf"index {_N} is out of bounds for axis {_N} with size {_N}",
        rf"axis {_N} is out of bounds for array of dimension {_N}",
        r"(list|tuple|string) index out of range",
        r"(integer )?division( or modulo)? by zero",
        r"maximum recursion depth exceeded.{0,60}",
        rf"cannot reshape array of size {_N} into shape {_SHAPE}",
    )
]


def explain(
    error: BaseException, sources: Mapping[str, str], *, hidden: bool
) -> tuple[str, str]:
    """Tell what a test's exception means for the student.

    Parameters
    ----------
    error
        What the test cell raised.
    sources
        Texts of the student's own cells by our names for them. Only these are quoted.
    hidden
        Whether the test's text and data must stay unknown.

    Returns
    -------
    outcome : str
        ``"failed"`` (a check does not hold), ``"error"`` (the student's code raised
        an exception, or a name is missing) or ``"not run"`` (the test is broken).
    message : str
        One line.
    """
    if isinstance(error, StudentError):
        return "error", _of_student(error, sources, hidden)
    if isinstance(error, UnsendableError):
        return "not run", f"This test is broken, tell your teacher: {error}"
    if isinstance(error, NameError) and error.name:
        return "error", (
            f"`{error.name}` does not exist: the cell that makes it was deleted, "
            "changed or failed."
        )
    if isinstance(error, AssertionError):
        return "failed", _of_check(error, hidden)
    name = builtin_name(error)
    text = one_line(str(error))
    if hidden and not _is_helpful(text, sources):
        return "failed", f"Your answer could not be checked: it leads to a {name}."
    return "failed", f"Your answer could not be checked: {name}: {text}"


def _of_student(error: StudentError, sources: Mapping[str, str], hidden: bool) -> str:
    known = re.search(rf"\b{re.escape(error.kind)}\b", "\n".join(sources.values()))
    kind = error.kind if known else builtin_name(error)
    place = "in code of another exercise"
    if error.cell is not None and error.cell in sources and error.line is not None:
        lines = sources[error.cell].splitlines()
        place = f"in cell `{error.cell}`"
        if 0 < error.line <= len(lines):
            code = one_line(lines[error.line - 1], 100)
            place += f", line {error.line}: `{code}`"
    elif error.cell is None:
        place = "when your code was called"
    if kind == "NotImplementedError":
        return f"Not solved yet: NotImplementedError {place}"
    text = one_line(error.text)
    if text and (not hidden or _is_helpful(text, sources)):
        return one_line(f"Your code raised {kind} ({text}) {place}")
    return one_line(f"Your code raised {kind} {place}")


def _of_check(error: AssertionError, hidden: bool) -> str:
    frames = traceback.extract_tb(error.__traceback__)
    text = str(error).strip()
    where = frames[-1] if frames else None
    written = where is not None and (
        where.filename.startswith(TEST_FILE)
        or Path(where.filename) == Path(expect.__file__)
    )
    if text and written:
        return one_line(text.split("\n")[0])
    if text and not hidden:
        return one_line(text)
    shapes = re.search(rf"\(shapes ({_SHAPE}), ({_SHAPE}) mismatch\)", text)
    if shapes:
        # NumPy names the first argument first, which by custom is the answer.
        return f"A hidden check fails: shapes {shapes[1]} and {shapes[2]} differ."
    return "A hidden check fails." if hidden else "A check fails."


def _is_helpful(text: str, sources: Mapping[str, str]) -> bool:
    """Whether a message is one of the known kinds, and names only what is theirs."""
    if not any(pattern.fullmatch(text) for pattern in _HELPFUL):
        return False
    own = set(re.findall(r"[A-Za-z_]\w*", "\n".join(sources.values())))
    return all(name in own or len(name) < 20 for name in re.findall(r"'(\w+)'", text))
