"""What `nbproctor.audit.mutants` promises the audit."""

from __future__ import annotations

import ast
import bisect
import inspect
import textwrap
import warnings
from types import ModuleType
from typing import Any

import numpy as np
import pytest

from nbproctor.audit.mutants import mutants

REFERENCE = '''
@add_to(NeuralNetwork)
def gradient(self, X: np.ndarray, Y, m=None) -> dict:
    """Gradient of 1 + 1 == 2."""
    if m is None:
        m = X.shape[1]  # examples
    if m < 1:
        raise ValueError("no example" + str(1))
    np.random.seed(42)
    print("training", 1 + 1)
    for step in tqdm(range(m), desc="steps", leave=False):
        X[:, step:] += 0.5
    dZ = self.A.copy() - Y
    return {"dW": dZ @ X.T / m, "db": np.sum(dZ, axis=1, keepdims=True)}
'''


def body(source: str) -> str:
    """Return the right-hand side or return value that a mutant has in the end."""
    last = ast.parse(source).body[-1]
    assert isinstance(last, ast.Assign | ast.Expr)
    return ast.unparse(last.value)


# Expression, and what some of its mutants begin with.
EXPRESSIONS = """\
a + b                     → a - b | a * b | a | b | -(a + b)
a - b                     → a + b | b - a | a | b
a * b                     → a / b | a @ b | a | b | np.clip(a * b, -1, 1)
a * b / c                 → a / c | np.squeeze(a * b / c)
f(a)                      → globals().setdefault('kept x', f(a))
np.where(c, a, b)         → a if np.all(c) else b
a / b                     → a * b | b / a | a | b
a @ b                     → a * b | b @ a | a | b
a ** 2                    → a * 2 | a ** 3 | a ** 1 | a
-a                        → a
a < b                     → a <= b | a >= b
a == b                    → a != b
a in b                    → a not in b
not a                     → a
a and b                   → a or b | a | b
a if b else c             → a if not b else c
f(0)                      → f(1)
f(1)                      → f(2) | f(0)
f(0.5)                    → f(1.0) | f(0.25)
f(0.0)                    → f(1.0)
f(1e-12)                  → f(0.0) | f(0.01)
f(True)                   → f(False)
f(a, b)                   → f(b, a) | f(a) | a
a[1:n]                    → a[2:n] | a[0:n] | a[1:n + 1] | a[1:n - 1] | a[1:] | a[:n]
a[:n]                     → a[:n + 1] | a[:n - 1] | a[:]
range(m)                  → range(m + 1) | range(m - 1)
range(2, m)               → range(2, m + 1) | range(2, m - 1)
range(2, m, 3)            → range(2, m + 1, 3) | range(2, m - 1, 3)
a.T                       → a
a.copy()                  → a
np.array(a)               → a
np.copy(a)                → a
np.asarray(a).reshape(-1) → np.asarray(a) | a.reshape(-1)
np.abs(a)                 → a
np.sign(a)                → a
np.sum(a, axis=1)         → np.sum(a) | np.sum(a, axis=0) | np.mean(a, axis=1)
a.mean(keepdims=True)     → a.mean() | a.mean(keepdims=False) | a.sum(
np.argmax(a)              → np.argmin(a)
np.zeros(a)               → np.ones(a)
np.maximum(a, b)          → np.minimum(a, b)
np.exp(a)                 → np.expm1(a)
np.log(a)                 → np.log2(a)
(a, b)                    → (b, a)
{'p': a, 'q': b}          → {'p': a} | {'q': b} | {'p': b, 'q': a}
a.head(n)                 → a.tail(n) | a
a.mean()                  → a.median() | a.sum()
a.merge(b, how='left')    → a.merge(b, how='inner') | a.merge(b, how='right')
a.agg('mean')             → a.agg('median') | a.agg('sum')
f('SELECT MIN(p) FROM t') → f('SELECT MAX(p) FROM t')
f('select a from t order by a desc') → f('select a from t order by a ASC')
f('SELECT a FROM t LEFT JOIN u')     → f('SELECT a FROM t JOIN u')
f('SELECT a FROM t JOIN u')          → f('SELECT a FROM t LEFT JOIN u')
f('SELECT a FROM t WHERE a < 3')     → f('SELECT a FROM t WHERE a <= 3')
a.sort(b, ascending=False)           → a.sort(b, ascending=True) | a.sort(b)
a.loc[a['p'], b]['q']                → a.loc[a['q'], b]['q'] | a.loc[a['p'], b]['p']
a.lower()                 → a.upper() | a
a.startswith('p')         → a.endswith('p')
"""


@pytest.mark.parametrize("line", EXPRESSIONS.splitlines())
def test_the_mistakes_people_make_in_an_expression(line: str) -> None:
    source, _, expected = line.partition(" → ")
    bodies = [
        body(m.source) for m in mutants(f"x = {source}") if "pass" not in m.source
    ]
    for want in expected.split(" | "):
        assert any(got.startswith(want) for got in bodies), (want, bodies)


# Statement, and one of its mutants; ¶ begins a line.
STATEMENTS = """\
return x                      → return None
return -x                     → return globals().setdefault('kept return', -x)
self.W = f()                  → self.W = globals().setdefault('kept self.W', f())
w -= g                        → w += g
w -= g                        → w = g
w -= g                        → pass
if a: return x                → if not a: return x
while a: f()                  → while not a: f()
for i in a: f(i) ¶ return i   → pass ¶ return i
self.costs = [] ¶ return self → pass ¶ return self
"""


@pytest.mark.parametrize("line", STATEMENTS.splitlines())
def test_the_mistakes_people_make_in_a_statement(line: str) -> None:
    cell, want = (
        "def f():\n" + textwrap.indent(text.replace(" ¶ ", "\n"), "    ")
        for text in line.split(" → ")
    )
    assert ast.unparse(ast.parse(want)) in {mutant.source for mutant in mutants(cell)}


def test_an_answer_that_changes_its_arguments_is_among_them() -> None:
    """Each method zeroes arrays, alone or in a dictionary."""
    names: dict[str, Any] = {}
    source = "def f(self, x, grads):\n    return x + grads['dW']"
    (zeroed,) = [m for m in mutants(source) if m.name == "f: arguments zeroed"]
    exec(zeroed.source, names)
    x = np.ones(2)
    grads = {"dW": np.ones(2)}
    assert not names["f"](None, x, grads).any()
    assert not x.any() and not grads["dW"].any()
    assert not [m for m in mutants("def f(self): return 1") if "zeroed" in m.name]


@pytest.mark.parametrize(
    ("mistake", "remaining"),
    [
        ("b = a\n", "pass ¶ pass ¶ return {'p': a}"),
        ("c = b\n", "b = g(a) ¶ pass ¶ return {'p': a, 'q': b + 1}"),
        ("b - 1", "b = g(a) ¶ c = b.T ¶ return {'p': a, 'r': c}"),
    ],
)
def test_a_part_is_left_out_with_all_that_needs_it(
    mistake: str, remaining: str
) -> None:
    """So an answer without a part still runs, whatever mistake was in that part."""
    lines = "b = g(a) ¶ c = b.T ¶ return {'p': a, 'q': b + 1, 'r': c}"
    cell, expected = (
        "def f(a):\n    " + text.replace(" ¶ ", "\n    ") for text in (lines, remaining)
    )
    (omission,) = [m for m in mutants(cell) if m.source == expected]
    (name,) = [m.omission for m in mutants(cell) if mistake in m.source]
    assert name == omission.name


def test_what_is_not_graded_is_left_alone() -> None:
    always = [
        "@add_to(NeuralNetwork)",
        "(self, X: np.ndarray, Y, m=None) -> dict:",
        '"""Gradient of 1 + 1 == 2."""',
        "print('training', 1 + 1)",
    ]
    where_it_stands = {
        "tqdm": "desc='steps', leave=False)",
        "seed": "seed(42)",
        "ValueError": "raise ValueError('no example' + str(1))",
    }
    for mutant in mutants(REFERENCE):
        unmutated = [
            text for word, text in where_it_stands.items() if word in mutant.source
        ]
        for text in always + unmutated:
            assert text in mutant.source


def test_only_arguments_that_may_change_places_are_swapped() -> None:
    sources = {mutant.source for mutant in mutants("x = np.maximum(a, b)")}
    assert "x = np.minimum(a, b)" in sources
    assert "x = np.maximum(b, a)" not in sources  # symmetric
    for mutant in mutants("x = self.f(*a) + np.sum(*a, b) + f(b, *a)"):
        compile(mutant.source, mutant.name, "exec")


@pytest.mark.slow
@pytest.mark.parametrize("module", [REFERENCE, bisect])
def test_every_mutant_is_valid_new_and_named(module: ModuleType | str) -> None:
    source = module if isinstance(module, str) else inspect.getsource(module)
    all_mutants = mutants(source)
    assert len(all_mutants) > 40
    assert len({mutant.name for mutant in all_mutants}) == len(all_mutants)
    trees = {ast.dump(ast.parse(mutant.source)) for mutant in all_mutants}
    assert len(trees | {ast.dump(ast.parse(source))}) == len(all_mutants) + 1
    for mutant in all_mutants:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", SyntaxWarning)  # such as `1(x)`
            compile(mutant.source, mutant.name, "exec")


def test_names_survive_what_is_written_around_them() -> None:
    names = [mutant.name for mutant in mutants(REFERENCE)]
    moved = "# a comment\n\n\n" + REFERENCE.replace("# examples", "# of examples")
    assert [mutant.name for mutant in mutants(moved)] == names
    grown = mutants("import numpy as np\n" + REFERENCE + "\nother = 1 + 1\n")
    assert [m.name for m in grown if not m.name.startswith("cell")] == names
    assert "gradient: transpose dropped: X.T → X" in names
    assert "gradient: constant: axis=1 → axis=0" in names
    assert all("\n" not in name and len(name) < 200 for name in names)


def test_a_cell_that_is_no_python_is_refused() -> None:
    with pytest.raises(SyntaxError):
        mutants("%matplotlib inline")
