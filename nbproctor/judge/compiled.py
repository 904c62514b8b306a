"""Cells compiled, once for a whole class: their code, and what they need of each other.

To compile them takes a judge longer than to run them, so the engine does it and every
judge gets the code. It goes from one trusted process to another; nothing that a
student wrote comes in this form, which trusts whoever made it.
"""

from __future__ import annotations

import ast
import builtins
import dis
import marshal
import symtable
from collections.abc import Iterator, Sequence
from dataclasses import astuple, dataclass
from types import CodeType
from typing import Any

from nbproctor.errors import NbproctorError
from nbproctor.judge.magics import NotForJudgeError, judged_python
from nbproctor.markers import (
    DEFINITIONS,
    definitions_of,
    outside,
    parse,
    plain_python,
)
from nbproctor.markers import imports as modules_of
from nbproctor.notebook import Cell

TEST_FILE = "<test "  # file names of our code objects start so
_READS = "LOAD_NAME", "DELETE_NAME"
Import = tuple[str, CodeType]  # the name that is bound, and the code


class BrokenTestError(NbproctorError):
    """A test or helper cell is at fault, whatever the student wrote."""


@dataclass(frozen=True)
class Program:
    """A compiled cell.

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
    def of(cls, source: str, name: str, *, judged: bool = True) -> Program:
        """Compile a cell: one that the judge runs, or one whose names it has to know.

        Raises
        ------
        BrokenTestError
            It is not Python, or the judge cannot run it.
        """
        file = f"{TEST_FILE}{name}>"
        try:
            text = judged_python(source) if judged else plain_python(source)
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
        except NotForJudgeError as error:
            raise BrokenTestError(f"the cell {name} {error}") from error
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
    imported
        Those that only reference solutions import.
    imports
        The imports of all these cells, one module each: bound name (``*`` too), code.
    shares
        Test cell → what it needs of earlier test cells, if anything.
    definitions
        Test cell that another one needs → its imports and definitions alone.
    outer
        Global names that the source's other cells read and do not make.
    modules
        Modules that any cell imports.
    functions
        Exercise → the functions that its reference solution defines, if that defines
        nothing else: these can be lent to another exercise.
    """

    programs: dict[str, Program]
    helpers: tuple[Program, ...]
    before: dict[str, int]
    broken: dict[str, str]
    answers: frozenset[str]
    imported: frozenset[str]
    imports: tuple[Import, ...]
    shares: dict[str, Shared]
    definitions: dict[str, CodeType]
    outer: frozenset[str]
    modules: frozenset[str]
    functions: dict[str, frozenset[str]]

    @classmethod
    def of(cls, cells: Sequence[Cell]) -> Tests:
        """Compile the cells of a master notebook."""
        compiled: dict[str, Program] = {}
        broken: dict[str, str] = {}
        helpers: list[Program] = []
        before: dict[str, int] = {}
        imports: dict[str, list[Import]] = {"provided": [], "solution": []}
        trouble = ""
        for cell in cells:
            if cell.kind not in ("provided", "solution", "helper", "test"):
                continue
            if cell.kind in imports:
                imports[cell.kind] += _imports_of(cell.source)
            try:
                judged = cell.kind in ("helper", "test")
                program = Program.of(cell.source, cell.id, judged=judged)
                compiled[cell.id] = program
            except BrokenTestError as error:
                if cell.kind in ("helper", "test"):
                    broken[cell.id] = str(error)
                    trouble = trouble or (str(error) if cell.kind == "helper" else "")
                continue
            if cell.kind == "helper":
                helpers.append(program)
            elif cell.kind == "test" and trouble:
                broken[cell.id] = trouble
                del compiled[cell.id]
            elif cell.kind == "test":
                before[cell.id] = len(helpers)
        programs = {c.id: compiled[c.id] for c in cells if c.id in before}
        provided, imported = ({n for n, _ in made} for made in imports.values())
        wanted = {"*"}.union(*(p.uses for p in (*helpers, *programs.values())))
        shares = _shares(cells, compiled, provided)
        needed = {name for shared in shares.values() for name in shared.cells}
        solutions = [c for c in cells if c.kind == "solution"]
        outside_tests = [c for c in cells if c.kind in imports and c.id in compiled]
        return cls(
            programs,
            tuple(helpers),
            before,
            broken,
            frozenset(
                name
                for cell in solutions
                if cell.id in compiled
                for name in compiled[cell.id].makes - _imported_by(cell)
            ),
            frozenset(imported - provided),
            tuple(i for made in imports.values() for i in made if i[0] in wanted),
            shares,
            {c.id: _definitions(c) for c in cells if c.id in needed},
            frozenset().union(*(compiled[c.id].uses for c in outside_tests))
            - frozenset().union(*(compiled[c.id].binds for c in outside_tests))
            - vars(builtins).keys(),
            frozenset(
                name
                for cell in cells
                if cell.kind in ("provided", "solution", "helper", "test")
                for name in modules_of(cell.source)
            ),
            {c.id: names for c in solutions if (names := _functions(c, compiled))},
        )

    def to_bytes(self) -> bytes:
        """Serialize for `from_bytes` of the same Python."""
        return marshal.dumps(astuple(self))

    @classmethod
    def from_bytes(cls, data: bytes) -> Tests:
        """Rebuild what `to_bytes` of a trusted process made."""
        programs, helpers, *middle, shares, code, outer, modules, functions = (
            marshal.loads(data)
        )
        fields: list[Any] = [
            {name: Program(*fields) for name, fields in programs.items()},
            tuple(Program(*fields) for fields in helpers),
            *middle,
            {name: Shared(*fields) for name, fields in shares.items()},
            code,
            outer,
            modules,
            functions,
        ]
        return cls(*fields)


def _shares(
    cells: Sequence[Cell], compiled: dict[str, Program], provided: set[str]
) -> dict[str, Shared]:
    """Find what test cells need of each other.

    A global name is whose cell bound it last, in the order of the source. A module
    that provided cells import is there for every test, whoever imports it again.
    """
    owner: dict[str, str] = {}
    needs: dict[str, set[str]] = {}
    shares: dict[str, Shared] = {}
    for cell in cells:
        program = compiled.get(cell.id)
        if program is None:
            continue
        if cell.kind != "test":
            for name in program.binds:
                owner.pop(name, None)
            continue
        reads = program.uses - program.makes
        needed: set[str] = set()
        todo = {owner[name] for name in reads & owner.keys()}
        while todo:
            one = todo.pop()
            needed.add(one)
            # Its functions read what names mean now, not what they meant then.
            inner = compiled[one].uses & owner.keys()
            todo |= ({owner[name] for name in inner} | needs[one]) - needed
        needs[cell.id] = needed
        if needed:
            order = tuple(name for name in compiled if name in needed)
            names = {n for n, c in owner.items() if c in needed} - program.makes
            shares[cell.id] = Shared(order, frozenset(names))
        again = _imported_by(cell) & provided
        owner |= dict.fromkeys(program.binds - again, cell.id)
    return shares


def _functions(cell: Cell, compiled: dict[str, Program]) -> frozenset[str]:
    """Return the functions of a cell that binds nothing else, but for imports."""
    plain = {
        node.name
        for node in parse(cell.source).body
        if isinstance(node, ast.FunctionDef) and not node.decorator_list
    }
    binds = compiled[cell.id].binds if cell.id in compiled else frozenset()
    rest = binds - plain - _imported_by(cell)
    return frozenset() if rest else frozenset(plain)


def _imports_of(source: str) -> Iterator[Import]:
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


def _imported_by(cell: Cell) -> set[str]:
    return {name for name, _ in _imports_of(cell.source)}


def _definitions(cell: Cell) -> CodeType:
    tree = definitions_of(parse(cell.source))
    return compile(tree, f"{TEST_FILE}{cell.id}>", "exec")


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
