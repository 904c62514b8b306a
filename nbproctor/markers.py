"""nbgrader's markers, and assertions, imports and definitions in the text of a cell."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from contextlib import suppress
from itertools import chain
from types import UnionType
from typing import NamedTuple

from nbproctor.cells import imported, parse_code

IMPORTS = ast.Import | ast.ImportFrom
DEFINITIONS = ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef
Region = tuple[str, str]  # texts in its first and in its last line
_COMMENT = re.compile(r"^[^\S\n]*#.*$", re.MULTILINE)


class Markers(NamedTuple):
    """The markers of regions in source notebooks; by default, nbgrader's own.

    `Course.markers` returns those of a course.
    """

    solution: Region = ("BEGIN SOLUTION", "END SOLUTION")
    hidden: Region = ("BEGIN HIDDEN TESTS", "END HIDDEN TESTS")
    scheme: Region = ("BEGIN MARK SCHEME", "END MARK SCHEME")
    stub: str = "# YOUR CODE HERE\nraise NotImplementedError()"  # for a solution

    @property
    def regions(self) -> tuple[Region, ...]:
        """The regions that students do not get."""
        return self.solution, self.hidden, self.scheme

    def has_hidden_tests(self, source: str) -> bool:
        """Whether a part of a cell is hidden from students."""
        return self.hidden[0] in source

    def is_all_hidden(self, source: str) -> bool:
        """Whether a cell without its hidden tests has only comments."""
        if not self.has_hidden_tests(source):
            return False
        return not _COMMENT.sub("", self.without_regions(source)).strip()

    def find_markers(self, text: str) -> list[str]:
        """Return the markers in a text; a release must have none."""
        markers = chain(*self.regions)
        return [marker for marker in markers if marker in text]

    def without_solution_markers(self, source: str) -> str:
        """Return a reference solution without the lines that have its markers."""
        begin, end = self.solution
        lines = source.split("\n")
        visible = [line for line in lines if begin not in line and end not in line]
        return "\n".join(visible)

    def without_regions(self, source: str, *regions: Region) -> str:
        """Return a cell as it is in the release, or without these `regions` only.

        `ValueError`: a region begins and does not end.
        """
        for begin, end in regions or self.regions:
            visible = []
            inside = False
            for line in source.split("\n"):
                if begin in line:
                    inside = True
                    if begin == self.solution[0]:
                        indent = line[: len(line) - len(line.lstrip())]
                        visible += [indent + part for part in self.stub.split("\n")]
                elif end in line:
                    inside = False
                elif not inside:
                    visible.append(line)
            if inside:
                raise ValueError(
                    f"a cell has '{begin}' without '{end}':\n{source[:200]}"
                )
            source = "\n".join(visible)
        return source


def has_autotests(source: str) -> bool:
    """Whether nbgrader generates tests from lines of a cell for the release."""
    return "### AUTOTEST" in source or "### HASHED AUTOTEST" in source


def plain_python(source: str) -> str:
    """Return a cell as Python, with IPython's magics and commands as calls.

    It is parsed first, because most cells have no magics, and parsing is faster than
    looking for them.
    """
    with suppress(SyntaxError, ValueError):
        parse_code(source)
        return source
    from IPython.core.inputtransformer2 import TransformerManager

    manager = TransformerManager()  # type: ignore[no-untyped-call]
    return manager.transform_cell(source)


def parse(source: str) -> ast.Module:
    """Parse a cell, which may have magics; if it is not Python, the module is empty."""
    try:
        return parse_code(plain_python(source))
    except (SyntaxError, ValueError):
        return ast.Module(body=[], type_ignores=[])


def asserts(source: str) -> bool:
    """Whether an ``assert`` runs when the cell does (not inside a function)."""
    nodes = walk_top_level(parse(source))
    return any(isinstance(node, ast.Assert) for node in nodes)


def walk_top_level(
    node: ast.AST, kinds: type | UnionType = DEFINITIONS
) -> Iterator[ast.AST]:
    """Yield the nodes below a node that are not inside functions and classes.

    With `kinds`, the nodes that are not inside nodes of these kinds.
    """
    for child in ast.iter_child_nodes(node):
        yield child
        if not isinstance(child, kinds):
            yield from walk_top_level(child, kinds)


def definitions_of(
    tree: ast.Module, kinds: UnionType = IMPORTS | DEFINITIONS
) -> ast.Module:
    """Return the statements of some kinds at the top of a module.

    By default, these are imports, functions and classes.
    """
    statements = [n for n in tree.body if isinstance(n, kinds)]
    return ast.Module(statements, [])


def bound_names(definitions: ast.Module) -> set[str]:
    """Return the names that a module of only imports and definitions binds."""
    names = set()
    for node in definitions.body:
        if isinstance(node, DEFINITIONS):
            names.add(node.name)
        elif isinstance(node, IMPORTS):
            for alias in node.names:
                names.add(alias.asname or alias.name.partition(".")[0])
    return names


def imports(source: str) -> Iterator[str]:
    """Yield the dotted names of all modules that a cell imports."""
    return imported(parse(source))
