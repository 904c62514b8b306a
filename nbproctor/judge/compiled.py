"""Test cells compiled, once for a whole class.

To compile them takes a judge longer than to run them, so the engine does it and every
judge gets the code. It goes from one trusted process to another; nothing that a
student wrote comes in this form, which trusts whoever made it.
"""

from __future__ import annotations

import ast
import builtins
import contextlib
import dis
import marshal
import symtable
from collections.abc import Iterator, Sequence
from dataclasses import astuple, dataclass
from types import CodeType
from typing import Any

from nbproctor.errors import NbproctorError
from nbproctor.judge.explain import TEST_FILE
from nbproctor.markers import (
    DEFINITIONS,
    definitions_of,
    outside,
    parse,
    plain_python,
)
from nbproctor.notebook import Cell

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


@dataclass(frozen=True)
class Shared:
    """What a test cell needs of earlier test cells, as in a kernel.

    Attributes
    ----------
    cells
        Those test cells in order, with those that they need themselves.
    names
        Global names that they make and nothing after them makes anew.
    """

    cells: tuple[str, ...]
    names: frozenset[str]


@dataclass(frozen=True)
class Tests:
    """The test cells of an assignment, and what they stand on.

    Attributes
    ----------
    programs
        Test cells by id.
    helpers
        Helper cells in source order.
    before
        Test cell → how many of the helper cells come before it.
    broken
        Test cell → why it cannot be run.
    answers
        Global names that the reference solutions define.
    lent
        Those that only reference solutions import.
    imports
        The imports of all these cells, one module each: bound name (``*`` too), code.
    shares
        Test cell → what it needs of earlier test cells, if anything.
    definitions
        Test cell that another one needs → its imports and definitions alone.
    outer
        Global names that the source's other cells read and do not make.
    """

    programs: dict[str, Program]
    helpers: tuple[Program, ...]
    before: dict[str, int]
    broken: dict[str, str]
    answers: frozenset[str]
    lent: frozenset[str]
    imports: tuple[Import, ...]
    shares: dict[str, Shared]
    definitions: dict[str, CodeType]
    outer: frozenset[str]

    @classmethod
    def of(cls, cells: Sequence[Cell]) -> Tests:
        """Compile the cells of a master notebook."""
        programs: dict[str, Program] = {}
        helpers: list[Program] = []
        before: dict[str, int] = {}
        broken: dict[str, str] = {}
        answers: set[str] = set()
        imports: dict[str, list[Import]] = {"provided": [], "solution": []}
        trouble = ""
        for cell in cells:
            if cell.kind in imports:
                found = list(_imports(cell.source))
                imports[cell.kind] += found
            if cell.kind == "solution":
                with contextlib.suppress(BrokenTestError):
                    makes = Program.of(cell.source, cell.id).makes
                    answers |= makes - {name for name, _ in found}
            if cell.kind not in ("helper", "test"):
                continue
            try:
                program = Program.of(cell.source, cell.id)
            except BrokenTestError as error:
                broken[cell.id] = str(error)
                trouble = trouble or (str(error) if cell.kind == "helper" else "")
                continue
            if cell.kind == "helper":
                helpers.append(program)
            elif trouble:
                broken[cell.id] = trouble
            else:
                programs[cell.id] = program
                before[cell.id] = len(helpers)
        wanted = {"*"}.union(*(p.uses for p in (*helpers, *programs.values())))
        provided, lent = ({name for name, _ in made} for made in imports.values())
        shares = _shares(cells, programs, provided)
        needed = {name for shared in shares.values() for name in shared.cells}
        return cls(
            programs,
            tuple(helpers),
            before,
            broken,
            frozenset(answers),
            frozenset(lent - provided),
            tuple(i for made in imports.values() for i in made if i[0] in wanted),
            shares,
            {
                cell.id: _definitions(cell.source, cell.id)
                for cell in cells
                if cell.id in needed
            },
            _outer(cells),
        )

    def to_bytes(self) -> bytes:
        """Serialize for `from_bytes` of the same Python."""
        return marshal.dumps(astuple(self))

    @classmethod
    def from_bytes(cls, data: bytes) -> Tests:
        """Rebuild what `to_bytes` of a trusted process made."""
        programs, helpers, *rest, shares, definitions, outer = marshal.loads(data)
        fields: list[Any] = [
            {name: Program(*fields) for name, fields in programs.items()},
            tuple(Program(*fields) for fields in helpers),
            *rest,
            {name: Shared(*fields) for name, fields in shares.items()},
            definitions,
            outer,
        ]
        return cls(*fields)


def _shares(
    cells: Sequence[Cell], programs: dict[str, Program], provided: set[str]
) -> dict[str, Shared]:
    """Find what test cells need of each other.

    A global name is whose cell bound it last, in the order of the source. A module
    that provided cells import is there for every test, whoever imports it again.
    """
    owner: dict[str, str] = {}
    needs: dict[str, set[str]] = {}
    shares: dict[str, Shared] = {}
    for cell in cells:
        program = programs.get(cell.id)
        if cell.kind == "test" and program is not None:
            reads = program.uses - program.makes
            needed: set[str] = set()
            todo = {owner[name] for name in reads & owner.keys()}
            while todo:
                one = todo.pop()
                needed.add(one)
                # Its functions read what names mean now, not what they meant then.
                inner = programs[one].uses & owner.keys()
                todo |= ({owner[name] for name in inner} | needs[one]) - needed
            needs[cell.id] = needed
            if needed:
                order = tuple(name for name in programs if name in needed)
                names = {n for n, c in owner.items() if c in needed} - program.makes
                shares[cell.id] = Shared(order, frozenset(names))
            again = {name for name, _ in _imports(cell.source)} & provided
            owner |= dict.fromkeys(program.binds - again, cell.id)
        elif cell.kind in ("provided", "solution", "helper"):
            with contextlib.suppress(BrokenTestError):
                for name in Program.of(cell.source, cell.id).binds:
                    owner.pop(name, None)
    return shares


def _outer(cells: Sequence[Cell]) -> frozenset[str]:
    reads: set[str] = set()
    binds: set[str] = set()
    for cell in cells:
        if cell.kind in ("provided", "solution"):
            with contextlib.suppress(BrokenTestError):
                program = Program.of(cell.source, cell.id)
                reads |= program.uses
                binds |= program.binds
    return frozenset(reads - binds - vars(builtins).keys())


def _definitions(source: str, name: str) -> CodeType:
    return compile(definitions_of(parse(source)), f"{TEST_FILE}{name}>", "exec")


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


def _imports(source: str) -> Iterator[Import]:
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
