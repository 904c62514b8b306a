"""Answers of which the broken table has no case, and files beyond the limit."""

from __future__ import annotations

import json
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from nbproctor.notebook import MasterNotebook
from nbproctor.submission.files import FILE_COST, Budget
from nbproctor.submission.repair import repair
from tests.notebooks import Notebook, cells_of, notebook

Row = tuple[str | None, str]  # nbgrader's name, if the cell has one, and the text
LINE = "raise NotImplementedError"
NAMELESS = f"# YOUR CODE HERE\n{LINE}()"
ROUND = "def round_up(x):\n    return -(-x // 1)"
AREA_DONE = "def area(r):\n    return 4 * r"
MORE = "def area(r):\n    return 5 * r"
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
assert square(1.5) == 4
--- total solution
{NAMELESS}
--- total-test test 1
want = 6
assert total == want""")
RELEASED = {each["id"]: str(each["source"]) for each in CELLS}


def master_of(folder: Path, cells: list[Notebook]) -> MasterNotebook:
    """Return an assignment of these cells, as it is read."""
    path = folder / "source/m.ipynb"
    path.parent.mkdir()
    path.write_text(json.dumps(notebook(cells)))
    return MasterNotebook.read(path)


@pytest.fixture
def master(tmp_path: Path) -> MasterNotebook:
    return master_of(tmp_path, CELLS)


def rows_of(**texts: str) -> list[Row]:
    """Return the released notebook with other texts in some cells."""
    return [*(RELEASED | texts).items()]


def submit(path: Path, rows: list[Row]) -> None:
    """Write a notebook with these cells."""
    path.parent.mkdir(exist_ok=True)
    cells: list[dict[str, Any]] = []
    for name, source in rows:
        marks = {"nbgrader": {"grade_id": name}} if name else {}
        cells.append(
            {
                "cell_type": "code",
                "metadata": marks,
                "source": source,
            }
        )
    path.write_text(json.dumps(notebook(cells)))


def repaired(
    folder: Path,
    master: MasterNotebook,
    rows: list[Row],
) -> list[Row]:
    """Return the cells after the repair."""
    submit(folder / "ann/m.ipynb", rows)
    cells = repair(folder / "ann", master).notebook["cells"]
    marks = [each["metadata"].get("nbgrader", {}) for each in cells]
    sources = [each["source"] for each in cells]
    return [(m.get("grade_id"), text) for m, text in zip(marks, sources, strict=True)]


@pytest.mark.parametrize("wraps", ["", "\n\n\nround_up = round_up"])
@pytest.mark.parametrize("is_free", [False, True])
def test_a_finished_helper_in_the_cell_of_an_exercise_is_no_stub(
    tmp_path: Path,
    master: MasterNotebook,
    is_free: bool,
    wraps: str,
) -> None:
    answer = "def square(x):\n    return round_up(x) ** 2"
    cells = rows_of(square=f"{ROUND}{wraps}\n\n\n{answer}")
    if is_free:
        cells = [*rows_of(), (None, answer + wraps)]
    names: dict[str, Any] = {}
    for _, source in repaired(tmp_path, master, cells):
        with suppress(Exception):
            exec(source, names)
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
    rows = [row for row in rows_of() if row[0] != "total"]
    rows[-1:-1] = [(None, text) for text in texts]
    assert ("total", chosen) in repaired(tmp_path, master, rows)


def test_two_exercises_of_one_function_keep_their_answers(tmp_path: Path) -> None:
    stub = RELEASED["area"]
    master = master_of(
        tmp_path, cells_of(f"\n--- one solution\n{stub}\n--- two solution\n{stub}")
    )
    rows = repaired(tmp_path, master, [(None, AREA_DONE), (None, MORE)])
    assert rows == [("one", AREA_DONE), ("two", MORE)]


def test_an_answer_in_a_test_cell_counts_only_where_there_is_no_other(
    tmp_path: Path, master: MasterNotebook
) -> None:
    test = f"{AREA_DONE}\n\n\n{RELEASED['square-test']}"
    rows = [(None, MORE), *rows_of(**{"square-test": test})]
    assert ("area", MORE) in repaired(tmp_path, master, rows)


def test_of_files_beyond_the_limit_the_likeliest_and_the_smallest_are_read(
    tmp_path: Path,
    master: MasterNotebook,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    answers = {
        "area": AREA_DONE,
        "side": SIDE_DONE,
        "total": "total = 6" + " " * 500,
    }
    for count, name in enumerate(("m", "z", "x"), 1):
        texts = {key: answers[key] for key in [*answers][:count]}
        submit(tmp_path / f"ann/{name}.ipynb", rows_of(**texts))
    sizes = [(tmp_path / f"ann/{n}.ipynb").stat().st_size + FILE_COST for n in "mz"]
    for limit, name, looked in (
        (sum(sizes) + 1, "x.ipynb", ""),
        (sum(sizes), "z.ipynb", "2 of 3"),
        (1, "m.ipynb", "1 of 3"),  # the likeliest file is read in any case
    ):
        budget = partial(Budget, bytes=limit)
        monkeypatch.setattr("nbproctor.submission.repair.Budget", budget)
        submission = repair(tmp_path / "ann", master)
        assert submission.path.name == name
        assert ("too big to read all" in " ".join(submission.notes)) == bool(looked)
        assert looked in " ".join(submission.notes)
