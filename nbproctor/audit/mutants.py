"""Mutants: a reference solution with one small, plausible mistake, to check tests.

A mutant that keeps full marks shows a gap in the tests, or is equivalent to the
reference. The existing tools (mutmut, cosmic-ray, mutatest) make mistakes of general
Python. They do not make those of numerical code: to drop a ``.T``, a copy, a term or a
factor, or to confuse ``@`` with ``*`` or ``sum`` with ``mean``.
"""

from __future__ import annotations

import ast
import copy
import difflib
import os
import re
import string
from ast import (
    Add,
    Assign,
    Attribute,
    AugAssign,
    BinOp,
    BoolOp,
    Call,
    ClassDef,
    Compare,
    Constant,
    Del,
    Dict,
    Expr,
    FunctionDef,
    Import,
    ImportFrom,
    JoinedStr,
    Load,
    Module,
    Mult,
    Name,
    Pass,
    Raise,
    Return,
    Starred,
    Store,
    Subscript,
)
from collections import Counter
from collections.abc import Iterable, Iterator
from itertools import compress
from typing import Any, NamedTuple, TypeAlias, TypeVar

from nbproctor.cells import parse_code
from nbproctor.markers import DEFINITIONS

_SIMPLE = Assign, AugAssign, Dict, Expr, Return
_UNTOUCHED = {"annotation", "decorator_list", "returns", "type_params"}
_T = TypeVar("_T")
#: A node's parent, the node, the kind of mistake with its function, the new node.
_Change: TypeAlias = tuple[ast.AST, ast.AST, str, ast.AST]


class Mutant(NamedTuple):
    """A solution cell with one mistake."""

    # Function, kind of mistake, code before and after. It has no line number, so it
    # stays the same while other lines change.
    name: str
    source: str  # written by `ast.unparse`: without comments
    diff: str  # from the reference
    omission: str  # name of the mutant that leaves out the part with the mistake


def mutants(source: str) -> list[Mutant]:
    """Return all mutants of a solution cell, in the order of the source.

    No two have the same syntax tree or name. Docstrings, decorators, annotations,
    messages of exceptions, seeds and progress bars do not change. `SyntaxError`: the
    cell is not plain Python.
    """
    tree = parse_code(source)
    reference = ast.unparse(tree)
    changes = [*_small_changes(tree)]
    parts = _parts(tree)
    omissions: dict[ast.AST, str] = {tree: reference}
    for part in dict.fromkeys(parts.values()):
        copies: dict[int, Any] = {}
        whole = copy.deepcopy(tree, copies)
        _Omission(copies[id(part)]).visit(whole)
        omissions[part] = ast.unparse(whole)
        name = f"left out: {_brief(part)}"
        changes.append((name, omissions[part], part))
    names = {reference: ""}  # by text, which `ast.unparse` makes the same for one tree
    numbers = Counter[str]()
    nodes = {}
    for name, text, node in changes:
        if text in names:
            continue
        nodes[text] = node
        numbers[name] += 1
        number = numbers[name]
        names[text] = name if number == 1 else f"{name} ({number})"
    all_mutants = []
    for text, node in nodes.items():
        diff = difflib.unified_diff(
            reference.splitlines(),
            text.splitlines(),
            fromfile="reference",
            tofile="mutant",
            n=2,
            lineterm="",
        )
        mutant = Mutant(
            name=names[text],
            source=text,
            diff="\n".join(diff),
            omission=names[omissions[parts.get(node, tree)]],
        )
        all_mutants.append(mutant)
    return all_mutants


def _small_changes(tree: Module) -> Iterator[tuple[str, str, ast.AST]]:
    """Yield, for each mistake, its name, the whole text with it, and the old node."""
    changes = [*_changes(tree, "cell"), *_columns(tree)]
    for parent, old, name, new in changes:
        copies: dict[int, Any] = {id(old): new}
        text = ast.unparse(copy.deepcopy(tree, copies))
        if not isinstance(old, FunctionDef):
            shown = parent if isinstance(old, Constant) else old  # 1 → 2 tells nothing
            name += f": {_brief(shown, copies[id(shown)])}"
        yield name, text, old


def _parts(tree: Module) -> dict[ast.AST, ast.AST]:
    """Map each node to the statement, or the entry of a dictionary, that it is in."""
    parts: dict[ast.AST, ast.AST] = {}
    for node in ast.walk(tree):  # inner parts come later, and replace outer ones
        if not isinstance(node, _SIMPLE):
            continue
        for part in node.values if isinstance(node, Dict) else [node]:
            if not _is_text(part):
                parts |= dict.fromkeys(ast.walk(part), part)
    return parts


class _Omission(ast.NodeTransformer):
    """Leaves out a part, and statements that use names that only this part sets.

    Each function is treated on its own.
    """

    def __init__(self, part: ast.AST, names: Iterable[str] = ()) -> None:
        self.part = part
        self.setters = Counter(names)  # how often each name of a function is set
        self.missing: set[str] = set()

    def visit_FunctionDef(self, node: FunctionDef) -> ast.AST:
        arguments = [each.arg for each in ast.walk(node) if isinstance(each, ast.arg)]
        inside = _Omission(self.part, [*arguments, *_names(node, Store)])
        return inside.generic_visit(node)

    def visit_Dict(self, node: Dict) -> ast.AST:
        stays = [not self._is_left_out(value) for value in node.values]
        node.keys = [*compress(node.keys, stays)]
        node.values = [*compress(node.values, stays)]
        return node

    def visit(self, node: ast.AST) -> Any:
        node = super().visit(node)
        is_statement = isinstance(node, ast.stmt) and not isinstance(node, DEFINITIONS)
        if not is_statement or not self._is_left_out(node):
            return node
        for name in _names(node, Store):
            if self.setters[name] < 2:
                self.missing.add(name)
        return Pass()

    def _is_left_out(self, node: ast.AST) -> bool:
        needs_it = not self.missing.isdisjoint(_names(node, Load))
        return node is self.part or needs_it


def _names(node: ast.AST, context: type[ast.expr_context]) -> list[str]:
    """Return the names that are read or set."""
    return [
        each.id
        for each in ast.walk(node)
        if isinstance(each, Name) and isinstance(each.ctx, context)
    ]


def _brief(*nodes: ast.AST) -> str:
    """Return code in one line; a long change starts shortly before the difference."""
    texts = [" ".join(ast.unparse(node).split()) for node in nodes]
    common = os.path.commonprefix(texts)  # noqa: RUF071 - of any texts
    start = 0
    if max(map(len, texts)) > 70 and common not in texts:
        start = max(0, len(common) - 12)
    mark = "…" if start else ""
    return " → ".join(mark + text[start:][:70] for text in texts)


def _changes(node: ast.AST, scope: str) -> Iterator[_Change]:
    """Yield each mistake in a part of the tree."""
    untouched = _UNTOUCHED
    if called(node) in COSMETIC:
        untouched = _UNTOUCHED | {"keywords"}
    for field, value in ast.iter_fields(node):
        if field in untouched:
            continue
        for child in value if isinstance(value, list) else [value]:
            if not isinstance(child, ast.AST) or _is_text(child):
                continue
            inner = child.name if isinstance(child, FunctionDef) else scope
            for kind, new in mistakes(child, node):
                yield node, child, f"{inner}: {kind}", new
            if not isinstance(child, Raise):
                yield from _changes(child, inner)


def _is_text(node: ast.AST) -> bool:
    """Whether a node is a docstring, an f-string or a statement that only prints."""
    if isinstance(node, Expr):
        return isinstance(node.value, Constant) or called(node.value) == "print"
    return isinstance(node, JoinedStr)


def _columns(tree: Module) -> Iterator[_Change]:
    """Yield, for each column of a table, a change to the next column.

    A cell works on tables if it uses a method that only tables have.
    """
    nodes = [*ast.walk(tree)]
    attributes = {getattr(node, "attr", "") for node in nodes}
    if attributes.isdisjoint(_OF_TABLES):
        return
    columns: list[tuple[ast.AST, Constant]] = []
    for node in nodes:
        match node:
            case Subscript(slice=Constant(str()) as column, ctx=Load()):
                columns.append((node, column))
    names = [*dict.fromkeys(column.value for _, column in columns)]
    for node, column in columns:
        following = names[names.index(column.value) + 1 - len(names)]
        yield node, column, "cell: column", Constant(following)


def _table(text: str) -> dict[str, list[str]]:
    rows = re.findall(r"(\w+): (.+)", text)
    return {name: others.split(", ") for name, others in rows}


_OPERATORS = _table("""
Add: Sub, Mult
Sub: Add
Mult: Div, MatMult, Add
Div: Mult, FloorDiv
FloorDiv: Div
Mod: FloorDiv
MatMult: Mult
Pow: Mult
And: Or
Or: And
Lt: LtE, GtE
LtE: Lt, Gt
Gt: GtE, LtE
GtE: Gt, Lt
Eq: NotEq
NotEq: Eq
Is: IsNot
IsNot: Is
In: NotIn
NotIn: In
""")
_FUNCTIONS = _table("""
all: any
any: all
argmax: argmin, max
argmin: argmax, min
ceil: floor
floor: ceil
dot: multiply
exp: expm1, exp2
log: log1p, log2, log10
max: min
min: max
maximum: minimum
minimum: maximum
mean: sum, median
sum: mean, max
normal: uniform
randn: rand
ones: zeros
zeros: ones
ones_like: zeros_like
zeros_like: ones_like
median: mean
head: tail
tail: head
first: last
last: first
idxmax: idxmin
idxmin: idxmax
nlargest: nsmallest
nsmallest: nlargest
cumsum: cumprod
ffill: bfill
bfill: ffill
notna: isna
isna: notna
lower: upper
upper: lower
startswith: endswith
endswith: startswith
strip: lstrip, rstrip
lstrip: strip
rstrip: strip
find: rfind
isalpha: isalnum
isalnum: isalpha
isdigit: isalnum
""")
# Whole texts, such as the value of a keyword: how tables are joined or aggregated.
_WORDS = _table("""
left: inner, right
right: left
inner: left, outer
outer: inner
mean: median, sum
median: mean
sum: mean, count
count: sum, size
min: max
max: min
first: last
last: first
any: all
all: any
index: columns
columns: index
""")
# Words of SQL in a query: pattern → replacement.
_SQL = {
    r"\bASC\b": "DESC",
    r"\bDESC\b": "ASC",
    r"\bLEFT( OUTER)? JOIN\b": "JOIN",
    r"(?<!LEFT )(?<!OUTER )\b(INNER )?JOIN\b": "LEFT JOIN",
    r"\bMIN\b": "MAX",
    r"\bMAX\b": "MIN",
    r"\bAVG\b": "SUM",
    r"\bSUM\b": "AVG",
    r"\bDISTINCT\b": "",
    r"\bUNION\b(?! ALL)": "UNION ALL",
    r"\bAND\b": "OR",
    r"\bOR\b": "AND",
    r"<=": "<",
    r">=": ">",
    r"<(?![=>])": "<=",
    r"(?<!<)>(?!=)": ">=",
}
_QUERY = re.compile(r"\s*(SELECT|WITH|INSERT|UPDATE|DELETE)\b", re.IGNORECASE)
_OF_TABLES = {
    "agg",
    "groupby",
    "iloc",
    "loc",
    "merge",
    "pivot_table",
    "query",
    "read_csv",
    "set_index",
    "sort_values",
    "value_counts",
}
_SYMMETRIC = {"add", "allclose", "isclose", "maximum", "minimum", "multiply"}
# Modules and objects whose functions work on their first argument, not on the object.
_OF_A_MODULE = re.compile(r"(copy|math|np|numpy|random|scipy|self)(\.\w+)*")
_ITERATORS = {"enumerate", "len", "range", "zip"}  # nobody forgets to call these
COSMETIC = {"print", "tqdm", "trange"}  # their output is not graded
_SEEDS = {"RandomState", "default_rng", "seed"}  # any number is right
_KEPT = Return, FunctionDef, ClassDef, Import, ImportFrom


# Mistakes that rewrite a node, each as ``kind: pattern → code``. The pattern must match
# at the start of this text: the `_shape` of the node, ``in``, the shape of its parent.
# The code replaces the node, or one field of it (``.test = not ({test})``; no code
# empties the field). ``{test}`` is the old code of a field, ``{node}`` of the node.
_REWRITES = re.findall(
    r"(.+?): (.+) →\s+(?:\.(\w+) = ?)?(.*)",
    r"""
condition negated: (If|While|IfExp|Assert) → .test = not ({test})
nothing returned: Return value=(?!NoneType) → return None
first one kept: Return value=(?!NoneType|Constant|Name ) →
    return globals().setdefault('kept return', {value})
first one kept: Assign targets=(Name|Attribute) value=(?!Constant) →
    .value = globals().setdefault(r'''kept {targets[0]}''', {value})
dimension lost: Assign targets=\w+ value=BinOp → .value = np.squeeze({value})
assigned: AugAssign → {target} = {value}
term dropped: BinOp left=\w+ op=(Add|Sub) → {left}
term dropped: BinOp left=\w+ op=(Add|Sub) → {right}
factor dropped: BinOp left=\w+ op=(?!Add|Sub) → {left}
factor dropped: BinOp left=\w+ op=(?!Add|Sub) → {right}
sign flipped: BinOp .* in (?!BinOp|UnaryOp) → -({node})
cut off: BinOp left=\w+ op=(Mult|MatMult) .* in (?!BinOp left=\w+ op=(Mult|Div) ) →
    np.clip({node}, -1, 1)
negation dropped: UnaryOp → {operand}
transpose dropped: Attribute value=\w+ attr=T ctx=Load → {value}
bound dropped: Slice lower=(?!NoneType) → .lower =
bound dropped: Slice lower=\w+ upper=(?!NoneType) → .upper =
one choice for all: Call func=where( args=\w+){3}( keywords=\w+)* in →
    ({args[1]}) if np.all({args[0]}) else ({args[2]})
off by one: Slice lower=(?!NoneType|Constant) → .lower = ({lower}) + 1
off by one: Slice lower=(?!NoneType|Constant) → .lower = ({lower}) - 1
off by one: Slice lower=\w+ upper=(?!NoneType|Constant) → .upper = ({upper}) + 1
off by one: Slice lower=\w+ upper=(?!NoneType|Constant) → .upper = ({upper}) - 1
off by one: Call func=range args=(?!Constant)\w+ in → {func}(({args[0]}) + 1)
off by one: Call func=range args=(?!Constant)\w+ in → {func}(({args[0]}) - 1)
off by one: Call func=range args=\w+ args=(?!Constant)\w+ in →
    {func}({args[0]}, ({args[1]}) + 1)
off by one: Call func=range args=\w+ args=(?!Constant)\w+ in →
    {func}({args[0]}, ({args[1]}) - 1)
off by one: Call func=range args=\w+ args=(?!Constant)\w+ args=\w+ in →
    {func}({args[0]}, ({args[1]}) + 1, {args[2]})
off by one: Call func=range args=\w+ args=(?!Constant)\w+ args=\w+ in →
    {func}({args[0]}, ({args[1]}) - 1, {args[2]})
""",
)


def _shape(node: ast.AST) -> str:
    """Return the type of a node and, for each of its fields, the type or name in it."""
    names = {"func": called(node), "attr": getattr(node, "attr", "")}
    words = [type(node).__name__]
    for field, value in ast.iter_fields(node):
        for item in value if isinstance(value, list) else [value]:
            word = names.get(field) or type(item).__name__
            words.append(f"{field}={word}")
    return " ".join(words)


class _Code(string.Formatter):
    """Formats a syntax node as its code."""

    def format_field(self, value: ast.AST, format_spec: str) -> str:
        return ast.unparse(value)


def _rewrite(
    node: ast.AST,
    field: str,
    code: str,
) -> Any:
    """Return the node that has the new `code`, as a whole or in a field."""
    text = _Code().vformat(code, (), vars(node) | {"node": node})
    new: Any = None
    for statement in parse_code(text).body:
        new = statement.value if isinstance(statement, Expr) else statement
    if field:
        return _with(node, **{field: new})
    return new


_Mistakes: TypeAlias = Iterator[tuple[str, ast.AST]]


def mistakes(node: ast.AST, parent: ast.AST) -> _Mistakes:
    """Yield mistakes in a statement or expression: each kind with the new node."""
    if isinstance(getattr(node, "ctx", None), Store | Del):
        return
    if isinstance(node, BinOp | BoolOp | AugAssign):
        for op in _swaps(node.op):
            yield "operator", _with(node, op=op)
    if isinstance(node, ast.stmt) and not isinstance(node, _KEPT):
        yield "statement removed", Pass()
    name = called(node)
    shape = f"{_shape(node)} in {_shape(parent)}"
    for kind, nodes, field, code in _REWRITES:
        if re.match(nodes, shape):
            yield kind, _rewrite(node, field, code)
    match node:
        case FunctionDef():
            yield "arguments zeroed", _zeroed(node)
        case BinOp(left, op, right) if not isinstance(op, Add | Mult):
            yield "swapped", _with(node, left=right, right=left)
        case BoolOp(_, values):
            for value in values:
                yield "condition dropped", value
        case Compare(_, ops):
            for i, old in enumerate(ops):
                for op in _swaps(old):
                    swapped = [*ops[:i], op, *ops[i + 1 :]]
                    yield "comparison", _with(node, ops=swapped)
        case Constant(value) if called(parent) not in _SEEDS:
            kind = "word" if isinstance(value, str) else "constant"
            for similar in _similar_constants(value):
                yield kind, Constant(similar)
        case Call(function) if name not in COSMETIC:
            field = "attr" if isinstance(function, Attribute) else "id"
            for other in _FUNCTIONS.get(name, ()):
                renamed = _with(function, **{field: other})
                yield "function", _with(node, func=renamed)
            inner = _main_argument(node)
            if inner and name not in _ITERATORS and not isinstance(parent, Expr):
                yield "call dropped", inner
    yield from _list_changes(node)


# Mistakes in lists of a node: kind, type of node, lists, position of the first item.
# An item is dropped, or changes places with the item before it.
_LISTS = re.findall(
    r"(.+): (\w+) (\S+) (\d)",
    """
keyword dropped: Call keywords 0
argument dropped: Call args 1
swapped: Call args 1
entry dropped: Dict keys,values 0
swapped: Dict values 1
swapped: Tuple elts 1
swapped: List elts 1
""",
)


def _list_changes(node: ast.AST) -> _Mistakes:
    name = called(node)
    for kind, node_type, fields, first in _LISTS:
        is_swap = kind == "swapped"
        if type(node).__name__ != node_type or name in COSMETIC:
            continue
        if is_swap and name in _SYMMETRIC:
            continue
        names = fields.split(",")
        count = len(getattr(node, names[0]))
        for position in range(int(first), count):
            lists = {}
            for field in names:
                items = [*getattr(node, field)]
                item = items.pop(position)
                if is_swap:
                    items.insert(position - 1, item)
                lists[field] = items
            yield kind, _with(node, **lists)


def _main_argument(node: Call) -> ast.expr | None:
    """Return ``x`` of ``np.abs(x)``, of ``abs(x)`` and of ``x.copy()``."""
    first = next((arg for arg in node.args if not isinstance(arg, Starred)), None)
    if first and _OF_A_MODULE.fullmatch(ast.unparse(node.func)):
        return first
    if isinstance(node.func, Attribute):
        return node.func.value
    return first


def called(node: ast.AST) -> str:
    """Return the last name of a called function: ``sum`` for ``np.sum(x)``."""
    function = getattr(node, "func", None)
    return str(getattr(function, "attr", getattr(function, "id", "")))


def _with(node: _T, **fields: object) -> _T:
    return type(node)(**vars(node) | fields)


def _swaps(op: ast.AST) -> list[ast.AST]:
    return [getattr(ast, name)() for name in _OPERATORS.get(type(op).__name__, ())]


def _similar_constants(value: object) -> Iterator[str | float]:
    """Yield constants with which people confuse `value`, or a word of its query."""
    match value:
        case str():
            yield from _WORDS.get(value, ())
            for pattern, other in _SQL.items() if _QUERY.match(value) else ():
                for match in re.finditer(pattern, value, re.IGNORECASE):
                    yield value[: match.start()] + other + value[match.end() :]
        case bool():
            yield not value
        case float() if 0 < value < 1e-3:
            yield from (0.0, 0.01)
        case float():
            yield from (2 * value or 1.0, value / 2)
        case 0:
            yield 1
        case int():
            yield from (value + 1, value - 1)


_ZEROED = """
for given in ({names},):
    for part in given.values() if isinstance(given, dict) else [given]:
        if hasattr(part, "fill"):
            part.fill(0)
        elif isinstance(part, list):
            part[:] = [0] * len(part)
"""


def _zeroed(function: FunctionDef) -> FunctionDef:
    """Return a function that first sets the arrays and lists among its arguments to 0.

    Its result is right for the zeroed arguments. So a test accepts it by mistake if it
    compares with the arguments themselves, not with copies.
    """
    names = [arg.arg for arg in function.args.args if arg.arg != "self"]
    if not names:
        return function
    code = _ZEROED.format(names=", ".join(names))
    body = [*function.body]
    start = 0 if ast.get_docstring(function) is None else 1
    body[start:start] = parse_code(code).body
    return _with(function, body=body)
