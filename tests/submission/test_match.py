"""Each cell of a student's is the cell of the assignment that it was made from."""

from __future__ import annotations

import pytest

from nbproctor.notebook import MasterNotebook
from nbproctor.submission import match
from nbproctor.submission.match import join_split_cells, match_cells
from nbproctor.submission.read import RawCell
from tests.submission.small import AREA, RULE, TOOLS, raw, written


@pytest.fixture(scope="module")
def master(tmp_path_factory: pytest.TempPathFactory) -> MasterNotebook:
    return written(tmp_path_factory.mktemp("match"))


def found(cells: list[RawCell], master: MasterNotebook) -> dict[int, str]:
    return {p: c.id for p, c in sorted(match_cells(cells, master).items())}


def place(name: str, cells: list[RawCell], master: MasterNotebook) -> int | None:
    """Return where the cell with this name is."""
    places = [p for p, own in found(cells, master).items() if own == name]
    return places[0] if places else None


def whole(master: MasterNotebook, **changed: str) -> list[RawCell]:
    """Return a submission that has lost its marks and ids, and some changed texts."""
    return [
        raw(changed.get(c.id, c.stub), kind=c.nbgrader.get("cell_type", "code"))
        for c in master.cells
    ]


def test_cells_without_marks_and_ids_are_known_by_text_and_place(
    master: MasterNotebook,
) -> None:
    cells = whole(
        master,
        area="def area(r):\n    return TAU / 2 * r * r",
        side="def side(a):\n    return math.sqrt(a)",
        first="first = 1",
        why="Because.",
    )
    places = {p: c.id for p, c in enumerate(master.cells) if c.nbgrader}
    assert found(cells, master) == places  # `second` is untouched, `first` is not


def test_marks_count_where_ids_are_lost_whatever_else_is_there(
    master: MasterNotebook,
) -> None:
    cells = [
        raw("mine = 1"),
        raw("def area(r):\n    return 3", "area"),
        raw("something", "no-such-cell"),
        raw("first = 1", "first"),
        raw("changed", "area-test"),
        raw("because", "why", kind="markdown"),
    ]
    places = {1: "area", 3: "first", 4: "area-test", 5: "why"}
    assert found(cells, master) == places


def test_marks_go_before_the_id_and_each_cell_is_one(master: MasterNotebook) -> None:
    cells = [raw("first = 1", "first", id="second"), raw("x = 2", id="side")]
    assert found(cells, master) == {0: "first", 1: "side"}


def test_an_id_is_enough_where_marks_are_lost(master: MasterNotebook) -> None:
    cells = [raw("x = 1", id="first"), raw("y = 2", id="area-test")]
    assert found(cells, master) == {0: "first", 1: "area-test"}
    twice = [raw("x = 1", "first"), raw("y = 2", id="first")]
    assert place("first", twice, master) == 0


def test_given_cells_with_the_same_text_are_told_apart_by_their_order(
    master: MasterNotebook,
) -> None:
    three = [raw(RULE)] * 3
    assert place("rule-1", three, master) == 0
    assert place("rule-2", three, master) == 1
    both = [raw(RULE, "rule-1"), raw(RULE, "rule-2")]
    assert found(both, master) == {0: "rule-1", 1: "rule-2"}


def test_the_text_of_a_given_cell_is_never_an_answer(master: MasterNotebook) -> None:
    for cells in ([raw(TOOLS, "first")], [raw(TOOLS, "first"), raw("x", "area")]):
        assert place("first", cells, master) is None
        assert place("tools", cells, master) == 0


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


def test_an_answer_in_words_is_a_text_cell_in_its_place(
    master: MasterNotebook,
) -> None:
    end = [raw("assert second == 2", "second-test")]
    code, words = raw("x = 1"), raw("Because.", kind="markdown")
    assert found([*end, code, words], master) == {0: "second-test", 2: "why"}
    assert found([words, *end, code], master) == {1: "second-test"}


def test_an_answer_is_looked_for_between_its_neighbours_only(
    master: MasterNotebook,
) -> None:
    before, behind = raw("", "side-test"), raw("", "first-test")
    mine = raw("first = 1")
    assert place("first", [before, mine, behind], master) == 1
    for cells in ([mine, before, behind], [before, behind, mine]):
        assert place("first", cells, master) is None
    assert place("second", [before, behind, mine], master) == 2


def test_a_demo_of_the_assignment_s_is_nobody_s_answer(master: MasterNotebook) -> None:
    demo = raw("area(1)", id="demo")
    cells = [raw("", "side-test"), demo, raw("first = 1"), raw("", "first-test")]
    assert found(cells, master)[2] == "first"
    assert 1 not in found([cells[0], demo, cells[3]], master)


# --- cells that were split ----------------------------------------------------------


def joined(master: MasterNotebook, *cells: RawCell) -> list[str]:
    texts = [each["source"] for each in join_split_cells([*cells], master)[0]]
    assert join_split_cells([*cells], master)[1] == len(cells) - len(texts)
    return texts


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
    ],
)
def test_cells_that_are_whole_stay_two(
    master: MasterNotebook, above: str, below: str
) -> None:
    assert joined(master, raw(above, "area"), raw(below)) == [above, below]


def test_cells_of_two_exercises_or_kinds_are_never_joined(
    master: MasterNotebook,
) -> None:
    open_ = raw("def area(r):", "area")
    for below in (
        raw("    return r", "side"),
        raw("    return r", kind="markdown"),
    ):
        assert len(joined(master, open_, below)) == 2
    assert len(joined(master, open_ | {"cell_type": "raw"}, raw("    return r"))) == 2


def test_a_very_long_cell_is_not_searched_for_its_end(
    master: MasterNotebook, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(match, "MAX_HALF", 12)
    assert len(joined(master, raw("def area(r):"), raw("    return r"))) == 1
    assert len(joined(master, raw("def area(rr):"), raw("    return r"))) == 2
