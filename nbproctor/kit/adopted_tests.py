"""Tests of other graders, as cells of assertions.

Nothing is executed. The expected value of a test is the output that is stored below its
cell, or the one in a doctest.
"""

from __future__ import annotations

import ast
import doctest
import re
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml  # type: ignore[import-untyped]
from nbformat import NotebookNode

from nbproctor.cells import CellText, parse_code
from nbproctor.errors import NbproctorError
from nbproctor.kit.solutions import MARKERS, is_literal
from nbproctor.markers import parse, walk_top_level

#: The first line of a test that is not inside a block of tests.
_TEST = re.compile(
    r"\s*#+\s*"
    r"(?:TESTS?\b"
    r"|(?i:hidden)(?=\s*$|\s+(?i:tests?)\b))",
    re.MULTILINE,
)
_TEST_CONFIG = re.compile(
    r"""\s*("{3}|'{3})\s*#\s*BEGIN\s*TEST\s*CONFIG[^\n]*\n"""
    r"""(?P<yaml>.*?)"""
    r"""\1\s*;?\s*#\s*END\s*TEST\s*CONFIG[^\n]*""",
    re.DOTALL | re.IGNORECASE,
)
#: In Otter, a test is hidden if its first comment has the word.
_HIDDEN = re.compile(r"[^#]*#.*\bhidden\b", re.IGNORECASE)
#: A comment that says only that a test is hidden. It is removed, because students read
#: in this place what the test checks.
_LABEL = re.compile(r"\A\s*#+[^\S\n]*(?i:hidden)(?:[^\S\n]+(?i:tests?))?[^\S\n]*\n")
_BEGIN_HIDDEN, _END_HIDDEN = (f"### {marker}" for marker in MARKERS.hidden)

Settings = dict[str, Any]  # of a block or a test, by key


class AdoptError(NbproctorError):
    """A notebook cannot be adopted; the message says what to do."""


@dataclass(frozen=True)
class AdoptedTest:
    """A test as a cell of assertions; a hidden one is between nbgrader's markers."""

    code: str
    is_hidden: bool
    points: float | None  # None: the test does not say


def read_test(cell: NotebookNode, settings: Mapping[str, Any]) -> AdoptedTest:
    """Convert a test; a configuration in its cell replaces the `settings`.

    `AdoptError`: the test cannot be converted without running it, or its configuration
    cannot be read.
    """
    source = cell.source
    config = _TEST_CONFIG.search(source)
    if config:
        settings = read_settings(config["yaml"])
        source = _TEST_CONFIG.sub("", source, count=1).strip()
    if re.search(r"TEST\s*CONFIG", source, re.IGNORECASE) or (config and not settings):
        raise AdoptError(f"a test's configuration cannot be read: {source!r}.")
    points = settings.get("points")
    if not isinstance(points, int | float | None):
        raise AdoptError(f"the points of a test are not a number: {points!r}.")
    if re.search(r"^\s*>>> ", source, re.MULTILINE):
        code = _from_doctest(source)
    elif has_assertion(source):
        code = source
    else:
        code = _from_output(source, cell.get("outputs", []))
    if not CellText.parse(code).compiles:
        raise AdoptError(f"a test cannot be a cell by itself: {code!r}.")
    code = _LABEL.sub("", code)
    is_hidden = bool(settings.get("hidden") or _HIDDEN.match(source))
    if is_hidden and not MARKERS.has_hidden_tests(code):
        code = f"{_BEGIN_HIDDEN}\n{code}\n{_END_HIDDEN}"
    return AdoptedTest(
        code=code,
        is_hidden=is_hidden,
        points=points,
    )


def _from_output(source: str, outputs: list[NotebookNode]) -> str:
    """Return a test that compares the last expression with its stored output."""
    values = []
    for output in outputs:
        if output.output_type == "stream":
            raise AdoptError(f"a test compares what is printed: {source!r}.")
        if "data" in output:
            values.append(output.data.get("text/plain", ""))
    match parse(source).body:
        case [*_, ast.Expr(value) as last] if values:
            lines = source.splitlines()[: last.lineno - 1]
            expression = ast.get_source_segment(source, value)
            lines.append(_comparison(str(expression), values[-1]))
            return "\n".join(lines).strip()
    return source


def _from_doctest(code: str) -> str:
    """Return the assertions of a doctest."""
    lines = []
    for example in doctest.DocTestParser().get_examples(code):
        source = example.source.rstrip("\n")
        if example.exc_msg is not None:
            raise AdoptError(f"a test expects an exception: {source!r}.")
        expected = example.want.rstrip("\n")
        lines.append(_comparison(source, expected) if expected else source)
    return "\n".join(lines)


def _comparison(expression: str, expected: str) -> str:
    """Return the assertion that Python shows an expression as the text `expected`."""
    if expected == "True":
        return f"assert {expression}"
    if is_literal(expected):
        return f"assert ({expression}) == {expected}"
    return f"assert repr({expression}) == {expected!r}"


def read_test_file(path: Path) -> tuple[Any, list[Settings]]:
    """Return the points of a question, and its doctests with their settings.

    The file, which OkPy or Otter wrote, is not executed. The key ``code`` of the
    settings has the doctest.
    """
    try:
        tree = parse_code(path.read_text("utf-8"))
    except (OSError, SyntaxError) as error:
        raise AdoptError(f"The tests in {path} cannot be read: {error}") from error
    literals = {}
    for statement in tree.body:
        match statement:
            case ast.Assign([ast.Name(name)], value) if is_literal(value):
                literals[name] = ast.literal_eval(value)
    question = literals.get("test")
    if not isinstance(question, dict):
        raise AdoptError(
            f"{path} has no dictionary of doctests, as OkPy and Otter write it. Adopt "
            "the notebook from which Otter made it: its tests are in its cells."
        )
    # If Otter wrote the file, a test is hidden unless it says that it is not.
    default = {"hidden": "OK_FORMAT" in literals}
    tests = []
    for suite in question.get("suites", []):
        setup = suite.get("setup", "")
        for case in suite.get("cases", []):
            tests.append(default | case | {"code": f"{setup}\n{case['code']}"})
    return question.get("points"), tests


def read_settings(text: str) -> Settings:
    """Read YAML; return its settings, or nothing if it has none."""
    with suppress(yaml.YAMLError):
        settings = yaml.safe_load(text)
        if isinstance(settings, dict):
            return {str(key).lower(): value for key, value in settings.items()}
    return {}


def is_marked_test(source: str) -> bool:
    """Whether a comment says that a cell is a test, or that assertions are hidden."""
    if _TEST.match(source):
        return True
    return bool(_HIDDEN.match(source)) and has_assertion(source)


def has_assertion(source: str) -> bool:
    """Whether code asserts something, itself or with a function such as NumPy's."""
    return any(
        re.match(r"assert |(\w+\.)*assert\w*\(", ast.unparse(node))
        for node in walk_top_level(parse(source))
    )
