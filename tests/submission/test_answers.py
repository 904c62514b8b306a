"""Answers that stand in a place of their own are found; locked text never counts."""

import json
from pathlib import Path
from typing import Any

import pytest

from nbproctor.submission.repair import repair
from tests.notebooks import Notebook, cell, notebook
from tests.submission.small import NAMELESS, check, master_of, solution

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


class Work:
    """A notebook of a student's, as released at first, and what is made of it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.cells = [
            cell("tools", ADD_TO),
            cell("counter", CLASS),
            solution("up", UP + STUB),
            check("up-test", "c = Counter(1)\nc.up()\nassert c.count == 2"),
            solution("down", DOWN + STUB),
            check("down-test", "c = Counter(1)\nc.down()\nassert c.count == 0"),
            solution("total", NAMELESS),
            check("total-test", "assert total == 6"),
        ]
        self.master = master_of(self.cells)

    def __getitem__(self, name: str) -> Notebook:
        """Return a cell by nbgrader's name."""
        marks = (each["metadata"].get("nbgrader") or {} for each in self.cells)
        at = [mark.get("grade_id") for mark in marks].index(name)
        return self.cells[at]

    def repair(self) -> str:
        """Replace the notebook by what is graded; return the notes."""
        (self.folder / "m.ipynb").write_text(json.dumps(notebook(self.cells)))
        made = repair(self.folder, self.master)
        self.cells = made.notebook["cells"]
        return " ".join(made.notes)

    def passed(self) -> set[str]:
        """Run the notebook as a kernel does; return the tests that pass."""
        names: dict[str, Any] = {}
        found = set()
        for each in self.cells:
            grader = each["metadata"].get("nbgrader", {})
            try:
                exec(each["source"], names)
            except Exception:
                continue
            found |= {grader["grade_id"]} if grader.get("grade") else set()
        return found

    def count(self, text: str) -> int:
        """Return in how many cells a text stands."""
        return sum(text in each["source"] for each in self.cells)


@pytest.fixture
def work(tmp_path: Path) -> Work:
    return Work(tmp_path)


def class_with(*methods: str) -> str:
    """Return the class with methods where a student thinks that methods belong."""
    helper = "\n\n    def _plus(self, n):\n        return self.count + n"
    start = CLASS.index("    def __init__")
    text = CLASS[:start]
    for name in methods:  # right below the docstring of the class
        text += f"    def {name}(self):\n    {BODY[name]}\n\n"
    return text + CLASS[start:] + helper


WHOLE = class_with("up", "down")
BOTH = {"up-test", "down-test"}


def test_methods_written_into_the_locked_class_are_graded(work: Work) -> None:
    work["counter"]["source"] = WHOLE
    notes = work.repair()
    assert work["counter"]["source"] == CLASS
    assert work.passed() == BOTH
    assert "not their own: up, down" in notes
    assert "cells of its own now: counter" in notes


@pytest.mark.parametrize("place", ["up", "down", None])
def test_a_whole_class_in_any_other_cell_answers_all(
    work: Work, place: str | None
) -> None:
    """And each exercise is in the notebook once; what follows the class is kept."""
    text = f"{ADD_TO}\n\n\n{WHOLE}\n\n\nFINISHED = True"
    if place:
        work[place]["source"] += f"\n\n\n{text}"
    else:
        work.cells.append(work["up"] | {"id": "own", "metadata": {}, "source": text})
    work.repair()
    assert work.passed() == BOTH
    assert work.count("FINISHED = True") == work.count("def add_to") == 1
    marks = (each["metadata"].get("nbgrader") for each in work.cells)
    names = [mark["grade_id"] for mark in marks if mark]
    assert sorted(names) == sorted(c.id for c in work.master.cells)


def test_a_method_of_the_given_class_that_was_changed_is_put_back(work: Work) -> None:
    work["counter"]["source"] = CLASS.replace("= start", "= 1")
    work["up"]["source"] = UP + "    pass"
    work.repair()
    assert work["counter"]["source"] == CLASS
    assert not any("= 1" in each["source"] for each in work.cells[:3])
    assert "up-test" not in work.passed()


@pytest.mark.parametrize("own", ["up", "down"])
@pytest.mark.parametrize("first", ["up", "down"])
def test_answers_in_the_cell_of_another_keep_their_order_and_helpers(
    work: Work, own: str, first: str
) -> None:
    up, down = UP + "    self.count += ONE", DOWN + "    self.count -= ONE"
    both = f"{up}\n\n\n{down}" if first == "up" else f"{down}\n\n\n{up}"
    work[own]["source"] = f"ONE = 1\n\n\n{both}\n\n\nprint(ONE)"
    work.repair()
    assert work.passed() == BOTH
    for text in ("print(ONE)", "def up", "def down"):
        assert work.count(text) == 1
    for name in ("up", "down"):
        assert f"def {name}" in work[name]["source"]


def test_text_in_a_locked_cell_far_from_an_unnamed_exercise_is_not_its_answer(
    work: Work,
) -> None:
    work["counter"]["source"] = CLASS + "\n\ntotal = 6"
    work.repair()
    assert work["total"]["source"] == NAMELESS


@pytest.mark.parametrize(
    ("texts", "chosen"),
    [
        # The one most like the stub, which has 6 words; two in common are 4/13 or 4/14.
        (["# YOUR notes", "# YOUR CODE HERE\ntotal = 6", "print('nothing')", ""], 1),
        (["# YOUR a b c d e", "print('nothing')"], 0),
        (["# YOUR a b c d e f", "print('nothing')"], None),
    ],
)
def test_of_free_cells_one_that_is_like_the_stub_answers_an_exercise_without_a_name(
    work: Work, texts: list[str], chosen: int | None
) -> None:
    at = work.cells.index(work["total"])
    free = work["total"] | {"metadata": {}}
    work.cells[at : at + 1] = [
        free | {"id": f"free{number}", "source": text}
        for number, text in enumerate(texts)
    ]
    notes = work.repair()
    found = work["total"]["source"]
    assert found == ("" if chosen is None else texts[chosen])
    assert ("no cell in your notebook for: total" in notes) is (chosen is None)
