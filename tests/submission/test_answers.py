"""Every answer is found, wherever it stands; given code is neither lost nor graded."""

from __future__ import annotations

import json
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from nbproctor.notebook import MasterNotebook
from nbproctor.submission.files import FILE_COST, Budget
from nbproctor.submission.repair import Repaired, repair
from tests.notebooks import Notebook, cell, notebook

Row = tuple[str | None, str]  # nbgrader's name, if the cell has one, and the text
LINE = "raise NotImplementedError"
TOOLS = "import math\nTAU = 2 * math.pi"
AREA = f"def area(r):\n    {LINE}"
SIDE = f"def side(a):\n    {LINE}"
NAMELESS = f"# YOUR CODE HERE\n{LINE}()"
COUNTER = "class Counter:\n    def __init__(self, start):\n        self.count = start"
UP = "@add_to(Counter)\ndef up(self):\n    "
DOWN = "@add_to(Counter)\ndef down(self):\n    "
ADD_TO = (
    "def add_to(cls):\n    return lambda method: setattr(cls, method.__name__, method)"
)
TEST = "assert area(1) > 3"
ROUND = "def round_up(x):\n    return -(-x // 1)"
SQUARE = f"def square(x):\n    {LINE}"


def solution(name: str, stub: str) -> Notebook:
    """Return the cell of an exercise."""
    return cell(name, stub, solution=True, locked=False)


def check(name: str, source: str) -> Notebook:
    """Return a test cell."""
    return cell(name, source, grade=True, points=1)


CELLS = [
    cell("tools", TOOLS),
    solution("area", AREA),
    check("area-test", TEST),
    solution("side", SIDE),
    check("side-test", "assert side(4) == 2"),
    cell("add-to", ADD_TO),
    cell("counter", COUNTER),
    solution("up", UP + LINE),
    check("up-test", "c = Counter(1)\nc.up()\nassert c.count == 2"),
    solution("down", DOWN + LINE),
    check("down-test", "c = Counter(1)\nc.down()\nassert c.count == 0"),
    solution("square", f"{ROUND}\n\n\n{SQUARE}"),
    check("square-test", "assert square(1.5) == 4"),
    solution("total", NAMELESS),
    check("total-test", "want = 6\nassert total == want"),
]
RELEASED = {each["id"]: str(each["source"]) for each in CELLS}


def master_of(folder: Path, cells: list[Notebook]) -> MasterNotebook:
    """Return an assignment of these cells, as it is read."""
    path = folder / "m.ipynb"
    path.write_text(json.dumps(notebook(cells)))
    return MasterNotebook.read(path)


@pytest.fixture(scope="module")
def master(tmp_path_factory: pytest.TempPathFactory) -> MasterNotebook:
    return master_of(tmp_path_factory.mktemp("master"), CELLS)


def rows_of(**texts: str) -> list[Row]:
    """Return the released notebook with other texts in some cells."""
    return [*(RELEASED | texts).items()]


def submit(path: Path, rows: list[Row]) -> None:
    """Write a notebook with these cells."""
    cells: list[dict[str, Any]] = []
    for name, source in rows:
        marks = {"nbgrader": {"grade_id": name}} if name else {}
        cells.append({"cell_type": "code", "metadata": marks, "source": source})
    path.write_text(json.dumps(notebook(cells)))


def graded(submission: Repaired) -> dict[str, str]:
    """Return the text of each cell of the assignment, and what passes, as `passed`."""
    names: dict[str, Any] = {}
    texts: dict[str, str] = {}
    passed = []
    for each in submission.notebook["cells"]:
        name = each["metadata"].get("nbgrader", {}).get("grade_id", "")
        texts[name] = each["source"]
        try:
            exec(each["source"], names)
        except Exception:
            continue
        passed += [name] if name.endswith("-test") else []
    return texts | {"passed": " ".join(passed)}


def repaired(folder: Path, master: MasterNotebook, rows: list[Row]) -> dict[str, str]:
    submit(folder / "m.ipynb", rows)
    return graded(repair(folder, master))


AREA_DONE = "def area(r):\n    return 4 * r"
SIDE_DONE = "def side(a):\n    return a / 2"
HEAD = "def area(r):\n    'Return it.'"
MORE = "def area(r):\n    return 5 * r"


@pytest.mark.parametrize(
    ("changed", "student_code", "area"),
    [
        # The last definition counts, as it does in Python.
        ({"side": f"{AREA_DONE}\n\n\n{MORE}\n\n\n{SIDE_DONE}"}, "", MORE),
        ({"area": "x = 1"}, MORE, MORE),
        ({"side": f"{SIDE_DONE}\n\narea = lambda r: 4"}, "", "area = lambda r: 4"),
        # What is no answer hides none.
        ({"area": AREA_DONE}, "def area(r): ...", AREA_DONE),
        (
            {},
            f"{AREA_DONE}\nx = 1\nprint(area(1))",
            f"{AREA_DONE}\nx = 1\nprint(area(1))",
        ),
        # One in a given cell counts only where there is no other.
        ({"tools": f"{TOOLS}\n\n\n{AREA_DONE}"}, "", AREA_DONE),
        ({"tools": f"{TOOLS}\n\n\n{AREA_DONE}", "area": MORE}, "", MORE),
        ({"area-test": f"{AREA_DONE}\n\n\n{TEST}"}, MORE, MORE),
        (
            {"tools": f"{TOOLS}\n\n\n{AREA_DONE}", "area-test": f"{MORE}\n\n\n{TEST}"},
            "",
            MORE,
        ),
        ({"side": f"{SIDE_DONE}\n\n\ndef area(r): ..."}, "", AREA),
    ],
)
def test_an_answer_is_found_wherever_it_stands(
    tmp_path: Path,
    master: MasterNotebook,
    changed: dict[str, str],
    student_code: str,
    area: str,
) -> None:
    rows = rows_of(**changed)
    rows.insert(2, (None, student_code))
    texts = repaired(tmp_path, master, rows)
    assert texts["area"] == area
    assert texts["tools"] == TOOLS


@pytest.mark.parametrize("first", ["up", "down"])
@pytest.mark.parametrize("cell_name", ["up", "down"])
def test_answers_in_the_cell_of_another_keep_their_order_and_helpers(
    tmp_path: Path, master: MasterNotebook, cell_name: str, first: str
) -> None:
    up = f"{UP}self.count += ONE"
    down = f"{DOWN}self.count -= ONE"
    both = f"{up}\n\n\n{down}" if first == "up" else f"{down}\n\n\n{up}"
    rows = rows_of(**{cell_name: f"ONE = 1\n\n\n{both}\n\n\nprint(ONE)"})
    texts = repaired(tmp_path, master, rows)
    assert texts["passed"] == "up-test down-test"
    assert (texts["up"], texts["down"]) == (up, down)


@pytest.mark.parametrize("wraps", ["", "\n\n\nround_up = round_up"])
@pytest.mark.parametrize("is_free", [False, True])
def test_a_finished_helper_in_the_cell_of_an_exercise_is_no_stub(
    tmp_path: Path, master: MasterNotebook, is_free: bool, wraps: str
) -> None:
    answer = "def square(x):\n    return round_up(x) ** 2"
    cells = rows_of(square=f"{ROUND}{wraps}\n\n\n{answer}")
    if is_free:
        cells = [*rows_of(), (None, answer + wraps)]
    assert "square-test" in repaired(tmp_path, master, cells)["passed"]


@pytest.mark.parametrize(
    ("texts", "chosen"),
    [
        (["print('nothing')", "total = 6", "x = 3"], "total = 6"),
        ([NAMELESS, "print('nothing')"], NAMELESS),
        (["def helper(x):\n    return x"], ""),
    ],
)
def test_a_free_cell_is_an_answer_if_it_binds_what_is_tested(
    tmp_path: Path, master: MasterNotebook, texts: list[str], chosen: str
) -> None:
    rows = [row for row in rows_of() if row[0] != "total"]
    rows[-1:-1] = [(None, text) for text in texts]
    assert repaired(tmp_path, master, rows)["total"] == chosen


@pytest.mark.parametrize("marked", [True, False])
@pytest.mark.parametrize("second", [MORE, AREA])
def test_two_exercises_of_one_function_keep_their_answers(
    tmp_path: Path, second: str, marked: bool
) -> None:
    cells = [solution("one", AREA), check("t", TEST), solution("two", AREA)]
    master = master_of(tmp_path, cells)
    rows: list[Row] = [("one", AREA_DONE), ("t", TEST), ("two", second)]
    if not marked:
        rows = [(None, text) for _, text in rows]
    texts = repaired(tmp_path, master, rows)
    if marked or second == MORE:
        assert (texts["one"], texts["two"]) == (AREA_DONE, second)
    else:
        assert AREA_DONE in (texts["one"], texts["two"])


@pytest.mark.parametrize("kind", ["markdown", "raw"])
def test_text_of_a_student_s_is_harmless_in_every_cell(
    tmp_path: Path, master: MasterNotebook, kind: str
) -> None:
    words = "Words <script>alert(1)</script> [a](javascript:alert(1))"
    prose = {"cell_type": kind, "metadata": {}, "source": words}
    (tmp_path / "m.ipynb").write_text(json.dumps(notebook([*CELLS, prose])))
    texts = [each["source"] for each in repair(tmp_path, master).notebook["cells"]]
    (text,) = (text for text in texts if "Words" in text)
    assert "<script" not in text and "javascript:" not in text


def test_of_files_beyond_the_limit_the_likeliest_and_the_smallest_are_read(
    tmp_path: Path, master: MasterNotebook, monkeypatch: pytest.MonkeyPatch
) -> None:
    answers = {"area": AREA_DONE, "side": SIDE_DONE, "total": "total = 6" + " " * 500}
    for count, name in enumerate(("m", "z", "x"), 1):
        texts = {key: answers[key] for key in [*answers][:count]}
        submit(tmp_path / f"{name}.ipynb", rows_of(**texts))
    sizes = [(tmp_path / f"{n}.ipynb").stat().st_size + FILE_COST for n in "mz"]
    for limit, name, looked in (
        (sum(sizes) + 1, "x.ipynb", ""),
        (sum(sizes), "z.ipynb", "2 of 3"),
        (1, "m.ipynb", "1 of 3"),  # the likeliest file is read in any case
    ):
        budget = partial(Budget, bytes=limit)
        monkeypatch.setattr("nbproctor.submission.repair.Budget", budget)
        submission = repair(tmp_path, master)
        assert submission.path.name == name
        assert ("too big to read all" in " ".join(submission.notes)) == bool(looked)
        assert looked in " ".join(submission.notes)
