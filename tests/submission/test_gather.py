"""Every answer gets a cell of its own, and what stood around it stays or goes."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from nbproctor.notebook import MasterNotebook
from nbproctor.submission.gather import Gathered, gather
from tests.submission.small import notebook, raw
from tests.submission.test_answers import cell, solution, test_cell

AREA = "def area(r):\n    raise NotImplementedError"
SIDE = "def side(a):\n    raise NotImplementedError"
TOTAL = "### BEGIN SOLUTION\ntotal = 6\n### END SOLUTION"
CELLS = [
    cell("tools", "import math\nTAU = 2 * math.pi"),
    solution("area", AREA),
    test_cell("area-test", "assert area(1) > 3"),
    solution("side", SIDE),
    test_cell("side-test", "assert side(4) == 2"),
    solution("total", TOTAL),
    test_cell("total-test", "want = 6\nassert total == want"),
]
AREA_DONE = "def area(r):\n    return 4 * r"
SIDE_DONE = "def side(a):\n    return a / 2"


@pytest.fixture
def master(tmp_path: Path) -> MasterNotebook:
    path = tmp_path / "m.ipynb"
    path.write_text(json.dumps(notebook(CELLS)))
    return MasterNotebook.read(path)


def gathered(master: MasterNotebook, *cells: tuple[str | None, str]) -> Gathered:
    """Gather the answers of cells, each with the name that it is known by."""
    named = {each.id: each for each in master.cells}
    match = {n: named[name] for n, (name, _) in enumerate(cells) if name}
    return gather([raw(text, name) for name, text in cells], match, master)


def placed(result: Gathered) -> list[tuple[str | None, str]]:
    match = result.match
    return [
        (match[n].id if n in match else None, each["source"])
        for n, each in enumerate(result.cells)
    ]


def test_an_answer_in_its_own_cell_stays_as_it_is(master: MasterNotebook) -> None:
    cells = [("area", AREA_DONE), ("side", SIDE_DONE), (None, "x = 1"), ("total", "t")]
    result = gathered(master, *cells)
    assert placed(result) == cells
    assert not (result.moved or result.kept or result.unclear)


def test_an_answer_that_is_the_reference_s_own_is_no_given_text(
    master: MasterNotebook,
) -> None:
    # Written into the test below an exercise without a name.
    test = "total = 6\nwant = 6\nassert total == want"
    result = gathered(
        master, ("area", AREA_DONE), ("side", SIDE_DONE), ("total-test", test)
    )
    assert placed(result)[2:] == [("total", "total = 6"), ("total-test", test)]
    assert result.moved == ["total"]


def test_an_answer_in_the_cell_of_an_exercise_without_a_name_is_cut_out(
    master: MasterNotebook,
) -> None:
    both = f"total = 6\n\n\n{AREA_DONE}"
    result = gathered(master, ("area", AREA), ("side", SIDE_DONE), ("total", both))
    assert placed(result) == [
        ("side", SIDE_DONE),
        ("area", AREA_DONE),
        ("total", "total = 6"),
    ]
    assert result.moved == ["area"]


def test_what_stands_around_an_answer_of_another_exercise_keeps_its_order(
    master: MasterNotebook,
) -> None:
    text = f"a = 1\n\n\n{SIDE_DONE}\n\n\nb = 2\n\n\n{AREA_DONE}\n\n\nc = 3"
    result = gathered(master, ("area", text), ("side", SIDE), ("total", "total = 6"))
    names = [name for name, _ in placed(result)]
    assert names == [None, "side", "area", "total"]
    sources = "\n".join(source for _, source in placed(result))
    order = [sources.index(word) for word in ("a = 1", "def side", "b = 2", "def area")]
    assert order == sorted(order)
    assert sources.index("c = 3") > sources.index("b = 2")
    assert sources.count("def side") == sources.count("def area") == 1


def test_the_answer_to_what_a_locked_cell_tests_comes_before_it(
    master: MasterNotebook,
) -> None:
    changed = f"{AREA_DONE}\n\n\nassert area(1) > 3"
    result = gathered(
        master, ("area-test", changed), ("side", SIDE_DONE), ("total", "total = 6")
    )
    assert [name for name, _ in placed(result)] == [
        "area",
        "area-test",
        "side",
        "total",
    ]
    assert placed(result)[0][1] == AREA_DONE
    result = gathered(
        master,
        ("tools", f"import math\nTAU = 2 * math.pi\n\n\n{AREA_DONE}\n\n\nmine = 1"),
        ("side", SIDE_DONE),
        ("total", "total = 6"),
    )
    # What it uses of the locked cell comes first; what was added stays the student's.
    assert placed(result)[1:3] == [(None, "mine = 1"), ("area", AREA_DONE)]
    assert result.kept == ["tools"]


def test_a_stub_beside_the_answer_in_its_cell_is_left_out(
    master: MasterNotebook,
) -> None:
    text = f"{AREA_DONE}\n\n\n{AREA}"
    result = gathered(master, ("area", text), ("side", SIDE_DONE), ("total", "total"))
    ((name, source), *_) = placed(result)
    assert name == "area"
    assert source.count("def area") == 1
    assert "return 4 * r" in source


def test_of_a_stub_s_cell_only_what_is_the_student_s_is_kept(
    master: MasterNotebook,
) -> None:
    cells = [("side", SIDE_DONE), ("total", "total = 6"), (None, AREA_DONE)]
    result = gathered(master, ("area", AREA), *cells)
    assert placed(result) == [*cells[:2], ("area", AREA_DONE)]
    result = gathered(master, ("area", f"FOUR = 4\n\n\n{AREA}"), *cells)
    assert placed(result)[0] == (None, "FOUR = 4")


def test_a_line_added_to_a_test_is_unclear_only_while_an_answer_is_missing(
    master: MasterNotebook,
) -> None:
    changed = "print(1)\nassert area(1) > 3"
    rest = [("area-test", changed), ("side", SIDE_DONE)]
    result = gathered(master, ("area", AREA), *rest, ("total", "total = 6"))
    assert result.unclear == ["area-test"]
    result = gathered(master, ("area", AREA_DONE), *rest, ("total", "total = 6"))
    assert result.unclear == []


def test_what_a_test_s_own_name_was_changed_to_is_nobody_s_answer(
    master: MasterNotebook,
) -> None:
    cells = [("area", AREA_DONE), ("side", SIDE_DONE)]
    changed = "want = 7\nassert total == want"
    result = gathered(master, *cells, ("total-test", changed))
    assert placed(result) == [*cells, ("total-test", changed)]
    assert not (result.moved or result.kept or result.unclear)
