"""Notebooks of other graders become nbgrader sources that earn every point."""

from __future__ import annotations

from collections.abc import Iterable
from copy import deepcopy
from pathlib import Path
from typing import Any

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


def adopted(folder: Path, cells: list[Any], tests: str = "") -> Adopted:
    """Adopt a notebook of these cells, next to a file of tests and one of data."""
    (folder / "tests").mkdir(parents=True)
    (folder / "tests/q1.py").write_text(OKPY_TESTS if cells is OKPY else tests)
    (folder / "data.csv").write_text("a,b\n")
    copies = [deepcopy(cell) for cell in cells]
    for number, cell in enumerate(copies):
        cell["id"] = f"cell-{number}"
    nbformat.write(new_notebook(cells=copies), folder / "old.ipynb")
    return adopt(folder / "old.ipynb")


def release_all(
    folder: Path, notebooks: Iterable[tuple[list[Any], str]]
) -> list[tuple[Adopted, str]]:
    """Adopt notebooks with a file of tests each; return that and what students get."""
    course = folder / "course"
    source = course / "source/hw"
    source.mkdir(parents=True)
    (course / "nbgrader_config.py").write_text("c = get_config()\n")
    results = []
    for name, (cells, tests) in enumerate(notebooks):
        results.append(adopted(folder / str(name), cells, tests))
        nbformat.write(results[-1].notebook, source / f"{name}.ipynb")
    nbgrader.generate(course, "hw")
    texts = []
    for name in range(len(results)):
        student = nbformat.read(course / f"release/hw/{name}.ipynb", as_version=4)
        texts.append("\n".join(cell.source for cell in student.cells))
    return list(zip(results, texts, strict=True))


def release(folder: Path, cells: list[Any], tests: str = "") -> tuple[Adopted, str]:
    return release_all(folder, [(cells, tests)])[0]


def rows(result: Adopted) -> list[tuple[str, str, float | None]]:
    return [
        (each.kind, each.grade_id, each.points)
        for each in result.cells
        if each.grade_id
    ]


# What is adopted → its answers and tests, and what the teacher is asked.
FORMS: dict[str, tuple[list[Any], list[tuple[str, str, float | None]], str]] = {
    "otter": (
        OTTER,
        [
            ("answer", "q1", None),
            ("public test", "q1_test_1", 1.5),
            ("hidden test", "q1_test_2", 1.5),
            ("answer, graded by hand", "q2", 2),
        ],
        "q1: a test compares what is printed: 'print(square(2))'. Left out.",
    ),
    "older otter": (
        OLDER,
        [
            ("answer", "q1", None),
            ("public test", "q1_test_1", 1),
            ("hidden test", "q1_test_2", 2),
        ],
        "The whole cell became the solution: q1.",
    ),
    "okpy": (
        OKPY,
        [
            ("answer", "q1", None),
            ("public test", "q1_test_1", 2),
            ("hidden test", "q1_test_2", 2),
        ],
        "q1: a test expects an exception: 'twice()'. Left out.",
    ),
    "plain": (
        PLAIN,
        [("answer", "exercise", None), ("public test", "exercise_test_1", 1)],
        "exercise: are its tests worth 1 point?",
    ),
}


@pytest.mark.parametrize("form", FORMS)
def test_cells_become_answers_and_tests_and_nothing_of_the_other_grader_is_left(
    tmp_path: Path, form: str
) -> None:
    cells, expected, question = FORMS[form]
    result = adopted(tmp_path / "other", cells)
    assert rows(result) == expected
    assert "\n".join(result.questions).startswith(question)
    text = "\n".join(cell.source for cell in result.notebook.cells)
    for word in ("otter", "ok.", "Notebook(", "BEGIN QUESTION", "TEST CONFIG"):
        assert word not in text
    assert ("import math" in text) == (form == "otter")


FENCED = [
    new_markdown_cell(
        "```otter\n# BEGIN QUESTION\nname: q1\npoints: 3\n```\nWrite `square`."
        "\n```otter\n# BEGIN SOLUTION\n```"
    ),
    OTTER[5],
    new_markdown_cell("```otter\n# END SOLUTION\n```\n```otter\n# BEGIN TESTS\n```"),
    OTTER[8],
    new_markdown_cell("```otter\n# END TESTS\n```\n\n```otter\n# END QUESTION\n```"),
]


def test_blocks_between_fences_mean_what_raw_cells_mean(tmp_path: Path) -> None:
    raw = [*OTTER[2:9], *OTTER[11:13]]
    fenced, expected = (
        adopted(tmp_path / str(len(cells)), cells).notebook.cells
        for cells in (FENCED, raw)
    )
    assert [(cell.source, cell.metadata) for cell in fenced] == [
        (cell.source, cell.metadata) for cell in expected
    ]


@pytest.mark.slow
def test_what_only_the_author_of_an_otter_notebook_sees_is_not_published(
    tmp_path: Path,
) -> None:
    ignored = [
        new_markdown_cell("## Ignore ##\n\nRun all of it first."),
        new_code_cell("# IGNORE\nanswer = 42"),
        new_code_cell("# ignore: trials\nanswer = 42"),
    ]
    visible = new_code_cell("# ignore warnings\nimport warnings")
    _, student = release(tmp_path, [*ignored, visible, *OTTER])
    assert "42" not in student and "Run all" not in student
    assert "import warnings" in student


def test_marks_stand_where_the_lines_of_the_solution_were() -> None:
    source = (
        "def f(x):\n    y = x # SOLUTION NO PROMPT\n    return y # SOLUTION\n"
        '    """ # BEGIN PROMPT\n    ...\n    """ # END PROMPT\nz = f(1)'
    )
    assert solution_marks(source) == (
        "def f(x):\n    ### BEGIN SOLUTION\n    y = x\n    return y\n"
        "    ### END SOLUTION\nz = f(1)"
    )
    assert solution_marks("def f(x):\n    # SOLUTION\n    return x") == (
        "def f(x):\n    return x"
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


SQUARE = new_code_cell("def square(x):\n    return x * x  # SOLUTION")
CHECK = new_code_cell("grader.check('q1')")
OK_FILE = """OK_FORMAT = True
test = {'name': 'q1', 'suites': [{'cases': [
    {'code': '>>> square(3)\\n9', 'hidden': False}, %s]}]}
"""


def otter(*tests: nbformat.NotebookNode, question: str = "") -> list[Any]:
    """Return the notebook of one question with these test cells."""
    return [
        new_raw_cell(f"# BEGIN QUESTION\nname: q1\n{question}"),
        new_raw_cell("# BEGIN SOLUTION"),
        SQUARE,
        new_raw_cell("# END SOLUTION"),
        new_raw_cell("# BEGIN TESTS"),
        *tests,
        new_raw_cell("# END TESTS"),
        new_raw_cell("# END QUESTION"),
    ]


def with_file(tests: str) -> tuple[list[Any], str]:
    return [SQUARE, CHECK], tests


CONFIG = '""" # BEGIN TEST CONFIG\n{}\n""" # END TEST CONFIG\nassert square(90) == 8100'
HIDDEN: dict[str, tuple[list[Any], str]] = {
    "Otter": (otter(shown("# HIDDEN\nsquare(90)", "8100")), ""),
    "a word": (otter(shown("\n# A hidden test\nsquare(90)", "8100")), ""),
    "capitals": (otter(new_code_cell(CONFIG.format("Hidden: no\nhidden: yes"))), ""),
    "configured below a comment": (
        otter(new_code_cell("# Test 1\n" + CONFIG.format("hidden: true"))),
        "",
    ),
    "in no question": (
        [SQUARE, new_raw_cell("# BEGIN TESTS"), shown("# HIDDEN\nsquare(90)", "8100")],
        "",
    ),
    "in no block": (
        [*otter()[:4], new_code_cell("# a hidden one\nassert square(90) == 8100")],
        "",
    ),
    "older": (
        [
            OLDER[0],
            SQUARE,
            new_code_cell("# Hidden test\nassert square(90) == 8100"),
        ],
        "",
    ),
    "plain": (
        [SQUARE, new_code_cell("# hidden\nassert square(90) == 8100")],
        "",
    ),
    "plain, of nothing": (
        [SQUARE, PLAIN[1], new_code_cell("# HIDDEN TEST\nassert 90 * 90 == 8100")],
        "",
    ),
    "marked": (
        [
            SQUARE,
            new_code_cell(
                "assert square(3) == 9\n### BEGIN HIDDEN TESTS\n"
                "assert square(90) == 8100\n### END HIDDEN TESTS"
            ),
        ],
        "",
    ),
    "doctest": with_file(OK_FILE % "{'code': '>>> square(90)\\n8100', 'hidden': True}"),
    "doctest, not said": with_file(OK_FILE % "{'code': '>>> square(90)\\n8100'}"),
    "doctest, a word": with_file(
        OK_FILE % "{'code': '>>> # Hidden\\n>>> square(90)\\n8100', 'hidden': False}"
    ),
}


@pytest.mark.slow
def test_a_hidden_test_is_never_in_the_release(tmp_path: Path) -> None:
    public = otter(shown("square(3) == 9", "True"))
    notebooks = [([*cells, *public], tests) for cells, tests in HIDDEN.values()]
    results = release_all(tmp_path, notebooks)
    for form, (adopted, text) in zip(HIDDEN, results, strict=True):
        assert "square(3) == 9" in text, form
        assert "810" not in text and "hidden" not in text.lower(), (form, text)
        is_hidden = any(cell.kind == "hidden test" for cell in adopted.cells)
        assert is_hidden != ("Left out." in "".join(adopted.questions)), form


def test_a_comment_that_only_says_hidden_is_not_what_a_test_checks(
    tmp_path: Path,
) -> None:
    """A student's page shows the first comment of a hidden test."""
    for number, label in enumerate(("# HIDDEN", "# Hidden test", "# hidden tests")):
        tests = new_code_cell(f"{label}\n# Large numbers\nassert square(90) == 8100")
        (test,) = (
            row.cell.source
            for row in adopted(tmp_path / str(number), [SQUARE, tests]).cells
            if row.kind == "hidden test"
        )
        assert test.splitlines()[1] == "# Large numbers"


def test_a_test_that_cannot_be_read_publishes_nothing(tmp_path: Path) -> None:
    test = new_code_cell(CONFIG.format("hidden: [true"))
    other = new_code_cell("' # BEGIN TEST CONFIG: hidden'\nassert square(90) == 8100")
    function = new_code_cell("return square(90) == 8100")
    cells = otter(shown("square(2)", "4"), test, other, function)
    adopted, text = release(tmp_path, cells)
    assert "8100" not in text
    for question in adopted.questions[:2]:
        assert "configuration cannot be read" in question
    assert adopted.questions[2].startswith("q1: a test cannot be a cell by itself")


def test_assertions_test_the_nearest_answer_that_they_use(tmp_path: Path) -> None:
    cells = [
        new_code_cell("import math\nassert math.pi > 3"),
        new_code_cell("def one():\n    return 1"),
        new_code_cell("assert one() == 1"),
        new_markdown_cell("More:"),
        new_code_cell("print(one())"),
        new_code_cell("assert one() == True\nprint('Well done')"),
        new_code_cell("numbers = [1, 2]"),
        new_code_cell("assert one() in numbers"),
        new_code_cell("def two():\n    return one() + 1"),
        new_code_cell(
            "# Test of two\nimport numpy as np\nnp.testing.assert_equal(two(), 2)"
        ),
        new_code_cell("assert one() != two()"),
        new_code_cell("def three():\n    return 3"),
    ]
    adopted, _ = release(tmp_path, cells)
    assert rows(adopted) == [
        ("answer", "exercise", None),
        ("public test", "exercise_test_1", 0.33),
        ("public test", "exercise_test_2", 0.34),
        ("public test", "exercise_test_3", 0.33),
        ("answer", "exercise_2", None),
        ("public test", "exercise_2_test_1", 0.5),
        ("public test", "exercise_2_test_2", 0.5),
    ]
    assert adopted.questions == [
        "'import math': no answer above defines what is tested here. Not graded.",
        "exercise: are its tests worth 1 point?",
        "exercise_2: are its tests worth 1 point?",
        "Students see these cells as they are: 7, 12.",
    ]


@pytest.mark.slow
def test_points_come_from_tests_then_questions_then_headings(tmp_path: Path) -> None:
    heading = new_markdown_cell("## Task (4 points)")
    first = new_code_cell(CONFIG.format("points: 1"))
    second = shown("square(2)", "4")
    one_more = new_code_cell("assert square(1) == 1")

    by_hand = otter(question="manual: true\npoints: 3")
    text = new_markdown_cell("It is.")
    outer = new_markdown_cell("# Sheet (5 points)")
    last = [new_markdown_cell("## Last"), new_code_cell("y = square(2)")]
    test = new_code_cell("assert y == 4")
    expected: list[tuple[list[Any], list[float]]] = [
        (otter(first, second, question="points: 4"), [1, 3]),
        (otter(first, second), [1, 0]),
        (otter(second, second, question="points: {each: 2}"), [2, 2]),
        (otter(second, second, question="points: {total: 3}"), [1.5, 1.5]),
        (otter(second, second), [0.5, 0.5]),
        ([heading, *otter(second, second)], [2, 2]),
        ([heading, *otter(second), *by_hand[:2], text, by_hand[3]], [1]),
        ([heading, SQUARE, one_more, one_more, one_more], [1.33, 1.33, 1.34]),
        ([outer, heading, SQUARE, one_more, *last, test], [4, 1]),
    ]
    results = release_all(tmp_path, [(cells, "") for cells, _ in expected])
    for (adopted, _), (_, points) in zip(results, expected, strict=True):
        cells = rows(adopted)
        assert [p for kind, _, p in cells if kind.endswith("test")] == points


def test_no_release_is_offered_that_would_be_refused(tmp_path: Path) -> None:
    cells = [new_markdown_cell("# Task (3 points)"), *otter(question="points: 2")]
    cells[6:6] = [shown("square(3)", "9")]
    nbformat.write(new_notebook(cells=cells), tmp_path / "hw.ipynb")
    done = run_here("adopt", "hw.ipynb", cwd=tmp_path)
    assert done.returncode == 1
    assert "says 3 points, but the test cells below it add up to 2" in done.stderr
    assert "Next:" not in done.stdout


def test_headers_and_given_lines_stay_and_what_vanishes_is_listed(
    tmp_path: Path,
) -> None:
    cells = [
        new_code_cell(
            'class Cat:\n    """A cat."""\n\n    def age(self):\n        return 7351'
            '\n\n@staticmethod\ndef name():\n    "Its name."\n    return 7352\n\nname()'
        ),
        new_code_cell("assert Cat().age() and name()"),
        new_code_cell("import math\nword = 'given'\nsize = len(word) + 7353"),
        new_code_cell("assert size > 7"),
        new_code_cell("def short(): return 7354"),
        new_code_cell("assert short()"),
        new_code_cell("total = 7355"),
        new_code_cell("assert total > 1"),
        new_code_cell("%matplotlib inline\nlast = 7356 + total"),
        new_code_cell("assert last > total"),
    ]
    adopted, text = release(tmp_path, cells)
    for line in (
        "class Cat:",
        '    """A cat."""',
        "    def age(self):",
        "@staticmethod\ndef name():",
        "name()",
        "import math\nword = 'given'",
        "%matplotlib inline",
    ):
        assert line in text
    assert "735" not in text
    assert adopted.questions[-1] == (
        "The whole cell became the solution: exercise_3, exercise_4. Is there a line "
        "that students should see? Move it above '### BEGIN SOLUTION'."
    )
