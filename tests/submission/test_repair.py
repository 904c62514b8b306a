"""What students hand in becomes gradable, or it is said why not."""

import copy
import json
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import nbformat
import pytest
from hypothesis import given
from hypothesis import strategies as st
from nbgrader.utils import compute_checksum

from nbproctor.notebook import MasterNotebook
from nbproctor.submission.repair import Ungradable, repair
from tests.broken.cases import CASES, STUB, answered, by_id, text, write
from tests.conftest import PROJECT

Notebook = dict[str, Any]


def released(source: Path) -> Notebook:
    """Return a notebook as students get it, repaired without nbgrader."""
    notebook: Notebook = json.loads(source.read_text("utf-8"))
    stubs = {cell.cell_id: cell.stub for cell in MasterNotebook.read(source).cells}
    for cell in notebook["cells"]:
        cell["source"] = stubs.get(cell["id"], "".join(cell["source"]))
        if cell["metadata"].get("nbgrader", {}).get("solution"):
            usual = "    # YOUR CODE HERE\n    raise NotImplementedError()"
            cell["source"] = cell["source"].replace(usual, STUB)
    return notebook


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
    case.make(tmp_path / name, answered(RELEASE))
    handed_in = json.loads((tmp_path / name / "tiny.ipynb").read_text("utf-8"))
    repaired = repair(tmp_path / name, replace(MASTER, repairs=False))
    for cell in MASTER.of_kind("solution"):
        assert text(by_id(repaired.notebook, cell.id)) == text(
            by_id(handed_in, cell.id)
        )


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

    def changed(source: str) -> str:
        return f"# Another comment\n{source}\nnew_helper = 1"

    notebook = answered(RELEASE)
    sign(notebook)
    newer = MASTER.with_cells(
        replace(cell, source=changed(cell.source), stub=changed(cell.stub))
        if cell.id == "fizz-numbers"
        else cell
        for cell in MASTER.cells
    )
    test = by_id(notebook, "fizz-numbers")
    test["source"] = f"{text(test)}\nold_helper = 1"
    notes = []
    for is_signed in (False, True):
        if is_signed:
            sign(notebook)
        write(tmp_path, notebook)
        repaired = repair(tmp_path, newer)
        complete(repaired.notebook, newer)
        notes.append(repaired.notes)
    assert "Changed read-only cells were restored: fizz-numbers." in notes[0]
    assert notes[1] == []


def test_nothing_of_the_submission_but_text_survives(tmp_path: Path) -> None:
    notebook = answered(RELEASE)
    for cell in notebook["cells"]:
        cell["metadata"]["tags"] = ["hide-input"]
        cell["metadata"]["forged"] = True
        if cell["cell_type"] == "code":
            cell["execution_count"] = 7
            cell["outputs"] = [
                {
                    "output_type": "stream",
                    "name": "stdout",
                    "text": "passed",
                }
            ]
    notebook["metadata"]["widgets"] = {"state": "<script>"}
    words = "Words <script>alert(1)</script> [a](javascript:alert(1))"
    for kind in ("markdown", "raw"):
        text = {
            "cell_type": kind,
            "metadata": {},
            "source": words,
        }
        notebook["cells"].append(text)
    write(tmp_path, notebook)
    repaired = json.dumps(repair(tmp_path, MASTER).notebook)
    assert repaired.count("Words ") == 2
    for forged in ("hide-input", "forged", "passed", "<script", "widgets", "pt:alert"):
        assert forged not in repaired


def test_a_lab_that_lost_all_marks_is_matched_cell_by_cell(
    tmp_path: Path, project: Path
) -> None:
    path = project / "source/neural_network/neural_network.ipynb"
    lab = MasterNotebook.read(path)
    notebook = released(path)
    solved = {cell.cell_id: cell.source for cell in lab.of_kind("solution")}
    for number, cell in enumerate(notebook["cells"]):
        cell["source"] = solved.get(cell["id"], cell["source"])
        cell |= {"id": f"colab{number}", "metadata": {"id": f"colab{number}"}}
    write(tmp_path, notebook, "neural_network.ipynb")
    repaired = repair(tmp_path, lab)
    complete(repaired.notebook, lab)
    answers = {
        cell["metadata"]["nbgrader"]["grade_id"]: cell["source"]
        for cell in repaired.notebook["cells"]
        if "nbgrader" in cell["metadata"]
    }
    for cell in lab.of_kind("solution"):
        assert answers[cell.id] == cell.source
    assert len(repaired.notebook["cells"]) == len(notebook["cells"])


PIXEL = (  # a PNG of one pixel
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk"
    "+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
)


def test_pictures_in_an_answer_in_words_are_kept_and_nothing_else(
    tmp_path: Path,
) -> None:
    notebook = answered(RELEASE)
    picture = {"image/png": PIXEL}
    cell = notebook["cells"][0]
    cell["source"] = "![my sketch](attachment:p.png)"
    cell["attachments"] = {"p.png": picture, "page": {"text/html": "<script>"}}
    write(tmp_path, notebook)
    words = repair(tmp_path, MASTER).notebook["cells"][0]
    assert words["attachments"] == {"p.png": picture}
    assert words["source"] == cell["source"]


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
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


def places(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    paths = [path] if path else []
    if isinstance(value, dict):
        for key in value:
            paths += places(value[key], (*path, key))
    elif isinstance(value, list):
        for position, item in enumerate(value):
            paths += places(item, (*path, position))
    return paths


@pytest.mark.slow
@given(data=st.data())
def test_any_damage_to_a_notebook_is_repaired_or_said(
    data: st.DataObject,
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    notebook = copy.deepcopy(RELEASE)
    for _ in range(data.draw(st.integers(1, 6))):
        *above, last = data.draw(st.sampled_from(places(notebook)))
        target: Any = notebook
        for key in above:
            target = target[key]
        if data.draw(st.booleans()):
            target[last] = data.draw(JSON)
        else:
            del target[last]
        if not places(notebook):
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


@given(content=st.binary(max_size=400))
def test_any_bytes_under_the_name_are_said_to_be_no_notebook(
    content: bytes, tmp_path_factory: pytest.TempPathFactory
) -> None:
    folder = tmp_path_factory.mktemp("bytes")
    (folder / "tiny.ipynb").write_bytes(content)
    with pytest.raises(Ungradable):
        repair(folder, MASTER)
