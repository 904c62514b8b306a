"""Cells compiled, once for a whole class: their code, and what they need of each other.

A judge would take longer to compile them than to run them, so the engine compiles them
and every judge gets the code. It goes from one trusted process to another. Text of a
student never comes in this form, because the reader trusts it.
"""

from __future__ import annotations

import ast
import builtins
import copy
import dis
import hashlib
import marshal
import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence, Set
from dataclasses import astuple, dataclass, replace
from types import CodeType
from typing import Any, NamedTuple

from nbproctor.cells import compile_code, imported, parse_code
from nbproctor.errors import NbproctorError
from nbproctor.markers import (
    DEFINITIONS,
    IMPORTS,
    bound_names,
    definitions_of,
    parse,
    plain_python,
    walk_top_level,
)
from nbproctor.notebook import Cell

TEST_FILE = "<test "  # file names of our code objects start so
# Names a built-in function of test cells, `guard.check_template`.
CHECK_TEMPLATE = "_nbproctor_template"
TOOLS = "nbproctor"  # what a test measures with them counts in the judge alone
# IPython turns a magic into a call of this function, with the text of the cell. In the
# student's process, the student could define it, and would get the hidden test.
_NOTEBOOK = "get_ipython"
# Lines in the test cells of public courses that no test depends on.
_WITHOUT_EFFECT = re.compile(r"\A\s*%%time[^\S\n]*$|^%matplotlib\b.*$", re.MULTILINE)
_READS = {"LOAD_NAME", "DELETE_NAME", "LOAD_GLOBAL", "LOAD_FROM_DICT_OR_GLOBALS"}
# Names of code that looks for other names by their text.
_LOOK_UP = {"dir", "globals", "locals", "vars", "eval", "exec", "__main__"}
# Methods that change a list, a dictionary or a set.
_CHANGES = "add append clear discard extend insert pop popitem remove reverse"
_CHANGES += " setdefault sort update"
_BINDINGS = DEFINITIONS | IMPORTS | ast.Assign | ast.AnnAssign
_IN_JUDGE = "helper", "test"  # kinds of cells that the judge runs
_WITH_CODE = "provided", "solution", *_IN_JUDGE
WORD = re.compile(r"[^\W\d]\w*")
Import = tuple[str, CodeType]  # the name that is bound, and the code
Names = dict[str, Any]  # the global names that code runs with


class BrokenTestError(NbproctorError):
    """A test or helper cell is at fault, whatever the student wrote."""


@dataclass(frozen=True)
class Program:
    """A compiled cell."""

    body: CodeType
    last: CodeType | None  # the expression at the end, whose value is the cell's
    uses: frozenset[str]  # global names that it reads
    binds_first: frozenset[str]  # those that it binds before it reads them
    binds: frozenset[str]  # all that it binds; of a test, also what it changes in place
    has_effects: bool = False  # whether it does more than bind names
    broken: str = ""  # why the cell cannot be run; it is an empty one then

    @classmethod
    def from_source(
        cls,
        source: str,
        name: str,
        *,
        runs_in_judge: bool = True,
    ) -> Program:
        """Compile a cell: one that the judge runs, or one whose names it has to know.

        `BrokenTestError`: the cell is not Python, or cannot run in the judge.
        """
        file = f"{TEST_FILE}{name}>"
        try:
            text = plain_python(source)
            if runs_in_judge and text != source:
                text = plain_python(_WITHOUT_EFFECT.sub("", source))
            tree = parse_code(text, file)
            if runs_in_judge:
                _check_templates(tree)
            whole = compile_code(tree, file)
            last = None
            is_silent = source.rstrip().endswith(";")
            match tree.body:
                case [*statements, ast.Expr(value)] if not is_silent:
                    last = compile_code(ast.Expression(value), file, "eval")
                case statements:
                    pass
            body = compile_code(ast.Module(statements, []), file)
        except (SyntaxError, ValueError) as error:
            raise BrokenTestError(f"the cell {name} cannot be read: {error}") from error
        read_first, binds = _global_names(whole, outermost=True)
        uses = read_first
        for code in _codes_inside(whole):
            inner_reads, inner_binds = _global_names(code)
            uses |= inner_reads
            binds |= inner_binds
        if runs_in_judge and _NOTEBOOK in uses:
            raise BrokenTestError(
                f"the cell {name} uses a magic or `{_NOTEBOOK}`, which only a "
                "notebook has"
            )
        changed = uses.intersection(_changed(tree)) if runs_in_judge else frozenset()
        return cls(
            body=body,
            last=last,
            uses=uses - {CHECK_TEMPLATE},
            binds_first=binds - read_first,
            binds=binds | changed,
            has_effects=not all(map(_only_binds, tree.body)),
        )

    def run(self, names: Names) -> Any:
        """Run the cell with these global names; return the value that it ends in."""
        execute(self.body, names)
        return execute(self.last, names) if self.last else None


@dataclass(frozen=True)
class CompiledTest:
    """A test cell, and how it depends on the cells above it and below."""

    program: Program
    helpers: list[int]  # positions of the helper cells that run before it
    # As in a kernel, it may need test cells above it: these cells in order, with those
    # that they need themselves; and the names that they make and no later cell changes.
    needs: list[str]
    shared: set[str]
    definitions: CodeType  # its imports and definitions alone, if another needs them
    # Whether it runs in the student's process, as in a kernel: it has no points and no
    # hidden parts, measures nothing, needs no hidden cell, and no other test needs it.
    is_public: bool
    # Of the part that students see: the names that it assigns, those that its imports
    # and definitions bind, and these as text.
    visible_variables: set[str]
    visible_bindings: set[str]
    visible_definitions: str
    # Of the global random generators; nobody can guess it without the solutions.
    seed: int


@dataclass(frozen=True)
class Tests:
    """The test cells of an assignment, and what they depend on."""

    cells: dict[str, CompiledTest]
    helpers: list[Program]  # helper cells in source order
    solution_names: set[str]  # global names that the reference solutions define
    solution_imports: set[str]  # those that only reference solutions import
    # The imports of all these cells, one module each: bound name (``*`` too), code.
    imports: list[Import]
    # Global names that the source's other cells read: those that they do not make, or
    # that tests change.
    names_from_tests: set[str]
    # Exercise → the functions that its reference solution defines, if it defines
    # nothing else: another exercise can borrow these. A function that neither a test
    # nor a text for students names is only a tool of the solution, and is left out.
    functions: dict[str, set[str]]

    @classmethod
    def from_cells(cls, source: Iterable[Cell]) -> Tests:
        """Compile the cells of a master notebook."""
        cells = _compile_all([cell for cell in source if cell.kind in _WITH_CODE])
        programs = defaultdict(list)  # by the kind of their cells
        imports = defaultdict[str, list[Import]](list)
        for cell, program, _, entries in cells:
            programs[cell.kind].append(program)
            imports[cell.kind] += entries
        helpers = programs["helper"]
        tested = programs["test"]
        others = programs["provided"] + programs["solution"]
        provided_names = dict(imports["provided"]).keys()
        used_in_judge = used_in([*helpers, *tested])
        visible_words = union(WORD.findall(cell.stub) for cell, *_ in cells)
        known_names = used_in_judge | visible_words
        solution_names = set[str]()
        functions = {}
        for cell, program, tree, entries in cells:
            if cell.kind == "solution":
                imported_names = dict(entries).keys()
                solution_names |= program.binds_first - imported_names
                defined = _functions(tree)
                if defined and program.binds <= defined | imported_names:
                    functions[cell.id] = defined & known_names or defined
        bound_by_others = union(program.binds for program in others)
        changed_by_tests = union(p.binds - p.binds_first for p in tested)
        names_from_tests = {*used_in(others)} - (bound_by_others - changed_by_tests)
        return cls(
            cells=_compile_tests(cells, helpers, provided_names),
            helpers=helpers,
            solution_names=solution_names,
            solution_imports=dict(imports["solution"]).keys() - provided_names,
            imports=[
                (name, code)
                for name, code in imports["provided"] + imports["solution"]
                if name in used_in_judge or name == "*"
            ],
            names_from_tests=names_from_tests - vars(builtins).keys(),
            functions=functions,
        )

    def programs_of(self, test: str) -> list[Program]:
        """Return the programs of a test: its own, helper cells, tests that it needs."""
        compiled = self.cells[test]
        needed = [self.cells[name].program for name in compiled.needs]
        return [compiled.program, *self.helpers_of(test), *needed]

    def helpers_of(self, test: str) -> list[Program]:
        """Return the programs of the helper cells that run before a test."""
        return [self.helpers[position] for position in self.cells[test].helpers]

    def to_bytes(self) -> bytes:
        """Serialize for `from_bytes` of the same Python."""
        return marshal.dumps(astuple(self))

    @classmethod
    def from_bytes(cls, data: bytes) -> Tests:
        """Rebuild what `to_bytes` of a trusted process made."""
        cells, helpers, *others = marshal.loads(data)
        tests = {
            name: CompiledTest(Program(*program), *fields)
            for name, (program, *fields) in cells.items()
        }
        return cls(tests, [Program(*fields) for fields in helpers], *others)


def used_in(programs: Iterable[Program]) -> frozenset[str]:
    """Return the global names that programs use."""
    return union(program.uses for program in programs)


def execute(code: CodeType, names: Names) -> Any:
    """Run compiled code with these global names; return its value, if it has one."""
    return eval(code, names)


def _only_binds(statement: ast.stmt) -> bool:
    """Whether a statement binds names that it spells out, and does nothing else."""
    match statement:
        case ast.ImportFrom(names=[ast.alias("*")]):
            return False
        case ast.Expr(ast.Constant()):
            return True
    return isinstance(statement, _BINDINGS)


def _check_templates(tree: ast.Module) -> None:
    """Have the judge check each text that a test formats, unless it is spelled out."""
    for node in ast.walk(tree):
        match node:
            case ast.Attribute(ast.Constant()):
                pass
            case ast.Attribute(value, "format" | "format_map"):
                check = ast.Call(ast.Name(CHECK_TEMPLATE, ast.Load()), [value], [])
                ast.copy_location(check, value)
                node.value = ast.fix_missing_locations(check)


def _changed(tree: ast.Module) -> Iterator[str]:
    """Yield the names whose values are changed in place, as in ``x[0] = 1``."""
    for node in ast.walk(tree):
        match node:
            case ast.Attribute(target) | ast.Subscript(target):
                if isinstance(node.ctx, ast.Load):
                    continue
            case ast.Expr(ast.Call(ast.Attribute(target, method))):
                if method not in _CHANGES.split():
                    continue
            case _:
                continue
        while isinstance(target, ast.Attribute | ast.Subscript):
            target = target.value
        if isinstance(target, ast.Name):
            yield target.id


def union(sets: Iterable[Iterable[str]]) -> frozenset[str]:
    """Return the names that are in any of these sets."""
    return frozenset().union(*sets)


class _CompiledCell(NamedTuple):
    """A cell of the source, parsed and compiled once."""

    cell: Cell
    program: Program
    tree: ast.Module
    imports: list[Import]  # the names that only imports bind


def _compile_all(cells: Iterable[Cell]) -> list[_CompiledCell]:
    """Compile cells; a cell that is not Python becomes an empty program."""
    compiled = []
    helper_fault = ""  # no test after such a helper cell can be judged
    for cell in cells:
        try:
            program = Program.from_source(
                cell.source,
                cell.id,
                runs_in_judge=cell.kind in _IN_JUDGE,
            )
            if helper_fault and cell.kind == "test":
                raise BrokenTestError(helper_fault)
        except BrokenTestError as error:
            empty = Program.from_source("", cell.id)
            program = replace(empty, broken=str(error))
        if cell.kind == "helper":
            helper_fault = helper_fault or program.broken
        tree = parse(cell.source)
        compiled.append(_CompiledCell(cell, program, tree, [*_imports_of(tree)]))
    # No other word: the student's process is asked for these.
    names = union(
        each.program.binds for each in compiled if each.cell.kind not in _IN_JUDGE
    )
    return [_with_names_in_text(each, names) for each in compiled]


def _with_names_in_text(compiled: _CompiledCell, names: Set[str]) -> _CompiledCell:
    """Let a cell that looks for names by their text use `names`, too."""
    program = compiled.program
    if _LOOK_UP.isdisjoint(program.uses | program.binds):
        return compiled
    words = {*re.findall(r"\w+", compiled.cell.source)} & names
    # A text may be a name that must not be there: nobody else writes it.
    for node in ast.walk(compiled.tree):
        text = getattr(node, "value", None)
        if isinstance(text, str) and text.isidentifier():
            words.add(text)
    return compiled._replace(program=replace(program, uses=program.uses | words))


def _compile_tests(
    cells: Sequence[_CompiledCell],
    helpers: Sequence[Program],
    provided: Set[str],
) -> dict[str, CompiledTest]:
    """Compile the test cells; `provided` are the names that provided cells import."""
    needs, shared = _needs(cells, provided)
    needed = union(needs.values())
    solutions = [each.cell for each in cells if each.cell.kind == "solution"]
    used_by_helpers = used_in(helpers)
    programs = {each.cell.id: each.program for each in cells}
    helpers_above: list[Program] = []
    tests = {}
    for cell, program, tree, _ in cells:
        if cell.kind == "helper":
            helpers_above.append(program)
        if cell.kind != "test":
            continue
        needed_programs = [programs[name] for name in needs[cell.id]]
        is_needed = cell.id in needed
        definitions = definitions_of(tree if is_needed else ast.Module([], []))
        visible = parse(cell.stub)
        visible_definitions = definitions_of(visible)
        helper_names = union(helper.binds for helper in helpers_above) - provided
        needs_judge = (
            cell.points > 0
            or cell.stub != cell.source
            or is_needed
            or needed_programs
            or program.broken
            or helper_names & program.uses
            or used_by_helpers & program.binds
            or any(name.startswith(TOOLS) for name in imported(tree))
        )
        tests[cell.id] = CompiledTest(
            program=program,
            helpers=_helpers_for([program, *needed_programs], helpers_above),
            needs=needs[cell.id],
            shared=shared[cell.id],
            definitions=compile_code(definitions, f"{TEST_FILE}{cell.id}>"),
            is_public=not needs_judge,
            visible_variables=_assigned_names(visible),
            visible_bindings=bound_names(visible_definitions),
            visible_definitions=ast.unparse(visible_definitions),
            seed=_seed(cell, solutions),
        )
    return tests


def _helpers_for(
    programs: Sequence[Program],
    helpers: Sequence[Program],
) -> list[int]:
    """Return the positions of the helper cells that programs need.

    A helper cell that only binds names is left out if nothing reads these names, or
    looks for names by their text.
    """
    chosen: list[int] = []
    while True:
        names = used_in([*programs, *(helpers[position] for position in chosen)])
        needed = [
            position
            for position, helper in enumerate(helpers)
            if helper.has_effects or names & (helper.binds | _LOOK_UP)
        ]
        if needed == chosen:
            return chosen
        chosen = needed


def _needs(
    cells: Iterable[_CompiledCell],
    provided: Set[str],
) -> tuple[dict[str, list[str]], dict[str, set[str]]]:
    """Find what test cells need of each other: cells, and names that these make.

    A global name belongs to the cell that bound it last, in the order of the source. A
    module that provided cells import is available to every test, even if a test
    imports it again.
    """
    owner: dict[str, str] = {}
    needs: dict[str, list[str]] = {}
    shared = {}
    uses: dict[str, frozenset[str]] = {}  # of the tests so far
    for cell, program, _, imports in cells:
        if cell.kind != "test":
            for name in program.binds:
                owner.pop(name, None)
            continue
        reads = program.uses - program.binds_first
        todo = [owner[name] for name in reads & owner.keys()]
        needed = set[str]()
        while todo:
            test = todo.pop()
            if test not in needed:
                needed.add(test)
                todo += needs[test]
                # Its functions read what names mean now, not what they meant then.
                todo += [owner[name] for name in uses[test] & owner.keys()]
        needs[cell.id] = [name for name in uses if name in needed]
        uses[cell.id] = program.uses
        names = {name for name, test in owner.items() if test in needed}
        shared[cell.id] = names - program.binds_first
        repeated_imports = dict(imports).keys() & provided
        owner |= dict.fromkeys(program.binds - repeated_imports, cell.id)
    return needs, shared


def _seed(test: Cell, solutions: Iterable[Cell]) -> int:
    """Return the same number for a test each time, made of texts that are hidden."""
    texts = [test.id, test.source]
    texts += [cell.source for cell in solutions]
    digest = hashlib.sha256("\0".join(texts).encode())
    return int.from_bytes(digest.digest())


def _functions(tree: ast.Module) -> set[str]:
    """Return the functions without decorators that a cell defines."""
    return {
        node.name
        for node in tree.body
        if isinstance(node, ast.FunctionDef) and not node.decorator_list
    }


def _imports_of(tree: ast.Module) -> Iterator[Import]:
    """Yield the names that only imports bind, and the code of each."""
    nodes = [*walk_top_level(tree)]
    bound = _assigned_names(tree)
    bound |= {node.name for node in nodes if isinstance(node, DEFINITIONS)}
    for node in nodes:
        if isinstance(node, IMPORTS):
            for alias in node.names:
                name = alias.asname or alias.name.partition(".")[0]
                if name not in bound:
                    single = copy.copy(node)
                    single.names = [alias]
                    yield name, compile_code(ast.Module([single], []), "<imports>")


def _assigned_names(tree: ast.Module) -> set[str]:
    """Return the names that code outside of functions assigns."""
    return {
        node.id
        for node in walk_top_level(tree)
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)
    }


def _global_names(
    code: CodeType, *, outermost: bool = False
) -> tuple[frozenset[str], frozenset[str]]:
    """Return the global names that code reads before it binds them, and those it binds.

    From the compiled code: ``symtable`` calls the variable of a comprehension a name of
    the cell since Python 3.12, which inlines comprehensions.
    """
    reads = set()
    bound = set()  # in the body of a class: its attributes
    bound_globally = set()
    for step in dis.get_instructions(code):
        name = step.argval
        if step.opname == "STORE_NAME":
            bound.add(name)
        elif step.opname == "STORE_GLOBAL":
            bound_globally.add(name)
        elif step.opname in _READS and name not in bound:
            reads.add(name)
    if outermost:
        bound_globally |= bound
    return frozenset(reads), frozenset(bound_globally)


def _codes_inside(code: CodeType) -> Iterator[CodeType]:
    """Yield the code objects of the functions and classes in a code object."""
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            yield constant
            yield from _codes_inside(constant)
