"""What the text of a cell says: regions between markers, assertions, imports."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

DEFINITIONS = ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef
_REGION = {
    "solution": ("BEGIN SOLUTION", "END SOLUTION"),
    "hidden": ("BEGIN HIDDEN TESTS", "END HIDDEN TESTS"),
    "scheme": ("BEGIN MARK SCHEME", "END MARK SCHEME"),
}


def only_hidden(source: str) -> bool:
    """Whether nothing but comments is left when the hidden tests are taken out."""
    if _REGION["hidden"][0] not in source:
        return False
    lines = (line.strip() for line in without_regions(source).splitlines())
    return not any(line and not line.startswith("#") for line in lines)


def without_regions(source: str) -> str:
    """Return what is left of a cell in the release; ValueError if a region is open."""
    for begin, end in _REGION.values():
        kept, inside = [], False
        for line in source.split("\n"):
            if begin in line:
                inside = True
            elif end in line:
                inside = False
            elif not inside:
                kept.append(line)
        if inside:
            raise ValueError(f"a cell has '{begin}' without '{end}':\n{source[:200]}")
        source = "\n".join(kept)
    return source


def without_solution_markers(source: str) -> str:
    """Return a solution cell without the lines that mark the solution."""
    begin, end = _REGION["solution"]
    lines = source.split("\n")
    return "\n".join(line for line in lines if begin not in line and end not in line)


def _tree(source: str) -> ast.Module:
    """Parse notebook code; magics and shell lines count as ``pass``."""
    plain = re.sub(r"^(\s*)[%!?].*$", r"\1pass", source, flags=re.MULTILINE)
    try:
        return ast.parse(plain)
    except SyntaxError:
        return ast.Module(body=[], type_ignores=[])


def asserts(source: str) -> bool:
    """Whether an ``assert`` runs when the cell does (not inside a function)."""
    return any(isinstance(node, ast.Assert) for node in outside(_tree(source)))


def outside(node: ast.AST) -> Iterator[ast.AST]:
    """Yield the nodes under one that are not inside functions and classes."""
    for child in ast.iter_child_nodes(node):
        yield child
        if not isinstance(child, DEFINITIONS):
            yield from outside(child)


def imports(source: str) -> Iterator[str]:
    """Yield the dotted names of the modules that a cell imports, wherever it does."""
    for node in ast.walk(_tree(source)):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            yield node.module
