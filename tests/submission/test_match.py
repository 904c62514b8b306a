"""Each cell of a student's is the cell it was made from, and every answer is found."""

from __future__ import annotations

from pathlib import Path

import pytest

from nbproctor.cells import HandedCell
from nbproctor.notebook import MasterNotebook
from nbproctor.submission import match
from nbproctor.submission.match import plan
from nbproctor.submission.rebuild import Rebuilt
from tests.notebooks import cell
from tests.submission.small import (
    AREA,
    RULE,
    SIDE,
    TOOLS,
    check,
    raw,
    solution,
    written,
)


def found(cells: list[HandedCell], master: MasterNotebook) -> dict[int, str]:
    return {p: c.id for p, c in sorted(plan(cells, master).match.items())}


def place(name: str, cells: list[HandedCell], master: MasterNotebook) -> int | None:
    """Return where the cell with this name is."""
    places = [p for p, own in found(cells, master).items() if own == name]
    return places[0] if places else None


def test_cells_without_marks_and_ids_are_known_by_text_and_place(
    master: MasterNotebook,
) -> None:
    changed = {
        "area": "def area(r):\n    return TAU / 2 * r * r",
        "side": "def side(a):\n    return math.sqrt(a)",
        "first": "first = 1",
        "why": "Because.",
    }
    cells = [
        raw(changed.get(c.id, c.stub), kind=c.nbgrader.get("cell_type", "code"))
        for c in master.cells
    ]
    places = {p: c.id for p, c in enumerate(master.cells) if c.nbgrader}
    assert found(cells, master) == places  # `second` is untouched, `first` is not


@pytest.mark.parametrize(
    ("cells", "places"),
    [
        (  # marks count where ids are lost, whatever else is there
            [
                raw("mine = 1"),
                raw("def area(r):\n    return 3", "area"),
                raw("something", "no-such-cell"),
                raw("first = 1", "first"),
                raw("changed", "area-test"),
                raw("because", "why", kind="markdown"),
            ],
            {1: "area", 3: "first", 4: "area-test", 5: "why"},
        ),
        # Marks go before the id, and each cell is one.
        (
            [raw("first = 1", "first", id="second"), raw("x = 2", id="side")],
            {0: "first", 1: "side"},
        ),
        # An id is enough where marks are lost.
        (
            [raw("x = 1", id="first"), raw("y = 2", id="area-test")],
            {0: "first", 1: "area-test"},
        ),
        ([raw("x = 1", "first"), raw("y = 2", id="first")], {0: "first", 1: "second"}),
        # Given cells with the same text are told apart by their order.
        ([raw(RULE)] * 3, {0: "rule-1", 1: "rule-2"}),
        ([raw(RULE, "rule-1"), raw(RULE, "rule-2")], {0: "rule-1", 1: "rule-2"}),
        # The text of a given cell is never an answer.
        ([raw(TOOLS, "first")], {0: "tools"}),
        ([raw(TOOLS, "first"), raw("x", "area")], {0: "tools", 1: "area"}),
        # An answer in words is a text cell in its place.
        (
            [
                raw("assert second == 2", "second-test"),
                raw("x = 1"),
                raw("Because.", kind="markdown"),
            ],
            {0: "second-test", 2: "why"},
        ),
        (
            [
                raw("Because.", kind="markdown"),
                raw("assert second == 2", "second-test"),
                raw("x = 1"),
            ],
            {1: "second-test"},
        ),
        # An answer is looked for between its neighbours only.
        (
            [raw("", "side-test"), raw("first = 1"), raw("", "first-test")],
            {0: "side-test", 1: "first", 2: "first-test"},
        ),
        (
            [raw("first = 1"), raw("", "side-test"), raw("", "first-test")],
            {0: "area", 1: "side-test", 2: "first-test"},
        ),
        (
            [raw("", "side-test"), raw("", "first-test"), raw("first = 1")],
            {0: "side-test", 1: "first-test", 2: "second"},
        ),
        # A demo of the assignment's is nobody's answer.
        (
            [raw("", "side-test"), raw("area(1)", id="demo"), raw("", "first-test")],
            {0: "side-test", 2: "first-test"},
        ),
    ],
)
def test_marks_then_ids_then_texts_then_places_say_which_cell_is_which(
    master: MasterNotebook, cells: list[HandedCell], places: dict[int, str]
) -> None:
    assert found(cells, master) == places


def test_marks_on_a_cell_that_does_not_define_the_function_do_not_count_if_one_does(
    master: MasterNotebook,
) -> None:
    helper = raw("def helper(r):\n    return r", "area")
    answer = raw("def area(r):\n    return 3")
    assert place("area", [helper, answer], master) == 1
    assert place("area", [answer, helper], master) == 0
    assert place("area", [helper], master) == 0
    assert place("area", [raw("", "area"), raw("x = 1")], master) == 0


def test_of_copies_the_last_that_was_worked_on_is_graded(
    master: MasterNotebook,
) -> None:
    one, two = (f"def area(r):\n    return {n}" for n in (1, 2))
    for texts, graded in (
        ((AREA, one, two, AREA), 2),
        ((two, AREA), 0),
        ((AREA, AREA), 1),
        ((one, "print(area(1))"), 0),
        ((AREA, "print(area(1))"), 0),
    ):
        cells = [raw(text, "area") for text in texts]
        assert place("area", cells, master) == graded, texts


# --- cells that were split ----------------------------------------------------------


def joined(master: MasterNotebook, *cells: HandedCell) -> list[str]:
    made = plan([*cells], master)
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
def test_a_statement_that_was_cut_in_two_is_one_again(
    master: MasterNotebook, above: str, below: str
) -> None:
    text = above.rstrip("\n") + "\n" + below
    assert joined(master, raw(above, "area"), raw(below)) == [text]
    assert joined(master, raw(above, "area"), raw(below, "area")) == [text]


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
def test_cells_that_are_whole_stay_two(
    master: MasterNotebook, above: str, below: str
) -> None:
    assert joined(master, raw(above, "area"), raw(below)) == [above, below]


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
    master: MasterNotebook, pieces: tuple[str, ...]
) -> None:
    cells = [*map(raw, pieces), raw("print(1)"), raw("    z = 3")]
    assert joined(master, *cells) == ["\n".join(pieces), "print(1)", "    z = 3"]


def test_cells_of_two_exercises_or_kinds_are_never_joined(
    master: MasterNotebook,
) -> None:
    open_ = "def area(r):"
    for below in (
        raw("    return r", "side"),
        raw("    return r", kind="markdown"),
    ):
        assert len(joined(master, raw(open_, "area"), below)) == 2
    assert len(joined(master, raw(open_, kind="raw"), raw("    return r"))) == 2


def test_a_very_long_cell_is_neither_parsed_nor_joined(
    master: MasterNotebook, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(match, "MAX_CHARS", 25)
    assert len(joined(master, raw("def area(r):"), raw("    return r"))) == 1
    monkeypatch.setattr("nbproctor.cells.CellText.tree", property(lambda _: 1 / 0))
    assert len(joined(master, raw("def area(rr):"), raw("    return r"))) == 2


# --- answers that stand elsewhere -----------------------------------------------------

AREA_DONE = "def area(r):\n    return 4 * r"
SIDE_DONE = "def side(a):\n    return a / 2"
MORE = "def area(r):\n    return 5 * r"
TEST = "assert area(1) > 3"


@pytest.fixture(scope="module")
def short(tmp_path_factory: pytest.TempPathFactory) -> MasterNotebook:
    total = "### BEGIN SOLUTION\ntotal = 6\n### END SOLUTION"
    cells = [
        cell("tools", TOOLS),
        solution("area", AREA),
        check("area-test", TEST),
        solution("side", SIDE),
        check("side-test", "assert side(4) == 2"),
        solution("total", total),
        check("total-test", "want = 6\nassert total == want"),
    ]
    return written(tmp_path_factory.mktemp("short"), cells)


Row = tuple[str | None, str]


def gathered(master: MasterNotebook, *rows: Row) -> tuple[list[Row], str]:
    """Return name and text of what was handed in, as it is graded, and the notes."""
    made, notes = Rebuilt(plan([raw(t, n) for n, t in rows], master)).notebook()
    marks = [each["metadata"].get("nbgrader", {}).get("grade_id") for each in made]
    locked = {c.id for c in master.cells if c.locked}
    placed = [(n, each["source"]) for n, each in zip(marks, made, strict=True)]
    return [row for row in placed if row[0] not in locked], " ".join(notes)


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
    short: MasterNotebook, rows: list[Row], area: str | None
) -> None:
    made, _ = gathered(short, *rows, *(r for r in REST if r[0] not in dict(rows)))
    graded = dict(made)["area"]
    assert graded == (rows[0][1] if area is None else area)


def test_every_function_of_an_exercise_has_to_be_there(tmp_path: Path) -> None:
    master = written(
        tmp_path, [solution("both", f"{AREA}\n\n\n{SIDE}"), check("t", "")]
    )
    made, notes = gathered(master, ("t", ""), (None, AREA_DONE), (None, SIDE_DONE))
    assert "no cell in your notebook for: both" in notes
    both = f"assert True\n{SIDE_DONE}\nx = 1\n{AREA_DONE}"
    made, _ = gathered(master, ("both", ""), ("t", both))
    assert dict(made)["both"] == f"{AREA_DONE}\n\n{SIDE_DONE}"


def test_an_answer_in_its_own_cell_stays_as_it_is(short: MasterNotebook) -> None:
    rows = [("area", AREA_DONE), ("side", SIDE_DONE), (None, "x = 1"), ("total", "t")]
    made, notes = gathered(short, *rows)
    assert made == rows
    assert "not their own" not in notes


@pytest.mark.parametrize(
    ("rows", "placed"),
    [
        # Cut out of the cell of an exercise without a name.
        (
            [("area", AREA), ("side", SIDE_DONE), ("total", f"total = 6\n\n\n{MORE}")],
            [("side", SIDE_DONE), ("area", MORE), ("total", "total = 6")],
        ),
        # Before what tests it; what it uses of a locked cell stays above it.
        (
            [("area-test", f"{MORE}\n\n\n{TEST}"), *REST],
            [("area", MORE), *REST],
        ),
        (
            [("tools", f"{TOOLS}\n\n\n{MORE}\n\n\nmine = 1"), *REST],
            [(None, "mine = 1"), ("area", MORE), *REST],
        ),
        # Of the cell with the stub, only what is the student's is kept.
        ([("area", AREA), *REST, (None, MORE)], [*REST, ("area", MORE)]),
        (
            [("area", f"FOUR = 4\n\n\n{AREA}"), *REST, (None, MORE)],
            [(None, "FOUR = 4"), *REST, ("area", MORE)],
        ),
        # The stub beside the answer is left out.
        ([("area", f"{MORE}\n\n\n{AREA}"), *REST], [("area", MORE), *REST]),
        # What a test's own name was changed to is nobody's answer.
        (
            [("area", MORE), REST[0], ("total-test", "want = 7\nassert total == want")],
            [("area", MORE), REST[0], ("total", "")],
        ),
    ],
)
def test_every_answer_gets_a_cell_of_its_own(
    short: MasterNotebook, rows: list[Row], placed: list[Row]
) -> None:
    made, notes = gathered(short, *rows)
    assert made == placed
    assert "moved back" not in notes


def test_a_line_added_to_a_test_is_unclear_only_while_an_answer_is_missing(
    short: MasterNotebook,
) -> None:
    rest: list[Row] = [("area-test", f"print(1)\n{TEST}"), *REST]
    assert "nothing tells" in gathered(short, ("area", AREA), *rest)[1]
    assert "nothing tells" not in gathered(short, ("area", AREA_DONE), *rest)[1]
