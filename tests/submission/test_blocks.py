"""A cell is cut into blocks, whatever it holds, in time that grows with its length."""

import inspect
import json
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nbproctor.notebook import MasterNotebook
from nbproctor.submission.blocks import blocks, code_of
from nbproctor.submission.repair import repair
from nbproctor.submission.scan import MAX_CHARS, open_at_the_end
from tests.timing import seconds

CELL = '''\
# Packages.
import numpy as np, os.path
from a.b import (c,
                 d as e)
x, y = 1, 2
# Add it.
@add_to(  Net )
@other
def forward(self,  # a comment
            x):
    """Return it.

def this_is_text(): pass
"""
    text = "# no comment"
    raise NotImplementedError
if x:
    pass
else:
    y = [
1]
class Net:
    size: int = 3

    def area(self):
        return 1

    @property
    def side(self): ...
z: int = 4
print(x == 1)
'''


def test_the_blocks_of_a_cell() -> None:
    found = blocks(CELL)
    assert "\n".join(block.text for block in found) == CELL
    assert [block.signature for block in found if block.name] == [
        "@add_to(Net)@otherforward",
        "Net",
    ]
    assert [sorted(block.binds) for block in found] == [
        ["np", "os"],
        ["c", "e"],
        ["x", "y"],
        ["forward"],
        [],
        ["Net"],
        ["z"],
        [],
    ]
    forward, net = (block for block in found if block.name)
    assert forward.text.startswith("# Add it.\n@add_to")
    assert "this_is_text" not in "".join(forward.code)
    assert not forward.is_class
    assert forward.methods() == []
    assert [m.signature for m in net.methods()] == ["area", "@propertyside"]
    assert [m.unwritten for m in net.methods()] == [False, True]


@pytest.mark.parametrize(
    ("source", "unwritten"),
    [
        ("def f(x):\n    raise NotImplementedError  # here", True),
        ("def f(x):\n    '''Say.'''\n    # nothing yet", True),
        ("def f(x,\n      y):\n    pass", True),
        ("def f(x): ...", True),
        ("def f(x): return x", False),
        ("def f(x):\n    return None", True),
        ("def f(x):\n    return x", False),
        ("def f(x):\n    raise ValueError", False),
        ("x = 1", False),
    ],
)
def test_a_function_without_a_body_is_unwritten(source: str, unwritten: bool) -> None:
    (block,) = blocks(source)
    assert block.unwritten is unwritten


def test_a_bracket_that_is_never_closed_does_not_swallow_the_rest() -> None:
    found = blocks("def broken(x:\n    return [1\ndef after():\n    return 1")
    assert [block.name for block in found] == ["broken", "after"]


def test_comments_and_blanks_are_no_code() -> None:
    assert code_of("x  =  1  # one\n\n'''Say.'''\n") == code_of("x = 1")
    assert code_of("x = '# one'") != code_of("x = ''")


@pytest.mark.parametrize(
    ("source", "is_open"),
    [
        ("def f(x):", True),
        ("@add_to(Net)", True),
        ("x = [1,\n", True),
        ('"""text', True),
        ("x = \\", True),
        ("def f(x):\n    return 1", False),
        ('class A:\n    """Text."""', False),
        ('""""a"""', False),
        ("", False),
    ],
)
def test_whether_a_cell_ends_inside_a_statement(source: str, is_open: bool) -> None:
    assert open_at_the_end(source) is is_open


PIECES = ['"""', "'''", '"', "'", "\\", "\n", "#", "(", ")", "[", "    ", "é", "\f"]
PIECES += ["def f(x):", "class A:", "@a", "x = 1", "return", "else:", "import a"]


@settings(max_examples=100, deadline=None)
@given(st.lists(st.sampled_from(PIECES), max_size=30).map("".join))
def test_any_text_is_its_blocks_joined(source: str) -> None:
    found = blocks(source)
    assert "\n".join(block.text for block in found) == source
    for block in found:
        assert isinstance(block.binds, frozenset)
        assert isinstance(block.unwritten, bool)
        assert all(method.name for method in block.methods())
    open_at_the_end(source)


RUNS: list[Callable[[int], str]] = [
    lambda n: '"""' * (n // 3),
    lambda n: "'''\\" * (n // 4),
    lambda n: "(" * n,
    lambda n: "@a\n" * (n // 3),
    lambda n: "x = 1\n" * (n // 6),
    lambda n: "#\n" * (n // 2),
    lambda n: "\n" * n,
    lambda n: "a, " * (n // 3) + "= 1",
    lambda n: "import " + "a, " * (n // 3),
    lambda n: "fizz mean_of " * (n // 13),
    lambda n: "def fizz(n):\n    return 1\n" * (n // 26),
    lambda n: "class A:\n    def m(self):\n        pass\n" * (n // 38),
    lambda n: "<<<<<<<\n=======\n" * (n // 16),
]


@pytest.mark.slow
@pytest.mark.parametrize("number", range(len(RUNS)))
def test_the_time_to_cut_a_cell_grows_no_faster_than_it(number: int) -> None:
    assert len(blocks("x\n" * MAX_CHARS)) == 1
    small, large = (RUNS[number](n) for n in (MAX_CHARS // 20, MAX_CHARS - 10))
    cut = inspect.unwrap(blocks)  # without the cache for short texts
    first, second = (
        seconds(lambda text=text: [b.binds for b in cut(text)])  # type: ignore[misc]
        for text in (small, large)
    )
    # 20 times the text; with its square it would be 400 times the time.
    assert second < 80 * max(first, 0.002)


@pytest.mark.slow
@pytest.mark.parametrize("number", range(len(RUNS)))
def test_the_time_to_repair_grows_no_faster_than_the_notebook(
    number: int, tmp_path: Path, project: Path
) -> None:
    source = project / "examples/tiny/source/tiny/tiny.ipynb"
    master = MasterNotebook.read(source)
    notebook = json.loads(source.read_text("utf-8"))
    times = []
    for cells in (2, 16):
        own = {
            "cell_type": "code",
            "id": "own",
            "metadata": {},
            "source": RUNS[number](20_000),
            "outputs": [],
        }
        without = [c for c in notebook["cells"] if c["id"] != "fizz"]
        damaged = notebook | {"cells": [*without, *[own] * cells]}
        (tmp_path / "tiny.ipynb").write_text(json.dumps(damaged))
        times.append(seconds(lambda: repair(tmp_path, master)))
    # 8 times the cells; with their square it would be 64 times the time.
    assert times[1] < 32 * max(times[0], 0.01)
