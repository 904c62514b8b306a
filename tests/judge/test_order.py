"""In which order cells are run and tests are judged, without running any."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nbproctor.judge import compiled, order
from nbproctor.notebook import Cell
from nbproctor.results import Job
from tests.notebooks import student_cells


def cell(
    name: str,
    kind: Any,
    exercise: str | None = None,
    points: str = "0",
) -> Cell:
    text = f"text of {name}"
    stub = f"stub of {name}" if kind == "solution" else text
    return Cell(name, kind, text, float(points), exercise, False, name, stub, {})


TABLE = """\
setup provided
one solution one
one_public test one
one_hidden test one 2
demo provided
tools helper
two solution two
two_first test two 3
three solution three
two_last test two 3
three_hidden test three 1
end provided
"""
SOURCE = tuple(cell(*line.split()) for line in TABLE.splitlines())


def job(*cells: str | tuple[str | None, str]) -> Job:
    """Return a job with these student cells: ids with the source's text, or pairs."""
    pairs = [(c, f"text of {c}") if isinstance(c, str) else c for c in cells]
    return Job(SOURCE, student_cells(pairs))


def own_notebook(played: Job, outer: Collection[str] = ()) -> list[order.Step]:
    tests = replace(
        compiled.Tests.from_cells(played.cells), names_from_tests=frozenset(outer)
    )
    return order.plan_notebook(played, tests)


def again(played: Job, exercise: str, **lent: str) -> list[order.Step]:
    """Plan a second run where the reference of each exercise defines one function."""
    functions = {name: frozenset([f]) for name, f in lent.items()}
    tests = compiled.Tests.from_cells(played.cells)
    tests = replace(tests, functions=functions, solution_names=frozenset(lent))
    return order.follow_through_plan(played, exercise, tests)[0]


def names(steps: list[order.Step]) -> str:
    return " ".join(step.name.replace(" ", "_") for step in steps)


WHOLE = [c.id for c in SOURCE if c.kind != "helper"]
ALL = " ".join(WHOLE)
by_name = {c.id: c for c in SOURCE}


@pytest.mark.parametrize(
    ("handed_in", "steps"),
    [
        (ALL, ALL),
        # Deleted tests come after their exercise, in their order …
        (
            "setup one demo two two_first three three_hidden end",
            "setup one one_public one_hidden demo two two_first two_last three"
            " three_hidden end",
        ),
        # … or the last copy of it, or at the end.
        (
            "setup one demo one two end",
            "setup one demo one one_public one_hidden two two_first two_last end"
            " three_hidden",
        ),
        # A test before its exercise waits, and a doubled one counts once.
        (f"one_hidden {ALL.replace('one_hidden ', '')} one_public", ALL),
        # None is judged before one of an exercise above it.
        (
            "setup one one_public demo two two_first one_hidden two_last",
            "setup one one_public demo two one_hidden two_first two_last three_hidden",
        ),
        (
            "setup two two_first two_last one one_public one_hidden demo",
            "setup two one one_public one_hidden two_first two_last demo three_hidden",
        ),
        (
            "one one_public one_hidden two two_last two_first three",
            "one one_public one_hidden two two_first two_last three three_hidden",
        ),
    ],
)
def test_each_test_has_its_place(handed_in: str, steps: str) -> None:
    assert names(own_notebook(job(*handed_in.split()))) == steps


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
        whole = [(c, text if c == "demo" else f"text of {c}") for c in WHOLE]
        played = replace(job(*whole), cells=cells)
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


def test_no_function_is_lent_of_an_exercise_whose_tests_are_still_to_come() -> None:
    coming: dict[str, frozenset[str]] = {}
    moved = list(SOURCE)
    moved.append(moved.pop(3))  # the hidden test of the first exercise
    whole = replace(job(*WHOLE), cells=tuple(moved))

    def judge_again(test: Cell, unfinished: frozenset[str]) -> None:
        coming[str(test.exercise)] = unfinished

    for _ in order.with_second_runs(own_notebook(whole), judge_again):
        pass
    assert coming == {
        "two": {"one", "three"},
        "three": {"one"},
        "one": set(),
    }
    tests = compiled.Tests.from_cells(moved)
    tests = replace(tests, functions={"one": frozenset({"text"})})
    for unfinished, lent in ((coming["two"], set()), ((), {"text"})):
        plan = order.follow_through_plan(whole, "two", tests, unfinished)
        assert plan[1].functions == lent


def test_a_solution_that_a_person_grades_is_an_exercise_of_its_own() -> None:
    cells = cell("a", "solution", "a", "3"), cell("b", "solution", "b")
    played = replace(job("a", "b"), cells=(*cells, cell("t", "test", "b", "2")))
    assert names(again(played, "b", a="text")) == "functions_of_a b t"
