"""Notebooks of other graders become nbgrader sources that earn every point."""

from __future__ import annotations

import re
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
from nbproctor.kit.adopt import Adopted, AdoptError, adopt
from nbproctor.kit.solutions import solution_marks
from tests.notebooks import parts, read_notebook
from tests.programs import run_line

# Notebooks are written as text. A cell begins with a line "--- kind", behind which may
# stand what it shows, prints or raises.
KINDS = {
    "raw": new_raw_cell,
    "text": new_markdown_cell,
    "code": new_code_cell,
}
OUTPUTS = {
    "shows": lambda value: new_output(
        "execute_result", {"text/plain": value}, execution_count=1
    ),
    "prints": lambda text: new_output("stream", text=f"{text}\n"),
    "raises": lambda kind: new_output(
        "error",
        ename=kind,
        evalue="",
        traceback=[],
    ),
}


def notebook_of(text: str) -> nbformat.NotebookNode:
    """Read a notebook."""
    cells = []
    for number, ((kind, *output), source) in enumerate(parts(f"\n{text}")):
        cell = KINDS[kind](source.strip("\n"), id=f"cell-{number}")
        if output:
            how, value = output
            cell.outputs = [OUTPUTS[how](value)]
        cells.append(cell)
    return new_notebook(cells=cells)


# Blocks stand in raw cells or, as in later versions, between fences.
OTTER = '''
--- raw
# ASSIGNMENT CONFIG
files:
  - data.csv
--- code
import otter
grader = otter.Notebook()
import math
--- raw
# BEGIN QUESTION
name: q1
points: 3
--- text
Write `square`.
--- raw
# BEGIN SOLUTION
--- code
def square(x):
    return x * x  # SOLUTION
--- raw
# END SOLUTION
--- text
```otter
# BEGIN TESTS
```
--- code shows True
square(3) == 9
--- code shows 16
""" # BEGIN TEST CONFIG
hidden: true
""" # END TEST CONFIG
x = 4
square(x)
--- code prints 4
print(square(2))
--- raw
# END TESTS
--- raw
# END QUESTION
--- text
```otter
# BEGIN QUESTION
name: q2
points: 2
manual: true
```
Explain it.
```otter
# BEGIN SOLUTION
```
--- text
It multiplies.
--- text
```otter
# END SOLUTION
```

```otter
# END QUESTION
```
'''
OLDER = """
--- text
Assign x.
```
BEGIN QUESTION
name: q1
points: [1, 2]
```
--- code
x = 2 # SOLUTION
--- code shows True
# TEST
isinstance(x, int)
--- code shows 2
# HIDDEN TEST
x
--- code
# no part of it
y = x
"""
OKPY = """
--- code
from client.api.notebook import Notebook
ok = Notebook('lab.ok')
--- code
def twice(x):
    return 2 * x
--- code
_ = ok.grade('q1')
"""
OKPY_TESTS = """test = {
  'name': 'q1', 'points': 4,
  'suites': [{'type': 'doctest', 'setup': '', 'cases': [
    {'code': ">>> twice(3)\\n6\\n>>> y = twice('a')\\n>>> y\\n'aa'", 'hidden': False},
    {'code': ">>> twice(0.5)\\n1.0", 'hidden': True},
    {'code': ">>> twice()\\nTraceback (most recent call last):\\nTypeError: no"},
  ]}]}
"""
PLAIN = """
--- code
def half(x):
    ### BEGIN SOLUTION
    return x / 2
    ### END SOLUTION
--- code
assert half(4) == 2
"""


def adopted(
    folder: Path,
    text: str,
    tests: str = "",
) -> Adopted:
    """Adopt a notebook, next to a file of tests and one of data."""
    (folder / "tests").mkdir(parents=True)
    (folder / "tests/q1.py").write_text(tests)
    (folder / "data.csv").write_text("a,b\n")
    nbformat.write(notebook_of(text), folder / "old.ipynb")
    return adopt(folder / "old.ipynb")


def code_of(notebook: nbformat.NotebookNode) -> str:
    return "\n".join(cell.source for cell in notebook.cells)


def rows(result: Adopted) -> str:
    """Return its answers, and its tests with their points, each in a line."""
    return "".join(
        f"{each.kind}: {each.grade_id} {each.points or 0:g}\n"
        for each in result.cells
        if each.grade_id
    )


# What is adopted → its answers and tests, and what the teacher is asked.
FORMS = {
    "otter": (
        OTTER,
        """\
answer: q1 0
public test: q1_test_1 1.5
hidden test: q1_test_2 1.5
answer, graded by hand: q2 2
""",
        "q1: a test compares what is printed: 'print(square(2))'. Left out.",
    ),
    "older otter": (
        OLDER,
        "answer: q1 0\npublic test: q1_test_1 1\nhidden test: q1_test_2 2\n",
        "The whole cell became the solution: q1.",
    ),
    "okpy": (
        OKPY,
        "answer: q1 0\npublic test: q1_test_1 2\nhidden test: q1_test_2 2\n",
        "q1: a test expects an exception: 'twice()'. Left out.",
    ),
    "plain": (
        PLAIN,
        "answer: exercise 0\npublic test: exercise_test_1 1\n",
        "exercise: are its tests worth 1 point?",
    ),
}


@pytest.mark.parametrize("form", FORMS)
def test_cells_become_answers_and_tests_and_nothing_of_the_other_grader_is_left(
    tmp_path: Path, form: str
) -> None:
    text, expected, question = FORMS[form]
    result = adopted(tmp_path / "other", text, OKPY_TESTS if form == "okpy" else "")
    assert rows(result) == expected
    assert "\n".join(result.questions).startswith(question)
    code = code_of(result.notebook)
    for word in ("otter", "ok.", "Notebook(", "BEGIN QUESTION", "TEST CONFIG"):
        assert word not in code
    assert ("import math" in code) == (form == "otter")


IGNORED = """
--- text
## Ignore ##

Run all of it first.
--- code
# IGNORE
answer = 42
--- code
# ignore: trials
answer = 42
--- code
# ignore warnings
import warnings
"""


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


@pytest.mark.parametrize("points", ["much", "[1, [2]]"])
def test_points_in_a_form_that_is_not_known_are_refused(
    tmp_path: Path, points: str
) -> None:
    text = OTTER.replace("points: 3", f"points: {points}")
    with pytest.raises(AdoptError, match="a form that is not known"):
        adopted(tmp_path / "other", text)


@pytest.mark.slow
def test_the_command_writes_an_assignment_that_earns_every_point(
    tmp_path: Path,
) -> None:
    adopted(tmp_path / "other", OTTER)
    course = tmp_path / "course"
    course.mkdir()
    output = run_line("adopt ../other/old.ipynb squares", course)
    assert "The reference solution earns every point." in output
    assert "hidden test" in output and "5 points" in output
    assert (course / "source/squares/data.csv").is_file()
    nbgrader.generate(course, "squares")
    release = (course / "release/squares/squares.ipynb").read_text()
    for line in ("Write `square`.", "== 9", "Explain it."):
        assert line in release
    for line in ("x * x", "== 16", "multiplies", "```"):
        assert line not in release
    again = run_line("adopt ../other/old.ipynb squares", course, status=1)
    assert "already exists" in again


NEEDS_FILES = """
--- raw
# ASSIGNMENT CONFIG
student_files:
  - given.csv
--- code raises TypeError
import helpers
8 + '8'
--- raw
# BEGIN QUESTION
name: q1
--- raw
# BEGIN SOLUTION
--- code
x = ...
y = [1, 2][0]
--- raw
# END SOLUTION
--- raw
# BEGIN TESTS
--- code shows True
x == 2
--- raw
# END TESTS
--- raw
# END QUESTION
"""


def test_what_an_otter_notebook_needs_comes_along_and_blanks_are_said(
    tmp_path: Path,
) -> None:
    for name in ("given.csv", "helpers.py"):
        (tmp_path / name).write_text("")
    nbformat.write(notebook_of(NEEDS_FILES), tmp_path / "hw.ipynb")
    output = run_line("adopt hw.ipynb", tmp_path)
    assert "Without a solution: q1" in output
    assert "Then: nbproctor lint hw" in output
    names = {path.name for path in (tmp_path / "source/hw").iterdir()}
    assert names == {"hw.ipynb", "given.csv", "helpers.py"}
    adopted = read_notebook(tmp_path / "source/hw/hw.ipynb")
    tags = [cell.metadata.get("tags") for cell in adopted.cells]
    assert [each for each in tags if each] == [["skip-grading"]]


# Lines that stand for others in the notebooks below.
WORDS = {
    "SQUARE": "--- code\ndef square(x):\n    return x * x  # SOLUTION\n",
    "QUESTION": "--- raw\n# BEGIN QUESTION\nname: q1\n",
    "SOLUTION": "--- raw\n# BEGIN SOLUTION\nSQUARE\n--- raw\n# END SOLUTION\n",
    "TESTS": "--- raw\n# BEGIN TESTS\n",
    "END": "--- raw\n# END TESTS\n--- raw\n# END QUESTION\n",
}


def write_out(text: str) -> str:
    """Return a text with the lines for which some of its lines stand."""
    for word in ("SOLUTION", *WORDS):
        text = text.replace(f"\n{word}\n", f"\n{WORDS[word]}")
    return text


def named(text: str) -> dict[str, str]:
    """Return the notebooks below lines such as ``=== name``."""
    notebooks = (part.partition("\n") for part in text.split("\n=== ")[1:])
    return {name: write_out(f"\n{cells}\n") for name, _, cells in notebooks}


OK_FILE = """OK_FORMAT = True
test = {'name': 'q1', 'suites': [{'cases': [
    {'code': '>>> square(3)\\n9', 'hidden': False}, %s]}]}
"""


PUBLIC = """
QUESTION
SOLUTION
TESTS
--- code shows True
square(3) == 9
END
"""
HIDDEN = named('''
=== Otter
QUESTION
SOLUTION
TESTS
--- code shows 8100
# HIDDEN
square(90)
END
=== a word
QUESTION
SOLUTION
TESTS
--- code shows 8100

# A hidden test
square(90)
END
=== capitals
QUESTION
SOLUTION
TESTS
--- code
""" # BEGIN TEST CONFIG
Hidden: no
hidden: yes
""" # END TEST CONFIG
assert square(90) == 8100
END
=== configured below a comment
QUESTION
SOLUTION
TESTS
--- code
# Test 1
""" # BEGIN TEST CONFIG
hidden: true
""" # END TEST CONFIG
assert square(90) == 8100
END
=== in no question
SQUARE
TESTS
--- code shows 8100
# HIDDEN
square(90)
=== in no block
QUESTION
SOLUTION
--- code
# a hidden one
assert square(90) == 8100
=== older
--- text
Assign x.
```
BEGIN QUESTION
name: q1
points: [1, 2]
```
SQUARE
--- code
# Hidden test
assert square(90) == 8100
=== plain
SQUARE
--- code
# hidden
assert square(90) == 8100
=== plain, of nothing
SQUARE
--- code
assert half(4) == 2
--- code
# HIDDEN TEST
assert 90 * 90 == 8100
=== marked
SQUARE
--- code
assert square(3) == 9
### BEGIN HIDDEN TESTS
assert square(90) == 8100
### END HIDDEN TESTS
=== doctest
SQUARE
--- code
grader.check('q1')
=== doctest, not said
SQUARE
--- code
grader.check('q1')
=== doctest, a word
SQUARE
--- code
grader.check('q1')
''')
# Of those that are checked: the case in their file.
CASES = {
    "doctest": "{'code': '>>> square(90)\\n8100', 'hidden': True}",
    "doctest, not said": "{'code': '>>> square(90)\\n8100'}",
    "doctest, a word": (
        "{'code': '>>> # Hidden\\n>>> square(90)\\n8100', 'hidden': False}"
    ),
}


UNREADABLE = '''
QUESTION
SOLUTION
TESTS
--- code shows 4
square(2)
--- code
""" # BEGIN TEST CONFIG
hidden: [true
""" # END TEST CONFIG
assert square(90) == 8100
--- code
' # BEGIN TEST CONFIG: hidden'
assert square(90) == 8100
--- code
return square(90) == 8100
END
'''
ASSERTIONS = """
--- code
import math
assert math.pi > 3
--- code
def one():
    return 1
--- code
assert one() == 1
--- text
More:
--- code
print(one())
--- code
assert one() == True
print('Well done')
--- code
numbers = [1, 2]
--- code
assert one() in numbers
--- code
def two():
    return one() + 1
--- code
# Test of two
import numpy as np
np.testing.assert_equal(two(), 2)
--- code
assert one() != two()
--- code
def three():
    return 3
"""
ANSWERS_AND_TESTS = """\
answer: exercise 0
public test: exercise_test_1 0.33
public test: exercise_test_2 0.34
public test: exercise_test_3 0.33
answer: exercise_2 0
public test: exercise_2_test_1 0.5
public test: exercise_2_test_2 0.5
"""


# Points of the tests, and a notebook.
POINTS = named('''
=== 1 3
QUESTION
points: 4
SOLUTION
TESTS
--- code
""" # BEGIN TEST CONFIG
points: 1
""" # END TEST CONFIG
assert square(90) == 8100
--- code shows 4
square(2)
END
=== 1 0
QUESTION
SOLUTION
TESTS
--- code
""" # BEGIN TEST CONFIG
points: 1
""" # END TEST CONFIG
assert square(90) == 8100
--- code shows 4
square(2)
END
=== 2 2
QUESTION
points: {each: 2}
SOLUTION
TESTS
--- code shows 4
square(2)
--- code shows 4
square(2)
END
=== 2 3
QUESTION
points: {each: 2}
SOLUTION
TESTS
--- code shows 4
square(2)
--- code
""" # BEGIN TEST CONFIG
points: 3
""" # END TEST CONFIG
assert square(90) == 8100
END
=== 1.5 1.5
QUESTION
points: {total: 3}
SOLUTION
TESTS
--- code shows 4
square(2)
--- code shows 4
square(2)
END
=== 0.5 0.5
QUESTION
SOLUTION
TESTS
--- code shows 4
square(2)
--- code shows 4
square(2)
END
=== 2 2 of a heading
--- text
## Task (4 points)
QUESTION
SOLUTION
TESTS
--- code shows 4
square(2)
--- code shows 4
square(2)
END
=== 1 of a heading
--- text
## Task (4 points)
QUESTION
SOLUTION
TESTS
--- code shows 4
square(2)
END
--- raw
# BEGIN QUESTION
name: q1
manual: true
points: 3
--- raw
# BEGIN SOLUTION
--- text
It is.
--- raw
# END SOLUTION
=== 1.33 1.33 1.34
--- text
## Task (4 points)
SQUARE
--- code
assert square(1) == 1
--- code
assert square(1) == 1
--- code
assert square(1) == 1
=== 4 1
--- text
# Sheet (5 points)
--- text
## Task (4 points)
SQUARE
--- code
assert square(1) == 1
--- text
## Last
--- code
y = square(2)
--- code
assert y == 4
''')
GIVEN = '''
--- code
class Cat:
    """A cat."""

    def age(self):
        return 7351

@staticmethod
def name():
    "Its name."
    return 7352

name()
--- code
assert Cat().age() and name()
--- code
import math
word = 'given'
size = len(word) + 7353
--- code
assert size > 7
--- code
def short(): return 7354
--- code
assert short()
--- code
total = 7355
--- code
assert total > 1
--- code
%matplotlib inline
last = 7356 + total
--- code
assert last > total
'''
Released = dict[str, tuple[Adopted, str]]
# Notebooks that are released.
NOTEBOOKS = {
    "ignored": IGNORED + OTTER,
    "unreadable": write_out(UNREADABLE),
    "assertions": ASSERTIONS,
    "given": GIVEN,
    **POINTS,
    **{name: text + write_out(PUBLIC) for name, text in HIDDEN.items()},
}


@pytest.fixture(scope="module")
def released(module_path: Path) -> Released:
    """All of them adopted: what that says, and what students get."""
    source = module_path / "source/hw"
    source.mkdir(parents=True)
    (module_path / "nbgrader_config.py").write_text("c = get_config()\n")
    results = {}
    for name, text in NOTEBOOKS.items():
        tests = OK_FILE % CASES.get(name, "")
        results[name] = adopted(module_path / name, text, tests)
        nbformat.write(results[name].notebook, source / f"{name}.ipynb")
    nbgrader.generate(module_path, "hw")
    student = module_path / "release/hw"
    return {
        name: (result, code_of(read_notebook(student / f"{name}.ipynb")))
        for name, result in results.items()
    }


@pytest.mark.slow
def test_what_only_the_author_of_an_otter_notebook_sees_is_not_published(
    released: Released,
) -> None:
    _, student = released["ignored"]
    assert "42" not in student and "Run all" not in student
    assert "import warnings" in student


@pytest.mark.slow
@pytest.mark.parametrize("form", HIDDEN)
def test_a_hidden_test_is_never_in_the_release(released: Released, form: str) -> None:
    adopted, text = released[form]
    assert "square(3) == 9" in text
    assert "810" not in text and "hidden" not in text.lower(), text
    hidden = [row.cell.source for row in adopted.cells if row.kind == "hidden test"]
    assert bool(hidden) != ("Left out." in "".join(adopted.questions))
    # A student's page shows the first comment of a hidden test.
    assert not re.search("^#+ hidden( tests?)?$", "\n".join(hidden), re.I | re.M)


@pytest.mark.slow
def test_a_test_that_cannot_be_read_publishes_nothing(
    released: Released,
) -> None:
    adopted, text = released["unreadable"]
    assert "8100" not in text
    for question in adopted.questions[:2]:
        assert "configuration cannot be read" in question
    assert adopted.questions[2].startswith("q1: a test cannot be a cell by itself")


@pytest.mark.slow
def test_assertions_test_the_nearest_answer_that_they_use(
    released: Released,
) -> None:
    adopted, _ = released["assertions"]
    assert rows(adopted) == ANSWERS_AND_TESTS
    assert adopted.questions == [
        "'import math': no answer above defines what is tested here. Not graded.",
        "exercise: are its tests worth 1 point?",
        "exercise_2: are its tests worth 1 point?",
        "Students see these cells as they are: 7, 12.",
    ]


@pytest.mark.slow
@pytest.mark.parametrize("points", POINTS)
def test_points_come_from_tests_then_questions_then_headings(
    released: Released, points: str
) -> None:
    adopted, _ = released[points]
    tests = [each for each in adopted.cells if each.kind.endswith("test")]
    expected = points.removesuffix(" of a heading")
    assert " ".join(f"{each.points:g}" for each in tests) == expected


def test_no_release_is_offered_that_would_be_refused(tmp_path: Path) -> None:
    notebook = notebook_of("--- text\n# Task (3 points)\n" + POINTS["1 0"])
    nbformat.write(notebook, tmp_path / "hw.ipynb")
    output = run_line("adopt hw.ipynb", tmp_path, status=1)
    assert "says 3 points, but the test cells below it add up to 1" in output
    assert "Next:" not in output


@pytest.mark.slow
def test_headers_and_given_lines_stay_and_what_vanishes_is_listed(
    released: Released,
) -> None:
    adopted, text = released["given"]
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
