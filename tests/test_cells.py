"""A cell is cut into blocks, whatever it holds, in time that grows with its length."""

import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nbproctor.cells import MAX_CHARS, CellText
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


def test_a_bracket_that_is_never_closed_does_not_swallow_the_rest() -> None:
    text = "def broken(x:\n    return [1\ndef after():\n    return 1\ny = 2"
    names = [block.name for block in CellText(text).blocks]
    assert names == ["broken", "after", None]


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
        assert isinstance(block.is_unwritten, bool)
    assert text.compiles in (True, False)
    assert text.visible() == CellText(text.visible()).visible()


# What a text repeats; see `repeated`.
PATTERNS = ['"""', "'''\\", '\\"', "(", "@a\n", "x = 1\n", "#\n", "\n", " ", "`"]
PATTERNS += ["```\n", "```… `", "a, ", "x: …a", "import …a, ", "from …a", "%", "?"]
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


# What compiles or runs Python from text: where it may be called.
COMPILERS = re.compile(r"(?<![\w.])(?:compile|ast\.parse|eval|exec)\(|\.run_cell\(")


def test_one_function_compiles_all_code_of_notebooks(project: Path) -> None:
    """Where a second one did, it left out assertions under ``python -O``."""
    calls = {
        path.relative_to(project).as_posix(): matches
        for path in (project / "nbproctor").rglob("*.py")
        if (matches := COMPILERS.findall(path.read_text("utf-8")))
    }
    assert calls == {
        "nbproctor/cells.py": ["ast.parse(", "compile("],
        "nbproctor/judge/compiled.py": ["eval("],  # of compiled code
        # Of a student process, whose interpreter is started without options.
        "nbproctor/student/shell.py": [".run_cell("] * 2,
    }
