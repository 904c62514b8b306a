"""Which of several files of a student's is graded."""

from __future__ import annotations

import copy
import json
from pathlib import Path
from typing import Any

import pytest

from nbproctor.notebook import MasterNotebook
from nbproctor.submission.repair import Repaired, Ungradable, repair
from tests.submission.small import (
    CELLS,
    NAMELESS,
    RULE,
    TOOLS,
    notebook,
    raw,
    written,
)

ANSWERS = {
    "area": "def area(r):\n    return 3 * r * r",
    "side": "def side(a):\n    return math.sqrt(a)",
    "first": "first = 1",
    "why": "Because.",
}


@pytest.fixture(scope="module")
def master(tmp_path_factory: pytest.TempPathFactory) -> MasterNotebook:
    return written(tmp_path_factory.mktemp("choice"))


def hand_in(folder: Path, name: str, *answered: str) -> None:
    """Write a notebook in which some exercises are answered."""
    cells = copy.deepcopy(CELLS)
    for cell in cells:
        if cell["id"] in answered:
            cell["source"] = ANSWERS[cell["id"]]
    (folder / name).write_text(json.dumps(notebook(cells)))


def graded(made: Repaired) -> tuple[str, str]:
    return made.path.name, " ".join(made.notes)


def test_the_file_that_answers_more_is_graded_and_of_equals_the_right_name(
    tmp_path: Path, master: MasterNotebook
) -> None:
    hand_in(tmp_path, "m.ipynb", "area", "side")
    hand_in(tmp_path, "a.ipynb", "area", "first")
    hand_in(tmp_path, "z.ipynb", "side")
    name, notes = graded(repair(tmp_path, master))
    assert name == "m.ipynb"
    assert "You handed in 3 notebooks" in notes
    assert "it has the right name" in notes
    hand_in(tmp_path, "z.ipynb", "area", "side", "first")
    name, notes = graded(repair(tmp_path, master))
    assert name == "z.ipynb"
    assert "it answers 3 exercises, 'm.ipynb' 2" in notes


def test_an_answer_in_words_counts_as_an_answer(
    tmp_path: Path, master: MasterNotebook
) -> None:
    hand_in(tmp_path, "m.ipynb", "area")
    hand_in(tmp_path, "a.ipynb", "area", "why")
    assert graded(repair(tmp_path, master))[0] == "a.ipynb"


def test_an_equal_or_untouched_copy_is_not_spoken_of(
    tmp_path: Path, master: MasterNotebook
) -> None:
    hand_in(tmp_path, "m.ipynb", "area")
    hand_in(tmp_path, "m-Copy1.ipynb", "area")
    hand_in(tmp_path, "other.ipynb")
    assert graded(repair(tmp_path, master)) == ("m.ipynb", "")


def test_a_broken_file_is_spoken_of_if_it_was_the_likelier(
    tmp_path: Path, master: MasterNotebook
) -> None:
    hand_in(tmp_path, "m.ipynb", "area")
    (tmp_path / "z.ipynb").write_text("{")
    assert graded(repair(tmp_path, master)) == ("m.ipynb", "")
    (tmp_path / "m.ipynb").rename(tmp_path / "zz.ipynb")
    (tmp_path / "m.ipynb").write_text("")
    name, notes = graded(repair(tmp_path, master))
    assert name == "zz.ipynb"
    assert "'m.ipynb' is empty. Another file was graded." in notes
    (tmp_path / "zz.ipynb").unlink()
    with pytest.raises(Ungradable, match=r"^'m\.ipynb' is empty\.$"):
        repair(tmp_path, master)


def test_a_script_is_graded_only_where_no_notebook_answers_anything(
    tmp_path: Path, master: MasterNotebook
) -> None:
    script = "\n\n# %%\n".join(["# %%", ANSWERS["area"], ANSWERS["side"]])
    (tmp_path / "m.py").write_text(script)
    hand_in(tmp_path, "m.ipynb", "area")
    assert graded(repair(tmp_path, master))[0] == "m.ipynb"
    hand_in(tmp_path, "m.ipynb")
    assert graded(repair(tmp_path, master))[0] == "m.py"


def test_a_big_file_is_read_and_more_than_the_limit_of_all_is_not(
    tmp_path: Path, master: MasterNotebook, monkeypatch: pytest.MonkeyPatch
) -> None:
    hand_in(tmp_path, "m.ipynb", "area")
    hand_in(tmp_path, "z.ipynb", "area", "side")
    sizes = [(tmp_path / name).stat().st_size for name in ("m.ipynb", "z.ipynb")]
    for limit, name in (
        (sum(sizes), "z.ipynb"),
        (sum(sizes) - 1, "m.ipynb"),
        (1, "m.ipynb"),  # the likeliest file is read in any case
    ):
        monkeypatch.setattr("nbproctor.submission.repair.MAX_BYTES", limit)
        assert graded(repair(tmp_path, master))[0] == name


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
    tmp_path: Path, master: MasterNotebook, texts: tuple[str, ...]
) -> None:
    other: list[dict[str, Any]] = [raw(text) for text in texts]
    (tmp_path / "m.ipynb").write_text(json.dumps(notebook(other)))
    with pytest.raises(Ungradable, match="belongs to this assignment"):
        repair(tmp_path, master)
