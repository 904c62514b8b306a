"""The notebook that is graded: every given cell once, in order, and nothing alive."""

from __future__ import annotations

from copy import deepcopy
from itertools import permutations
from typing import Any

import nbformat
import pytest

from nbproctor.cells import HandedCell
from nbproctor.notebook import MasterNotebook
from nbproctor.submission.match import plan
from nbproctor.submission.rebuild import Rebuilt, in_order
from tests.notebooks import notebook
from tests.submission.small import (
    AREA,
    CELLS,
    MASTER,
    NAMELESS,
    RULE,
    SIDE,
    TOOLS,
    master_of,
    names,
    raw,
)

ANSWER = "def area(r):\n    return 3 * r * r"


def rebuilt(
    cells: list[HandedCell], master: MasterNotebook = MASTER
) -> list[dict[str, Any]]:
    """Return the cells of the new notebook, which is a valid one."""
    made, _ = Rebuilt(plan(cells, master)).notebook({})
    nbformat.validate(nbformat.from_dict(notebook(made)))
    return made


@pytest.mark.parametrize("length", range(6))
def test_as_many_cells_as_possible_stay_where_they_are(length: int) -> None:
    def ordered(ranks: tuple[int, ...]) -> bool:
        return list(ranks) == sorted(ranks)

    for ranks in permutations(range(length)):
        kept = in_order([*ranks])
        assert ordered(tuple(rank for rank in ranks if rank in kept))
        masks = range(1 << length)
        runs = ([r for n, r in enumerate(ranks) if mask >> n & 1] for mask in masks)
        assert len(kept) == max(len(run) for run in runs if ordered(tuple(run)))


def test_only_what_cannot_work_is_moved_and_said_to_be() -> None:
    def moved(*cells: HandedCell) -> str:
        _, notes = Rebuilt(plan([*cells], MASTER)).notebook({})
        return "".join(note for note in notes if "moved" in note)

    answer, test = raw(ANSWER, "area"), raw("", "area-test")
    rule = raw(RULE, "rule-2")
    # Known by its text, after those that are known by their marks.
    assert moved(raw(TOOLS), raw(RULE, "rule-1"), answer, test) == ""
    # The given cell below the test is in the wrong place, not the test.
    assert moved(answer, test, rule, raw(TOOLS, "tools")).endswith(": tools.")
    assert moved(test, answer, rule).endswith(": area-test.")


ANSWERS = [
    raw(ANSWER, "area"),
    raw("def side(a):\n    return math.sqrt(a)", "side"),
    raw("first = 1", "first"),
    raw("second = 2", "second"),
]


@pytest.mark.parametrize(
    "copied",
    [
        raw("print('changed')", "tools"),  # it has the marks of a given cell
        raw(TOOLS),
        raw(f"\n{RULE}\n"),
        raw(f"\n{AREA}\n\n"),
        raw(NAMELESS),
        raw(AREA, "area"),
        raw("def area(r):  # to do\n    raise NotImplementedError", "area"),
    ],
    ids=lambda copied: f"{copied.name} {copied.text.text!r}"[:40],
)
def test_an_untouched_copy_of_a_given_cell_cannot_undo_an_answer(
    copied: HandedCell,
) -> None:
    given = [raw(TOOLS, "tools"), raw("", "rule-1"), raw("", "rule-2")]
    assert names(rebuilt([*given, *ANSWERS, copied])) == names(
        rebuilt([*given, *ANSWERS])
    )


LINE = "raise NotImplementedError"


@pytest.mark.parametrize(
    ("answer", "graded"),
    [
        (f"{ANSWER}\n    {LINE}", f"{ANSWER}\n    # {LINE}"),
        (f"{ANSWER}\n    {LINE}('x')  # here", f"{ANSWER}\n    # {LINE}('x')  # here"),
        (f"def area(r):\n    'It.'\n    pass\n    {LINE}", ""),  # nothing is written
        (f"def area(r):\n    if r < 0:\n        {LINE}\n    return 3 * r", ""),
        (f"def area(r):\n    return half(r)\ndef half(r):\n    r\n    {LINE}", ""),
    ],
)
@pytest.mark.parametrize("right", ["return 3 * r**2", f"check(r)\n    {LINE}"])
def test_the_line_of_the_stub_below_an_answer_is_graded_as_a_comment(
    right: str, answer: str, graded: str
) -> None:
    if right.endswith(LINE):  # what the reference raises too is no left-over
        graded = ""
    given = deepcopy(CELLS)
    given[2]["source"] = SIDE.replace("side(a)", "area(r)").replace(
        LINE, f"### BEGIN SOLUTION\n    {right}\n    ### END SOLUTION"
    )
    master = master_of(given)
    cells, notes = Rebuilt(plan([raw(answer, "area")], master)).notebook({})
    (made,) = (c for c in cells if c["source"].startswith("def area"))
    assert made["source"] == (graded or answer)
    assert any("still stood below your code" in note for note in notes) == bool(graded)


@pytest.mark.parametrize("kind", ["markdown", "raw"])
@pytest.mark.parametrize("name", [None, "why"])
def test_text_of_a_student_s_is_harmless_in_every_cell(
    kind: str, name: str | None
) -> None:
    text = "Words <script>alert(1)</script> [a](javascript:alert(1))"
    made = rebuilt([raw("", "second-test"), raw(text, name, kind=kind)])
    (cell,) = (each for each in made if "Words" in each["source"])
    assert "<script" not in cell["source"]
    assert "javascript:" not in cell["source"]


@pytest.mark.parametrize("prefix", ["", "cell-"])
def test_ids_are_the_master_s_or_one_s_own_and_no_two_alike(prefix: str) -> None:
    # nbgrader's names need not be the cells' ids.
    cells = [each | {"id": f"{prefix}{each['id']}"} for each in deepcopy(CELLS)]
    master = master_of(cells)
    names = {c.id for c in master.cells if c.nbgrader}
    ids = ["mine", "mine", "", "a b", "x" * 65, "own-3", "tools", "x" * 64, *names]
    own = [raw(f"x = {n}", id=id) for n, id in enumerate(ids)]
    own[6] = raw(TOOLS, id="tools")  # this one is the given cell
    made = rebuilt([*own, raw("y = 1", id="tools")], master)
    got = {cell["source"]: cell["id"] for cell in made}
    assert len({cell["id"] for cell in made}) == len(made)
    assert got[TOOLS] == f"{prefix}tools"
    assert got["x = 0"] == "mine"
    assert got["x = 7"] == "x" * 64
    given = {c.id: c.cell_id for c in master.cells}
    for cell in made:
        if mark := cell["metadata"].get("nbgrader"):
            assert cell["id"] == given[mark["grade_id"]]
        else:
            assert cell["id"] not in names
