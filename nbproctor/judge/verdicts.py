"""Verdicts: the outcomes of test cells, and their messages.

A public test may show everything. A hidden test may show its author's message, which
exception the student's code raised, and at which of *their* lines. It must not show
what the test computed, nor text that the student's code made, because either could
contain the test's data.
"""

from __future__ import annotations

import ast
import math
import re
import traceback
from collections.abc import Iterator, Mapping
from decimal import Decimal
from fractions import Fraction
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from nbproctor import expect, results
from nbproctor.judge.compiled import TEST_FILE, BrokenTestError
from nbproctor.judge.exports import NotExportableError, builtin_name
from nbproctor.judge.guard import TemplateError
from nbproctor.judge.proxy import Proxy, StudentRaised
from nbproctor.markers import parse
from nbproctor.notebook import Cell
from nbproctor.protocol.frames import UnsendableError
from nbproctor.protocol.objects import EXCEPTIONS
from nbproctor.results import Outcome, Output, Verdict
from nbproctor.sanitize import one_line, quote


class Message(NamedTuple):
    """The message of a test cell: an outcome, its words, and what else is decided."""

    outcome: Outcome
    text: str
    is_unsolved: bool = False  # as in `Verdict`
    is_skipped: bool = False

    def __call__(self, **values: object) -> Message:
        """Fill in the words."""
        return self._replace(text=self.text.format(**values))


PASSED = Message("passed", "")
# The test has been judged, and a check does not hold.
CHECK = Message("failed", "{text}")
UNEXPLAINED_CHECK = Message("failed", "A {kind} fails.")
SHAPES = Message("failed", "A hidden check fails: shapes {one} and {other} differ.")
PART = Message("failed", "Partly right: {points:g} of {most:g} points.")
STDERR = Message(
    "failed",
    "While this test ran, something (perhaps a warning) was written to stderr. In "
    "this course, that costs its points.",
)
HIDDEN_EXCEPTION = Message(
    "failed", "Your answer could not be checked: it leads to {kind}."
)
SHOWN_EXCEPTION = Message("failed", "Your answer could not be checked: {kind}: {text}")
# Student code raised an exception, or a name is missing.
NOT_SOLVED = Message(
    "error", "Not solved yet: NotImplementedError{where}", is_unsolved=True
)
RAISED = Message("error", "Your code raised {kind}{text} {where}")
NO_NAME = Message(
    "error",
    "`{name}` does not exist: the cell that makes it was deleted, changed or failed.",
)
IN_PROCESS_RAISED = Message("error", "The test ends in {kind}{text}")
UNREADABLE = Message("error", "{kind} in your cell `{cell}`{where}: {text}.")
# The student process ended.
TIMEOUT = Message(
    "timeout", "{subject} was stopped: it did not finish in {limit:g} seconds."
)
DIED = Message("died", "{subject} ended the Python process that it ran in.")
PROTOCOL = Message("died", "{subject} broke the connection to the grader ({end}).")
# The test was not run.
STOPPED = Message(
    "died", "Not run: `{exercise}` was stopped in earlier tests.", is_skipped=True
)
# The same words for what was running then, so that a report says it once.
OUT_OF_TIME = Message(
    "not run", "The notebook's time is used up, so this did not finish."
)
BROKEN = Message("not run", "This test is broken. Please tell your teacher: {text}")
UNJUDGED = Message(
    "not run",
    "This test cannot run outside the student's process. Please tell your teacher.",
)
# The test was run, but its result may not be the answer's fault: a person decides.
REFUSED = Message(
    "not run",
    # It may be in a cell that the student was given.
    "Not graded: this notebook needs something that grading does not allow{where}, "
    "such as the network, another program, or a file outside the assignment's folder.",
)
TOO_MUCH = Message(
    "not run", "Not graded: a value is too large or too deeply nested to be sent."
)
METHOD_NOT_CALLED = Message(
    "not run",
    "Not graded: it depends on {by}, which is not called in grading. Return a plain "
    "number, array or list.",
)
ALL_STOPPED = Message(
    "not run", "Not graded: in grading, any answer would stop at such a line ({line})."
)
PASSES_INSIDE = Message(
    "not run",
    "Not graded: it passes only in the student's process, so your teacher decides.",
)

# Words of the system: not permitted, access denied, read-only, no network. Words of
# Python and NumPy for files outside the assignment, which do not exist in the sandbox.
_OUTSIDE = r"/(?!tmp/nbproctor)"
MAX_SEARCHED = 2000  # characters: to look through more takes the square of its length
_FORBIDDEN = re.compile(
    rf"\[Errno (1|13|30|-[23])\]|\[Errno 2\][^']*'{_OUTSIDE}|^{_OUTSIDE}.* not found\.$"
)
_PLACE = re.compile(r" \([^()]*, line (\d+)\)\Z")  # at the end of a SyntaxError
_PLAIN_MAGIC = re.compile(r"%%(time|capture)\b")  # below which a cell runs as usual
# Messages of Python and NumPy that help, and that contain only shapes and names. They
# are spelled out, because a student's exception could contain anything else.
_YOURS = "an object of yours"  # stands for a proxy in a message
_PARTS = {
    "N": r"-?\d{1,6}",
    "NAME": r"'?[A-Za-z_][\w.]{0,60}'?",
    "SHAPE": r"\((?:\d{1,6},? ?){0,4}\)",
}
_HELPFUL = (
    r"operands could not be broadcast together with shapes (SHAPE ?){1,3}",
    r"could not broadcast input array from shape SHAPE into shape SHAPE",
    r"non-broadcastable output operand with shape SHAPE doesn't match the broadcast "
    r"shape SHAPE",
    r"shapes SHAPE and SHAPE not aligned: N \(dim N\) != N \(dim N\)",
    r"matmul: Input operand \d has a mismatch in its core dimension \d, with gufunc "
    r"signature \(n\?,k\),\(k,m\?\)->\(n\?,m\?\) \(size N is different from N\)",
    r"matmul: Input operand \d does not have enough dimensions \(has \d, gufunc core "
    r"with signature \(n\?,k\),\(k,m\?\)->\(n\?,m\?\) requires \d\)",
    r"The truth value of an array with more than one element is ambiguous\. "
    r"Use a\.any\(\) or a\.all\(\)",
    r"name NAME is not defined",
    r"cannot access (free|local) variable NAME where it is not associated with a value"
    r"( in enclosing scope)?",
    r"NAME object has no attribute NAME",
    r"the test's NAME has no attribute NAME",
    r"NAME\(\) takes (no arguments|"
    r"(N|from N to N) positional arguments? but N (was|were) given)",
    r"NAME\(\) missing N required (positional|keyword-only) arguments?: "
    r"NAME((,| and|, and) NAME){0,4}",
    r"NAME\(\) got (an unexpected keyword|multiple values for) argument NAME",
    r"unsupported operand type\(s\) for (\*\* or pow\(\)|[-+*/%@&|^<>=]{1,3}): "
    r"NAME and NAME",
    rf"(NAME object|{_YOURS}) is not (callable|iterable|subscriptable)",
    r"index N is out of bounds for axis N with size N",
    r"axis N is out of bounds for array of dimension N",
    r"(list|tuple|string) index out of range",
    r"'[<=>]{1,2}' not supported between instances of NAME and NAME",
    r"object of type NAME has no len\(\)",
    r"can only concatenate NAME \(not \"NAME\"\) to NAME",
    r"((float |integer )?((floor )?division|modulo)|integer division or modulo)"
    r" by zero",
    r"maximum recursion depth exceeded( in comparison)?",
    r"cannot reshape array of size N into shape (SHAPE|\(N,newaxis\))",
    r"all the input arrays must have same number of dimensions, but the array at index "
    r"N has N dimension\(s\) and the array at index N has N dimension\(s\)",
)
_HELPFUL_PATTERN = re.compile(
    re.sub(
        r"\b(N|NAME|SHAPE)\b",
        lambda match: _PARTS[match[0]],
        "|".join(f"({pattern})" for pattern in _HELPFUL),
    )
)


def verdict(
    cell: Cell,
    message: Message,
    points: float = 0.0,
) -> Verdict:
    """Return the verdict of a test cell."""
    return Verdict(
        cell_id=cell.id,
        exercise=cell.exercise,
        points=0.0 if message.outcome == "not run" else points,
        max_points=cell.points,
        outcome=message.outcome,
        message=one_line(message.text),
        where=cell.where,
        is_unsolved=message.is_unsolved,
        is_skipped=message.is_skipped,
    )


def explain(
    error: BaseException,
    sources: Mapping[str, str],
    *,
    hidden: bool,
) -> Message:
    """Explain to the student an exception that a test cell raised.

    `sources` are the student's own cells, by name. Only their lines are quoted. Text
    and data of a `hidden` test are not shown.
    """
    if isinstance(error, StudentRaised):
        return _of_student(error, sources, hidden)
    if isinstance(error, NotExportableError | BrokenTestError):
        return BROKEN(text=error)
    if isinstance(error, TemplateError):
        return CHECK(text=error)
    if isinstance(error, UnsendableError):
        return TOO_MUCH
    if isinstance(error, NameError) and error.name:
        return NO_NAME(name=error.name)
    name = builtin_name(error)
    if name in ("AssertionError", "BaseException"):  # or that of a tool such as pytest
        return _of_check(error, hidden)
    text = one_line(re.sub(r"'\w*Proxy'( object)?", _YOURS, _text(error)))
    if hidden and not _is_helpful(text, sources):
        return HIDDEN_EXCEPTION(kind=name)
    return SHOWN_EXCEPTION(kind=name, text=text)


def _of_student(
    error: StudentRaised,
    sources: Mapping[str, str],
    hidden: bool,
) -> Message:
    student_text = "\n".join(sources.values())
    name = re.escape(error.kind)
    is_written = re.search(rf"\b{name}\b", student_text)
    kind = error.kind if is_written else builtin_name(error)
    where = "when your code was called"
    source = sources.get(error.cell or "")
    if source is not None:
        where = f"in cell `{error.cell}`"
        code = quote_line(source, error.line or 0)
        if code is not None:
            where += f", line {error.line}: {code}"
    if is_forbidden(kind, error.text):
        return REFUSED(where=f" {where}")
    if error.kind == "UnsendableError" != kind:
        return TOO_MUCH
    if error.kind == "NotImplementedError":  # none of its subclasses, as `input` raises
        return NOT_SOLVED(where=f" {where}")
    text = one_line(error.text)
    is_shown = text and (not hidden or _is_helpful(text, sources))
    return RAISED(
        kind=kind,
        text=f" ({text})" if is_shown else "",
        where=where,
    )


def quote_line(source: str, number: int) -> str | None:
    """Return a line of a cell as code in a sentence; None if it has no such line."""
    lines = source.splitlines()
    if 0 < number <= len(lines):
        return quote(lines[number - 1], "`")
    return None


def describe_stop(
    name: str,
    source: str,
    outputs: list[Output],
) -> Message | None:
    """Explain why a cell was not run, or not below some line.

    Python cannot read it, or it stops at a magic or an import that does not exist. This
    says nothing about the answers.
    """
    magic = source.lstrip().partition("\n")[0]
    if magic.startswith("%%") and not _PLAIN_MAGIC.match(magic):
        return ALL_STOPPED(line=f"a magic, {quote(magic, '`')}")
    for output in outputs:
        kind = str(output.get("ename"))
        text = str(output.get("evalue"))
        if kind in ("SyntaxError", "IndentationError", "TabError"):
            # IPython drops the empty lines at the top before it compiles.
            lines_above = source.count("\n") - source.lstrip().count("\n")
            where = ""
            if position := _PLACE.search(text):
                where = f", line {int(position[1]) + lines_above}"
                text = text[: position.start()]
            text = one_line(text, 100)
            return UNREADABLE(
                kind=kind,
                cell=name,
                where=where,
                text=text,
            )
        if kind in ("ImportError", "ModuleNotFoundError"):
            return ALL_STOPPED(line=f"an import, {quote(text, '`')}")
        printed = str(output.get("text"))
        if printed.startswith("UsageError: "):
            return ALL_STOPPED(line=f"a magic, {quote(printed[12:], '`')}")
    return None


def is_forbidden(kind: str, text: str) -> bool:
    """Whether a student's exception means that the sandbox forbids something."""
    match = _FORBIDDEN.search(text[:MAX_SEARCHED])
    return kind == "PermissionError" or match is not None


def is_refusal(output: Output) -> bool:
    """Whether an output of a cell means that the sandbox forbids something."""
    if results.NO_COMMANDS in str(output.get("text")):
        return True
    return is_forbidden(
        kind=str(output.get("ename")),
        text=str(output.get("evalue")),
    )


def _of_check(error: BaseException, hidden: bool) -> Message:
    text = _text(error).strip()
    if text and _is_written(error):
        return CHECK(text=text.split("\n")[0])
    if text and not hidden:
        return CHECK(text=text)
    shape = _PARTS["SHAPE"]
    shapes = re.search(rf"\(shapes ({shape}), ({shape}) mismatch\)", text)
    if shapes:
        # NumPy names the first argument first, which by custom is the answer.
        return SHAPES(one=shapes[1], other=shapes[2])
    return UNEXPLAINED_CHECK(kind="hidden check" if hidden else "check")


def _is_written(error: BaseException) -> bool:
    """Whether a test or `expect` raised an exception: its text is meant to be shown."""
    file = traceback.extract_tb(error.__traceback__)[-1].filename
    is_of_test = file.startswith(TEST_FILE)
    return is_of_test or Path(file).parent == Path(expect.__file__).parent


def _text(error: BaseException) -> str:
    """Return the text of an exception, which may call an object of the student."""
    try:
        return str(error)
    except BaseException:
        return ""


def _is_helpful(text: str, sources: Mapping[str, str]) -> bool:
    """Whether a message is of a listed kind, and has only names of the student."""
    if not _HELPFUL_PATTERN.fullmatch(text):
        return False
    student_text = "\n".join(sources.values())
    student_words = set(re.findall(r"[A-Za-z_]\w*", student_text))
    return all(
        name in student_words or len(name) < 20 for name in re.findall(r"\w+", text)
    )


def score_value(value: Any, most: float) -> float:
    """Score the value of a test cell that raised nothing: within 0 and `most`.

    By nbgrader's rule, a value that is not a plain number earns all points. If that
    were so for NumPy's numbers, a wrong answer of such a type would make ``sum(abs(got
    - want) < tol …)`` worth everything. An array counts as its smallest number. An
    array of other values, a complex number, and an object that stays in the student's
    process count as 0.
    """
    try:
        # An integer may be too long for a float. NaN is not more than 0.
        return float(min(max(0, _number_of(value)), most))
    # A signaling NaN, or an object of the test that cannot be compared.
    except Exception:
        return 0.0


def _number_of(value: Any) -> Any:
    """Return the number that a test cell ends in; infinity if it ends in no number."""
    if isinstance(value, Proxy | complex):
        return 0
    kind = type(value)
    if kind.__name__ in ("NAType", "NaTType"):  # a sum with such a value is one, too
        return 0
    if isinstance(value, np.ndarray | np.generic):
        number_kind = value.dtype.kind
        if number_kind in "iuf" and value.size:
            return float(value.min())
        if number_kind != "b":
            return 0.0
    return value if kind in (int, float, Fraction, Decimal) else math.inf


def score_outputs(outputs: list[Output], cell: Cell) -> tuple[float, Message]:
    """Score a test cell by its outputs, as nbgrader does.

    After an error, the score is 0. If the cell ends in a number, it is this number,
    within the cell's points. Otherwise it is all of them. In a hidden test, the student
    sees no text that their code could have made of it, only messages that the test
    spells out.

    Such a process contains the text of the test, and the student sees the mark: a float
    would carry six bytes of that text. So the mark is a number that the test spells
    out, or else the nearest tenth of a point: 7 bits for a test of 10 points.
    """
    for output in outputs:
        if output.get("output_type") == "error":
            return 0.0, _of_error_output(output, cell)
    for output in outputs:
        number = _number_in(output)
        if number is None:
            continue
        if number not in _numbers(cell):
            number = round(number, 1)
        if number < cell.points:
            return number, PART(points=number, most=cell.points)
    return cell.points, PASSED


def _of_error_output(output: Output, cell: Cell) -> Message:
    name = str(output.get("ename"))
    text = str(output.get("evalue"))
    is_shown = not cell.points or text in _messages(cell)
    shown = one_line(text) if is_shown else ""
    is_own = not cell.points and name not in EXCEPTIONS  # of the test, or a tool's
    if name == "AssertionError" or is_own:
        if shown:
            return CHECK(text=shown)
        return UNEXPLAINED_CHECK(kind="hidden check" if cell.points else "check")
    if is_forbidden(name, text):
        return REFUSED(where="")
    if name == "NotImplementedError":
        return NOT_SOLVED(where=".")
    return IN_PROCESS_RAISED(
        kind=name if name in EXCEPTIONS else "an exception",
        text=f": {shown}" if shown else "",
    )


def _number_in(output: Output) -> float | None:
    if output.get("output_type") != "execute_result":
        return None
    try:
        number = float(output["data"]["text/plain"])
    except (KeyError, TypeError, ValueError):
        return None
    return max(0.0, number)  # 0 for NaN


def _messages(cell: Cell) -> Iterator[str]:
    """Yield the messages that assertions of a cell spell out."""
    for node in ast.walk(parse(cell.source)):
        match node:
            case ast.Assert(msg=ast.Constant(str(message))):
                yield message


def _numbers(cell: Cell) -> Iterator[float]:
    """Yield the numbers that a cell spells out."""
    for node in ast.walk(parse(cell.source)):
        match node:
            case ast.Constant(int() | float() as number):
                yield number
