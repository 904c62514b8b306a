"""One cell as a program: its code, and which global names it reads and binds."""

from __future__ import annotations

import ast
import dis
import symtable
from collections.abc import Iterator
from dataclasses import dataclass
from types import CodeType

from nbproctor.errors import NbproctorError
from nbproctor.judge.explain import TEST_FILE
from nbproctor.markers import DEFINITIONS, outside, parse, plain_python

_READS = "LOAD_NAME", "DELETE_NAME"
Import = tuple[str, CodeType]  # the name that is bound, and the code


class BrokenTestError(NbproctorError):
    """A test or helper cell is at fault, whatever the student wrote."""


@dataclass(frozen=True)
class Program:
    """A compiled test or helper cell.

    Attributes
    ----------
    body, last
        The statements, and the expression at the end whose value is the cell's.
    uses, makes
        Global names that it reads, and those that it binds before it reads them.
    binds
        All global names that it binds.
    """

    body: CodeType
    last: CodeType | None
    uses: frozenset[str]
    makes: frozenset[str]
    binds: frozenset[str]

    @classmethod
    def of(cls, source: str, name: str) -> Program:
        """Compile a cell.

        Raises
        ------
        BrokenTestError
            It is not Python.
        """
        file = f"{TEST_FILE}{name}>"
        try:
            text = plain_python(source)
            tree = ast.parse(text, file)
            table = symtable.symtable(text, file, "exec")
            last = None
            silent = source.rstrip().endswith(";")
            if tree.body and isinstance(tree.body[-1], ast.Expr) and not silent:
                value = tree.body.pop()
                assert isinstance(value, ast.Expr)
                last = compile(ast.Expression(value.value), file, "eval")
            body = compile(tree, file, "exec")
        except (SyntaxError, ValueError) as error:
            raise BrokenTestError(f"the cell {name} cannot be read: {error}") from error
        uses, makes = set(), set()
        for inner in _tables(table):
            for symbol in inner.get_symbols():
                if inner is table and (symbol.is_assigned() or symbol.is_imported()):
                    makes.add(symbol.get_name())
                elif inner is table or symbol.is_global():
                    uses.add(symbol.get_name())
                    if symbol.is_declared_global() and symbol.is_assigned():
                        makes.add(symbol.get_name())
        read_first = set(_read_first(body))
        uses, kept = uses | read_first, makes - read_first
        return cls(body, last, frozenset(uses), frozenset(kept), frozenset(makes))


def imports_of(source: str) -> Iterator[Import]:
    """Yield the names that only imports bind, and the code of each."""
    nodes = list(outside(parse(source)))
    stored = (n for n in nodes if isinstance(n, ast.Name) and type(n.ctx) is ast.Store)
    bound = {name.id for name in stored}
    bound |= {node.name for node in nodes if isinstance(node, DEFINITIONS)}
    for node in nodes:
        if isinstance(node, ast.Import | ast.ImportFrom):
            for alias in node.names:
                name = alias.asname or alias.name.partition(".")[0]
                node.names = [alias]
                if name not in bound:
                    code = compile(ast.Module([node], []), "<imports>", "exec")
                    yield name, code


def _read_first(code: CodeType) -> Iterator[str]:
    """Yield the names that a cell reads before it binds them, as in ``x = x[:2]``."""
    bound: set[str] = set()
    for step in dis.get_instructions(code):
        if step.opname == "STORE_NAME":
            bound.add(step.argval)
        elif step.opname in _READS and step.argval not in bound:
            yield step.argval


def _tables(table: symtable.SymbolTable) -> Iterator[symtable.SymbolTable]:
    yield table
    for child in table.get_children():
        yield from _tables(child)
