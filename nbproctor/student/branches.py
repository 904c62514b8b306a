"""Branches of a student's cells that no call has entered.

Python 3.12 and later report each line once, when it first runs; after that, it costs
nothing. Under an earlier Python, no lines are recorded, because tracing would slow down
answers whose time a test measures.
"""

from __future__ import annotations

import ast
import sys
from collections import defaultdict
from collections.abc import Iterator
from types import CodeType
from typing import Any

from nbproctor.cells import parse_code

_BRANCHING = (ast.If, ast.For, ast.AsyncFor, ast.While, ast.Try, ast.Match)
_TOOL = 4  # a number that Python does not reserve
_monitoring: Any = getattr(sys, "monitoring", None)


class ExecutedLines:
    """The lines of a student's cells that have run."""

    def __init__(self) -> None:
        self._executed: defaultdict[str, set[int]] = defaultdict(set)  # by file name
        if _monitoring:
            self._event = _monitoring.events.LINE
            if _monitoring.get_tool(_TOOL) is None:
                _monitoring.use_tool_id(_TOOL, "nbproctor")
            _monitoring.register_callback(_TOOL, self._event, self._note)

    def watch(self, code: CodeType) -> None:
        """Record the lines of a code object, and of those inside it, when they run."""
        if _monitoring is None:
            return
        _monitoring.set_local_events(_TOOL, code, self._event)
        for constant in code.co_consts:
            if isinstance(constant, CodeType):
                self.watch(constant)

    def untried(self, file: str, source: str) -> list[int]:
        """Return the first line of each branch that no call has entered.

        Only statements that have run count, and no branch that only raises or passes.
        """
        executed = self._executed[file]
        if not executed:
            return []
        untried = []
        for node in ast.walk(parse_code(source, file)):
            has_branches = isinstance(node, _BRANCHING)
            if not has_branches or _line(node) not in executed:
                continue
            for body in _bodies(node):
                line = body[0].lineno
                does_nothing = isinstance(body[-1], ast.Raise | ast.Pass)
                if line not in executed and not does_nothing:
                    untried.append(line)
        return sorted(untried)

    def _note(self, code: CodeType, line: int) -> Any:
        self._executed[code.co_filename].add(line)
        return _monitoring.DISABLE


def _line(node: ast.AST) -> int:
    """Return the line of a statement that runs first."""
    first = node.body[0] if isinstance(node, ast.Try) else node
    return getattr(first, "lineno", 0)


def _bodies(node: ast.AST) -> Iterator[list[ast.stmt]]:
    """Yield the branches of a statement; an ``elif`` is a statement of its own."""
    branches = getattr(node, "handlers", []) or getattr(node, "cases", [node])
    for branch in branches:
        yield branch.body
    if isinstance(node, ast.If) and node.orelse:
        yield node.orelse
