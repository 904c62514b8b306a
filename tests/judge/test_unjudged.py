"""What a right answer loses because of us waits for a person, with its reason."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.judge import notebooks
from tests.judge.notebooks import cell

BAG = "class Bag:\n    def __init__(self, *items): self.items = items\n"
# Right answers of another form than the reference: answer, test, words of the reason.
ROWS = {
    "an equality of its own": (
        "from collections import UserDict\ndef f(): return UserDict(a=1)",
        'assert f() == {"a": 1}',
        "object's `__eq__",
    ),
    "a truth of its own": (
        BAG + "    def __bool__(self): return bool(self.items)\ndef f(): return Bag()",
        "assert not f()",
        "object's `__bool__",
    ),
    "a length of its own": (
        BAG + "    def __len__(self): return len(self.items)\ndef f(): return Bag()",
        "assert not f()",
        "object's `__len__",
    ),
    "arithmetic of its own": (
        BAG + "    def __mul__(self, n): return 2 * n\ndef f(): return Bag()",
        "assert f() * 3 == 6",
        "object's `__mul__",
    ),
    "a list with methods of its own": (
        "class V(list):\n    def norm(self): return 5\ndef f(): return V([3, 4])",
        "assert f() == [3, 4] and f().norm() == 5",
        "object's `__class__`",
    ),
    "a tuple with methods of its own": (
        "class V(tuple):\n    def norm(self): return 5\ndef f(): return V([3, 4])",
        "assert f() == (3, 4) and f().norm() == 5",
        "object's `__class__`",
    ),
    "a named tuple with methods of its own": (
        "from typing import NamedTuple\nclass V(NamedTuple):\n    x: int\n"
        "    def norm(self): return 5\ndef f(): return V(3)",
        "assert f().x == 3 and f().norm() == 5",
        "object's `__class__`",
    ),
    "attributes that a library adds to a dictionary": (
        "from scipy.optimize import OptimizeResult\n"
        "def f(): return OptimizeResult(x=1)",
        "assert f().x == 1",
        "object's `__class__`",
    ),
    "an array with a mask": (
        "import numpy as np\n"
        "def f(): return np.ma.array([1.0, 9.0], mask=[False, True])",
        "assert f().mean() == 1",
        "object's `__class__`",
    ),
    "what the sandbox forbids": (
        "def f(): raise PermissionError(1, 'no')",
        "assert f() == 1",
        "what grading forbids",
    ),
    "a file that is read-only": (
        "import errno\ndef f(): raise OSError(errno.EROFS, 'Read-only file system')",
        "assert f() == 1",
        "what grading forbids",
    ),
    "a folder outside, which is not there": (
        "def f(): return open('/srv/nonesuch/data.csv')",
        "assert f()",
        "what grading forbids",
    ),
    "the same, as NumPy says it": (
        "import numpy as np\ndef f(): return np.loadtxt('/srv/nonesuch/data.csv')",
        "assert f()",
        "what grading forbids",
    ),
    "what the sandbox forbids, in its cell": (
        "import os\nos.system('ls')\ndef f(): return 1",
        "assert f() == 1",
        "what grading forbids",
    ),
    "what cannot be sent": (
        "def f():\n    x = []\n    x.append(x)\n    return x",
        "assert f()[0]",
        "too large or too deep",
    ),
}


@pytest.mark.parametrize("row", ROWS.values(), ids=ROWS)
def test_what_cannot_cross_is_not_judged_and_says_why(
    row: tuple[str, str, str],
) -> None:
    answer, test, why = row
    cells = [cell("f", "solution", answer), cell("t", "test", test, 2.0)]
    report = notebooks.judged(cells, ("f", answer), ("t", test))
    (found,) = report.verdicts
    assert (found.outcome, found.points) == ("not run", 0)
    assert why in found.message


def test_a_wrong_answer_without_such_an_excuse_is_wrong() -> None:
    answer = BAG + "def f(): return Bag()"
    cells = [cell("f", "solution", answer), cell("t", "test", "assert f() == 1", 2.0)]
    (found,) = notebooks.judged(cells, ("f", answer), ("t", "")).verdicts
    assert found.outcome == "failed"


PRINTS = (
    "import io, contextlib\nwith contextlib.redirect_stdout(io.StringIO()) as out:\n"
)


@pytest.mark.parametrize(
    ("answer", "outcome"),
    [("def f(): print(1)", "not run"), ("def f(): print(2)", "failed")],
)
def test_where_no_place_is_known_what_passes_inside_alone_waits(
    answer: str, outcome: str
) -> None:
    test = f"{PRINTS}    f()\nassert out.getvalue() == '1\\n'"
    unknown = replace(cell("t", "test", test, 2.0), why="nobody knows")
    cells = [cell("f", "solution", ""), unknown]
    (found,) = notebooks.judged(cells, ("f", answer), ("t", test)).verdicts
    assert (found.outcome, found.points) == (outcome, 0)
