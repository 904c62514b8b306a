"""Lines of a cell that are its solution, between nbgrader's solution markers.

Otter-Grader marks these lines in its own way. Other notebooks do not mark them, so they
are found by what the code does.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable, Iterator, Set
from itertools import dropwhile

from nbproctor.cells import CellText
from nbproctor.markers import (
    DEFINITIONS,
    IMPORTS,
    Markers,
    parse,
    walk_top_level,
)

MARKERS = Markers()
BEGIN, _END = (f"### {marker}" for marker in MARKERS.solution)
#: Parts that Otter leaves out of a cell: a prompt, and the mark of a whole solution.
_LEFT_OUT = re.compile(
    r'^\s*"""\s*# BEGIN PROMPT.*?"""[^\n]*\n?'
    r"|^[^\S\n]*#+[^\S\n]*SOLUTION[^\S\n]*(?:\n|\Z)",
    re.DOTALL | re.MULTILINE,
)
#: Otter's marks around a solution.
_OTTER_MARK = re.compile(r"^(\s*)#+\s*(BEGIN|END) SOLUTION.*$", re.MULTILINE)
#: Otter's mark at the end of a line of a solution.
_OTTER_LINE = re.compile(
    r"^([^\S\n]*)(\S.*?)[^\S\n]*#+[^\S\n]*SOLUTION\b.*$", re.MULTILINE
)
_MARKED_REGION = re.compile(
    rf"(^\s*{BEGIN}$.*?{_END}$)",
    re.MULTILINE | re.DOTALL,
)
#: The end of a solution, directly followed by the beginning of another one.
_SEAM = re.compile(rf"\n([^\S\n]*){_END}\n\1{BEGIN}\n")

Region = tuple[int, int]  # of lines: the first, and the one after the last; from 0


def solution_marks(source: str) -> str:
    """Return code with nbgrader's markers in place of Otter's ``# SOLUTION``."""
    code = _OTTER_MARK.sub(r"\1### \2 SOLUTION", _LEFT_OUT.sub("", source))
    marked_line = rf"\1{BEGIN}\n\1\2\n\1{_END}"
    parts = []
    for part in _MARKED_REGION.split(code):
        is_marked = _MARKED_REGION.match(part)
        parts.append(part if is_marked else _OTTER_LINE.sub(marked_line, part))
    return _SEAM.sub(r"\n", "".join(parts)).rstrip("\n")


def mark_solution(source: str, tested: Set[str]) -> str:
    """Return code with markers around the lines that are probably the solution.

    `tested` are the names that tests use. If the lines cannot be told, the whole cell
    is the solution.
    """
    lines = source.splitlines()
    regions = solution_regions(source, tested) or [(0, len(lines))]
    for start, end in reversed(regions):
        first = lines[start]
        indent = first[: len(first) - len(first.lstrip())]
        lines.insert(end, indent + _END)
        lines.insert(start, indent + BEGIN)
    marked = "\n".join(lines)
    if not CellText.parse(MARKERS.without_regions(marked)).tree:
        return f"{BEGIN}\n{source}\n{_END}"
    return marked


def solution_regions(source: str, tested: Set[str]) -> list[Region]:
    """Return the lines of a cell without markers that are probably its solution.

    Students keep the imports and literals at its top, unless a test uses them. If only
    functions and calls follow, the bodies of these functions are the solution.
    """
    tree = CellText.parse(source).tree
    body = tree.body if tree else []
    answer = [*dropwhile(lambda statement: _is_given(statement, tested), body)]
    if not answer:
        return []
    regions = [*_bodies(answer)]
    calls_or_functions = DEFINITIONS | ast.Expr
    if regions and all(isinstance(node, calls_or_functions) for node in answer):
        return regions
    return [(answer[0].lineno - 1, len(source.splitlines()))]


def _is_given(statement: ast.stmt, tested: Set[str]) -> bool:
    """Whether a line is an import, a text, or a literal that no test uses."""
    if not isinstance(statement, ast.Assign | ast.Expr):
        return isinstance(statement, IMPORTS | ast.Pass)
    source = ast.unparse(statement)
    if not is_literal(statement.value) or has_blank(source):
        return False
    return tested.isdisjoint(defined_names(source))


def _bodies(statements: Iterable[ast.stmt]) -> Iterator[Region]:
    """Yield the lines below the headers of functions, and of the methods of classes."""
    for function in statements:
        if not isinstance(function, DEFINITIONS):
            continue
        body = function.body
        if ast.get_docstring(function) is not None and len(body) > 1:
            body = body[1:]
        if all(isinstance(node, DEFINITIONS) for node in body):
            yield from _bodies(body)
        else:
            yield body[0].lineno - 1, function.end_lineno or 0


def is_literal(expression: ast.expr | str) -> bool:
    """Whether an expression is made only of numbers, texts, lists and the like."""
    try:
        ast.literal_eval(expression)
    except (ValueError, TypeError, SyntaxError):
        return False
    return True


def has_blank(source: str) -> bool:
    """Whether code has ``...`` where students write, as ``x = ...``, not ``x[...]``."""
    return any(
        isinstance(node, ast.Constant) and node.value is ...
        for node in walk_top_level(parse(source), ast.Subscript)
    )


def defined_names(source: str) -> Iterator[str]:
    """Yield the names that code defines or changes, without those that it imports."""
    for node in walk_top_level(parse(source)):
        if isinstance(node, DEFINITIONS):
            yield node.name
        elif isinstance(getattr(node, "ctx", None), ast.Store):
            while isinstance(node, ast.Subscript | ast.Attribute):
                node = node.value
            if isinstance(node, ast.Name):
                yield node.id
