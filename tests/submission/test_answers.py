"""Answers that stand in a place of their own are found; locked text never counts."""

import copy
import json
from pathlib import Path
from typing import Any

import pytest

from nbproctor.notebook import MasterNotebook
from nbproctor.submission.repair import Repaired, repair
from tests.notebooks import Notebook, cell
from tests.notebooks import notebook as notebook_of
from tests.submission.small import NAMELESS, check, solution, written

ADD_TO = """\
def add_to(cls):
    def attach(method):
        setattr(cls, method.__name__, method)
        return method
    return attach"""
CLASS = '''\
class Counter:
    """Counts."""

    def __init__(self, start):
        self.count = start'''
UP = """\
@add_to(Counter)
def up(self):
    \"\"\"Count one up.\"\"\"
"""
DOWN = """\
@add_to(Counter)
def down(self):
    # Count one down.
"""
STUB = "    raise NotImplementedError"
BODY = {"up": "    self.count = self._plus(1)", "down": "    self.count -= 1"}


@pytest.fixture
def release() -> Notebook:
    cells = [
        cell("tools", ADD_TO),
        cell("counter", CLASS),
        solution("up", UP + STUB),
        check("up-test", "c = Counter(1)\nc.up()\nassert c.count == 2"),
        solution("down", DOWN + STUB),
        check("down-test", "c = Counter(1)\nc.down()\nassert c.count == 0"),
        solution("total", NAMELESS),
        check("total-test", "assert total == 6"),
    ]
    return notebook_of(cells)


@pytest.fixture
def master(tmp_path: Path, release: Notebook) -> MasterNotebook:
    return written(tmp_path, release["cells"])


def by_name(notebook: Notebook, name: str) -> dict[str, Any]:
    found: dict[str, Any] = next(
        c
        for c in notebook["cells"]
        if c["metadata"].get("nbgrader", {}).get("grade_id") == name
    )
    return found


def repaired(folder: Path, notebook: Notebook, master: MasterNotebook) -> Repaired:
    folder.mkdir(exist_ok=True)
    (folder / "m.ipynb").write_text(json.dumps(notebook))
    return repair(folder, master)


def run(notebook: Notebook) -> dict[str, bool]:
    """Run a notebook as a kernel does: test → whether it passed."""
    names: dict[str, Any] = {}
    passed = {}
    for each in notebook["cells"]:
        grader = each["metadata"].get("nbgrader", {})
        try:
            exec(each["source"], names)
            ok = True
        except Exception:
            ok = False
        if grader.get("grade"):
            passed[grader["grade_id"]] = ok
    return passed


def into_the_class(notebook: Notebook, *methods: str) -> Notebook:
    """Write methods where a student thinks that methods belong."""
    changed = copy.deepcopy(notebook)
    helper = "\n\n    def _plus(self, n):\n        return self.count + n"
    start = CLASS.index("    def __init__")
    text = CLASS[:start]
    for name in methods:  # right below the docstring of the class
        text += f"    def {name}(self):\n    {BODY[name]}\n\n"
    text += CLASS[start:] + helper
    by_name(changed, "counter")["source"] = text
    return changed


def test_methods_written_into_the_locked_class_are_graded(
    tmp_path: Path, release: Notebook, master: MasterNotebook
) -> None:
    made = repaired(tmp_path / "s", into_the_class(release, "up", "down"), master)
    assert by_name(made.notebook, "counter")["source"] == CLASS
    assert run(made.notebook) == {
        "up-test": True,
        "down-test": True,
        "total-test": False,
    }
    assert "not their own: up, down" in " ".join(made.notes)
    assert "cells of its own now: counter" in " ".join(made.notes)


@pytest.mark.parametrize("place", ["up", "down", None])
def test_a_whole_class_in_any_other_cell_answers_all(
    tmp_path: Path, release: Notebook, master: MasterNotebook, place: str | None
) -> None:
    """And each exercise is in the notebook once."""
    whole = by_name(into_the_class(release, "up", "down"), "counter")
    if place:
        by_name(release, place)["source"] += "\n\n\n" + whole["source"]
    else:
        release["cells"].append(whole | {"id": "own", "metadata": {}})
    made = repaired(tmp_path / "s", release, master)
    passed = run(made.notebook)
    assert (passed["up-test"], passed["down-test"]) == (True, True)
    marks = (each["metadata"].get("nbgrader") for each in made.notebook["cells"])
    assert sorted(m["grade_id"] for m in marks if m) == sorted(
        c.id for c in master.cells
    )


def test_a_method_of_the_given_class_that_was_changed_is_put_back(
    tmp_path: Path, release: Notebook, master: MasterNotebook
) -> None:
    text = CLASS.replace("= start", "= 1")
    by_name(release, "counter")["source"] = text
    by_name(release, "up")["source"] = UP + "    pass"
    made = repaired(tmp_path / "s", release, master)
    assert by_name(made.notebook, "counter")["source"] == CLASS
    assert not any("= 1" in each["source"] for each in made.notebook["cells"][:3])
    assert run(made.notebook)["up-test"] is False


def test_answers_in_the_cell_of_another_keep_their_order_and_helpers(
    tmp_path: Path, release: Notebook, master: MasterNotebook
) -> None:
    up, down = UP + "    self.count += ONE", DOWN + "    self.count -= ONE"
    texts = {
        "before": f"ONE = 1\n\n\n{up}\n\n\n{down}\n\n\nprint(ONE)",
        "behind": f"ONE = 1\n\n\n{down}\n\n\n{up}\n\n\nprint(ONE)",
    }
    for case, text in texts.items():
        for own in ("up", "down"):
            notebook = copy.deepcopy(release)
            by_name(notebook, own)["source"] = text
            made = repaired(tmp_path / f"{case}-{own}", notebook, master)
            passed = run(made.notebook)
            assert (passed["up-test"], passed["down-test"]) == (True, True)
            cells = [c["source"] for c in made.notebook["cells"]]
            assert sum("print(ONE)" in source for source in cells) == 1
            assert sum("def up" in source for source in cells) == 1
            assert sum("def down" in source for source in cells) == 1
            for name in ("up", "down"):
                assert f"def {name}" in by_name(made.notebook, name)["source"]


def test_what_follows_a_whole_class_is_kept_and_given_text_is_not_doubled(
    tmp_path: Path, release: Notebook, master: MasterNotebook
) -> None:
    whole = by_name(into_the_class(release, "up", "down"), "counter")["source"]
    text = f"{ADD_TO}\n\n\n{whole}\n\n\nFINISHED = True"
    by_name(release, "up")["source"] = text
    made = repaired(tmp_path / "s", release, master)
    cells = [c["source"] for c in made.notebook["cells"]]
    assert sum("FINISHED = True" in source for source in cells) == 1
    assert sum("def add_to" in source for source in cells) == 1
    passed = run(made.notebook)
    assert (passed["up-test"], passed["down-test"]) == (True, True)


def test_text_in_a_locked_cell_far_from_an_unnamed_exercise_is_not_its_answer(
    tmp_path: Path, release: Notebook, master: MasterNotebook
) -> None:
    by_name(release, "counter")["source"] = CLASS + "\n\ntotal = 6"
    made = repaired(tmp_path / "s", release, master)
    assert by_name(made.notebook, "total")["source"] == NAMELESS


# --- an exercise without a name that has lost its marks -------------------------


def with_free_cells(release: Notebook, *texts: str) -> Notebook:
    """Put cells without marks where the cell of `total` was."""
    at = release["cells"].index(by_name(release, "total"))
    free = [
        {**release["cells"][at], "id": f"free{number}", "metadata": {}, "source": text}
        for number, text in enumerate(texts)
    ]
    release["cells"][at : at + 1] = free
    return release


def test_of_several_free_cells_the_one_most_like_the_stub_is_the_answer(
    tmp_path: Path, release: Notebook, master: MasterNotebook
) -> None:
    answer = "# YOUR CODE HERE\ntotal = 6"
    texts = ("# YOUR notes", answer, "print('nothing')", "")
    made = repaired(tmp_path / "s", with_free_cells(release, *texts), master)
    assert by_name(made.notebook, "total")["source"] == answer


@pytest.mark.parametrize(
    ("words", "chosen"),
    [  # the stub has 6 words; two in common are 4/13 or 4/14 of both
        ("# YOUR a b c d e", True),
        ("# YOUR a b c d e f", False),
    ],
)
def test_of_several_free_cells_one_is_chosen_only_if_it_is_like_the_stub(
    tmp_path: Path,
    release: Notebook,
    master: MasterNotebook,
    words: str,
    chosen: bool,
) -> None:
    free = with_free_cells(release, words, "print('nothing')")
    made = repaired(tmp_path / "s", free, master)
    found = by_name(made.notebook, "total")["source"]
    assert (found == words) is chosen
    assert ("no cell in your notebook for: total" in " ".join(made.notes)) is not chosen
