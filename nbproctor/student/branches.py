"""Branches of a student's cells: which of them no call has entered.

A statement of its own at the start of each branch notes that it runs. That costs some
nanoseconds and works in every Python, where tracing would slow each line down.
"""

from __future__ import annotations

import ast
import builtins
from collections.abc import Iterator
from typing import Any, NamedTuple

_NAME = "__nbproctor_entered__"  # among the built-in names, so that no cell has it
_BRANCHING = (ast.If, ast.For, ast.AsyncFor, ast.While, ast.Try, ast.Match)


class Branch(NamedTuple):
    """The first line of a branch, and of the statement that it belongs to."""

    cell: str
    line: int
    statement: int  # its number in `Branches.entered`


class Branches(ast.NodeTransformer):
    """Branches of the cells that have run, and which of them were entered.

    A transformer of syntax trees for IPython, which calls `visit` for each cell.
    """

    def __init__(self) -> None:
        self.cell: str | None = None  # that runs, by our name
        self.first_line = 0  # how many lines stand above its syntax tree
        self.entered: dict[int, bool] = {}
        self._branches: dict[int, Branch] = {}
        vars(builtins)[_NAME] = self.entered

    def visit(self, node: ast.AST) -> Any:
        """Add the notes to a tree, if it is a student's cell."""
        return node if self.cell is None else super().visit(node)

    def generic_visit(self, node: ast.AST) -> Any:
        """Add notes to a statement that branches, and to what is in it."""
        super().generic_visit(node)
        if not isinstance(node, _BRANCHING):
            return node
        statement = self._number()
        for body in _bodies(node):
            if not isinstance(body[-1], ast.Raise | ast.Pass):
                number = self._number()
                line = body[0].lineno + self.first_line
                self._branches[number] = Branch(str(self.cell), line, statement)
                body.insert(0, _note(number, body[0]))
        return [_note(statement, node), node]

    def untried(self) -> list[tuple[str, int]]:
        """Return cell and line of each branch not entered, whose statement has run."""
        return sorted(
            (branch.cell, branch.line)
            for number, branch in self._branches.items()
            if self.entered[branch.statement] and not self.entered[number]
        )

    def _number(self) -> int:
        number = len(self.entered)
        self.entered[number] = False
        return number


def _bodies(node: Any) -> Iterator[list[ast.stmt]]:
    """Yield the branches of a statement; an ``elif`` is a statement of its own."""
    parts = [node, *getattr(node, "handlers", ()), *getattr(node, "cases", ())]
    for part in parts:
        if part is not node or not isinstance(node, ast.Try | ast.Match):
            yield part.body
    if isinstance(node, ast.If) and node.orelse:
        yield node.orelse


def _note(number: int, before: ast.AST) -> ast.stmt:
    """Return the statement that notes a number, to stand before another one."""
    statement = ast.parse(f"{_NAME}[{number}] = True").body[0]
    for part in ast.walk(statement):
        ast.copy_location(part, before)
    return statement
