"""Which global names a cell reads and binds, and what only its imports bind."""

from __future__ import annotations

import pytest

from nbproctor.judge.compiled import Program

NAMES = [
    ("x = 1\nx", set(), {"x"}, {"x"}),
    ("x = x[:2]", {"x"}, set(), {"x"}),
    ("del f", {"f"}, set(), {"f"}),  # for the tests after it: it has it no more
    ("import a.b as c, d.e\nfrom g import h", set(), {"c", "d", "h"}, {"c", "d", "h"}),
    ("def f(y):\n    z = g(y)\n    return z", {"g"}, {"f"}, {"f"}),
    ("class A(B):\n    y = k", {"B", "k"}, {"A"}, {"A"}),
    ("def f():\n    global n\n    n = 1", {"n"}, {"f", "n"}, {"f", "n"}),
    ("def f():\n    def g():\n        return deep", {"deep"}, {"f"}, {"f"}),
    ("for i in items: pass", {"items"}, {"i"}, {"i"}),
]


@pytest.mark.parametrize(("source", "uses", "makes", "binds"), NAMES)
def test_the_names_of_a_cell_are_those_that_python_gives_it(
    source: str, uses: set[str], makes: set[str], binds: set[str]
) -> None:
    program = Program.of(source, "cell")
    assert uses <= program.uses
    assert program.uses - uses <= makes  # what it has made itself, it may read
    assert program.makes == makes
    assert program.binds == binds


@pytest.mark.parametrize(
    ("source", "value"),
    [
        ("1 + 1", 2),
        ("x = 3\nx", 3),
        ("1 + 1;", None),
        ("1 + 1 ;  \n", None),
        ("", None),
    ],
)
def test_the_value_of_a_cell_is_that_of_its_last_expression(
    source: str, value: object
) -> None:
    program = Program.of(source, "cell")
    space: dict[str, object] = {}
    exec(program.body, space)
    found = eval(program.last, space) if program.last is not None else None
    assert found == value
    assert (program.last is None) == (value is None)
