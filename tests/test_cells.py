"""A cell is cut into blocks, whatever it holds, in time that grows with its length."""

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nbproctor.cells import MAX_CHARS, MAX_REMEMBERED, CellText
from nbproctor.notebook import MasterNotebook
from nbproctor.submission.repair import repair
from tests.timing import grows_at_most, repeated

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
    blocks = CellText(CELL).blocks
    assert "\n".join(block.text for block in blocks) == CELL
    assert [block.signature for block in blocks if block.name] == [
        "@add_to(Net)@otherforward",
        "Net",
    ]
    assert [sorted(block.binds) for block in blocks] == [
        ["np", "os"],
        ["c", "e"],
        ["x", "y"],
        ["forward"],
        [],
        ["Net"],
        ["z"],
        [],
    ]
    forward, _ = (block for block in blocks if block.name)
    assert forward.text.startswith("# Add it.\n@add_to")
    assert "this_is_text" not in "".join(forward.code)


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
    (block,) = CellText(source).blocks
    assert block.unwritten is unwritten


def test_a_bracket_that_is_never_closed_does_not_swallow_the_rest() -> None:
    blocks = CellText("def broken(x:\n    return [1\ndef after():\n    return 1").blocks
    assert [block.name for block in blocks] == ["broken", "after"]


AREA = "def area(r):\n    raise NotImplementedError"
ANSWER = "def area(r):\n    return 3"


@pytest.mark.parametrize(
    ("text", "answers"),
    [
        (AREA, False),
        (f"# mine\n{AREA}\n\n", False),
        ("", False),
        ("# only words", False),
        (ANSWER, True),
        ("x = 1", True),
        (f"{AREA}\n{ANSWER}", True),
        (f"x = 1\n{AREA}", False),
    ],
)
def test_a_cell_that_says_no_more_than_its_stub_is_no_answer(
    text: str, answers: bool
) -> None:
    assert CellText(text).answers(CellText(AREA)) is answers


def test_words_are_an_answer_once_they_are_others() -> None:
    question = CellText("Why?\n\nYOUR ANSWER")
    for blank in ("", "\n", "Why?\nYOUR ANSWER  \n"):
        assert not CellText(blank).answers(question, words=True)
    assert CellText("Why?\n\nBecause.").answers(question, words=True)


@pytest.mark.parametrize(
    ("source", "compiles"),
    [
        ("%matplotlib inline\nx = 1", True),
        ("files = !ls\nprint?\nif x:\n    %time f()", True),
        ("%%bash\nfor x in y; do", True),
        ("text = ('%d'\n    % 3)", True),
        ("x = (", False),
        ("(" * 10_000, False),
        ("-" * 100_000 + "1", False),
        ("    x = 1\n    y = 2", True),  # IPython takes off the indentation
        ("return 1", False),
        ("await x", True),
        ("\0", False),
    ],
)
def test_lines_of_ipython_are_no_syntax_errors(source: str, compiles: bool) -> None:
    assert CellText(source).compiles is compiles


PIECES = ['"""', "'''", '"', "'", "\\", "\n", "#", "(", ")", "[", "    ", "é", "\f"]
PIECES += ["def f(x):", "class A:", "@a", "x = 1", "return", "else:", "import a"]


@given(st.lists(st.sampled_from(PIECES), max_size=30).map("".join))
def test_any_text_is_its_blocks_joined(source: str) -> None:
    text = CellText(source)
    assert "\n".join(block.text for block in text.blocks) == source
    for block in text.blocks:
        assert isinstance(block.binds, frozenset)
        assert isinstance(block.unwritten, bool)
    assert text.compiles in (True, False)
    assert text.visible() == CellText(text.visible()).visible()


# What a text repeats; see `repeated`.
PATTERNS = ['"""', "'''\\", '\\"', "(", "@a\n", "x = 1\n", "#\n", "\n", " ", "`"]
PATTERNS += [
    "```\n",
    "```… `",
    "a, ",
    "x: …a",
    "import …a, ",
    "from …a",
    "%",
    "?",
    "=  ",
]
PATTERNS += ["=  ", "{  ", "<", "data:image/png;base64,", "data:image/…a", "![]("]
PATTERNS += ["# In[ ", "fizz mean_of ", "def fizz(n):\n    return 1\n"]
PATTERNS += ["<<<<<<<\n=======\n", "class A:\n    def m(self):\n        pass\n"]
PATTERNS += ["<<<<<<<\n…=======\n>>>>>>\n"]


def test_a_very_long_text_is_one_block() -> None:
    assert len(CellText("x\n" * (MAX_CHARS // 2 + 1)).blocks) == 1
    assert len(CellText("x\n" * 1000).blocks) > 1


@pytest.mark.slow
@pytest.mark.parametrize("pattern", PATTERNS)
def test_the_time_to_cut_a_cell_grows_no_faster_than_it(pattern: str) -> None:
    def cut(text: str) -> None:
        cell = CellText(text)
        assert [block.binds for block in cell.blocks]
        assert isinstance(cell.visible(), str) and isinstance(cell.plain, str)

    # 20 times the text; with its square it would be 400 times the time.
    texts = (repeated(pattern, n) for n in (MAX_CHARS // 40, MAX_CHARS // 2))
    assert grows_at_most(80, cut, *texts)


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["code", "markdown", "script", "cells"])
def test_the_time_to_repair_grows_no_faster_than_what_was_handed_in(
    kind: str, tmp_path: Path, project: Path
) -> None:
    source = project / "examples/tiny/source/tiny/tiny.ipynb"
    master = MasterNotebook.read(source)
    notebook = json.loads(source.read_text("utf-8"))
    others = [cell for cell in notebook["cells"] if cell["id"] != "fizz"]

    def handed_in(size: int) -> Path:
        # What is shorter is remembered, and costs nothing the second time.
        whole = MAX_REMEMBERED * 6 // 5
        length, count = (2_000, size) if kind == "cells" else (whole * size, 1)
        new_cell = {"cell_type": "markdown" if kind == "markdown" else "code"}
        texts = (repeated(pattern, length) for pattern in PATTERNS * count)
        cells = [*others, *(new_cell | {"source": text} for text in texts)]
        path = tmp_path / str(size) / "tiny.ipynb"
        path.parent.mkdir()
        path.write_text(json.dumps(notebook | {"cells": cells}))
        if kind == "script":
            path = path.rename(path.with_suffix(".py"))
            path.write_text("\n# %%\n".join("".join(c["source"]) for c in cells))
        return path.parent

    folders = map(handed_in, (1, 8))
    # 8 times as much; the square of one text in thirty would be 64 times its time.
    assert grows_at_most(16, lambda folder: repair(folder, master), *folders)
