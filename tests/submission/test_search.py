"""An answer that stands elsewhere is found, and of several the one Python would use."""

from __future__ import annotations

import pytest

from nbproctor.notebook import Cell, Kind
from nbproctor.submission.answers import as_given, search, unanswered
from nbproctor.submission.read import RawCell
from tests.submission.small import AREA, raw


def cell(name: str, stub: str, kind: Kind = "solution") -> Cell:
    mark = {
        "cell_type": "markdown" if kind == "task" else "code",
        "solution": kind == "solution",
        "grade": kind == "test",
        "locked": kind == "provided",
    }
    return Cell(name, kind, stub, 0, name, False, name, stub, mark)


def area(number: int) -> str:
    return f"def area(r):\n    return {number}"


EXERCISE = cell("area", AREA)
TOOLS, TEST = cell("tools", "TAU = 6", "provided"), cell("test", "area(1)", "test")
METHOD = cell("up", "@add_to(Net)\ndef up(self):\n    raise NotImplementedError")


def found(
    cells: list[RawCell], match: dict[int, Cell], wanted: Cell = EXERCISE
) -> tuple[int, str] | None:
    find = search(cells, match, [wanted]).get(wanted.id)
    return (find.position, find.text) if find else None


def test_the_last_definition_counts_as_it_does_in_python() -> None:
    twice = raw(f"{area(1)}\n\n\n{area(2)}")
    assert found([twice], {}) == (0, area(2))
    assert found([raw(area(1)), raw(area(2))], {}) == (1, area(2))
    assert found([raw(area(1)), raw("area = lambda r: 2")], {}) == (
        1,
        "area = lambda r: 2",
    )


@pytest.mark.parametrize("later", [AREA, "def area(r): ...", "area(1)", "# def area"])
def test_what_is_no_answer_hides_none(later: str) -> None:
    assert found([raw(area(1)), raw(later)], {}) == (0, area(1))
    assert found([raw(f"{area(1)}\nx = 1\n{later}")], {}) == (0, area(1))
    assert found([raw(later)], {}) is None


def test_an_answer_in_a_given_cell_counts_only_where_there_is_no_other() -> None:
    given, own = raw(area(1)), raw(area(2))
    assert found([given, own], {0: TOOLS}) == (1, area(2))
    assert found([own, given], {1: TEST}) == (0, area(2))
    assert found([given, raw(area(3))], {0: TOOLS, 1: TEST}) == (1, area(3))
    assert found([given], {0: TOOLS}) == (0, area(1))


def test_every_function_of_an_exercise_has_to_be_there() -> None:
    both = cell("both", f"{AREA}\n\n\ndef side(a):\n    raise NotImplementedError")
    side = "def side(a):\n    return a"
    assert found([raw(area(1)), raw(side)], {}, both) is None
    assert found([raw(f"{side}\nx = 1\n{area(1)}")], {}, both) == (
        0,
        f"{area(1)}\n\n{side}",
    )


def test_the_last_method_of_a_class_is_the_function_attached_to_it() -> None:
    text = "class Net:\n    def up(self):\n        return 1\n\n"
    text += "    def up(self):\n        return 2\n"
    head = "@add_to(Net)\ndef up(self):\n"
    assert found([raw(text)], {}, METHOD) == (0, f"{head}    return 2")
    other = text.replace("Net", "Other")
    assert found([raw(other)], {}, METHOD) is None
    stub = "class Net:\n    def up(self):\n        raise NotImplementedError\n"
    assert found([raw(stub)], {}, METHOD) is None
    given = cell("up", f"{head}    return 7")  # a stub with code of its own
    same = "class Net:\n    def up(self):\n        return 7\n"
    assert found([raw(same)], {}, given) is None


@pytest.mark.parametrize(
    ("source", "blank"),
    [
        (AREA, True),
        (f"# mine\n{AREA}\n\n", True),
        ("", True),
        ("# only words", True),
        (area(1), False),
        ("x = 1", False),
        (f"{AREA}\n{area(1)}", False),
        (f"x = 1\n{AREA}", True),
    ],
)
def test_a_cell_that_says_no_more_than_its_stub_is_unanswered(
    source: str, blank: bool
) -> None:
    assert unanswered(source, EXERCISE) is blank


def test_a_question_is_unanswered_until_its_text_is_another() -> None:
    question = cell("why", "Why?\n\nYOUR ANSWER", "task")
    for blank in ("", "\n", "Why?\nYOUR ANSWER  \n"):
        assert unanswered(blank, question)
    assert not unanswered("Why?\n\nBecause.", question)


def test_a_given_cell_that_became_text_is_not_as_given() -> None:
    assert as_given(raw("\n  TAU = 6"), TOOLS)
    assert not as_given(raw("TAU = 7"), TOOLS)
    assert not as_given(raw("TAU = 6", kind="raw"), TOOLS)
