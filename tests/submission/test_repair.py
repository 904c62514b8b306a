"""What students hand in becomes gradable, or it is said why not."""

import copy
import json
from collections.abc import Iterable, Iterator
from dataclasses import replace
from functools import reduce
from operator import getitem
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import nbformat
import pytest
from hypothesis import given
from hypothesis import strategies as st
from nbgrader.utils import compute_checksum

from nbproctor.notebook import MasterNotebook
from nbproctor.results import stream_output
from nbproctor.submission.repair import Ungradable, repair
from tests import PROJECT
from tests.broken.cases import (
    ANSWERS,
    CASES,
    STUB,
    answered,
    around,
    by_id,
    text,
    write,
)
from tests.notebooks import read_json

Notebook = dict[str, Any]


def released(source: Path) -> Notebook:
    """Return a notebook as students get it, repaired without nbgrader."""
    notebook: Notebook = read_json(source)
    stubs = {cell.cell_id: cell.stub for cell in MasterNotebook.read(source).cells}
    for cell in notebook["cells"]:
        cell["source"] = stubs.get(cell["id"], text(cell)).replace(USUAL_STUB, STUB)
    return notebook


USUAL_STUB = "    # YOUR CODE HERE\n    raise NotImplementedError()"
SOURCE = PROJECT / "examples/tiny/source/tiny/tiny.ipynb"
RELEASE = released(SOURCE)
with TemporaryDirectory() as _folder:
    MASTER = MasterNotebook.read(SOURCE, write(Path(_folder), RELEASE))


def complete(notebook: Notebook, master: MasterNotebook) -> None:
    """Check that every cell of the master is there once, as the master says."""
    by_name: dict[str, Any] = {}
    for cell in notebook["cells"]:
        if meta := cell["metadata"].get("nbgrader"):
            assert meta["grade_id"] not in by_name
            by_name[meta["grade_id"]] = cell
    expected = {cell.id: cell for cell in master.cells if cell.nbgrader}
    assert by_name.keys() == expected.keys()
    for name, cell in expected.items():
        assert by_name[name]["metadata"]["nbgrader"] == cell.nbgrader
        if cell.locked:
            assert by_name[name]["source"] == cell.source


@pytest.mark.parametrize(
    "name",
    [
        "answer_above_the_stub",
        "answer_above_the_stub_in_one_cell",
        "answers_in_fences_as_from_a_chat",
    ],
)
def test_no_answer_is_repaired_in_a_course_that_says_so(
    name: str, tmp_path: Path
) -> None:
    case = next(case for case in CASES if case.name == name)
    case.make(tmp_path, answered(RELEASE))
    submitted = read_json(tmp_path / "tiny.ipynb")
    repaired = repair(tmp_path, replace(MASTER, repairs=False)).notebook
    for exercise in ANSWERS:
        assert text(by_id(repaired, exercise)) == text(by_id(submitted, exercise))


def sign(notebook: Notebook) -> None:
    """Write nbgrader's checksums into the cells, as its release does."""
    for cell in notebook["cells"]:
        if "nbgrader" in cell["metadata"]:
            checksum = compute_checksum(nbformat.from_dict(cell))
            cell["metadata"]["nbgrader"]["checksum"] = checksum


def test_what_the_teacher_changed_after_the_release_is_not_the_students_change(
    tmp_path: Path,
) -> None:
    """A forged checksum hides the student's own change, which is undone as before."""
    now = "\ndef tool():\n    return 2"
    newer = MASTER.with_cells(
        replace(cell, source=cell.source + now, stub=cell.stub + now)
        if cell.id == "fizz-numbers"
        else cell
        for cell in MASTER.cells
    )
    notebook = answered(RELEASE)
    sign(notebook)
    around(notebook, "fizz-numbers", after="\ndef tool():\n    return 1")
    write(tmp_path, notebook)
    repaired = repair(tmp_path, newer)
    assert "Changed read-only cells were restored: fizz-numbers." in repaired.notes
    sign(notebook)
    write(tmp_path, notebook)
    repaired = repair(tmp_path, newer)
    assert repaired.notes == []
    complete(repaired.notebook, newer)


def test_a_file_without_most_exercises_may_be_the_wrong_one(tmp_path: Path) -> None:
    master = MASTER.with_cells(
        replace(cell, id=f"{cell.id}{number}", exercise=f"{cell.exercise}{number}")
        if number and cell.kind in ("solution", "test")
        else cell
        for number in range(3)
        for cell in MASTER.cells
        if not number or cell.kind in ("solution", "test")
    )
    write(tmp_path, answered(RELEASE))
    repaired = repair(tmp_path, master)
    assert not repaired.is_complete
    assert repaired.notes[-2:] == [
        "The notebook has no cell for: fizz1, mean_of1, fizz2, mean_of2.",
        "It may be the wrong file.",
    ]


PIXEL = (  # a PNG of one pixel
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk"
    "+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
)


def test_nothing_of_the_submission_but_text_and_its_pictures_survives(
    tmp_path: Path,
) -> None:
    notebook = answered(RELEASE)
    for cell in notebook["cells"]:
        cell["metadata"]["tags"] = ["forged"]
        if cell["cell_type"] == "code":
            cell |= {"execution_count": 7, "outputs": [stream_output("forged")]}
    notebook["metadata"]["widgets"] = "forged"
    picture = {"image/png": PIXEL}
    words = {
        "metadata": {},
        "attachments": {"p.png": picture, "page": {"text/html": "forged"}},
        "source": "![sketch](attachment:p.png) <script> [a](javascript:alert(1))",
    }
    notebook["cells"] += [words | {"cell_type": kind} for kind in ("markdown", "raw")]
    write(tmp_path, notebook)
    repaired = repair(tmp_path, MASTER).notebook
    markdown, _ = repaired["cells"][-2:]
    assert markdown["attachments"] == {"p.png": picture}
    assert "(attachment:p.png)" in markdown["source"]
    shown = json.dumps(repaired)
    assert shown.count("sketch") == 2
    for forged in ("forged", '"execution_count": 7', "<script", "javascript:"):
        assert forged not in shown


JSON = st.recursive(
    st.none() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["cells", "metadata", "nbgrader", "grade_id", "source"]),
            inner,
            max_size=3,
        )
    ),
    max_leaves=8,
)


def paths_in(value: Any) -> Iterator[tuple[Any, ...]]:
    """Yield the keys that lead to each value in a value of JSON."""
    items: Iterable[tuple[Any, Any]] = ()
    if isinstance(value, dict):
        items = value.items()
    elif isinstance(value, list):
        items = enumerate(value)
    for key, inner in items:
        yield (key,)
        for path in paths_in(inner):
            yield key, *path


@pytest.mark.slow
@given(data=st.data())
def test_any_damage_to_a_notebook_is_repaired_or_said(
    data: st.DataObject,
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    notebook = copy.deepcopy(RELEASE)
    for _ in range(data.draw(st.integers(1, 6))):
        *above, last = data.draw(st.sampled_from([*paths_in(notebook)]))
        target: Any = reduce(getitem, above, notebook)
        if data.draw(st.booleans()):
            target[last] = data.draw(JSON)
        else:
            del target[last]
        if not notebook:
            break
    folder = tmp_path_factory.mktemp("damaged")
    write(folder, notebook)
    try:
        repaired = repair(folder, MASTER)
    except Ungradable as failure:
        assert str(failure).endswith(".")
    else:
        nbformat.validate(nbformat.from_dict(repaired.notebook))
        complete(repaired.notebook, MASTER)
