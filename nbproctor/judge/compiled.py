"""Test cells compiled, once for a whole class.

To compile them takes a judge longer than to run them, so the engine does it and every
judge gets the code. It goes from one trusted process to another; nothing that a
student wrote comes in this form, which trusts whoever made it.
"""

from __future__ import annotations

import builtins
import contextlib
import marshal
from collections.abc import Sequence
from dataclasses import astuple, dataclass
from types import CodeType
from typing import Any

from nbproctor.judge.explain import TEST_FILE
from nbproctor.judge.program import BrokenTestError, Import, Program, imports_of
from nbproctor.markers import definitions_of, parse
from nbproctor.markers import imports as modules_of
from nbproctor.notebook import Cell


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
    modules
        Modules that any cell imports.
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
    modules: frozenset[str]

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
                found = list(imports_of(cell.source))
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
            frozenset(
                name
                for cell in cells
                if cell.kind in ("provided", "solution", "helper", "test")
                for name in modules_of(cell.source)
            ),
        )

    def to_bytes(self) -> bytes:
        """Serialize for `from_bytes` of the same Python."""
        return marshal.dumps(astuple(self))

    @classmethod
    def from_bytes(cls, data: bytes) -> Tests:
        """Rebuild what `to_bytes` of a trusted process made."""
        programs, helpers, *rest, shares, code, outer, modules = marshal.loads(data)
        fields: list[Any] = [
            {name: Program(*fields) for name, fields in programs.items()},
            tuple(Program(*fields) for fields in helpers),
            *rest,
            {name: Shared(*fields) for name, fields in shares.items()},
            code,
            outer,
            modules,
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
            again = {name for name, _ in imports_of(cell.source)} & provided
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
