"""The assignment that the hostile class is given, and its honest solution.

Its hidden tests are written the way teachers write them, not the way that is safest:
with ``==``, ``-`` and ``<``, ``in``, ``map``, partial credit, NumPy's own assertions
and an object of the test's that the answer has to call.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from nbproctor.engine import Execution, Servers, Settings, execute
from nbproctor.nbgrader import generate, grade
from nbproctor.notebook import MasterNotebook
from nbproctor.results import Report, StudentCell
from tests.broken.cases import write
from tests.notebooks import cell, notebook, parts, student_cells

# Stands in a hidden test; no student's process may ever see it.
MARK = "a-word-that-only-hidden-tests-know"

SETUP = """\
import math

import numpy as np"""
AREA = """\
def area(r):
    return 3 * r * r"""
ORBIT = """\
def orbit(f, x):
    once = f(x)
    return [x, once, f(once)]"""
CONTROL = """\
def mean_of(numbers):
    return sum(numbers) / len(numbers)"""
ANSWERS = {
    "area": AREA,
    "orbit": ORBIT,
    "control": CONTROL,
}
ORACLE = f"""\
MARK = {MARK!r}
def exact(r):
    return 3 * np.square(r)
class Step:
    def __init__(self, size):
        self.size = size
        self._log = []
    def __call__(self, x):
        self._log.append(x)
        return x + self.size"""
TESTS = f"""
--- area-equal 1
display(MARK)
assert area(2.0) == exact(2.0)
--- area-near 1
got = area(1.5)  # {MARK}
assert abs(got - exact(1.5)) < 1e-9
--- area-close 1
r = np.array([1.0, 2.5, 7.0])  # {MARK}
assert np.allclose(area(r), exact(r))
--- area-testing 1
r = np.array([[1.0, 4.0]])  # {MARK}
np.testing.assert_allclose(area(r), exact(r))
--- area-map 1
def right(r):
    return math.isclose(area(r), exact(r))
assert all(map(right, (0.5, 7.0)))
--- area-count 2
sum(abs(area(r) - exact(r)) < 1e-9 for r in (0.1, 7))
--- orbit-calls 2
step = Step(2)
assert list(orbit(step, 1)) == [1, 3, 5]
assert step._log == [1, 3]
--- orbit-holds 1
assert 16.5 in orbit(Step(7.5), 1.5)  # {MARK}
--- control-values 2
assert mean_of([1, 2, 6]) == 3
--- control-input 1
numbers = [3, 1, 2]
mean_of(numbers)
assert numbers == [3, 1, 2]"""


def hidden(source: str) -> str:
    """Return a test that students do not get."""
    return f"### BEGIN HIDDEN TESTS\n{source}\n### END HIDDEN TESTS"


@dataclass(frozen=True)
class Assignment:
    """What a class is given: exercise → right answer, and all tests.

    A test is called after its exercise, a dash, and something more.
    """

    name: str
    setup: str
    answers: dict[str, str]
    tests: str
    tools: str = ""

    def source(self) -> dict[str, Any]:
        """Return the source notebook."""
        cells = [cell("setup", self.setup)]
        cells += [cell("oracle", hidden(self.tools))] if self.tools else []
        for exercise, answer in self.answers.items():
            header, body = answer.split("\n", 1)
            solved = f"{header}\n    ### BEGIN SOLUTION\n{body}\n    ### END SOLUTION"
            cells.append(cell(exercise, solved, solution=True, locked=False))
            cells += [
                cell(name, hidden(test), grade=True, points=int(points))
                for (name, points), test in parts(self.tests)
                if name.startswith(f"{exercise}-")
            ]
        return notebook(cells)

    def write(self, course: Path) -> MasterNotebook:
        """Write the source notebook into a course and freeze it."""
        folder = course / "source" / self.name
        return MasterNotebook.read(write(folder, self.source(), f"{self.name}.ipynb"))

    @cached_property
    def master(self) -> MasterNotebook:
        """The source notebook, frozen for grading."""
        with TemporaryDirectory() as folder:
            return self.write(Path(folder))

    def handed_in(self, first: str = "", **changed: str) -> tuple[StudentCell, ...]:
        """Return a submission: honest, but for the answers that are `changed`.

        `first` is a cell of the student's own, before everything else.
        """
        answers = self.answers | changed
        texts = [
            (each["id"], answers.get(each["id"], each["source"]))
            for each in self.source()["cells"]
            if each["id"] != "oracle"
        ]
        return student_cells([(None, first), *texts] if first else texts)

    def judge(
        self,
        servers: Servers,
        settings: Settings,
        first: str = "",
        **changed: str,
    ) -> Report:
        """Return the report on a submission: see `handed_in`."""
        cells = self.handed_in(first, **changed)
        return execute(Execution(cells, self.master, settings), servers)

    def full(self) -> dict[str, float]:
        """Return the points that each exercise can earn."""
        points = dict.fromkeys(self.answers, 0.0)
        for (name, most), _ in parts(self.tests):
            points[name.partition("-")[0]] += int(most)
        return points

    def earned(self, report: Report) -> dict[str, float]:
        """Return the points of each exercise."""
        points = dict.fromkeys(self.answers, 0.0)
        for verdict in report.verdicts:
            points[str(verdict.exercise)] += verdict.points
        return points


TRAP = Assignment("trap", SETUP, ANSWERS, TESTS, ORACLE)
FULL = TRAP.full()

CONFIG = """\
c = get_config()
from nbproctor.nbgrader import proctor
c.CourseDirectory.course_id = "hostile"
c.ClearSolutions.code_stub = {"python": "raise NotImplementedError"}
c.ClearHiddenTests.enforce_metadata = False
proctor(c)
"""


def grade_class(
    course: Path,
    students: Iterable[str],
    submit: Callable[[str, Path, dict[str, Any]], None],
) -> None:
    """Grade a class in a new course, through the files.

    `submit` gets a student, the folder for the submission, and the solved notebook.
    """
    TRAP.write(course)
    (course / "nbgrader_config.py").write_text(CONFIG)
    generate(course, "trap")
    released = (course / "release/trap/trap.ipynb").read_text("utf-8")
    for student in students:
        folder = course / "submitted" / student / "trap"
        folder.mkdir(parents=True)
        solved = json.loads(released)
        for block in solved["cells"]:
            block["source"] = ANSWERS.get(block["id"], block["source"])
        submit(student, folder, solved)
    grade(course, "trap")
