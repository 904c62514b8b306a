r"""Grade public courses with plain nbgrader and with nbproctor, and compare each score.

Given folders with clones of courses that use nbgrader, it finds their source notebooks
(test cells, and solutions between markers or of somebody who has solved it), makes a
course of each, and hands in the reference, the blank release, the reference in other
forms and with values of other types, and mutants of it with one mistake in every
exercise. Stock nbgrader runs foreign code as it is: here, in bubblewrap, without a
network and with nothing but the course's own folder to write to.

    .venv/bin/python bench/courses.py CLONES/*                  # three of each
    .venv/bin/python bench/courses.py CLONES/* --only fourier --mutants 5
    .venv/bin/python bench/courses.py CLONES/* --table   # clones named owner__name
    .venv/bin/python bench/courses.py CLONES/* --table --mutants 1 --sides default \
        --cache STOCK --results STATE    # as in docs/public-courses.md

These make the clones of the table:

    grep -E '^[0-9a-f]{12} ' bench/courses.py | cut -d' ' -f1,2 | sort -u |
    while read commit name; do
        git clone -q "https://github.com/$name" "CLONES/${name/\//__}"
        git -C "CLONES/${name/\//__}" checkout -q "$commit"
    done

Prints every score that differs, and a row a notebook: *strict* is nbproctor with its
improvements turned off (follow-through, repair of answers, text on stderr that costs
nothing); *default* is nbproctor as installed. A score is what one test cell earns in
one submission. It is *lost* if plain nbgrader gave more, *gained* if it gave less, and
*waiting* if nbproctor says that a person decides. A gained score is *proved* if plain
nbgrader gives it to the same answer among right ones, with nothing on stderr
(docs/differences.md names both rules). Where *strict* differs, both grade again some
times: *chance* are scores that differ from themselves, of a test that draws numbers.
With --results, a run may be interrupted. Nothing of the courses is kept.
"""

from __future__ import annotations

import argparse
import ast
import hashlib
import importlib.util
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import nbformat
from nbgrader.api import Gradebook

from nbproctor.audit.mutants import mutants
from nbproctor.errors import NbproctorError
from nbproctor.markers import imports
from nbproctor.nbgrader.placement import FILE
from nbproctor.results import SubmissionResult

NAME = "homework"
SWITCH = "from nbproctor import proctor\nproctor(c)\n"
AS_STOCK = """
c.Nbproctor.follow_through = False
c.Nbproctor.repair_answers = False
c.Nbproctor.stderr_fails_tests = True
"""
SIDES = {"strict": SWITCH + AS_STOCK, "default": SWITCH}
PRODUCTS = {"release", "submitted", "autograded", "feedback", ".ipynb_checkpoints"}
# Of a course's own configuration, what decides what a cell is and what it earns.
KEPT = (
    r"c\.((?:ClearSolutions|ClearHiddenTests|ClearMarkScheme|Execute|LockCells)\.\w+)"
)
LARGEST = 50 << 20  # bytes of a file beside a notebook
COMMAND_SECONDS = 1800
_STUB = re.compile(r"YOUR CODE HERE|raise NotImplementedError")
# Put before an answer: what it prints to stderr is not shown.
_SILENT = "import os, sys\nsys.stderr = open(os.devnull, 'w')\n"
# Put before an answer; a type that is not named stays as it is.
_CONVERT = """
def _converted(value):
    import collections, fractions, numpy
    return {{{}}}.get(type(value), lambda same: same)(value)
"""
NUMPY = (
    "bool: numpy.bool_, int: numpy.int64, float: numpy.float64, list: tuple, "
    "dict: collections.OrderedDict, set: frozenset"
)
PLAIN = (
    "int: float, float: numpy.float32, tuple: list, list: numpy.array, "
    "numpy.ndarray: numpy.ndarray.tolist, numpy.float64: float, numpy.int64: int"
)
# Notebooks of public repositories that can be graded here, by field. A line: commit,
# repository, how the path of its notebooks begins.
TABLE = """
# Python, data science
c7bdc3bfea79 LDSSA/ds-prep-course-2023 Week 01/SLU02 - Programming Basics
c7bdc3bfea79 LDSSA/ds-prep-course-2023 Week 02/SLU03 - Git Basics
c7bdc3bfea79 LDSSA/ds-prep-course-2023 Week 02/SLU04 - Data Structures
c7bdc3bfea79 LDSSA/ds-prep-course-2023 Week 03/SLU05 - Flow Control
c7bdc3bfea79 LDSSA/ds-prep-course-2023 Week 04/SLU07 - Functions Fundamentals
c7bdc3bfea79 LDSSA/ds-prep-course-2023 Week 05/SLU08 - Functions Intermediate
c7bdc3bfea79 LDSSA/ds-prep-course-2023 Week 05/SLU09 - OOP Basics
c7bdc3bfea79 LDSSA/ds-prep-course-2023 Week 06/SLU10 - OOP Inheritance
c7bdc3bfea79 LDSSA/ds-prep-course-2023 Week 06/SLU11 - String & File Handling
c7bdc3bfea79 LDSSA/ds-prep-course-2023 Week 07/SLU12 - Linear Algebra & Numpy - Part 1
c7bdc3bfea79 LDSSA/ds-prep-course-2023 Week 08/SLU13 - Linear Algebra & NumPy, Part 2
c7bdc3bfea79 LDSSA/ds-prep-course-2023 Week 08/SLU14 - Modules & Packages
c7bdc3bfea79 LDSSA/ds-prep-course-2023 Week 10/SLU17_1
c7bdc3bfea79 LDSSA/ds-prep-course-2023 Week 11/SLU18_1
c7bdc3bfea79 LDSSA/ds-prep-course-2023 Week 11/SLU18_4
6bfff28c4cd6 LDSSA/ds-prep-course-2025 Week 01/SLU02 - Programming Basics
6bfff28c4cd6 LDSSA/ds-prep-course-2025 Week 04/SLU06 - Git Intermediate
6bfff28c4cd6 LDSSA/ds-prep-course-2025 Week 06/SLU11 - String & File Handling
6bfff28c4cd6 LDSSA/ds-prep-course-2025 Week 08/SLU14 - Modules & Packages
6bfff28c4cd6 LDSSA/ds-prep-course-2025 Week 09/SLU15 - Debugging & Text Editor
324f5302ade9 LDSSA/ds-prep-course-2021 Week 10/SLU17_2 - Exam Prep I
324f5302ade9 LDSSA/ds-prep-course-2021 Week 11/SLU18_1 - Exam Prep II
750ce60a0957 LDSSA/batch5-coding-test-solutions Exercise notebook
27c92e899fca EugeneGIS/Geo-Python-2019 Exercise for Lesson 4
38cae24f2245 downunder777/dsci-100-student-python materials/py_worksheet_intro
1cda137c2844 zackives/gradescope-nbgrader source/ps1/problem1
436a53caff3b zichengliao/zuics101-fa17 source/lab10/lab10
436a53caff3b zichengliao/zuics101-fa17 source/lab11_new
436a53caff3b zichengliao/zuics101-fa17 source/lab12_new
faadae6b5a31 nachorequeno/programacion_python nbgrader/source/p1
faadae6b5a31 nachorequeno/programacion_python nbgrader/source/p2
3df98e53810a lukassnoek/introPy intropy/solutions/week_1/4_numpy
805d5c1e9e10 maizehsu/grader-test assignments/source/assignment1
f8ba538246f8 davis68/test101 source/lab6
# physics
71afde5183ba wwaldron/PH306-Assignment-Template assignment
26c72724c312 spanto/2021WNPhys260 source/pf7
26c72724c312 spanto/2021WNPhys260 source/ps1/tutorialhw.ipynb
5c7ae5d38a1e uhd-pap/course-deploy 10
5c7ae5d38a1e uhd-pap/course-deploy 20
# signals and images
77542f8044f2 aalbiol/ss-jupyterhub source/autonomos-respuesta
77542f8044f2 aalbiol/ss-jupyterhub source/autonomos-crossfade
a36cc6bf5e37 madclam/info113 source/HW1/01-images
99413a663ec8 vladimiracunadev-create/neural-network-training-labs assignments/source/03
# time series
99413a663ec8 vladimiracunadev-create/neural-network-training-labs assignments/source/05
# language
0c0b6bad4406 bencrabbe/numnlp exercises/source/optim
ecbf30293009 zllu2/iMSA_577 assignments/source/Module6/assignment_high
# databases, big data
cc3f24cdf03c fmind/bigdata-tutorials source/01-SQL
cc3f24cdf03c fmind/bigdata-tutorials source/02-RDB
959381fbd574 feldlime/nbgrader-itmo-recsys-2025-spring nbgrader/app/source/hw_1
# statistics
cc3f24cdf03c fmind/bigdata-tutorials source/08-STATS
df9f673b1314 rameshsrinivasanuci/COGS14P_F25_Assignments classwork/source/cw3
df9f673b1314 rameshsrinivasanuci/COGS14P_F25_Assignments classwork/source/hwk2
435229414bb3 quan3010/SIADS-680 assignments/assignment2
# reinforcement learning
b731faa3c6d0 LucasBoTang/Coursera_Reinforcement_Learning 01Fund
9a17da29d8a0 castorfou/Reinforcement-Learning-specialization assignements/course 1
9a17da29d8a0 castorfou/Reinforcement-Learning-specialization assignements/course 2
99413a663ec8 vladimiracunadev-create/neural-network-training-labs assignments/source/10
# machine learning
7febef226f9f arishokri/ml_in_io nbgrader/source/hw2
d780cb70b6e6 GabbySuwichaya/Machine-Learning-Course SVM
7efdf3457b37 rish-av/NNFL-2020 nbgrader/source
ecbf30293009 zllu2/iMSA_577 assignments/source/Module3/assignment_high
d394a280335f zllu2/iMSA570_Linden assignments/source/module3/assignment_high
54874ea230cd Fraol-Gmichael/Deep-Learning-Specialization-Coursera Course 1/W2A2
# numerics
8246e07eef02 219project/num_meth_nbgrader TestCourse/source/Eigenvalues
8246e07eef02 219project/num_meth_nbgrader TestCourse/source/LSQ
8246e07eef02 219project/num_meth_nbgrader TestCourse/source/QR
d75ab42cfdf0 ozguryilmaz/Math307---2021WT2 source/Assignment0
# biology and medicine
ebe2f2863dd5 ShaunFChen/Applied_bioinfo_nbgrader HW2
dfd2a23b2b69 eeholcomb/hds5210 applied04-encapsulation
# networks and security
94dbdf5b17e2 ComplexNetTSP/ComplexNetTD source/Lab 1
52ad875cc49c ccha23/cs1302i21a source/Lab7
52ad875cc49c ccha23/cs1302i21a source/Lab9
# for R and Julia: refused
ebe2f2863dd5 ShaunFChen/Applied_bioinfo_nbgrader HW3
00c5866bae13 ttimbers/nbgrader_r_demo source/lab1
e5dc44a4b3c1 urbainvaes/numerical_analysis notebooks/source/1_intro_julia
"""
KINDS = ("lost", "gained", "waiting", "chance")
COUNTED = ("notebooks", "cells", "scores", *KINDS, "proved")


@dataclass
class Source:
    """A source notebook of a public course, and what its configuration says."""

    clone: Path
    path: Path
    book: nbformat.NotebookNode
    options: dict[str, Any]

    def __str__(self) -> str:
        return f"{self.clone.name}/{self.path.relative_to(self.clone)}"

    def cells(self, *, solution: bool) -> dict[str, nbformat.NotebookNode]:
        """Return its solution cells, or the test cells that have points, by name."""
        marked = {}
        for cell in self.book.cells:
            score = cell.metadata.get("nbgrader") or {}
            wanted = score.get("solution", False) == solution
            if cell.cell_type == "code" and wanted and (solution or score.get("grade")):
                marked[score["grade_id"]] = cell
        return marked

    def references(self) -> dict[str, str]:
        """Return the text of each solution cell; none if there is no solution."""
        ends = [
            self.options.get(f"ClearSolutions.{end.lower()}_solution_delimeter")
            or f"{end} SOLUTION"
            for end in ("BEGIN", "END")
        ]
        cells = self.cells(solution=True)
        marked = any(ends[0] in cell.source for cell in cells.values())
        if not marked and any(_STUB.search(c.source) for c in cells.values()):
            return {}  # a release; without scores and stubs, somebody has solved it
        return {
            name: "\n".join(
                line
                for line in cell.source.split("\n")
                if not any(end in line for end in ends)
            )
            for name, cell in cells.items()
        }

    def missing(self) -> str:
        """Say why it cannot be graded here: its language, or packages it imports."""
        about = self.book.metadata
        kernel, info = about.get("kernelspec", {}), about.get("language_info", {})
        language = kernel.get("language") or info.get("name") or "python"
        if language.lower() != "python":
            return f"kernel for {language}"
        code = (c.source for c in self.book.cells if c.cell_type == "code")
        names = {name.partition(".")[0] for text in code for name in imports(text)}
        names -= {path.stem for path in self.path.parent.iterdir()} | {"__main__", ""}
        absent = [n for n in sorted(names) if importlib.util.find_spec(n) is None]
        return f"packages {', '.join(absent)}" if absent else ""

    def digest(self, *options: Any) -> str:
        """Return a name for what is made of it."""
        parts = [str(self), self.book, self.answers(options[0]), self.options, options]
        return hashlib.sha256(repr(parts).encode()).hexdigest()[:20]

    def answers(self, count: int) -> dict[str, dict[str, str]]:
        """Return submissions: name → name of a solution cell → its text."""
        right = self.references()
        wrong = {exercise: _mutants(text) for exercise, text in right.items()}
        handed_in = {"reference": right, "blank": {}}
        for name, change in FORMS.items():
            other = {exercise: change(text) for exercise, text in right.items()}
            if other != right:
                handed_in[name] = other
        for number in range(count if any(wrong.values()) else 0):
            handed_in[f"mutant{number + 1}"] = right | {
                exercise: made[spread(len(made), count)[number]]
                for exercise, made in wrong.items()
                if made
            }
        return handed_in


def other_form(text: str, first: int) -> str:
    """Return the same answer with its functions in another form, in turn.

    As a lambda or an object with ``__call__``, inside ``if True:``, and decorated.
    """
    try:
        tree = ast.parse(text)
    except (SyntaxError, ValueError):  # magics, or no Python
        return text
    for place, node in enumerate(tree.body):
        if isinstance(node, ast.FunctionDef) and not node.decorator_list:
            form = (first + place) % 3
            tree.body[place] = (_as_object, _as_branch, _as_decorated)[form](node)
    return ast.unparse(ast.fix_missing_locations(tree))


def _as_object(node: ast.FunctionDef) -> ast.stmt:
    body = node.body[ast.get_docstring(node) is not None :]
    if len(body) == 1 and isinstance(body[0], ast.Return) and body[0].value:
        value: ast.expr = ast.Lambda(node.args, body[0].value)
        return ast.Assign([ast.Name(node.name, ast.Store())], value)
    made = ast.parse(
        "class _Answer:\n    def __call__(self, *args, **named):\n"
        f"        return self.answer(*args, **named)\n{node.name} = _Answer()"
    ).body
    made[0].body.append(node)  # type: ignore[attr-defined]
    node.decorator_list = [ast.Name("staticmethod", ast.Load())]
    node.name = "answer"
    return ast.If(ast.Constant(value=True), made, [])


def _as_branch(node: ast.FunctionDef) -> ast.stmt:
    return ast.If(ast.Constant(value=True), [node], [])


def _as_decorated(node: ast.FunctionDef) -> ast.stmt:
    decorator = ast.parse(
        "def _logged(function):\n    import functools\n"
        "    @functools.wraps(function)\n    def inner(*args, **named):\n"
        "        return function(*args, **named)\n    return inner"
    ).body
    node.decorator_list = [ast.Name("_logged", ast.Load())]
    return ast.If(ast.Constant(value=True), [*decorator, node], [])


def other_types(text: str, conversions: str) -> str:
    """Return an answer whose functions and names have right values of other types."""
    try:
        tree = ast.parse(text)
    except (SyntaxError, ValueError):
        return text
    changed = _OtherTypes().visit(tree)
    return f"{_CONVERT.format(conversions)}{ast.unparse(changed)}"


class _OtherTypes(ast.NodeTransformer):
    """Converts what functions return, and what is assigned outside of them."""

    def visit_FunctionDef(self, node: ast.FunctionDef) -> ast.AST:
        for inner in ast.walk(node):
            if isinstance(inner, ast.Return) and inner.value:
                inner.value = _converted(inner.value)
        return ast.fix_missing_locations(node)

    def visit_ClassDef(self, node: ast.ClassDef) -> ast.AST:
        return node

    def visit_Assign(self, node: ast.Assign) -> ast.AST:
        if all(isinstance(target, ast.Name) for target in node.targets):
            node.value = _converted(node.value)
        return ast.fix_missing_locations(node)


def _converted(value: ast.expr) -> ast.Call:
    return ast.Call(ast.Name("_converted", ast.Load()), [value], [])


# Submissions that say the same in another way: name → what they make of a cell.
FORMS = {
    "form1": partial(other_form, first=0),
    "form2": partial(other_form, first=1),
    "types1": partial(other_types, conversions=NUMPY),
    "types2": partial(other_types, conversions=PLAIN),
}


def spread(length: int, count: int) -> list[int]:
    """Return `count` places in a list, as far from each other as from its ends."""
    return [(2 * i + 1) * length // (2 * count) for i in range(count)]


def _mutants(text: str) -> list[str]:
    try:
        return [mutant.source for mutant in mutants(text)]
    except (SyntaxError, ValueError, NbproctorError):  # magics, or no Python
        return []


def find(clone: Path, left_out: Counter[str]) -> Iterator[Source]:
    """Yield the source notebooks of a clone that can be graded here."""
    options: dict[str, Any] = {}
    for path in sorted(clone.rglob("nbgrader_config.py")):
        options |= _options(path.read_text("utf-8", "replace"))
    for path in sorted(clone.rglob("*.ipynb")):
        if PRODUCTS & set(path.relative_to(clone).parts):
            continue
        try:
            book = nbformat.read(path, as_version=4)
            source = Source(clone, path, book, options)
            if not source.references() or not source.cells(solution=False):
                continue
        except Exception:  # a public repository may hold anything under this name
            continue
        if missing := source.missing():
            left_out[missing] += 1
        else:
            yield source


def _options(text: str) -> dict[str, Any]:
    """Return the options that a configuration sets to constants: it is never run."""
    found = {}
    for line in re.findall(rf"^{KEPT}\s*=\s*(.+)$", text, re.MULTILINE):
        try:
            found[line[0]] = ast.literal_eval(line[1])
        except (SyntaxError, ValueError):
            continue
    return found


def make(source: Source, place: Path, count: int, seconds: int) -> str:
    """Make a course of a notebook with a release and submissions; return its config."""
    folder = place / "source" / NAME
    folder.mkdir(parents=True)
    for path in source.path.parent.rglob("*"):
        inside = path.relative_to(source.path.parent)
        usable = path.suffix != ".ipynb" and not PRODUCTS & set(inside.parts)
        if path.is_file() and usable and path.stat().st_size < LARGEST:
            (folder / inside).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(path, folder / inside)
    kernel = {"name": "python3", "display_name": "Python", "language": "python"}
    source.book.metadata.kernelspec = kernel
    scores = [c.metadata.nbgrader for c in source.cells(solution=False).values()]
    if not any(score.get("points") for score in scores):
        for score in scores:  # a course that counts no points
            score.points = 1
    notebook = source.path.name
    nbformat.write(source.book, folder / notebook)
    lines = ["c = get_config()", "c.CourseDirectory.course_id = 'public'"]
    lines += [f"c.{name} = {value!r}" for name, value in source.options.items()]
    lines += [f"c.ExecutePreprocessor.timeout = {seconds}", ""]
    (place / "nbgrader_config.py").write_text(config := "\n".join(lines))
    released = place / "release" / NAME
    if "update" in (log := nbgrader(place, "generate_assignment", NAME, "--create")):
        nbgrader(place, "update", "source")  # its metadata are of an early version
        log = nbgrader(place, "generate_assignment", NAME, "--create")
    if not (released / notebook).exists():
        raise ValueError(f"no release: {log[-400:]}")
    for student, answers in source.answers(count).items():
        handed_in = place / "submitted" / student / NAME
        shutil.copytree(released, handed_in)
        book = nbformat.read(handed_in / notebook, as_version=4)
        for cell in book.cells:
            score = cell.metadata.get("nbgrader") or {}
            if score.get("solution") and score.grade_id in answers:
                cell.source = answers[score.grade_id]
        nbformat.write(book, handed_in / notebook)
    return config


def nbgrader(place: Path, *arguments: str, confined: bool = True) -> str:
    """Run one of nbgrader's commands in a course; return what it says."""
    fence = ["bwrap", "--ro-bind", "/", "/", "--dev", "/dev", "--proc", "/proc"]
    fence += ["--tmpfs", "/tmp", "--bind", str(place), str(place), "--unshare-net"]
    fence += ["--unshare-pid", "--die-with-parent", "--setenv", "HOME", str(place)]
    command = [sys.executable, "-m", "nbgrader", *arguments, "--log-level=WARN"]
    path = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
    return subprocess.run(
        fence + command if confined else command,
        cwd=place,
        env=os.environ | {"PATH": path, "OMP_NUM_THREADS": "1"},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
        timeout=COMMAND_SECONDS,
    ).stdout


@dataclass
class Graded:
    """What one side gave each cell of each submission, in how many seconds."""

    scores: dict[tuple[str, str], float | None]  # None: not judged
    seconds: float
    log: str
    said: dict[tuple[str, str], str] = field(default_factory=dict)

    def record(self) -> list[Any]:
        """Return what a file keeps of it."""
        return [[*self.scores.items()], self.seconds, self.log]

    @classmethod
    def from_record(cls, record: list[Any]) -> Graded:
        """Read what a file keeps."""
        scores, seconds, log = record
        return cls({(who, cell): score for (who, cell), score in scores}, seconds, log)


def grade(place: Path, config: str, ours: str, cells: set[str]) -> Graded:
    """Grade a course; `ours` is what switches nbproctor on."""
    (place / "nbgrader_config.py").write_text(config + ours)
    start = time.perf_counter()
    log = nbgrader(place, "autograde", NAME, confined=not ours)
    graded = Graded({}, time.perf_counter() - start, log)
    with Gradebook(f"sqlite:///{place}/gradebook.db") as book:
        for submission in book.assignment_submissions(NAME):
            for notebook in submission.notebooks:
                for row in notebook.grades:
                    if row.name in cells:
                        key = submission.student.id, row.name
                        graded.scores[key] = row.auto_score
    for folder in (place / "autograded").glob(f"*/{NAME}"):
        if (result := SubmissionResult.read(folder)) is not None:
            graded.said[result.student, ""] = f"{result.status}: {result.reason}"
            for verdict in (v for some in result.verdicts.values() for v in some):
                told = f"{verdict.where}, {verdict.outcome}: {verdict.message}"
                graded.said[result.student, verdict.cell_id] = told
    return graded


def differences(
    stock: Graded, ours: Graded, chance: set[tuple[str, str]]
) -> Iterator[tuple[str, str]]:
    """Yield each score that differs where stock gave any: how, and a line about it."""
    for (who, cell), theirs in stock.scores.items():
        score = ours.scores.get((who, cell))
        if theirs is None or score == theirs:
            continue
        kind = "waiting" if score is None else "gained" if score > theirs else "lost"
        kind = "chance" if (who, cell) in chance else kind
        points = "not graded" if score is None else f"{score:g}"
        says = [ours.said[key] for key in ((who, cell), (who, "")) if key in ours.said]
        reason = "; ".join(says) or ours.log[-300:]
        told = f"stock {theirs:g}, nbproctor {points} ({reason})"
        yield kind, f"{kind}: {who} {cell}: {told}"


def prove(
    place: Path, config: str, stock: Graded, ours: Graded
) -> Iterator[tuple[str, str]]:
    """Yield the gained scores that stock gives, too, where all other answers are right.

    Text on stderr is not shown there, as stock gives nothing for it. `place` is a copy
    of the course, whose submissions are replaced.
    """
    submitted = place / "submitted"
    reference = submitted / "reference" / NAME
    gained: dict[str, tuple[str, str]] = {}
    for key, theirs in stock.scores.items():
        if theirs is not None and (ours.scores.get(key) or 0) > theirs:
            gained[f"gain{len(gained)}"] = key
    for name, (who, test) in gained.items():
        shutil.copytree(reference, submitted / name / NAME)
        (path,) = (submitted / name / NAME).glob("*.ipynb")
        books = [
            nbformat.read(folder / path.name, as_version=4)
            for folder in (reference, submitted / who / NAME)
        ]
        answers = {c.metadata.nbgrader.grade_id: c.source for c in _marked(books[1])}
        for cell in _exercise(books[0], test):
            cell.source = _SILENT + answers[cell.metadata.nbgrader.grade_id]
        nbformat.write(books[0], path)
    for folder in submitted.iterdir():
        if folder.name not in gained:
            shutil.rmtree(folder)
    right = grade(place, config, "", {test for _, test in gained.values()})
    for name, (who, test) in gained.items():
        if right.scores.get((name, test)) == ours.scores[who, test]:
            yield who, test


def _marked(book: nbformat.NotebookNode) -> list[nbformat.NotebookNode]:
    return [cell for cell in book.cells if cell.metadata.get("nbgrader")]


def _exercise(book: nbformat.NotebookNode, test: str) -> list[nbformat.NotebookNode]:
    """Return the solution cells that a test scores: those before it and other tests."""
    marked = _marked(book)
    place = [cell.metadata.nbgrader.grade_id for cell in marked].index(test)
    solutions: list[nbformat.NotebookNode] = []
    for cell in reversed(marked[:place]):
        if cell.metadata.nbgrader.solution:
            solutions.append(cell)
        elif solutions and cell.metadata.nbgrader.grade:
            break
    return solutions


def compare(
    source: Source, work: Path, chosen: argparse.Namespace
) -> Iterator[tuple[str, Counter[str]]]:
    """Grade a notebook on all sides, print what differs, and count it."""
    cells = {*source.cells(solution=False)}
    made = work / "made"
    if chosen.cache:  # what stock gives stays the same
        made = chosen.cache / source.digest(chosen.mutants, chosen.seconds)
    record = made.with_suffix(".json")
    if not record.exists():
        shutil.rmtree(made, ignore_errors=True)
        make(source, made, chosen.mutants, chosen.seconds)
    config = (made / "nbgrader_config.py").read_text()

    def run(name: str, ours: str) -> Graded:
        shutil.rmtree(work / name, ignore_errors=True)
        shutil.copytree(made, work / name)
        if ours and (places := work / "strict" / FILE).exists():
            shutil.copy(places, work / name)  # where tests are judged is found once
        return grade(work / name, config, ours, cells)

    if record.exists():
        stock = Graded.from_record(json.loads(record.read_text()))
    else:
        stock = run("stock", "")
        record.write_text(json.dumps(stock.record()))
    chance = set[tuple[str, str]]()
    given = [key for key, score in stock.scores.items() if score is not None]
    if not given:
        print(f"{source}: stock nbgrader graded nothing\n{stock.log[-600:]}")
    for side, ours in SIDES.items():
        if side not in chosen.sides:
            continue
        graded = run(side, ours)
        if side == "strict" and [*differences(stock, graded, chance)]:
            for first, switch in [(stock, ""), (graded, ours)] * chosen.again:
                scores = run("again", switch).scores
                chance |= {
                    key for key in given if scores.get(key) != first.scores.get(key)
                }
        counts = Counter(notebooks=1, scores=len(given))
        counts["cells"] = len({cell for _, cell in given})
        for kind, line in differences(stock, graded, chance):
            counts[kind] += 1
            print(f"  {side}: {line}")
        if counts["gained"]:
            shutil.copytree(made, work / "proof", dirs_exist_ok=True)
            counts["proved"] = len([*prove(work / "proof", config, stock, graded)])
        seconds = f"{stock.seconds:.0f} s / {graded.seconds:.0f} s"
        print(f"{source}, {side}: {row(counts)}, {seconds}", flush=True)
        yield side, counts


def row(counts: Counter[str]) -> str:
    return ", ".join(f"{counts[name]} {name}" for name in COUNTED)


def print_table(rows: list[tuple[Source, str, Counter[str]]]) -> None:
    """Print a row for each repository and side, in Markdown, and the totals."""
    totals: dict[tuple[str, str], Counter[str]] = {}
    for source, side, counts in rows:
        repository = source.clone.name.replace("__", "/", 1)
        for name in (repository, "all"):
            totals[name, side] = totals.get((name, side), Counter()) + counts
    lines = [["repository", "side", *COUNTED[:3], "equal", *COUNTED[3:]]]
    lines.append(["---"] * len(lines[0]))
    for (repository, side), counts in sorted(totals.items()):
        figures = [counts[name] for name in COUNTED]
        figures.insert(3, counts["scores"] - sum(counts[kind] for kind in KINDS))
        lines.append([repository, side, *map(str, figures)])
    for line in lines:
        print(f"| {' | '.join(line)} |")


def measure(
    source: Source, work: Path, chosen: argparse.Namespace
) -> dict[str, Counter[str]]:
    """Return the counts of each side; those of an earlier, interrupted run are read."""
    if not chosen.results:
        return dict(compare(source, work, chosen))
    file = chosen.results / f"{source.digest(chosen.mutants, chosen.seconds)}.json"
    if not file.exists():
        file.write_text(json.dumps(dict(compare(source, work, chosen))))
    sides = json.loads(file.read_text())
    return {side: Counter(counts) for side, counts in sides.items()}


def some(chosen: argparse.Namespace, left_out: Counter[str]) -> Iterator[Source]:
    """Yield the notebooks to compare: those that are named, or some of each clone.

    The example that nbgrader makes is in many clones, and is taken once.
    """
    seen: set[tuple[str, ...]] = set()
    lines = [line for line in TABLE.strip().split("\n") if not line.startswith("#")]
    rows = [line.split(" ", 2)[1:] for line in lines]
    listed = tuple(f"{name.replace('/', '__')}/{path}" for name, path in rows)
    for clone in chosen.clones:
        sources = []
        for source in find(clone.resolve(), left_out):
            tests = tuple(c.source for c in source.cells(solution=False).values())
            wanted = not chosen.table or str(source).startswith(listed)
            if wanted and tests not in seen and chosen.only in str(source):
                sources.append(source)
            seen.add(tests)
        count = (
            len(sources)
            if chosen.only or chosen.table
            else min(chosen.each, len(sources))
        )
        yield from (sources[place] for place in spread(len(sources), count))


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    options.add_argument("clones", type=Path, nargs="+")
    options.add_argument("--only", default="", help="part of a notebook's name")
    options.add_argument("--table", action="store_true", help="those of the table")
    options.add_argument("--mutants", type=int, default=3, help="wrong submissions")
    options.add_argument("--each", type=int, default=3, help="notebooks of a clone")
    options.add_argument("--again", type=int, default=4, help="where strict differs")
    options.add_argument("--seconds", type=int, default=60, help="for a cell")
    options.add_argument("--sides", nargs="+", default=[*SIDES], choices=SIDES)
    options.add_argument("--keep", type=Path, help="where one notebook's courses stay")
    options.add_argument("--cache", type=Path, help="where what stock gives is kept")
    options.add_argument("--results", type=Path, help="where a run can be continued")
    chosen = options.parse_args()
    for folder in filter(None, (chosen.cache, chosen.results)):
        folder.mkdir(parents=True, exist_ok=True)
    left_out = Counter[str]()
    rows: list[tuple[Source, str, Counter[str]]] = []
    for source in some(chosen, left_out):
        with tempfile.TemporaryDirectory() as name:
            try:
                sides = measure(source, chosen.keep or Path(name), chosen)
                rows += [(source, side, counts) for side, counts in sides.items()]
            except Exception as error:  # of a public repository, anything
                left_out["no course can be made"] += 1
                print(f"{source}: {error}", flush=True)
    print_table(rows)
    print("left out:", dict(left_out.most_common()))


if __name__ == "__main__":
    main()
