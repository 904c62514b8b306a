"""In which order cells are run and tests are judged, without running any."""

from __future__ import annotations

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


def plan(names: list[str]) -> list[order.Step]:
    """Plan a notebook of these cells, each with the text of the source."""
    submitted = student_cells((name, f"text of {name}") for name in names)
    tests = compiled.Tests.from_cells(SOURCE)
    return order.plan_notebook(Job(SOURCE, submitted), tests)


WHOLE = [c.id for c in SOURCE if c.kind != "helper"]
ALL = " ".join(WHOLE)
TESTS = [c.id for c in SOURCE if c.kind == "test"]


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
    assert [step.name for step in plan(handed_in.split())] == steps.split()


@pytest.mark.slow
@given(st.lists(st.sampled_from(WHOLE), max_size=20))
def test_whatever_was_moved_tests_keep_their_order(
    moved: list[str],
) -> None:
    steps = plan(moved)
    assert [step.name for step in steps if step.test is not None] == TESTS
    others = [name for name in moved if name not in TESTS]
    assert [step.name for step in steps if step.test is None] == others
