"""How much of a tree of Python there is to read, and how dense it is.

Lines would measure white space: a bound on them was once met by packing. Nodes are
those of the syntax tree, without docstrings and imports.
"""

from __future__ import annotations

import ast
import functools
from collections import Counter
from pathlib import Path
from typing import NamedTuple

# Words that could name anything, and so name nothing that a search finds.
WORDS = """
told said found known place placed made own there here ours theirs asked wanted given
kept held seen why among beside left rest gone thing things stuff what which who whose
it them these those some each_
"""
VAGUE_NAMES = frozenset(WORDS.split())
DOCUMENTED = (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)
IMPORTS = (ast.Import, ast.ImportFrom)


class Readability(NamedTuple):
    """What the tests bound."""

    nodes: int
    nodes_per_code_line: float
    starred_literals: int
    tuple_assignments: float  # of a tuple to a tuple, in 1,000 assignments
    vague_names: int


def measure_readability(root: Path) -> Readability:
    """Measure all modules below a folder."""
    total = Counter[str]()
    for path in root.rglob("*.py"):
        total.update(_measure(path.read_text("utf-8"), parse(path)))
    return Readability(
        nodes=total["nodes"],
        nodes_per_code_line=total["nodes"] / total["code lines"],
        starred_literals=total["starred"],
        tuple_assignments=1000 * total["pairs"] / total["assignments"],
        vague_names=total["vague"],
    )


@functools.cache
def parse(path: Path) -> ast.Module:
    """Parse a module, once for all tests."""
    return ast.parse(path.read_text("utf-8"))


def _measure(text: str, tree: ast.Module) -> dict[str, int]:
    """Measure one module."""
    nodes, excluded = _walk(tree)
    code_lines = sum(
        number not in excluded and line.strip()[:1] not in ("", "#")
        for number, line in enumerate(text.splitlines(), 1)
    )
    assignments = [
        node
        for node in nodes
        if isinstance(node, (ast.Assign, ast.AnnAssign, ast.NamedExpr))
    ]
    pairs = sum(
        isinstance(node.value, ast.Tuple)
        and any(isinstance(target, ast.Tuple) for target in _targets(node))
        for node in assignments
    )
    vague = sum(
        any(
            name.id in VAGUE_NAMES
            for target in _targets(node)
            for name in _names(target)
        )
        for node in assignments
    )
    vague += sum(
        isinstance(node, ast.arg) and node.arg in VAGUE_NAMES for node in nodes
    )
    starred = sum(
        isinstance(node, ast.Call)
        and any(
            isinstance(argument, ast.Starred)
            and isinstance(argument.value, (ast.Tuple, ast.List))
            for argument in node.args
        )
        for node in nodes
    )
    return {
        "nodes": len(nodes),
        "code lines": code_lines,
        "assignments": len(assignments),
        "pairs": pairs,
        "vague": vague,
        "starred": starred,
    }


def _walk(tree: ast.Module) -> tuple[list[ast.AST], set[int]]:
    """Return the nodes to read, and the lines of docstrings and imports."""
    nodes: list[ast.AST] = []
    excluded = set[int]()
    waiting: list[ast.AST] = [tree]
    while waiting:
        node = waiting.pop()
        if not isinstance(node, (ast.expr_context, ast.Module)):
            nodes.append(node)
        docstring = _docstring(node)
        for child in ast.iter_child_nodes(node):
            if isinstance(child, IMPORTS) or child is docstring:
                assert isinstance(child, ast.stmt)
                excluded.update(range(child.lineno, (child.end_lineno or 0) + 1))
            else:
                waiting.append(child)
    return nodes, excluded


def _docstring(node: ast.AST) -> ast.AST | None:
    if isinstance(node, DOCUMENTED):
        match node.body:
            case [ast.Expr(ast.Constant(str())) as first, *_]:
                return first
    return None


def _targets(node: ast.Assign | ast.AnnAssign | ast.NamedExpr) -> list[ast.expr]:
    return node.targets if isinstance(node, ast.Assign) else [node.target]


def _names(target: ast.expr) -> list[ast.Name]:
    return [node for node in ast.walk(target) if isinstance(node, ast.Name)]
