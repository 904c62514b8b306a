"""Which of several files of a student's is graded."""

from __future__ import annotations

import copy
import json
import re
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from nbproctor.submission.files import FILE_COST, Budget
from nbproctor.submission.repair import Repaired, Ungradable, repair
from tests.notebooks import notebook
from tests.submission.small import CELLS, MASTER, NAMELESS, RULE, TOOLS

ANSWERS = {
    "area": "def area(r):\n    return 3 * r * r",
    "side": "def side(a):\n    return math.sqrt(a)",
    "first": "first = 1",
    "why": "Because.",
}


def hand_in(folder: Path, name: str, *answered: str) -> None:
    """Write a notebook in which some exercises are answered."""
    cells = copy.deepcopy(CELLS)
    for cell in cells:
        if cell["id"] in answered:
            cell["source"] = ANSWERS[cell["id"]]
    (folder / name).write_text(json.dumps(notebook(cells)))


def graded(made: Repaired) -> tuple[str, str]:
    return made.path.name, " ".join(made.notes)


@pytest.mark.parametrize(
    ("answered", "graded_name", "said"),
    [
        (
            {"m": "area side", "a": "area first", "z": "side"},
            "m",
            r"handed in 3 notebooks; 'm\.ipynb' was graded",
        ),
        (
            {"m": "area side", "a": "area first", "z": "area side first"},
            "z",
            "more than its 3 exercises",
        ),
        ({"m": "area", "a": "area why"}, "a", "more than its 2 exercises"),  # in words
        # An equal or an untouched copy is not spoken of.
        ({"m": "area", "m-Copy1": "area", "other": ""}, "m", "^$"),
        ({f"m-Copy{n}": "" for n in range(30)} | {"z": "area"}, "z", "z.ipynb"),
        # A file that adds nothing to two halves is not spoken of.
        (
            {"m": "area side", "b": "side first why", "c": "area"},
            "b",
            "'m.ipynb': area.$",
        ),
    ],
    ids=["right name", "more", "words", "a copy", "blank copies", "halves"],
)
def test_the_file_that_answers_more_is_graded(
    tmp_path: Path,
    answered: dict[str, str],
    graded_name: str,
    said: str,
) -> None:
    for name, exercises in answered.items():
        hand_in(tmp_path, f"{name}.ipynb", *exercises.split())
    name, notes = graded(repair(tmp_path, MASTER))
    assert name == f"{graded_name}.ipynb"
    assert re.search(said, notes)


def test_a_broken_file_is_spoken_of_if_it_was_the_likelier(tmp_path: Path) -> None:
    hand_in(tmp_path, "m.ipynb", "area")
    # A script counts only where no notebook answers anything.
    (tmp_path / "m.py").write_text("\n\n".join([ANSWERS["area"], ANSWERS["side"]]))
    (tmp_path / "z.ipynb").write_text("{")
    assert graded(repair(tmp_path, MASTER)) == ("m.ipynb", "")
    (tmp_path / "m.ipynb").rename(tmp_path / "zz.ipynb")
    (tmp_path / "m.ipynb").write_text("")
    name, notes = graded(repair(tmp_path, MASTER))
    assert name == "zz.ipynb"
    assert "'m.ipynb' is empty. Another file was graded." in notes
    (tmp_path / "zz.ipynb").unlink()
    (tmp_path / "m.py").unlink()
    with pytest.raises(Ungradable, match=r"^'m\.ipynb' is empty\.$"):
        repair(tmp_path, MASTER)


def test_of_files_beyond_the_limit_the_likeliest_and_the_smallest_are_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    hand_in(tmp_path, "m.ipynb", "area")
    hand_in(tmp_path, "x.ipynb", "area", "side", "first")
    hand_in(tmp_path, "z.ipynb", "area", "side")
    with (tmp_path / "x.ipynb").open("a") as file:
        file.write(" " * 500)
    names = ("m.ipynb", "z.ipynb", "x.ipynb")
    sizes = [(tmp_path / name).stat().st_size + FILE_COST for name in names]
    for limit, name, looked in (
        (sum(sizes[:2]) + 1, "x.ipynb", None),
        (sum(sizes[:2]), "z.ipynb", "2 of 3"),
        (sizes[0], "m.ipynb", "1 of 3"),
        (1, "m.ipynb", "1 of 3"),  # the likeliest file is read in any case
    ):
        budget = partial(Budget, bytes=limit)
        monkeypatch.setattr("nbproctor.submission.repair.Budget", budget)
        graded_name, notes = graded(repair(tmp_path, MASTER))
        assert graded_name == name
        assert (f"too big for all to be looked at: {looked}" in notes) == bool(looked)


@pytest.mark.parametrize(
    "texts",
    [
        (TOOLS, "print(TAU)", "1 + 1"),
        (TOOLS, "total = 6"),  # the only free cell
        (TOOLS, RULE, NAMELESS, NAMELESS),  # free cells like those of exercises
        (TOOLS, "# YOUR CODE HERE\ntotal = 6", "# YOUR CODE HERE\nmean = 3"),
    ],
)
def test_last_week_s_notebook_is_not_graded_as_this_week_s(
    tmp_path: Path, texts: tuple[str, ...]
) -> None:
    cell: dict[str, Any] = {"cell_type": "code", "metadata": {}}
    other = [cell | {"source": text} for text in texts]
    (tmp_path / "m.ipynb").write_text(json.dumps(notebook(other)))
    with pytest.raises(Ungradable, match="belongs to this assignment"):
        repair(tmp_path, MASTER)
