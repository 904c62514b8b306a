"""Cells that were split are one again, and every answer is found."""

from __future__ import annotations

import pytest

from nbproctor.cells import HandedCell
from nbproctor.submission import match
from nbproctor.submission.match import plan
from nbproctor.submission.rebuild import Rebuilt
from tests.notebooks import cell
from tests.submission.small import (
    AREA,
    MASTER,
    SIDE,
    TOOLS,
    check,
    master_of,
    raw,
    solution,
)

# --- cells that were split ----------------------------------------------------------


def joined(*cells: HandedCell) -> list[str]:
    made = plan([*cells], MASTER)
    assert made.joined == len(cells) - len(made.cells)
    return [each.text.text for each in made.cells]


@pytest.mark.parametrize(
    ("above", "below"),
    [
        ("def area(r):", "    return r"),
        ("def area(r):\n\n", "    return r"),
        ('def area(r):\n    """Return it."""', "    return r"),
        ("def area(r):\n    x = r\n", "    return x"),
        ('class A:\n    """Text."""', "    x = 1"),
        ("x = area(1,", "2)"),
        ("x = 1 + \\", "2"),
        ("@cache", "def area(r): return r"),
        ("if x:\n    y = 1\nelse:  # no", "    y = 2"),
        ('text = """one', 'two"""'),
        ("if x:\n    y = 1", "else:\n    y = 2"),
    ],
)
def test_a_statement_that_was_cut_in_two_is_one_again(above: str, below: str) -> None:
    text = above.rstrip("\n") + "\n" + below
    assert joined(raw(above, "area"), raw(below)) == [text]
    assert joined(raw(above, "area"), raw(below, "area")) == [text]


@pytest.mark.parametrize(
    ("above", "below"),
    [
        ("def area(r):\n    return r", "def side(a):\n    return a"),
        ("x = 1", "y = 2"),
        ("x = 1", "    return x"),
        ("x = 1\ny = 2", "    return x"),
        ("def area(r):\n    return r", "    print(r)"),
        ("def area(r):", "  \n"),
        ("", "    return x"),
        ("x = area(1,", TOOLS),
        # Prose and magics are whole, whatever they end with.
        ("The area is (", "x = 1"),
        ("We answer as follows:", "def area(r):\n    return r"),
        ("%%markdown\nThe area (", "    return 1)"),
        ("!ls (", "x = 1)"),
        ("x = (1", "y = 2"),  # an error of the student's
    ],
)
def test_cells_that_are_whole_stay_two(above: str, below: str) -> None:
    assert joined(raw(above, "area"), raw(below)) == [above, below]


@pytest.mark.parametrize(
    "pieces",
    [
        ("def area(r):", "    x = r", "    y = x", "    return y"),
        ("x = area(", "1,", "2)"),
        ("def area(r):", '    """Return it."""', "    return r"),
        ("class A:", "    def up(self):", "        return 1", "    x = 2"),
    ],
)
def test_a_statement_that_was_cut_in_many_is_one_again_and_what_follows_is_not(
    pieces: tuple[str, ...],
) -> None:
    cells = [*map(raw, pieces), raw("print(1)"), raw("    z = 3")]
    assert joined(*cells) == ["\n".join(pieces), "print(1)", "    z = 3"]


def test_cells_of_two_exercises_or_kinds_are_never_joined() -> None:
    open_ = "def area(r):"
    for below in (
        raw("    return r", "side"),
        raw("    return r", kind="markdown"),
    ):
        assert len(joined(raw(open_, "area"), below)) == 2
    assert len(joined(raw(open_, kind="raw"), raw("    return r"))) == 2


def test_a_very_long_cell_is_neither_parsed_nor_joined(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(match, "MAX_CHARS", 25)
    assert len(joined(raw("def area(r):"), raw("    return r"))) == 1
    monkeypatch.setattr("nbproctor.cells.CellText.tree", property(lambda _: 1 / 0))
    assert len(joined(raw("def area(rr):"), raw("    return r"))) == 2


# --- answers that stand elsewhere -----------------------------------------------------

AREA_DONE = "def area(r):\n    return 4 * r"
SIDE_DONE = "def side(a):\n    return a / 2"
MORE = "def area(r):\n    return 5 * r"
TEST = "assert area(1) > 3"


SHORT = master_of(
    [
        cell("tools", TOOLS),
        solution("area", AREA),
        check("area-test", TEST),
        solution("side", SIDE),
        check("side-test", "assert side(4) == 2"),
        solution("total", "### BEGIN SOLUTION\ntotal = 6\n### END SOLUTION"),
        check("total-test", "want = 6\nassert total == want"),
    ]
)
Row = tuple[str | None, str]


REST: list[Row] = [("side", SIDE_DONE), ("total", "total = 6")]


@pytest.mark.parametrize(
    ("rows", "area"),
    [
        # The last definition counts, as it does in Python.
        ([("side", f"{AREA_DONE}\n\n\n{MORE}\n\n\n{SIDE_DONE}")], MORE),
        ([("area", "x = 1"), (None, AREA_DONE), (None, MORE)], MORE),
        ([(None, AREA_DONE), (None, "area = lambda r: 2")], AREA_DONE),
        ([("side", f"{SIDE_DONE}\n\narea = lambda r: 2")], "area = lambda r: 2"),
        # What is no answer hides none.
        ([(None, AREA_DONE), ("area", AREA)], AREA_DONE),
        ([("area", AREA_DONE), (None, "def area(r): ...")], AREA_DONE),
        ([(None, f"{AREA_DONE}\nx = 1\nprint(area(1))\n# def area")], None),
        # One in a given cell counts only where there is no other.
        ([("tools", f"{TOOLS}\n\n\n{AREA_DONE}"), ("area", AREA)], AREA_DONE),
        ([("tools", f"{TOOLS}\n\n\n{AREA_DONE}"), ("area", MORE)], MORE),
        ([("area-test", f"{AREA_DONE}\n\n\n{TEST}"), (None, MORE)], MORE),
        (
            [
                ("tools", f"{TOOLS}\n\n\n{AREA_DONE}"),
                ("area-test", f"{MORE}\n\n\n{TEST}"),
            ],
            MORE,
        ),
        (
            [
                ("tools", f"{TOOLS}\n\n\n{AREA_DONE}"),
                ("side", f"{SIDE_DONE}\n\n\n{MORE}"),
                ("area", AREA),
            ],
            MORE,
        ),
        ([("side", f"{SIDE_DONE}\n\n\ndef area(r): ...")], ""),
    ],
)
def test_an_answer_is_found_wherever_it_stands(
    rows: list[Row], area: str | None
) -> None:
    whole = [*rows, *(row for row in REST if row[0] not in dict(rows))]
    made, _ = Rebuilt(plan([raw(text, name) for name, text in whole], SHORT)).notebook({})
    (graded,) = (
        cell["source"]
        for cell in made
        if cell["metadata"].get("nbgrader", {}).get("grade_id") == "area"
    )
    assert graded == (rows[0][1] if area is None else area)
