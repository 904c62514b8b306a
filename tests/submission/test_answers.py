"""Answers of which the broken table has no case, and files beyond the limit."""

from __future__ import annotations

from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from nbproctor.notebook import MasterNotebook
from nbproctor.submission.files import FILE_COST, Budget
from nbproctor.submission.repair import repair
from tests.broken.cases import by_id, new_cell, write
from tests.notebooks import Notebook, cells_of, notebook

LINE = "raise NotImplementedError"
NAMELESS = f"# YOUR CODE HERE\n{LINE}()"
ROUND = "def round_up(x):\n    return -(-x // 1)"
AREA_DONE = "def area(r):\n    return 4 * r"
MORE = "def area(r):\n    return 5 * r"
SQUARE_TEST = "assert square(1.5) == 4"
SIDE_DONE = "def side(a):\n    return a / 2"


CELLS = cells_of(f"""
--- area solution
def area(r):
    {LINE}
--- side solution
def side(a):
    {LINE}
--- square solution
{ROUND}


def square(x):
    {LINE}
--- square-test test 1
{SQUARE_TEST}
--- total solution
{NAMELESS}
--- total-test test 1
want = 6
assert total == want""")


def master_of(folder: Path, cells: list[Notebook]) -> MasterNotebook:
    """Return an assignment of these cells, as it is read."""
    return MasterNotebook.read(write(folder / "source", notebook(cells), "m.ipynb"))


@pytest.fixture
def master(tmp_path: Path) -> MasterNotebook:
    return master_of(tmp_path, CELLS)


def cells_with(**texts: str) -> list[Notebook]:
    """Return the released cells, some with another text."""
    return [each | {"source": texts.get(each["id"], each["source"])} for each in CELLS]


def repaired(
    folder: Path,
    master: MasterNotebook,
    cells: list[Notebook],
) -> Notebook:
    """Return the notebook after the repair."""
    write(folder / "ann", notebook(cells), "m.ipynb")
    return repair(folder / "ann", master).notebook


@pytest.mark.parametrize("wraps", ["", "\n\n\nround_up = round_up"])
@pytest.mark.parametrize("is_free", [False, True])
def test_a_finished_helper_in_the_cell_of_an_exercise_is_no_stub(
    tmp_path: Path,
    master: MasterNotebook,
    is_free: bool,
    wraps: str,
) -> None:
    answer = "def square(x):\n    return round_up(x) ** 2"
    cells = cells_with(square=f"{ROUND}{wraps}\n\n\n{answer}")
    if is_free:
        cells = [*CELLS, new_cell(answer + wraps)]
    names: dict[str, Any] = {}
    for cell in repaired(tmp_path, master, cells)["cells"]:
        with suppress(Exception):
            exec(cell["source"], names)
    assert names["square"](1.5) == 4


@pytest.mark.parametrize(
    ("texts", "chosen"),
    [
        (["print('nothing')", "total = 6", "x = 3"], "total = 6"),
        ([NAMELESS, "print('nothing')"], NAMELESS),
        (["def helper(x):\n    return x"], ""),
    ],
)
def test_a_free_cell_is_an_answer_if_it_binds_what_is_tested(
    tmp_path: Path,
    master: MasterNotebook,
    texts: list[str],
    chosen: str,
) -> None:
    result = repaired(tmp_path, master, [*CELLS[:-2], *map(new_cell, texts), CELLS[-1]])
    assert by_id(result, "total")["source"] == chosen


def test_two_exercises_of_one_function_keep_their_answers(tmp_path: Path) -> None:
    stub = CELLS[0]["source"]
    master = master_of(
        tmp_path, cells_of(f"\n--- one solution\n{stub}\n--- two solution\n{stub}")
    )
    result = repaired(tmp_path, master, [new_cell(AREA_DONE), new_cell(MORE)])
    answers = [by_id(result, name)["source"] for name in ("one", "two")]
    assert answers == [AREA_DONE, MORE]


def test_an_answer_in_a_test_cell_counts_only_where_there_is_no_other(
    tmp_path: Path, master: MasterNotebook
) -> None:
    test = f"{AREA_DONE}\n\n\n{SQUARE_TEST}"
    cells = [new_cell(MORE), *cells_with(**{"square-test": test})]
    assert by_id(repaired(tmp_path, master, cells), "area")["source"] == MORE


@pytest.mark.parametrize(
    ("limit", "name", "note"),
    [
        (3 * FILE_COST, "x.ipynb", ""),
        (2 * FILE_COST, "z.ipynb", "2 of 3"),
        (1, "m.ipynb", "1 of 3"),  # the likeliest file is read in any case
    ],
)
def test_of_files_beyond_the_limit_the_likeliest_and_the_smallest_are_read(
    tmp_path: Path,
    master: MasterNotebook,
    monkeypatch: pytest.MonkeyPatch,
    limit: int,
    name: str,
    note: str,
) -> None:
    answers: dict[str, str] = {}
    for file, exercise, answer in (
        ("m", "area", AREA_DONE),
        ("z", "side", SIDE_DONE),
        ("x", "total", "total = 6" + " " * 500),
    ):
        answers[exercise] = answer
        write(tmp_path / "ann", notebook(cells_with(**answers)), f"{file}.ipynb")
    budget = partial(Budget, bytes=limit)
    monkeypatch.setattr("nbproctor.submission.repair.Budget", budget)
    submission = repair(tmp_path / "ann", master)
    notes = " ".join(submission.notes)
    assert submission.path.name == name
    assert ("too big to read all" in notes) == bool(note)
    assert note in notes
