"""In which order cells are run and tests are judged, without running any."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nbproctor.judge import compiled, order
from nbproctor.notebook import Cell, Kind
from nbproctor.results import Job, StudentCell


def cell(name: str, kind: Kind, exercise: str | None = None, points: float = 0) -> Cell:
    stub = f"stub of {name}" if kind == "solution" else f"text of {name}"
    text = f"text of {name}"
    return Cell(name, kind, text, points, exercise, False, name, stub, {})


SOURCE = (
    cell("setup", "provided"),
    cell("one", "solution", "one"),
    cell("one_public", "test", "one"),
    cell("one_hidden", "test", "one", 2),
    cell("demo", "provided"),
    cell("tools", "helper"),
    cell("two", "solution", "two"),
    cell("two_first", "test", "two", 3),
    cell("three", "solution", "three"),
    cell("two_last", "test", "two", 3),
    cell("three_hidden", "test", "three", 1),
    cell("end", "provided"),
)


def job(*cells: str | tuple[str | None, str]) -> Job:
    """Return a job with these student cells: ids with the source's text, or pairs."""
    pairs = [(c, f"text of {c}") if isinstance(c, str) else c for c in cells]
    student = tuple(StudentCell(n, *pair) for n, pair in enumerate(pairs))
    return Job(SOURCE, student)


def own_notebook(played: Job, outer: Collection[str] = ()) -> list[order.Step]:
    tests = replace(compiled.Tests.of(played.cells), outer=frozenset(outer))
    return order.own_notebook(played, tests)


def again(played: Job, exercise: str, **lent: str) -> list[order.Step]:
    """Plan a second run where the reference of each exercise defines one function."""
    functions = {name: frozenset([f]) for name, f in lent.items()}
    tests = compiled.Tests.of(played.cells)
    tests = replace(tests, functions=functions, answers=frozenset(lent))
    return order.among_references(played, exercise, tests)[0]


def names(steps: list[order.Step]) -> str:
    return " ".join(step.name.replace(" ", "_") for step in steps)


WHOLE = [c.id for c in SOURCE if c.kind != "helper"]
by_name = {c.id: c for c in SOURCE}


def test_a_notebook_is_played_as_it_is() -> None:
    steps = own_notebook(job(*WHOLE))
    assert names(steps) == " ".join(WHOLE)
    assert [s.test is not None for s in steps] == [
        c.kind == "test" for c in SOURCE if c.kind != "helper"
    ]
    assert [s.exercise for s in steps if s.exercise] == ["one", "two", "three"]


def test_deleted_tests_come_after_their_exercise_in_their_order() -> None:
    left = [c for c in WHOLE if c not in ("one_public", "one_hidden", "two_last")]
    assert names(own_notebook(job(*left))) == (
        "setup one one_public one_hidden demo two two_first two_last three"
        " three_hidden end"
    )
    gone = [c for c in WHOLE if c not in ("three", "three_hidden")]
    assert names(own_notebook(job(*gone))).endswith("end three_hidden")


def test_a_test_before_its_exercise_waits_and_a_doubled_one_counts_once() -> None:
    moved = ["one_hidden", *(c for c in WHOLE if c != "one_hidden"), "one_public"]
    steps = own_notebook(job(*moved))
    assert names(steps) == " ".join(WHOLE)


def test_no_test_is_judged_before_one_of_an_exercise_above_it() -> None:
    late = [c for c in WHOLE if c != "one_hidden"]
    at = late.index("two_first") + 1
    steps = own_notebook(job(*late[:at], "one_hidden", *late[at:]))
    assert names(steps) == (
        "setup one one_public demo two one_hidden two_first three two_last"
        " three_hidden end"
    )
    swapped = ["setup", "two", "two_first", "two_last", *WHOLE[1:5], *WHOLE[7:]]
    assert names(own_notebook(job(*swapped))) == (
        "setup two one one_public one_hidden two_first two_last demo three"
        " three_hidden end"
    )
    own = ["two_last" if c == "two_first" else c for c in WHOLE if c != "two_last"]
    own.insert(own.index("three"), "two_first")
    assert "two two_first two_last three" in names(own_notebook(job(*own)))


@pytest.mark.slow
@given(st.lists(st.sampled_from(WHOLE), max_size=20))
def test_whatever_was_moved_tests_of_exercises_keep_their_order(
    moved: list[str],
) -> None:
    steps = own_notebook(job(*moved))
    judged = [step.test for step in steps if step.test is not None]
    assert sorted(t.id for t in judged) == sorted(
        c.id for c in SOURCE if c.kind == "test"
    )
    for number, test in enumerate(judged):
        for later in judged[number:]:
            if later.exercise != test.exercise:
                assert SOURCE.index(test) < SOURCE.index(later)
    others = [name for name in moved if by_name[name].kind != "test"]
    assert [step.name for step in steps if step.test is None] == others


def test_a_skipped_demo_is_run_only_if_it_was_changed() -> None:
    cells = tuple(replace(c, skip=c.id == "demo") for c in SOURCE)
    for text, run in (("text of demo", False), ("mine", True)):
        some = [(c, text if c == "demo" else f"text of {c}") for c in WHOLE]
        played = replace(job(*some), cells=cells)
        assert ("demo" in names(own_notebook(played))) is run
        assert "demo" not in names(again(played, "two", one="text"))


def test_what_is_hidden_in_a_provided_cell_is_not_run() -> None:
    setup = replace(SOURCE[0], stub="seen", nbgrader={"locked": True})
    cells = setup, *SOURCE[1:]
    whole = replace(job(*WHOLE), cells=cells)
    assert own_notebook(whole)[0].source == "seen"
    assert again(whole, "two", one="text")[0].source == "seen"
    mine = replace(job(("setup", "mine")), cells=cells)
    assert own_notebook(mine)[0].source == "mine"


def test_a_second_run_needs_a_reason() -> None:
    whole = job(*WHOLE)
    assert again(whole, "two", one="text")
    assert not again(whole, "two", one="missing")  # nothing mentions it
    assert not again(whole, "two", two="text")
    assert not again(whole, "two", three="text")  # it comes later
    uses = "def more(): return half(1)"
    assert again(job(*WHOLE, (None, uses)), "two", one="half")
    assert not again(job(*WHOLE, (None, uses)), "one", one="half")
    assert not again(job(*(c for c in WHOLE if c != "two")), "two", one="text")
    blank = [(c, "stub of two") if c == "two" else c for c in WHOLE]
    assert not again(job(*blank), "two", one="of")
    same = tuple(replace(c, stub=c.source) for c in SOURCE)
    assert again(replace(whole, cells=same), "two", one="of")


def test_a_cell_that_may_have_broken_something_is_a_reason() -> None:
    def tried(text: str, name: str | None = None) -> bool:
        return bool(again(job(*WHOLE, (name, text)), "two", one="missing"))

    for harmless in (
        "import math\nfrom a import (\n    b,\n)\n@to(Net)\ndef f(x):\n    x = 1",
        "# only words",
        '"""Text."""',
        "class Net:\n    pass",
        "",
    ):
        assert not tried(harmless)
    for text in ("sum = 0", "del np", "np.exp = 1", "%reset -f", "def of(): pass"):
        assert tried(text)  # the answer is "text of two"
    assert tried("sum = 0", "one")
    assert not tried("def one(): return of", "one")


# --- what students' cells may use of the test cells above them ------------------------

PUBLIC = """\
import math
def helper():
    return LIMIT
LIMIT = 3
assert helper() == LIMIT
"""


def with_public(*own: str) -> Job:
    """Return a notebook with a test that defines something, and cells behind it."""
    public = replace(SOURCE[2], stub=PUBLIC, source=f"{PUBLIC}hidden = 1\n")
    cells = (*SOURCE[:2], public, *SOURCE[3:])
    return replace(job(*WHOLE, *((None, text) for text in own)), cells=cells)


def definitions(steps: list[order.Step]) -> list[tuple[str, str]]:
    return [(s.name, s.source) for s in steps if s.name.startswith("definitions")]


def test_what_a_test_defines_is_there_for_cells_behind_it() -> None:
    steps = own_notebook(with_public("y = helper()"))
    ((name, text),) = definitions(steps)
    assert name == "definitions of one_public"
    assert "def helper" in text
    assert "LIMIT = 3" not in text  # a value is the test's own
    assert "hidden" not in text
    (index,) = (n for n, s in enumerate(steps) if s.name == name)
    assert steps[index - 1].name == "one_public"
    assert definitions(own_notebook(with_public("y = math.pi")))


def test_what_nobody_uses_is_not_defined() -> None:
    assert definitions(own_notebook(with_public("helpers = LIMIT"))) == []
    above = with_public()
    above = replace(above, student=(StudentCell(0, None, "helper()"), *above.student))
    assert definitions(own_notebook(above)) == []


def test_a_value_that_the_source_s_own_cells_read_is_made_whole() -> None:
    steps = own_notebook(with_public("y = LIMIT"), outer={"LIMIT"})
    assert definitions(steps) == [("definitions of one_public", PUBLIC)]
    assert definitions(own_notebook(with_public("y = 1"), outer={"LIMIT"})) == []


def test_deleted_tests_come_after_the_last_copy_of_their_exercise() -> None:
    copies = job("setup", "one", "demo", ("one", "again"), "two")
    assert names(own_notebook(copies)).startswith(
        "setup one demo one one_public one_hidden two"
    )
