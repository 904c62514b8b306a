"""Each idiom earns under nbproctor what it earns under stock nbgrader."""

from __future__ import annotations

import contextlib
import tempfile
from dataclasses import replace
from importlib import import_module
from pathlib import Path
from typing import Any

import nbformat
import pytest
from nbgrader.utils import determine_grade

from nbproctor.notebook import Cell
from nbproctor.protocol import objects, table
from nbproctor.results import Verdict
from tests.copies import read_document
from tests.forked import spawn
from tests.idioms.cells import IDIOMS, Idiom
from tests.judge.notebooks import cell, judged, usual_limits
from tests.kernels import run_in_kernel

pytestmark = pytest.mark.slow
# As %reset does, which also collects garbage, for a tenth of a second each time.
FORGET = """for _name in [*globals()]:
    if _name not in _first:
        del globals()[_name]"""
BESIDE = [idiom for idiom in IDIOMS if idiom.reason]
# Tried with no answer, too. Most earn nothing then, and for the same reason; one of
# these earns a point, for the error that its test wants.
BLANK = IDIOMS[::5]
LIBRARIES = "pandas", "scipy.sparse", "sklearn.linear_model", "unittest.mock"
LIBRARIES += "matplotlib.figure", "matplotlib.backends.backend_agg"


def notebook(idiom: Idiom, answer: str) -> list[Cell]:
    """Make an assignment of one exercise: what stands before it, and its tests."""
    cells = []
    if answer.startswith("%%"):
        _, early, answer = answer.split("%%\n")
        cells += [cell("first", "solution", ""), cell("early", "test", early)]
        cells = [replace(each, exercise="first") for each in cells]
    cells.append(cell("answer", "solution", answer))
    *earlier, last = idiom.test.split("\n-----\n")
    cells += [cell(f"test{n}", "test", text) for n, text in enumerate(earlier)]
    return [*cells, cell("points", "test", last, 1.0)]


def answers_of(idiom: Idiom) -> dict[str, str]:
    """Return the right answer, the wrong one, and none at all."""
    early = idiom.right.startswith("%%")
    nothing = "%%\n".join([*idiom.right.split("%%\n")[:2], ""]) if early else ""
    return {
        "right": idiom.right,
        "wrong": idiom.wrong,
        "nothing": nothing,
    }


@pytest.fixture(scope="module")
def stock(tmp_path_factory: pytest.TempPathFactory) -> dict[tuple[str, str], float]:
    """Grade all of them in one kernel, which forgets all names between two."""
    assert len(IDIOMS) == len({idiom.name for idiom in IDIOMS})
    code_cell = nbformat.v4.new_code_cell
    book = nbformat.v4.new_notebook()
    book.cells.append(code_cell("_first = {*globals(), '_first'}"))
    graded = {}
    for idiom in IDIOMS:
        for kind, answer in answers_of(idiom).items():
            if kind == "nothing" and idiom not in BLANK:
                continue
            nodes = [code_cell(each.source) for each in notebook(idiom, answer)]
            marks = {"grade": True, "solution": False, "points": 1}
            nodes[-1].metadata["nbgrader"] = marks
            graded[idiom.name, kind] = nodes[-1]
            nodes[0].source = f"{FORGET}\n{nodes[0].source}"
            book.cells += nodes
    run_in_kernel(
        book,
        tmp_path_factory.mktemp("stock"),
        allow_errors=True,
        extra_arguments=["--log-level=ERROR", "--InteractiveShell.xmode=Minimal"],
    )
    return {key: determine_grade(node)[0] for key, node in graded.items()}


def points(idiom: Idiom, answer: str) -> float:
    """Grade through the judge, or beside the answer where the table says so."""
    *cells, last = notebook(idiom, answer)
    where = "beside" if idiom.reason else "judge"
    return verdict([*cells, replace(last, where=where)]).points


def verdict(cells: list[Cell]) -> Verdict:
    """Return the last verdict: that of the points."""
    answers = [(each.id, each.source) for each in cells]
    times = usual_limits(call=10, cell=20)
    report = judged(cells, *answers, start=spawn_elsewhere, limits=times)
    return report.verdicts[-1]


def spawn_elsewhere() -> Any:
    """Fork a student process in a folder of its own, as the sandbox does."""
    with contextlib.chdir(tempfile.mkdtemp()):
        return spawn(*LIBRARIES)


@pytest.fixture(scope="module", autouse=True)
def captured() -> None:
    """List the classes of libraries, as a fork server does when all is imported."""
    for library in LIBRARIES:
        import_module(library)
    objects.list_library_classes()
    table.load_rows()


@pytest.fixture(autouse=True)
def in_a_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


@pytest.mark.parametrize("idiom", IDIOMS, ids=lambda idiom: idiom.name)
def test_an_idiom_earns_what_a_kernel_gives(
    idiom: Idiom, stock: dict[tuple[str, str], float]
) -> None:
    assert points(idiom, idiom.right) == stock[idiom.name, "right"] == 1
    assert points(idiom, idiom.wrong) == stock[idiom.name, "wrong"] < 1
    if idiom in BLANK:
        blank = points(idiom, answers_of(idiom)["nothing"])
        assert blank == stock[idiom.name, "nothing"]


@pytest.mark.parametrize("idiom", BESIDE, ids=lambda idiom: idiom.name)
def test_only_what_the_judge_cannot_judge_is_beside(idiom: Idiom) -> None:
    assert verdict(notebook(idiom, idiom.right)).points < 1


def test_the_table_in_the_docs_is_this_table() -> None:
    page = read_document("tests")
    rows = [line for line in page.splitlines() if line.startswith("| works with ")]
    assert rows == [f"| works with {idiom.name} | {idiom.reason} |" for idiom in BESIDE]
