"""An assignment frozen for grading."""

import gc
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from nbproctor.engine import servers
from nbproctor.notebook import MasterNotebook, MasterNotebookError
from tests.broken.cases import write
from tests.notebooks import Notebook, notebook
from tests.notebooks import cell as marked


def cell(source: str | list[str], name: str = "", **flags: Any) -> Notebook:
    """Make a code cell; with a name, one that nbgrader knows."""
    new_cell = marked(name or "plain", source, **flags)  # type: ignore[arg-type]
    return new_cell if name else new_cell | {"metadata": {}}


def read(folder: Path, *cells: Notebook) -> MasterNotebook:
    path = write(folder / "source/work", notebook([*cells]), "work.ipynb")
    return MasterNotebook.read(path)


SOLUTION = cell("def f():\n    return 1", "f", solution=True, locked=False)
HIDDEN = "### BEGIN HIDDEN TESTS\nassert f() == 1\n### END HIDDEN TESTS"


def words(cell: Notebook) -> Notebook:
    """Make a text cell of a code cell."""
    return cell | {"cell_type": "markdown"}


TOOLS = f"# Tools of the tests.\n{HIDDEN}"


@pytest.mark.parametrize(
    ("new_cell", "kind"),
    [
        (cell("def check(x):\n    assert x", "tool"), "provided"),
        (cell("for x in [1]:\n    assert x", "looped"), "test"),
        (cell(TOOLS, "tools", grade=False, points=0), "helper"),
        (cell(TOOLS, "tools", grade=True, points=0), "helper"),
        (cell(HIDDEN, "hidden", grade=True, points=4), "test"),
        (
            words(
                cell(
                    "Why?",
                    "w",
                    grade=True,
                    solution=True,
                    locked=False,
                    points=5,
                )
            ),
            "task",
        ),
        (words(cell("Read this.", "note")), "text"),
    ],
)
def test_a_cell_below_an_exercise_is_what_its_marks_and_its_text_say(
    tmp_path: Path,
    new_cell: Notebook,
    kind: str,
) -> None:
    parsed = read(tmp_path, SOLUTION, new_cell).cells[1]
    points = new_cell["metadata"]["nbgrader"].get("points", 0)
    assert (parsed.kind, parsed.points) == (kind, points)


def test_the_release_gives_the_stubs_where_there_is_one(tmp_path: Path) -> None:
    read(tmp_path, SOLUTION)
    released = SOLUTION | {"source": "def f():\n    ..."}
    path = write(tmp_path, {"cells": [released]}, "release.ipynb")
    master = MasterNotebook.read(tmp_path / "source/work/work.ipynb", path)
    assert master.cells[0].stub == "def f():\n    ..."


def test_modules_are_those_of_provided_cells_in_order_of_use(tmp_path: Path) -> None:
    setup = "%matplotlib inline\nimport os.path as p, json\nfrom xml.dom import minidom"
    master = read(tmp_path, cell(setup, "setup"), cell("import re\n!ls", "more"))
    assert master.modules == ("os.path", "json", "xml.dom", "re")


def test_data_is_found_within_the_course_and_does_not_change_the_digest(
    tmp_path: Path,
) -> None:
    course = tmp_path / "course"
    (tmp_path / "data").mkdir()
    course.mkdir()
    (course / "nbgrader_config.py").touch()
    alone = read(course, SOLUTION)
    assert alone.data is None
    (course / "data").mkdir()
    master = read(course, SOLUTION)
    assert master.data == str(course / "data")
    assert master.digest == alone.digest


def test_the_opening_is_the_locked_code_before_the_first_exercise(
    tmp_path: Path,
) -> None:
    secret = "import os\n### BEGIN HIDDEN TESTS\nsecret = 1\n### END HIDDEN TESTS"
    demo = cell("import this", "demo")
    demo["metadata"]["tags"] = ["skip-grading"]
    master = read(
        tmp_path,
        cell("import math", "first"),
        demo,
        cell("x = 1", "unlocked", locked=False),
        cell("y = 1"),
        cell(secret, "tools"),
        SOLUTION,
        cell("import re", "later"),
    )
    math, tools = master.opening_cells
    assert math == "import math"
    assert "import os" in tools
    assert "secret" not in tools


def test_text_that_nbgrader_does_not_know_is_no_cell_and_code_always_is(
    tmp_path: Path,
) -> None:
    nameless = {k: v for k, v in cell(["a = 1\n", "b = 2"]).items() if k != "id"}
    title = words(cell("# Title"))
    master = read(tmp_path, title, nameless, cell("c = 3"), SOLUTION)
    assert [(c.id, c.kind) for c in master.cells] == [
        ("cell-1", "provided"),
        ("plain", "provided"),
        ("f", "solution"),
    ]
    assert master.cells[0].source == "a = 1\nb = 2"
    assert [c.locked for c in master.cells] == [False, False, False]
    assert [c.is_stored for c in master.cells] == [False, False, True]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("", "not a readable notebook"),
        ("[]", "not a readable notebook"),
        ('{"cells": {}}', "its cells are no list"),
        ('{"cells": [{"cell_type": "code"}]}', "source"),
    ],
)
def test_what_is_no_notebook_is_said_with_its_path(
    tmp_path: Path,
    content: str,
    message: str,
) -> None:
    path = tmp_path / "bad.ipynb"
    path.write_text(content, "utf-8")
    with pytest.raises(MasterNotebookError, match=message) as caught:
        MasterNotebook.read(path)
    assert str(path) in str(caught.value)


@pytest.mark.slow
def test_threads_that_compile_the_tests_at_once_all_get_them(
    lab_master: MasterNotebook,
) -> None:
    def go_on(*_: object) -> None:
        time.sleep(0)  # another thread runs, in the middle of this one's parsing

    threshold = gc.get_threshold()
    servers.compile_tests.cache_clear()
    servers.preloaded_modules.cache_clear()
    work = servers.compile_tests, servers.preloaded_modules
    gc.callbacks.append(go_on)
    gc.set_threshold(400)
    try:
        with ThreadPoolExecutor(2) as pool:
            assert all(pool.map(lambda parses: parses(lab_master), work))
    finally:
        gc.set_threshold(*threshold)
        gc.callbacks.remove(go_on)
