"""Mutants: small, plausible mistakes in a reference solution, to check hidden tests.

A mutant that keeps full marks shows a gap in the tests, or is equivalent. No existing
tool fits: mutmut (LibCST functions, no public interface), cosmic-ray (parso plug-ins)
and mutatest know general Python. None drops a ``.T``, a copy, a term or a factor, or
confuses ``@`` with ``*`` or ``sum`` with ``mean``, which are the mistakes of numerical
code.
"""

from __future__ import annotations

import ast
import copy
import difflib
import re
from ast import (
    Add,
    Assert,
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
    Div,
    Expr,
    FunctionDef,
    If,
    IfExp,
    Import,
    ImportFrom,
    JoinedStr,
    List,
    Load,
    MatMult,
    Module,
    Mult,
    Name,
    Pass,
    Raise,
    Return,
    Slice,
    Starred,
    Store,
    Sub,
    Subscript,
    Tuple,
    UnaryOp,
    While,
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
    """Make all mutants of a solution cell, in the order of the source.

    No two have the same syntax tree or name. Docstrings, decorators, annotations,
    messages of exceptions, seeds and progress bars are left alone. What is not plain
    Python raises `SyntaxError`.
    """
    tree = parse_code(source)
    reference = ast.unparse(tree)
    parts = _parts(tree)
    omissions = {part: _omission(tree, part) for part in dict.fromkeys(parts.values())}
    changes = [*_small_changes(tree)]
    for part, text in omissions.items():
        changes.append((f"left out: {_brief(part)}", text, part))
    names = {reference: ""}  # by text, which `ast.unparse` makes the same for one tree
    numbers = Counter[str]()
    nodes = {}
    for name, text, node in changes:
        if text not in names:
            numbers[name] += 1
            number = numbers[name]
            names[text] = f"{name} ({number})" if number > 1 else name
            nodes[text] = node
    return [
        Mutant(
            name=names[text],
            source=text,
            diff=_diff(reference, text),
            omission=names[omissions.get(parts.get(node, tree), reference)],
        )
        for text, node in nodes.items()
    ]


def _diff(reference: str, source: str) -> str:
    lines = reference.splitlines(), source.splitlines()
    diff = difflib.unified_diff(*lines, "reference", "mutant", n=2, lineterm="")
    return "\n".join(diff)


def _small_changes(tree: Module) -> Iterator[tuple[str, str, ast.AST]]:
    """Yield each mistake in turn: its name, the whole text with it, the old node."""
    for parent, old, name, new in [*_changes(tree, "cell"), *_columns(tree)]:
        copies: dict[int, Any] = {id(old): new}
        text = ast.unparse(copy.deepcopy(tree, copies))
        if not isinstance(old, FunctionDef):
            shown = parent if isinstance(old, Constant) else old  # 1 → 2 tells nothing
            name += f": {_brief(shown, copies[id(shown)])}"
        yield name, text, old


def _parts(tree: Module) -> dict[ast.AST, ast.AST]:
    """Map each node to the statement, or the entry of a dictionary, that it is in."""
    parts: dict[ast.AST, ast.AST] = {}
    for node in ast.walk(tree):  # what lies deeper comes later
        if not isinstance(node, _SIMPLE):
            continue
        for part in node.values if isinstance(node, Dict) else [node]:
            if not _is_text(part):
                parts |= dict.fromkeys(ast.walk(part), part)
    return parts


def _omission(tree: Module, part: ast.AST) -> str:
    """Leave out a part, and all that needs a name which is set there alone."""
    copies: dict[int, Any] = {}
    whole = copy.deepcopy(tree, copies)
    return ast.unparse(_Omission(copies[id(part)]).visit(whole))


class _Omission(ast.NodeTransformer):
    """Leaves out a part, and what needs it, in each function on its own."""

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
        if not isinstance(node, ast.stmt) or isinstance(node, DEFINITIONS):
            return node
        if not self._is_left_out(node):
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
    names = [each for each in ast.walk(node) if isinstance(each, Name)]
    return [name.id for name in names if isinstance(name.ctx, context)]


def _brief(*nodes: ast.AST) -> str:
    """Show code on one line; of a long change, from shortly before they differ."""
    texts = [" ".join(ast.unparse(node).split()) for node in nodes]
    start = 0
    if max(map(len, texts)) > 70:
        for column, letters in enumerate(zip(*texts, strict=False)):
            if len(set(letters)) > 1:
                start = max(0, column - 12)
                break
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
    """Recognise docstrings, f-strings and statements that only print."""
    if isinstance(node, Expr):
        return isinstance(node.value, Constant) or called(node.value) == "print"
    return isinstance(node, JoinedStr)


def _columns(tree: Module) -> Iterator[_Change]:
    """Yield each column of a table with the name of the next one.

    A cell works on tables if it has a method that only they have.
    """
    attributes = set()
    columns: list[tuple[ast.AST, Constant]] = []
    for node in ast.walk(tree):
        match node:
            case Attribute(attr=name):
                attributes.add(name)
            case Subscript(slice=Constant(str()) as column, ctx=Load()):
                columns.append((node, column))
    if attributes.isdisjoint(_OF_TABLES):
        return
    names = [*dict.fromkeys(column.value for _, column in columns)]
    others = names[1:] + names[:1]
    following = dict(zip(names, others, strict=True))
    for node, column in columns:
        yield node, column, "cell: column", Constant(following[column.value])


def _table(rows: str) -> dict[str, list[str]]:
    table = {}
    for row in rows.split():
        name, others = row.split(":")
        table[name] = others.split(",")
    return table


_OPERATORS = _table("""
    Add:Sub,Mult Sub:Add Mult:Div,MatMult,Add Div:Mult,FloorDiv FloorDiv:Div
    Mod:FloorDiv MatMult:Mult Pow:Mult And:Or Or:And Lt:LtE,GtE LtE:Lt,Gt Gt:GtE,LtE
    GtE:Gt,Lt Eq:NotEq NotEq:Eq Is:IsNot IsNot:Is In:NotIn NotIn:In
""")
_FUNCTIONS = _table("""
    all:any any:all argmax:argmin,max argmin:argmax,min ceil:floor floor:ceil
    dot:multiply exp:expm1,exp2 log:log1p,log2,log10 max:min min:max maximum:minimum
    minimum:maximum mean:sum,median sum:mean,max normal:uniform randn:rand ones:zeros
    zeros:ones ones_like:zeros_like zeros_like:ones_like
    median:mean head:tail tail:head first:last last:first idxmax:idxmin idxmin:idxmax
    nlargest:nsmallest nsmallest:nlargest cumsum:cumprod ffill:bfill bfill:ffill
    notna:isna isna:notna lower:upper upper:lower startswith:endswith
    endswith:startswith strip:lstrip,rstrip lstrip:strip rstrip:strip find:rfind
    isalpha:isalnum isalnum:isalpha isdigit:isalnum
""")
# A whole text, such as the value of a keyword: how tables are joined, what is computed.
_WORDS = _table("""
    left:inner,right right:left inner:left,outer outer:inner mean:median,sum median:mean
    sum:mean,count count:sum,size min:max max:min first:last last:first any:all all:any
    index:columns columns:index
""")
# In a query: words of SQL, by their patterns.
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
_OF_TABLES = {"agg", "groupby", "iloc", "loc", "merge", "pivot_table", "query"}
_OF_TABLES |= {"read_csv", "set_index", "sort_values", "value_counts"}
_SYMMETRIC = {"add", "allclose", "isclose", "maximum", "minimum", "multiply"}
# What f(x) of these works on is x; what x.f() works on is x.
_OF_A_MODULE = re.compile(r"(copy|math|np|numpy|random|scipy|self)(\.\w+)*")
_ITERATORS = {"enumerate", "len", "range", "zip"}  # nobody forgets these
COSMETIC = {"print", "tqdm", "trange"}  # what they show is not graded
_SEEDS = {"RandomState", "default_rng", "seed"}  # any number is as good
_KEPT = Return, FunctionDef, ClassDef, Import, ImportFrom


_Mistakes: TypeAlias = Iterator[tuple[str, ast.AST]]


def mistakes(node: ast.AST, parent: ast.AST) -> _Mistakes:
    """Yield kinds of mistakes in a statement or expression, each with the new node."""
    if isinstance(getattr(node, "ctx", None), Store | Del):
        return
    if isinstance(node, If | While | IfExp | Assert):
        negated = _parse_expression("not ({})", node.test)
        yield "condition negated", _with(node, test=negated)
    if isinstance(node, BinOp | BoolOp | AugAssign):
        for op in _swaps(node.op):
            yield "operator", _with(node, op=op)
    if isinstance(node, ast.stmt) and not isinstance(node, _KEPT):
        yield "statement removed", Pass()
    match node:
        case FunctionDef():
            yield "arguments zeroed", _zeroed(node)
        case Return(ast.expr() as value):
            yield "nothing returned", Return(Constant(None))
            if not isinstance(value, Constant | Name):
                yield "first one kept", Return(_cached("return", value))
        case Assign([target], value) if not isinstance(value, Constant):
            if isinstance(target, Name | Attribute):
                cached = _cached(ast.unparse(target), value)
                yield "first one kept", _with(node, value=cached)
            if isinstance(value, BinOp):
                squeezed = _parse_expression("np.squeeze({})", value)
                yield "dimension lost", _with(node, value=squeezed)
        case AugAssign(target, _, value):
            yield "assigned", Assign([target], value, lineno=node.lineno)
        case BinOp(left, op, right):
            kind = "term" if isinstance(op, Add | Sub) else "factor"
            yield f"{kind} dropped", left
            yield f"{kind} dropped", right
            if not isinstance(op, Add | Mult):
                yield "swapped", _with(node, left=right, right=left)
            if not isinstance(parent, BinOp | UnaryOp):
                yield "sign flipped", _parse_expression("-({})", node)
            is_factor = isinstance(parent, BinOp) and isinstance(parent.op, Mult | Div)
            if isinstance(op, Mult | MatMult) and not is_factor:
                yield "cut off", _parse_expression("np.clip({}, -1, 1)", node)
        case UnaryOp(_, operand):
            yield "negation dropped", operand
        case BoolOp(_, values):
            for value in values:
                yield "condition dropped", value
        case Compare(_, ops):
            for i, old in enumerate(ops):
                for op in _swaps(old):
                    yield "comparison", _with(node, ops=_replaced(ops, i, op))
        case Constant(str() as text):
            for similar_text in _similar_texts(text):
                yield "word", Constant(similar_text)
        case Constant(number) if called(parent) not in _SEEDS:
            for similar_number in _similar_constants(number):
                yield "constant", Constant(similar_number)
        case Attribute(value, "T"):
            yield "transpose dropped", value
        case Dict(keys, values):
            for fewer, others in zip(_shorter(keys), _shorter(values), strict=True):
                yield "entry dropped", _with(node, keys=fewer, values=others)
            for others in _swapped(values):
                yield "swapped", _with(node, values=others)
        case Tuple(elts) | List(elts):
            for others in _swapped(elts):
                yield "swapped", _with(node, elts=others)
        case Slice():
            for field in "lower", "upper":
                bound = getattr(node, field)
                if bound is None:
                    continue
                yield "bound dropped", _with(node, **{field: None})
                for shifted in _off_by_one(bound):
                    yield "off by one", _with(node, **{field: shifted})
        case Call() if called(node) not in COSMETIC:
            yield from _call(node, parent)


def _call(node: Call, parent: ast.AST) -> _Mistakes:
    name = called(node)
    args = node.args
    for keywords in _shorter(node.keywords):
        yield "keyword dropped", _with(node, keywords=keywords)
    for others in _shorter(args)[1:]:
        yield "argument dropped", _with(node, args=others)
    if name not in _SYMMETRIC:
        for others in _swapped(args):
            yield "swapped", _with(node, args=others)
    if name == "where" and len(args) == 3:
        choice = _parse_expression("({1}) if np.all({0}) else ({2})", *args)
        yield "one choice for all", choice
    field = "attr" if isinstance(node.func, Attribute) else "id"
    for other in _FUNCTIONS.get(name, ()):
        function = _with(node.func, **{field: other})
        yield "function", _with(node, func=function)
    if name == "range" and args:
        i = min(1, len(args) - 1)
        for stop in _off_by_one(args[i]):
            yield "off by one", _with(node, args=_replaced(args, i, stop))
    inner = _main_argument(node)
    if inner and name not in _ITERATORS and not isinstance(parent, Expr):
        yield "call dropped", inner


def _main_argument(node: Call) -> ast.expr | None:
    """Return ``x`` of ``np.abs(x)``, of ``abs(x)`` and of ``x.copy()``."""
    first = next((arg for arg in node.args if not isinstance(arg, Starred)), None)
    if first and _OF_A_MODULE.fullmatch(ast.unparse(node.func)):
        return first
    if isinstance(node.func, Attribute):
        return node.func.value
    return first


def _parse_expression(template: str, *parts: ast.AST) -> ast.expr:
    """Return an expression as it is written, with parts of the reference in it."""
    module = parse_code(template.format(*map(ast.unparse, parts)))
    expression: ast.expr = module.body[0].value  # type: ignore[attr-defined]
    return expression


def _cached(name: str, value: ast.expr) -> ast.expr:
    """Return code that gives the value of its first call forever, as a wrong cache."""
    key = Constant(f"kept {name}")
    return _parse_expression("globals().setdefault({}, {})", key, value)


def called(node: ast.AST) -> str:
    """Return the last name of what a call calls: ``sum`` for ``np.sum(x)``."""
    function = getattr(node, "func", None)
    return str(getattr(function, "attr", getattr(function, "id", "")))


def _with(node: _T, **fields: object) -> _T:
    return type(node)(**vars(node) | fields)


def _swaps(op: ast.AST) -> list[ast.AST]:
    return [getattr(ast, name)() for name in _OPERATORS.get(type(op).__name__, ())]


def _similar_constants(value: object) -> list[float]:
    """Return the constants that people confuse with one."""
    match value:
        case bool():
            return [not value]
        case float() if 0 < value < 1e-3:
            return [0.0, 0.01]
        case float():
            return [2 * value or 1.0, value / 2]
        case 0:
            return [1]
        case int():
            return [value + 1, value - 1]
    return []


def _similar_texts(text: str) -> Iterator[str]:
    """Yield what people write instead of a word, or of one in a query."""
    yield from _WORDS.get(text, ())
    if not _QUERY.match(text):
        return
    for pattern, other in _SQL.items():
        for match in re.finditer(pattern, text, re.IGNORECASE):
            yield text[: match.start()] + other + text[match.end() :]


def _off_by_one(bound: ast.expr) -> list[ast.expr]:
    if isinstance(bound, Constant):
        return []
    return [BinOp(bound, op, Constant(1)) for op in (Add(), Sub())]


def _shorter(items: list[_T]) -> list[list[_T]]:
    return [items[:i] + items[i + 1 :] for i in range(len(items))]


def _swapped(items: list[_T]) -> Iterator[list[_T]]:
    for i in range(len(items) - 1):
        swapped = [*items]
        swapped.insert(i, swapped.pop(i + 1))
        yield swapped


def _replaced(
    items: list[Any],
    i: int,
    other: ast.AST,
) -> list[Any]:
    return [*items[:i], other, *items[i + 1 :]]


_ZEROED = """
for given in ({names},):
    for part in given.values() if isinstance(given, dict) else [given]:
        if hasattr(part, "fill"):
            part.fill(0)
        elif isinstance(part, list):
            part[:] = [0] * len(part)
"""


def _zeroed(function: FunctionDef) -> FunctionDef:
    """Return a function that first sets arrays and lists among its arguments to 0.

    The answer is then right for the zeroed arguments. A test that compares with the
    arguments themselves, instead of with copies, accepts it.
    """
    names = [arg.arg for arg in function.args.args if arg.arg != "self"]
    if not names:
        return function
    code = _ZEROED.format(names=", ".join(names))
    body = [*function.body]
    start = 0 if ast.get_docstring(function) is None else 1
    body[start:start] = parse_code(code).body
    return _with(function, body=body)
