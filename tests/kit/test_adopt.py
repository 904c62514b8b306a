"""Notebooks of other graders become nbgrader sources that earn every point."""

from __future__ import annotations

from pathlib import Path

import nbformat
import pytest
from nbformat.v4 import (
    new_code_cell,
    new_markdown_cell,
    new_notebook,
    new_output,
    new_raw_cell,
)

from nbproctor import nbgrader
from nbproctor.kit.adopt import Adopted, AdoptError, adopt, solution_marks
from tests.programs import run_here


def shown(code: str, text: str) -> nbformat.NotebookNode:
    """Return a cell with the value that it showed."""
    value = new_output("execute_result", {"text/plain": text}, execution_count=1)
    return new_code_cell(code, outputs=[value])


def printed(code: str) -> nbformat.NotebookNode:
    return new_code_cell(code, outputs=[new_output("stream", text="4\n")])


OTTER = [
    new_raw_cell("# ASSIGNMENT CONFIG\nfiles:\n  - data.csv"),
    new_code_cell("import otter\ngrader = otter.Notebook()\nimport math"),
    new_raw_cell("# BEGIN QUESTION\nname: q1\npoints: 3"),
    new_markdown_cell("Write `square`."),
    new_raw_cell("# BEGIN SOLUTION"),
    new_code_cell("def square(x):\n    return x * x  # SOLUTION"),
    new_raw_cell("# END SOLUTION"),
    new_raw_cell("# BEGIN TESTS"),
    shown("square(3) == 9", "True"),
    shown(
        '""" # BEGIN TEST CONFIG\nhidden: true\n""" # END TEST CONFIG\n'
        "x = 4\nsquare(x)",
        "16",
    ),
    printed("print(square(2))"),
    new_raw_cell("# END TESTS"),
    new_raw_cell("# END QUESTION"),
    new_raw_cell("# BEGIN QUESTION\nname: q2\npoints: 2\nmanual: true"),
    new_markdown_cell("Explain it."),
    new_raw_cell("# BEGIN SOLUTION"),
    new_markdown_cell("It multiplies."),
    new_raw_cell("# END SOLUTION"),
    new_raw_cell("# END QUESTION"),
]
OLDER = [
    new_markdown_cell("Assign x.\n```\nBEGIN QUESTION\nname: q1\npoints: [1, 2]\n```"),
    new_code_cell("x = 2 # SOLUTION"),
    shown("# TEST\nisinstance(x, int)", "True"),
    shown("# HIDDEN TEST\nx", "2"),
    new_code_cell("# no part of it\ny = x"),
]
OKPY = [
    new_code_cell("from client.api.notebook import Notebook\nok = Notebook('lab.ok')"),
    new_code_cell("def twice(x):\n    return 2 * x"),
    new_code_cell("_ = ok.grade('q1')"),
]
OKPY_TESTS = """test = {
  'name': 'q1', 'points': 4,
  'suites': [{'type': 'doctest', 'setup': '', 'cases': [
    {'code': ">>> twice(3)\\n6\\n>>> y = twice('a')\\n>>> y\\n'aa'", 'hidden': False},
    {'code': ">>> twice(0.5)\\n1.0", 'hidden': True},
    {'code': ">>> twice()\\nTraceback (most recent call last):\\nTypeError: no"},
  ]}]}
"""
PLAIN = [
    new_code_cell(
        "def half(x):\n    ### BEGIN SOLUTION\n    return x / 2\n    ### END SOLUTION"
    ),
    new_code_cell("assert half(4) == 2"),
]


def adopted(folder: Path, cells: list[nbformat.NotebookNode]) -> Adopted:
    folder.joinpath("tests").mkdir(parents=True)
    folder.joinpath("tests/q1.py").write_text(OKPY_TESTS if cells is OKPY else "")
    folder.joinpath("data.csv").write_text("a,b\n")
    nbformat.write(new_notebook(cells=cells), folder / "old.ipynb")
    return adopt(folder / "old.ipynb")


def rows(result: Adopted) -> list[tuple[str, str, float | None]]:
    return [
        (each.kind, each.grade_id, each.points)
        for each in result.cells
        if each.grade_id
    ]


ROWS: list[tuple[list[nbformat.NotebookNode], list[tuple[str, str, float | None]]]] = [
    (
        OTTER,
        [
            ("answer", "q1", None),
            ("public test", "q1_test_1", 1.5),
            ("hidden test", "q1_test_2", 1.5),
            ("answer, graded by hand", "q2", 2),
        ],
    ),
    (
        OLDER,
        [
            ("answer", "q1", None),
            ("public test", "q1_test_1", 1),
            ("hidden test", "q1_test_2", 2),
        ],
    ),
    (
        OKPY,
        [
            ("answer", "q1", None),
            ("public test", "q1_test_1", 2),
            ("hidden test", "q1_test_2", 2),
        ],
    ),
    (PLAIN, [("answer", "exercise", None), ("public test", "exercise_test_1", 1)]),
]
FORMS = ["otter", "older otter", "okpy", "plain"]


@pytest.mark.parametrize(("cells", "expected"), ROWS, ids=FORMS)
def test_cells_become_answers_and_tests_with_their_points(
    tmp_path: Path,
    cells: list[nbformat.NotebookNode],
    expected: list[tuple[str, str, float | None]],
) -> None:
    assert rows(adopted(tmp_path / "other", cells)) == expected


def test_what_cannot_be_known_is_asked_and_left_out(tmp_path: Path) -> None:
    otter = adopted(tmp_path / "otter", OTTER).questions
    assert otter == [
        "q1: a test compares what is printed: 'print(square(2))'. Left out."
    ]
    okpy = adopted(tmp_path / "okpy", OKPY).questions
    assert okpy == ["q1: a test expects an exception: 'twice()'. Left out."]
    plain = adopted(tmp_path / "plain", PLAIN).questions
    assert plain == ["exercise: are its tests worth 1 point?"]


def test_nothing_of_the_other_grader_is_left(tmp_path: Path) -> None:
    for number, cells in enumerate([OTTER, OKPY]):
        notebook = adopted(tmp_path / str(number), cells).notebook
        text = "\n".join(cell.source for cell in notebook.cells)
        for word in ("otter", "ok.", "Notebook(", "BEGIN QUESTION", "TEST CONFIG"):
            assert word not in text
    assert (
        "import math" in adopted(tmp_path / "imports", OTTER).notebook.cells[0].source
    )


def test_marks_stand_where_the_lines_of_the_solution_were() -> None:
    source = (
        "def f(x):\n    y = x # SOLUTION NO PROMPT\n    return y # SOLUTION\n"
        '    """ # BEGIN PROMPT\n    ...\n    """ # END PROMPT\nz = f(1)'
    )
    assert solution_marks(source) == (
        "def f(x):\n    ### BEGIN SOLUTION\n    y = x\n    return y\n"
        "    ### END SOLUTION\nz = f(1)"
    )


@pytest.mark.parametrize(
    ("cells", "message"),
    [
        ([new_code_cell("x = 1")], "No test was found"),
        ([new_code_cell("x", metadata={"nbgrader": {}})], "is nbgrader's already"),
    ],
    ids=["no tests", "of nbgrader"],
)
def test_a_notebook_that_cannot_be_adopted_is_refused(
    tmp_path: Path, cells: list[nbformat.NotebookNode], message: str
) -> None:
    with pytest.raises(AdoptError, match=message):
        adopted(tmp_path / "other", cells)


@pytest.mark.slow
def test_the_command_writes_an_assignment_that_earns_every_point(
    tmp_path: Path,
) -> None:
    adopted(tmp_path / "other", OTTER)
    course = tmp_path / "course"
    course.mkdir()
    done = run_here("adopt", "../other/old.ipynb", "squares", cwd=course)
    assert done.returncode == 0, done.stderr
    assert "The reference solution earns every point." in done.stdout
    assert "hidden test" in done.stdout and "5 points" in done.stdout
    assert (course / "source/squares/data.csv").is_file()
    nbgrader.generate(course, "squares")
    release = (course / "release/squares/squares.ipynb").read_text()
    assert "x * x" not in release and "== 16" not in release and "== 9" in release
    again = run_here("adopt", "../other/old.ipynb", "squares", cwd=course)
    assert again.returncode == 1 and "already exists" in again.stderr


def test_what_an_otter_notebook_needs_comes_along_and_blanks_are_said(
    tmp_path: Path,
) -> None:
    error = new_output("error", ename="TypeError", evalue="no", traceback=[])
    cells = [
        new_raw_cell("# ASSIGNMENT CONFIG\nstudent_files:\n  - given.csv"),
        new_code_cell("import helpers\n8 + '8'", outputs=[error]),
        new_raw_cell("# BEGIN QUESTION\nname: q1"),
        new_raw_cell("# BEGIN SOLUTION"),
        new_code_cell("x = ...\ny = [1, 2][0]"),
        new_raw_cell("# END SOLUTION"),
        new_raw_cell("# BEGIN TESTS"),
        shown("x == 2", "True"),
        new_raw_cell("# END TESTS"),
        new_raw_cell("# END QUESTION"),
    ]
    for name in ("given.csv", "helpers.py"):
        (tmp_path / name).write_text("")
    nbformat.write(new_notebook(cells=cells), tmp_path / "hw.ipynb")
    done = run_here("adopt", "hw.ipynb", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert "Without a solution:\n  q1\n" in done.stdout
    assert "Then: nbproctor lint hw" in done.stdout
    names = {path.name for path in (tmp_path / "source/hw").iterdir()}
    assert names == {"hw.ipynb", "given.csv", "helpers.py"}
    adopted = nbformat.read(tmp_path / "source/hw/hw.ipynb", as_version=4)
    assert [c.metadata.tags for c in adopted.cells if "tags" in c.metadata] == [
        ["skip-grading"]
    ]
