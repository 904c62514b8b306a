"""How much of a tree of Python there is to read, and how dense it is.

Lines would measure white space: a bound on them was once met by packing. Nodes are
those of the syntax tree, without docstrings and imports.
"""

from __future__ import annotations

import ast
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
    nodes: list[ast.AST] = []
    code_lines = 0
    for path in root.rglob("*.py"):
        text = path.read_text("utf-8")
        in_module, excluded = _walk(ast.parse(text))
        nodes += in_module
        code_lines += sum(
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
    return Readability(
        nodes=len(nodes),
        nodes_per_code_line=len(nodes) / code_lines,
        starred_literals=starred,
        tuple_assignments=1000 * pairs / len(assignments),
        vague_names=vague,
    )


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
