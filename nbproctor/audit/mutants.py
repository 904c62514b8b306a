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
from collections import Counter
from collections.abc import Iterable, Iterator
from typing import Any, NamedTuple, TypeAlias, TypeVar

from nbproctor.cells import parse_code
from nbproctor.markers import DEFINITIONS

_SIMPLE = ast.Assign, ast.AugAssign, ast.Dict, ast.Expr, ast.Return
_UNTOUCHED = {"annotation", "decorator_list", "returns", "type_params"}


class Mutant(NamedTuple):
    """A solution cell with one mistake."""

    # Function, kind of mistake, code before and after. It has no line number, so it
    # stays the same while other lines change.
    name: str
    source: str  # written by `ast.unparse`: without comments
    diff: str  # from the reference
    omission: str  # name of the mutant that leaves out the part with the mistake


class _Change(NamedTuple):
    """The text of a mutant, and the part of the reference that it changes."""

    name: str
    source: str
    part: ast.AST | None


def mutants(source: str) -> list[Mutant]:
    """Make all mutants of a solution cell, in the order of the source.

    No two have the same syntax tree or name. Docstrings, decorators, annotations,
    messages of exceptions, seeds and progress bars are left alone. What is not plain
    Python raises `SyntaxError`.
    """
    tree = parse_code(source)
    reference = ast.unparse(tree)
    parts = _parts(tree)
    omissions = [_omission(tree, part) for part in dict.fromkeys(parts.values())]
    names = Counter[str]()
    reference_dump = _dump(reference)
    unique: dict[str, _Change] = {}  # by syntax tree
    for change in [*_small_changes(tree, parts), *omissions]:
        dump = _dump(change.source)
        if dump != reference_dump and dump not in unique:
            names[change.name] += 1
            number = names[change.name]
            name = f"{change.name} ({number})" if number > 1 else change.name
            unique[dump] = change._replace(name=name)
    omission_names = {
        omission.part: unique[dump].name
        for omission in omissions
        if (dump := _dump(omission.source)) in unique
    }
    return [
        Mutant(
            name=change.name,
            source=change.source,
            diff=_diff(reference, change.source),
            omission=omission_names.get(change.part, ""),
        )
        for change in unique.values()
    ]


def _dump(source: str) -> str:
    return ast.dump(parse_code(source))


def _diff(reference: str, source: str) -> str:
    lines = reference.splitlines(), source.splitlines()
    diff = difflib.unified_diff(*lines, "reference", "mutant", n=2, lineterm="")
    return "\n".join(diff)


def _small_changes(
    tree: ast.Module, parts: dict[ast.AST, ast.AST]
) -> Iterator[_Change]:
    """Yield the tree with each mistake in turn."""
    for parent, box, key, kind, new in [*_changes(tree, "cell"), *_columns(tree)]:
        old = box[key]
        shown = parent if isinstance(old, ast.Constant) else None  # 1 → 2 tells nothing
        before = ast.unparse(shown or old)
        box[key] = new
        text = ast.unparse(tree)
        after = ast.unparse(shown or new)
        box[key] = old
        name = f"{kind}: {_brief(before, after)}"
        if isinstance(old, ast.FunctionDef):
            name = f"{old.name}: {kind.partition(': ')[2]}"
        yield _Change(name=name, source=text, part=parts.get(old))


def _parts(tree: ast.Module) -> dict[ast.AST, ast.AST]:
    """Map each node to the statement, or the entry of a dictionary, that it is in."""
    parts: dict[ast.AST, ast.AST] = {}
    for node in ast.walk(tree):  # what lies deeper comes later
        inner = node.values if isinstance(node, ast.Dict) else [node]
        for part in inner:
            if isinstance(node, _SIMPLE) and not _is_text(part):
                parts |= dict.fromkeys(ast.walk(part), part)
    return parts


def _omission(tree: ast.Module, part: ast.AST) -> _Change:
    """Leave out a part, and all that needs a name which is set there alone."""
    copies: dict[int, Any] = {}
    whole = copy.deepcopy(tree, copies)
    text = ast.unparse(_Omission(copies[id(part)]).visit(whole))
    name = f"left out: {_brief(ast.unparse(part), '')}".removesuffix(" → ")
    return _Change(name=name, source=text, part=part)


class _Omission(ast.NodeTransformer):
    """Leaves out a part, and what needs it, in each function on its own."""

    def __init__(self, part: ast.AST) -> None:
        self.part = part
        self.setters = Counter[str]()  # how often each name is set
        self.missing: set[str] = set()

    def visit_FunctionDef(self, node: ast.FunctionDef) -> ast.AST:
        outer = self.setters, self.missing
        arguments = [each.arg for each in ast.walk(node) if isinstance(each, ast.arg)]
        self.setters = Counter([*arguments, *_names(node, ast.Store)])
        self.missing = set()
        self.generic_visit(node)
        self.setters, self.missing = outer
        return node

    def visit_Dict(self, node: ast.Dict) -> ast.AST:
        pairs = zip(node.keys, node.values, strict=True)
        entries = [(key, value) for key, value in pairs if not self._is_left_out(value)]
        node.keys = [key for key, _ in entries]
        node.values = [value for _, value in entries]
        return node

    def visit(self, node: ast.AST) -> Any:
        node = super().visit(node)
        is_statement = isinstance(node, ast.stmt) and not isinstance(node, DEFINITIONS)
        if not is_statement or not self._is_left_out(node):
            return node
        self.missing |= {
            name for name in _names(node, ast.Store) if self.setters[name] < 2
        }
        return ast.Pass()

    def _is_left_out(self, node: ast.AST) -> bool:
        needs_it = not self.missing.isdisjoint(_names(node, ast.Load))
        return node is self.part or needs_it


def _names(node: ast.AST, context: type[ast.expr_context]) -> list[str]:
    """Return the names that are read or set."""
    names = [each for each in ast.walk(node) if isinstance(each, ast.Name)]
    return [name.id for name in names if isinstance(name.ctx, context)]


def _brief(before: str, after: str) -> str:
    """Show a change on one line, of a long one from shortly before they differ."""
    texts = [" ".join(text.split()) for text in (before, after)]
    same = next((i for i, (a, b) in enumerate(zip(*texts, strict=False)) if a != b), 0)
    start = max(0, same - 12) if max(map(len, texts)) > 70 else 0
    return " → ".join("…" * (start > 0) + text[start:][:70] for text in texts)


def _changes(node: ast.AST, scope: str) -> Iterator[tuple[Any, ...]]:
    """Yield parent, container, key in the container, kind of mistake, and new node."""
    scope = node.name if isinstance(node, ast.FunctionDef) else scope
    for field, value in ast.iter_fields(node):
        if field in _UNTOUCHED or (field == "keywords" and called(node) in COSMETIC):
            continue
        box: Any = value if isinstance(value, list) else vars(node)
        for key in range(len(value)) if isinstance(value, list) else [field]:
            child = box[key]
            if isinstance(child, ast.AST) and not _is_text(child):
                for kind, new in mistakes(child, node):
                    yield node, box, key, f"{scope}: {kind}", new
                if not isinstance(child, ast.Raise):
                    yield from _changes(child, scope)


def _is_text(node: ast.AST) -> bool:
    """Recognise docstrings, f-strings and statements that only print."""
    if isinstance(node, ast.Expr):
        return isinstance(node.value, ast.Constant) or called(node.value) == "print"
    return isinstance(node, ast.JoinedStr)


def _columns(tree: ast.Module) -> Iterator[tuple[Any, ...]]:
    """Yield, like `_changes`, each column of a table with the name of the next one.

    A cell works on tables if it has a method that only they have.
    """
    attributes = {n.attr for n in ast.walk(tree) if isinstance(n, ast.Attribute)}
    if attributes.isdisjoint(_OF_TABLES):
        return
    column_of: dict[ast.Subscript, str] = {}
    for node in ast.walk(tree):
        match node:
            case ast.Subscript(slice=ast.Constant(str() as name), ctx=ast.Load()):
                column_of[node] = name
    names = [*dict.fromkeys(column_of.values())]
    for node, name in column_of.items() if len(names) > 1 else ():
        other = names[(names.index(name) + 1) % len(names)]
        yield node, vars(node), "slice", "cell: column", ast.Constant(other)


_T = TypeVar("_T")
_Mistakes: TypeAlias = Iterator[tuple[str, ast.AST]]


def _table(rows: str) -> dict[str, list[str]]:
    return {k: v.split(",") for k, v in (row.split(":") for row in rows.split())}


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
_MODULES = {"copy", "math", "np", "numpy", "random", "scipy", "self"}
_ITERATORS = {"enumerate", "len", "range", "zip"}  # nobody forgets these
COSMETIC = {"print", "tqdm", "trange"}  # what they show is not graded
_SEEDS = {"RandomState", "default_rng", "seed"}  # any number is as good
_KEPT = ast.Return, ast.FunctionDef, ast.ClassDef, ast.Import, ast.ImportFrom


def mistakes(node: ast.AST, parent: ast.AST) -> _Mistakes:
    """Yield mistakes for a statement or expression: their kind, and the new node."""
    if isinstance(getattr(node, "ctx", None), ast.Store | ast.Del):
        return
    if isinstance(node, ast.If | ast.While | ast.IfExp | ast.Assert):
        yield "condition negated", _with(node, test=ast.UnaryOp(ast.Not(), node.test))
    if isinstance(node, ast.BinOp | ast.BoolOp | ast.AugAssign):
        yield from _each("operator", node, "op", _swaps(node.op))
    if isinstance(node, ast.stmt) and not isinstance(node, _KEPT):
        yield "statement removed", ast.Pass()
    match node:
        case ast.FunctionDef():
            if changed := zeroed(node):
                yield "arguments zeroed", changed
        case ast.Return(ast.expr() as value):
            yield "nothing returned", ast.Return(ast.Constant(None))
            if not isinstance(value, ast.Constant | ast.Name):
                yield "first one kept", ast.Return(_cached("return", value))
        case ast.Assign([target], value) if not isinstance(value, ast.Constant):
            if isinstance(target, ast.Name | ast.Attribute):
                cached = _cached(ast.unparse(target), value)
                yield "first one kept", _with(node, value=cached)
            if isinstance(value, ast.BinOp):
                yield "dimension lost", _with(node, value=_numpy("squeeze", value))
        case ast.AugAssign(target, _, value):
            yield "assigned", ast.Assign([target], value, lineno=node.lineno)
        case ast.BinOp(left, op, right):
            kind = "term" if isinstance(op, ast.Add | ast.Sub) else "factor"
            yield from ((f"{kind} dropped", side) for side in (left, right))
            if not isinstance(op, ast.Add | ast.Mult):
                yield "swapped", _with(node, left=right, right=left)
            if not isinstance(parent, ast.BinOp | ast.UnaryOp):
                yield "sign flipped", ast.UnaryOp(ast.USub(), node)
            if isinstance(op, ast.Mult | ast.MatMult) and not _is_factor(node, parent):
                ends = ast.Constant(-1), ast.Constant(1)
                yield "cut off", _numpy("clip", node, *ends)
        case ast.UnaryOp(_, operand):
            yield "negation dropped", operand
        case ast.BoolOp(_, values):
            yield from (("condition dropped", value) for value in values)
        case ast.Compare(_, ops):
            for i, old in enumerate(ops):
                swaps = ([*ops[:i], new, *ops[i + 1 :]] for new in _swaps(old))
                yield from _each("comparison", node, "ops", swaps)
        case ast.Constant(str() as text):
            yield from (("word", ast.Constant(other)) for other in _confused(text))
        case ast.Constant(value) if called(parent) not in _SEEDS:
            yield from (("constant", ast.Constant(near)) for near in _near(value))
        case ast.Attribute(value, "T"):
            yield "transpose dropped", value
        case ast.Dict(keys, values):
            for names, shorter_values in zip(
                _shorter(keys), _shorter(values), strict=True
            ):
                yield "entry dropped", _with(node, keys=names, values=shorter_values)
            yield from _each("swapped", node, "values", _swapped(values))
        case ast.Tuple(elts) | ast.List(elts):
            yield from _each("swapped", node, "elts", _swapped(elts))
        case ast.Slice():
            for bound in "lower", "upper":
                if (end := getattr(node, bound)) is not None:
                    yield "bound dropped", _with(node, **{bound: None})
                    yield from _each("off by one", node, bound, _off_by_one(end))
        case ast.Call() if called(node) not in COSMETIC:
            yield from _call(node, parent)


def _call(node: ast.Call, parent: ast.AST) -> _Mistakes:
    name = called(node)
    args = node.args
    yield from _each("keyword dropped", node, "keywords", _shorter(node.keywords))
    yield from _each("argument dropped", node, "args", list(_shorter(args))[1:])
    swaps = () if name in _SYMMETRIC else _swapped(args)
    yield from _each("swapped", node, "args", swaps)
    if name == "where" and len(args) == 3:
        every = _numpy("all", args[0])
        yield "one choice for all", ast.IfExp(every, args[1], args[2])
    last = "attr" if isinstance(node.func, ast.Attribute) else "id"
    others = (_with(node.func, **{last: f}) for f in _FUNCTIONS.get(name, ()))
    yield from _each("function", node, "func", others)
    if name == "range" and args:
        i = min(1, len(args) - 1)
        stops = ([*args[:i], new, *args[i + 1 :]] for new in _off_by_one(args[i]))
        yield from _each("off by one", node, "args", stops)
    inner = _worked_on(node)
    if inner and name not in _ITERATORS and not isinstance(parent, ast.Expr):
        yield "call dropped", inner


def _worked_on(node: ast.Call) -> ast.expr | None:
    """Return ``x`` of ``np.abs(x)``, of ``abs(x)`` and of ``x.copy()``."""
    first = next((arg for arg in node.args if not isinstance(arg, ast.Starred)), None)
    root = node.func
    while isinstance(root, ast.Attribute):
        root = root.value
    if first and isinstance(root, ast.Name) and root.id in _MODULES:
        return first
    return node.func.value if isinstance(node.func, ast.Attribute) else first


def _cached(name: str, value: ast.expr) -> ast.expr:
    """Return code that gives the value of its first call forever, as a wrong cache."""
    module = parse_code(f"globals().setdefault({f'kept {name}'!r}, None)")
    call: ast.Call = module.body[0].value  # type: ignore[attr-defined]
    return _with(call, args=[call.args[0], value])


def _numpy(function: str, *args: ast.expr) -> ast.expr:
    return ast.Call(ast.Attribute(ast.Name("np"), function), [*args], [])


def _is_factor(node: ast.BinOp, parent: ast.AST) -> bool:
    """Whether a product is part of a longer one, which is cut off as a whole."""
    return isinstance(parent, ast.BinOp) and isinstance(parent.op, ast.Mult | ast.Div)


def called(node: ast.AST) -> str:
    """Return the last name of what a call calls: ``sum`` for ``np.sum(x)``."""
    function = getattr(node, "func", None)
    return str(getattr(function, "attr", getattr(function, "id", "")))


def _with(node: _T, **fields: object) -> _T:
    new = copy.copy(node)
    vars(new).update(fields)
    return new


def _each(kind: str, node: ast.AST, field: str, values: Iterable[object]) -> _Mistakes:
    yield from ((kind, _with(node, **{field: value})) for value in values)


def _swaps(op: ast.AST) -> list[ast.AST]:
    return [getattr(ast, name)() for name in _OPERATORS.get(type(op).__name__, ())]


def _near(value: object) -> tuple[float, ...]:
    """Return the constants that people confuse with one."""
    if isinstance(value, float):
        return (0.0, 0.01) if 0 < value < 1e-3 else (2 * value or 1.0, value / 2)
    if isinstance(value, int) and not isinstance(value, bool):
        return (value + 1, value - 1) if value else (1,)
    return (not value,) if isinstance(value, bool) else ()


def _confused(text: str) -> Iterator[str]:
    """Yield what people write instead of a word, or of one in a query."""
    yield from _WORDS.get(text, ())
    for pattern, other in _SQL.items() if _QUERY.match(text) else ():
        for match in re.finditer(pattern, text, re.IGNORECASE):
            yield text[: match.start()] + other + text[match.end() :]


def _off_by_one(bound: ast.expr) -> Iterator[ast.expr]:
    ops = () if isinstance(bound, ast.Constant) else (ast.Add(), ast.Sub())
    yield from (ast.BinOp(bound, op, ast.Constant(1)) for op in ops)


def _shorter(items: list[_T]) -> Iterator[list[_T]]:
    yield from ([*items[:i], *items[i + 1 :]] for i in range(len(items)))


def _swapped(items: list[Any]) -> Iterator[list[Any]]:
    for i in range(len(items) - 1):
        yield [*items[:i], items[i + 1], items[i], *items[i + 2 :]]


_ZEROED = """
for given in ({names},):
    for part in given.values() if isinstance(given, dict) else [given]:
        if hasattr(part, "fill"):
            part.fill(0)
        elif isinstance(part, list):
            part[:] = [0] * len(part)
"""


def zeroed(function: ast.FunctionDef) -> ast.FunctionDef | None:
    """Return a function that first sets arrays and lists among its arguments to 0.

    The answer is then right for the zeroed arguments. A test that compares with the
    arguments themselves, instead of with copies, accepts it. Return None if there is no
    function.
    """
    names = [arg.arg for arg in function.args.args if arg.arg != "self"]
    if not names:
        return None
    first = function.body[0]
    text = isinstance(first, ast.Expr) and isinstance(first.value, ast.Constant)
    changed = copy.copy(function)
    changed.body = [
        *function.body[:text],
        *parse_code(_ZEROED.format(names=", ".join(names))).body,
        *function.body[text:],
    ]
    return changed
