"""Turns a notebook for Otter-Grader, OkPy or plain assertions into an nbgrader source.

It runs nothing: what a test expects is the output that is stored below its cell, or
what a file in ``tests/`` says. What cannot be known becomes a question. A test that may
be hidden is hidden.
"""

from __future__ import annotations

import ast
import doctest
import re
from collections.abc import Iterable, Iterator, Mapping, Set
from contextlib import suppress
from dataclasses import dataclass, field
from itertools import dropwhile
from pathlib import Path
from typing import Any, TypeAlias

import nbformat
import yaml  # type: ignore[import-untyped]
from nbformat import NotebookNode
from nbformat.corpus.words import generate_corpus_id

from nbproctor.cells import (
    CellText,
    error_output_of,
    grade_id,
    nbgrader_metadata,
    parse_code,
)
from nbproctor.errors import NbproctorError
from nbproctor.markers import (
    DEFINITIONS,
    IMPORTS,
    Markers,
    imports,
    parse,
    walk_top_level,
)
from nbproctor.nbgrader.release import sections
from nbproctor.notebook import SKIP_TAG, language_of
from nbproctor.writing import write_file

#: The first line of a raw cell, or of a block in a text cell, that says what comes.
_BLOCK = re.compile(
    r"^#?\s*(BEGIN|END) (QUESTION|SOLUTION|TESTS|PROMPT)\b"
    r"|^#?\s*(ASSIGNMENT CONFIG)"
)
#: A block in a text cell: of an editor without raw cells, as Colab, or of older Otter.
_IN_TEXT = re.compile(
    r"^(?:```otter\s*\n"
    r"|(?:```|<!--)\s*\n(?=(?i:BEGIN QUESTION)))"
    r"(.*?)"
    r"^\s*(?:```|-->)\s*$",
    re.MULTILINE | re.DOTALL,
)
#: The first line of a cell that Otter shows to nobody but its author.
_IGNORED = re.compile(r"\s*#{1,2}\s*ignore\s*(?:#|:|$)", re.MULTILINE | re.IGNORECASE)
#: The first line of a test that stands in no block.
_TEST = re.compile(
    r"\s*#+\s*"
    r"(?:TESTS?\b"
    r"|(?i:hidden)(?=\s*$|\s+(?i:tests?)\b))",
    re.MULTILINE,
)
_TEST_CONFIG = re.compile(
    r"""\s*("{3}|'{3})\s*#\s*BEGIN\s*TEST\s*CONFIG[^\n]*\n"""
    r"""(?P<yaml>.*?)"""
    r"""\1\s*;?\s*#\s*END\s*TEST\s*CONFIG[^\n]*""",
    re.DOTALL | re.IGNORECASE,
)
#: The first comment of a test that is hidden has the word, as Otter reads it.
_HIDDEN = re.compile(r"[^#]*#.*\bhidden\b", re.IGNORECASE)
#: A comment that says only that a test is hidden, where students read what it checks.
_LABEL = re.compile(r"\A\s*#+[^\S\n]*(?i:hidden)(?:[^\S\n]+(?i:tests?))?[^\S\n]*\n")
#: What Otter leaves out of a cell: a prompt, and the mark of a whole solution.
_LEFT_OUT = re.compile(
    r'^\s*"""\s*# BEGIN PROMPT.*?"""[^\n]*\n?'
    r"|^[^\S\n]*#+[^\S\n]*SOLUTION[^\S\n]*(?:\n|\Z)",
    re.DOTALL | re.MULTILINE,
)
_CHECK = re.compile(r"\b(?:ok\.grade|grader\.check)\(\s*['\"](\w+)['\"]")
#: Lines of the other grader, of which nothing is left.
_CLIENT = re.compile(
    r"^.*("
    r"\b(otter|jassign)\b"
    r"|client\.api|gofer\.ok"
    r"|\b(ok|grader)\.\w+\("
    r"|\bgenerate_pdf\("
    r"|Notebook\(['\"]"
    r").*$",
    re.MULTILINE,
)
_MARKERS = Markers()
_BEGIN, _END = (f"### {marker}" for marker in _MARKERS.solution)
#: Otter's marks of a solution: around it, or at the end of its lines.
_MARK = re.compile(r"^(\s*)#+\s*(BEGIN|END) SOLUTION.*$", re.MULTILINE)
_MARKED = re.compile(rf"(^\s*{_BEGIN}$.*?{_END}$)", re.MULTILINE | re.DOTALL)
_SOLUTION_LINE = re.compile(
    r"^([^\S\n]*)(\S.*?)[^\S\n]*#+[^\S\n]*SOLUTION\b.*$", re.MULTILINE
)
#: The end of a solution, and the beginning of another right below.
_SEAM = re.compile(rf"\n([^\S\n]*){_END}\n\1{_BEGIN}\n")
_BEGIN_HIDDEN, _END_HIDDEN = (f"### {marker}" for marker in _MARKERS.hidden)


Settings: TypeAlias = dict[str, Any]
"""Settings of a block or a test: key → value."""
Metadata: TypeAlias = dict[str, Any]
"""What nbgrader has to know of a cell: key → value."""


class AdoptError(NbproctorError):
    """A notebook cannot be adopted; says what to do."""


@dataclass
class Question:
    """An exercise as the other grader has it."""

    name: str
    points: Any  # a number, or one for each test
    by_hand: bool
    is_plain: bool = False  # of a notebook of assertions
    is_answered: bool = False
    graders: list[Metadata] = field(default_factory=list)  # of its tests
    test_code: str = ""  # of all of them


@dataclass
class AdoptedCell:
    """A row of the table that a teacher reads: what a cell has become."""

    cell: NotebookNode
    kind: str
    question: Question | None = None  # that it answers

    @property
    def grade_id(self) -> str:
        """The name of a graded cell or an answer; of others, nothing."""
        return grade_id(self.cell)

    @property
    def points(self) -> float | None:
        """What it is worth; None for a test as long as nobody has said it."""
        return nbgrader_metadata(self.cell).get("points")


class Adopted:
    """The new notebook, and what was understood of the old one.

    Attributes
    ----------
    notebook : NotebookNode
        The source notebook of an assignment.
    cells : list of AdoptedCell
        What its cells are.
    questions : list of str
        To the teacher, about what cannot be known.
    files : list of str
        Those that the notebook names.
    unanswered : list of str
        Exercises that the teacher has to solve.
    """

    def __init__(self, notebook: NotebookNode, tests: Path) -> None:
        self.notebook = nbformat.v4.new_notebook(metadata=notebook.metadata)
        self.cells: list[AdoptedCell] = []
        self.questions: list[str] = []
        self.files: list[str] = []
        self.unanswered: list[str] = []
        self._question: Question | None = None
        self._exercises: list[Question] = []
        self._folder = tests
        self._block = ""  # SOLUTION, TESTS or PROMPT
        self._names: set[str] = set()
        cells = [part for cell in notebook.cells for part in _parts(cell)]
        #: Older notebooks do not mark where an answer begins.
        self._marks_answers = any(
            "BEGIN SOLUTION" in cell.source for cell in cells if cell.cell_type == "raw"
        )
        for cell in cells:
            if cell.cell_type == "raw" and (block := _BLOCK.match(cell.source)):
                self._begin_or_end(block, _settings(cell.source.partition("\n")[2]))
            elif self._block == "PROMPT" or _IGNORED.match(cell.source):
                continue
            elif cell.cell_type == "code":
                self._code(cell)
            else:
                self._copy(cell)
        for question in self._exercises:
            self._check_question(question)
        self._share_points()
        self._mark_answers()
        self._list_visible_cells()

    # ---- blocks ----------------------------------------------------------------

    def _begin_or_end(self, block: re.Match[str], settings: Settings) -> None:
        """Act on a cell that says what comes next."""
        side, content, _ = block.groups()
        begins = side == "BEGIN"
        if content == "QUESTION":
            self._close()
            if begins:
                self._open(settings)
        elif content:
            self._block = content if begins else ""
        else:
            self.files = []
            # Otter has three such lists: of students, of the autograder, of both.
            for key, names in settings.items():
                if key.endswith("files") and names:
                    self.files += map(str, names)

    def _open(self, settings: Settings) -> Question:
        points = settings.get("points")
        if isinstance(points, dict):
            points = points.get("total") or [points.get("each", 1)]
        name = re.sub(r"\W+", "_", str(settings.get("name", "question")))
        question = Question(
            name=self._free(name),
            points=points,
            by_hand=bool(settings.get("manual")),
        )
        self._question = question
        self._exercises.append(question)
        return question

    def _close(self) -> None:
        self._question = None
        self._block = ""

    # ---- cells -----------------------------------------------------------------

    def _code(self, cell: NotebookNode) -> None:
        checks = _CHECK.findall(cell.source)
        cell.source = _CLIENT.sub("", cell.source).strip("\n")
        for name in checks:
            self._check(name)
        if not cell.source.strip():
            return
        asserts = _asserts(cell.source)
        says_test = _TEST.match(cell.source) or (asserts and _HIDDEN.match(cell.source))
        is_test = says_test or self._block == "TESTS"
        if self._question and is_test:
            self._test(cell)
        elif self._question or checks or not (is_test or asserts):
            self._copy(cell)
        else:
            self._plain_test(cell)

    def _copy(self, cell: NotebookNode) -> None:
        """Write a cell as it is, which may be an answer.

        An answer is in a block of solutions, or right below its question.
        """
        row = self._append_cell(cell, cell.cell_type)
        question = self._question
        if not question:
            return
        is_first = not (self._marks_answers or question.is_answered)
        may_answer = question.by_hand or cell.cell_type != "markdown"
        if may_answer and (is_first or self._block == "SOLUTION"):
            self._answer(row, question)

    def _check(self, name: str) -> None:
        """Take the tests of ``tests/``, where a cell of the notebook calls them."""
        path = self._folder / f"{name}.py"
        if not path.is_file():
            return  # they are in the notebook
        tests, is_hidden = _test_file(path)
        question = self._question
        if not question or question.name != name:
            question = self._open({"name": name})
        question.points = question.points or tests.get("points")
        last = self.cells[-1] if self.cells else None
        for suite in tests.get("suites", []):
            setup = suite.get("setup", "")
            for case in suite.get("cases", []):
                cell = nbformat.v4.new_code_cell(f"{setup}\n{case['code']}")
                self._test(cell, {"hidden": is_hidden} | case)
        if not question.is_answered:
            row = self._find_defining_cell(question.test_code) or last
            if row and not row.question and row.kind == "code":
                self._answer(row, question)
        self._close()

    def _answer(self, row: AdoptedCell, question: Question) -> None:
        """Make a cell an answer to a question."""
        grade_id = question.name
        points = _sum(question.points or 1)
        if question.is_answered:
            grade_id = self._free(f"{question.name}_part")
            points = 0.0
        question.is_answered = True
        row.question = question
        row.kind = "answer, graded by hand" if question.by_hand else "answer"
        _set_grader(
            row.cell,
            grade_id=grade_id,
            points=points if question.by_hand else None,
        )

    def _test(self, cell: NotebookNode, settings: Mapping[str, Any] = {}) -> None:
        """Write a test of the question, unless it cannot be understood."""
        question = self._question
        assert question
        try:
            code, is_hidden, points = _read_test(cell, settings)
        except (AdoptError, ValueError) as error:
            self.questions.append(f"{question.name}: {error} Left out.")
            return
        kind = "public test"
        if is_hidden:
            kind = "hidden test"
            if not _MARKERS.has_hidden_tests(code):
                code = f"{_BEGIN_HIDDEN}\n{code}\n{_END_HIDDEN}"
        test = nbformat.v4.new_code_cell(code)
        self._append_cell(test, kind)
        question.test_code += f"{code}\n"
        number = len(question.graders) + 1
        grader = _set_grader(
            test,
            grade_id=self._free(f"{question.name}_test_{number}"),
            points=points,
            is_test=True,
        )
        question.graders.append(grader)

    def _plain_test(self, cell: NotebookNode) -> None:
        """Take assertions for a test of the nearest answer that they use."""
        row = self._find_defining_cell(cell.source)
        if not row or (row.question and not row.question.is_plain):
            self._leave_out(cell)
            return
        if not row.question:
            question = self._open({"name": "exercise"})
            question.is_plain = True
            self._answer(row, question)
        self._question = row.question
        self._test(cell)
        self._question = None

    def _leave_out(self, cell: NotebookNode) -> None:
        """List a cell of assertions that belongs to no answer."""
        first = cell.source.strip().partition("\n")[0]
        action = "Not graded."
        if self._block == "TESTS" or "hidden" in cell.source.lower():
            action = "Left out."
        else:
            self._append_cell(cell, cell.cell_type)
        self.questions.append(
            f"{first!r}: no answer above defines what is tested here. {action}"
        )

    def _find_defining_cell(self, test: str) -> AdoptedCell | None:
        """Return the nearest cell of code above that defines a name of a test.

        Cells of nothing but imports and literals come last: they are given.
        """
        names = CellText.parse(test).uses - set(_defined_names(test))
        nearest = None
        for row in reversed(self.cells):
            source = row.cell.source
            if row.kind not in ("code", "answer"):
                continue
            if names.isdisjoint(_defined_names(source)):
                continue
            if _BEGIN in solution_marks(source) or _regions(source, set()):
                return row
            nearest = nearest or row
        return nearest

    def _append_cell(self, cell: NotebookNode, kind: str) -> AdoptedCell:
        # It shows a mistake: grading need not run it.
        if error_output_of(cell):
            cell.metadata["tags"] = [SKIP_TAG]
        cell.metadata.pop("deletable", None)
        cell.metadata.pop("editable", None)
        if cell.cell_type == "code":
            cell.outputs = []
            cell.execution_count = None
        cell.setdefault("id", generate_corpus_id())
        self.notebook.cells.append(cell)
        row = AdoptedCell(cell, kind)
        self.cells.append(row)
        return row

    # ---- the whole notebook ----------------------------------------------------

    def _check_question(self, question: Question) -> None:
        """Settle the points that are said, and say what is missing."""
        graders = question.graders
        if graders and not question.is_answered:
            self.unanswered.append(question.name)
        elif not graders and not question.by_hand:
            self.questions.append(f"{question.name}: it has no test.")
        points = question.points
        if isinstance(points, list) and len(points) in (1, len(graders)):
            points *= len(graders) // len(points)
            for grader, each in zip(graders, points, strict=True):
                grader["points"] = float(each or 0)
        elif points is not None:
            _fill(graders, _sum(points))
        elif any(grader["points"] for grader in graders):
            _fill(graders, 0)

    def _share_points(self) -> None:
        """Let headings say what tests are worth that do not; else it is one point."""
        for section in reversed(sections(self.notebook.cells)):
            graders = [nbgrader_metadata(cell) for cell in section.cells]
            _fill(graders, section.points)
        for question in self._exercises:
            is_unknown = _fill(question.graders, 1)
            if is_unknown and question.is_plain:
                self.questions.append(f"{question.name}: are its tests worth 1 point?")

    def _mark_answers(self) -> None:
        """Mark the solutions in the cells of code, and say where nothing is left."""
        whole = []
        for row in self.cells:
            source = row.cell.source
            if row.cell.cell_type != "code" or row.kind.endswith("test"):
                continue
            marked = solution_marks(source)
            if row.question and _BEGIN not in marked:
                tested = CellText.parse(row.question.test_code).uses
                marked = _mark(marked, tested)
            if _BEGIN not in marked:
                continue
            row.cell.source = marked
            if not row.question:
                row.kind = "answer"
                _set_grader(row.cell, self._free("answer"))
            elif _has_blank(source):
                self.unanswered.append(row.grade_id)
            visible = CellText.parse(_MARKERS.without_regions(marked)).code
            if set(visible) <= set(_MARKERS.stub.splitlines()):
                whole.append(row.grade_id)
        if whole:
            self.questions.append(
                f"The whole cell became the solution: {', '.join(whole)}. Is there a "
                f"line that students should see? Move it above {_BEGIN!r}."
            )

    def _list_visible_cells(self) -> None:
        """Say which code of a notebook of assertions students see."""
        numbers = []
        for number, row in enumerate(self.cells, 1):
            if row.kind == "code" and any(_defined_names(row.cell.source)):
                numbers.append(str(number))
        if numbers and any(question.is_plain for question in self._exercises):
            self.questions.append(
                f"Students see these cells as they are: {', '.join(numbers)}."
            )

    def _free(self, name: str) -> str:
        """Return a name that no cell has yet."""
        number = 2
        free = name
        while free in self._names:
            free = f"{name}_{number}"
            number += 1
        self._names.add(free)
        return free


def adopt(path: Path) -> Adopted:
    """Read a notebook of another grader, and the tests in the folder next to it.

    `AdoptError`: it is no notebook in Python, is nbgrader's already, or has no test.
    """
    try:
        notebook = nbformat.read(path, as_version=4)
    except (OSError, ValueError, nbformat.ValidationError) as error:
        reason = getattr(error, "strerror", None) or error
        raise AdoptError(f"{path} cannot be read as a notebook: {reason}") from error
    if (language := language_of(notebook)) != "python":
        raise AdoptError(f"{path} is in {language}. nbproctor grades Python.")
    if any("nbgrader" in cell.metadata for cell in notebook.cells):
        raise AdoptError(f"{path} is nbgrader's already. Copy it into source/.")
    try:
        adopted = Adopted(notebook, path.parent / "tests")
    except (ArithmeticError, LookupError, TypeError, ValueError) as error:
        raise AdoptError(
            f"{path} has a question or a test of a form that is not known ({error!r})."
        ) from error
    if not any(cell.points for cell in adopted.cells):
        raise AdoptError(
            f"No test was found in {path}: no BEGIN TESTS, no tests/ folder, and no "
            "cell of assertions below a cell of code."
        )
    return adopted


def write(
    adopted: Adopted,
    path: Path,
    source: Path,
) -> Path:
    """Write an adopted notebook and the files that it needs into a new folder."""
    for name in [*adopted.files, *_modules(adopted.notebook, path.parent)]:
        file = path.parent / name
        if file.is_file() and file.resolve().is_relative_to(path.parent.resolve()):
            write_file(source / name, file.read_bytes())
        else:
            adopted.questions.append(f"The file {name!r} is not next to the notebook.")
    target = source / f"{source.name}.ipynb"
    write_file(target, nbformat.writes(adopted.notebook))
    return target


def solution_marks(source: str) -> str:
    """Return code with nbgrader's marks in place of Otter's ``# SOLUTION``."""
    code = _MARK.sub(r"\1### \2 SOLUTION", _LEFT_OUT.sub("", source))
    parts = _MARKED.split(code)
    parts[::2] = [
        _SOLUTION_LINE.sub(rf"\1{_BEGIN}\n\1\2\n\1{_END}", part) for part in parts[::2]
    ]
    return _SEAM.sub(r"\n", "".join(parts)).rstrip("\n")


def _read_test(
    cell: NotebookNode, settings: Mapping[str, Any]
) -> tuple[str, bool, float | None]:
    """Return what a test says: its code, whether it is hidden, its points if any."""
    source = cell.source
    if config := _TEST_CONFIG.search(source):
        settings = _settings(config["yaml"])
        source = _TEST_CONFIG.sub("", source, count=1).strip()
    if (not settings and config) or re.search(r"TEST\s*CONFIG", source, re.IGNORECASE):
        raise AdoptError(f"a test's configuration cannot be read: {source!r}.")
    points = settings.get("points")
    if not isinstance(points, int | float | None):
        raise AdoptError(f"the points of a test are not a number: {points!r}.")
    if re.search(r"^\s*>>> ", source, re.MULTILINE):
        code = _from_doctest(source)
    elif _asserts(source):
        code = source
    else:
        code = _as_assertion(source, cell.get("outputs", []))
    if not CellText.parse(code).compiles:
        raise AdoptError(f"a test cannot be a cell by itself: {code!r}.")
    is_hidden = settings.get("hidden") or _HIDDEN.match(source)
    return _LABEL.sub("", code), bool(is_hidden), points


def _as_assertion(source: str, outputs: list[NotebookNode]) -> str:
    """Return a test that compares the last expression with its stored output."""
    if any(output.output_type == "stream" for output in outputs):
        raise AdoptError(f"a test compares what is printed: {source!r}.")
    values = [o.data.get("text/plain", "") for o in outputs if "data" in o]
    match parse(source).body:
        case [*_, ast.Expr(value) as last] if values:
            lines = source.splitlines()[: last.lineno - 1]
            expression = ast.get_source_segment(source, value)
            lines.append(_comparison(str(expression), values[-1]))
            return "\n".join(lines).strip()
    return source


def _comparison(expression: str, expected: str) -> str:
    """Return the assertion that an expression is shown as this text."""
    if expected == "True":
        return f"assert {expression}"
    if _is_literal(expected):
        return f"assert ({expression}) == {expected}"
    return f"assert repr({expression}) == {expected!r}"


def _from_doctest(code: str) -> str:
    """Return the assertions of a doctest."""
    lines = []
    for example in doctest.DocTestParser().get_examples(code):
        source = example.source.rstrip("\n")
        if example.exc_msg is not None:
            raise AdoptError(f"a test expects an exception: {source!r}.")
        expected = example.want.rstrip("\n")
        lines.append(_comparison(source, expected) if expected else source)
    return "\n".join(lines)


def _test_file(path: Path) -> tuple[Settings, bool]:
    """Return a dictionary of doctests, from a file that OkPy or Otter wrote.

    And whether a test is hidden that does not say it. The file is not run.
    """
    try:
        tree = parse_code(path.read_text("utf-8"))
    except (OSError, SyntaxError) as error:
        raise AdoptError(f"The tests in {path} cannot be read: {error}") from error
    literals = {}
    for statement in tree.body:
        match statement:
            case ast.Assign([ast.Name(name)], value) if _is_literal(value):
                literals[name] = ast.literal_eval(value)
    tests = literals.get("test")
    if not isinstance(tests, dict):
        raise AdoptError(
            f"{path} has no dictionary of doctests, as OkPy and Otter write it. Adopt "
            "the notebook from which Otter made it: its tests are in its cells."
        )
    # Where Otter wrote the file, a test is hidden unless it says that it is not.
    return tests, "OK_FORMAT" in literals


def _is_literal(expression: ast.expr | str) -> bool:
    try:
        ast.literal_eval(expression)
    except (ValueError, TypeError, SyntaxError):
        return False
    return True


def _parts(cell: NotebookNode) -> Iterator[NotebookNode]:
    """Yield a cell, or the text and the raw cells that its blocks divide it into."""
    if cell.cell_type != "markdown" or not _IN_TEXT.search(cell.source):
        yield cell
        return
    for number, part in enumerate(_IN_TEXT.split(cell.source)):
        text = part.strip()
        if number % 2:
            yield nbformat.v4.new_raw_cell(text)
        elif text:
            metadata = dict(cell.metadata)
            yield nbformat.v4.new_markdown_cell(text, metadata=metadata)


def _settings(text: str) -> Settings:
    """Return what a block of YAML says, or nothing."""
    with suppress(yaml.YAMLError):
        settings = yaml.safe_load(text)
        if isinstance(settings, dict):
            return {str(key).lower(): value for key, value in settings.items()}
    return {}


def _has_blank(source: str) -> bool:
    """Whether code has ``...`` where students write, as ``x = ...``, not ``x[...]``."""
    nodes = walk_top_level(parse(source), ast.Subscript)
    return any(isinstance(node, ast.Constant) and node.value is ... for node in nodes)


def _modules(notebook: NotebookNode, folder: Path) -> Iterator[str]:
    """Yield the files of modules that a notebook imports from its own folder."""
    names = set[str]()
    for cell in notebook.cells:
        if cell.cell_type == "code":
            names.update(name.partition(".")[0] for name in imports(cell.source))
    for name in names:
        for pattern in (f"{name}.py", f"{name}/**/*.py"):
            for path in folder.glob(pattern):
                yield str(path.relative_to(folder))


def _asserts(source: str) -> bool:
    """Whether code asserts something, itself or with a function such as numpy's."""
    lines = map(ast.unparse, walk_top_level(parse(source)))
    return any(re.match(r"assert |(\w+\.)*assert\w*\(", line) for line in lines)


def _defined_names(source: str) -> Iterator[str]:
    """Yield the names that code defines or changes; not those that it imports."""
    for node in walk_top_level(parse(source)):
        if isinstance(node, DEFINITIONS):
            yield node.name
        elif isinstance(getattr(node, "ctx", None), ast.Store):
            while isinstance(node, ast.Subscript | ast.Attribute):
                node = node.value
            if isinstance(node, ast.Name):
                yield node.id


def _mark(source: str, tested: Set[str]) -> str:
    """Return code with marks around what may be the solution."""
    lines = source.splitlines()
    regions = _regions(source, tested) or [(0, len(lines))]
    for start, end in reversed(regions):
        first = lines[start]
        indent = first[: len(first) - len(first.lstrip())]
        lines.insert(end, indent + _END)
        lines.insert(start, indent + _BEGIN)
    marked = "\n".join(lines)
    if not CellText.parse(_MARKERS.without_regions(marked)).tree:
        return f"{_BEGIN}\n{source}\n{_END}"
    return marked


def _regions(source: str, tested: Set[str]) -> list[tuple[int, int]]:
    """Return the lines of a cell without marks that may be its solution.

    Imports and literals at its top are given, unless a test looks at them. If only
    functions and calls follow, the solution is what the functions do.
    """
    tree = CellText.parse(source).tree
    body = tree.body if tree else []
    answer = [*dropwhile(lambda statement: _is_given(statement, tested), body)]
    if not answer:
        return []
    regions = [*_bodies(answer)]
    if regions and all(isinstance(n, DEFINITIONS | ast.Expr) for n in answer):
        return regions
    return [(answer[0].lineno - 1, len(source.splitlines()))]


def _is_given(statement: ast.stmt, tested: Set[str]) -> bool:
    """Whether a line is an import, a text, or a literal that no test looks at."""
    if not isinstance(statement, ast.Assign | ast.Expr):
        return isinstance(statement, IMPORTS | ast.Pass)
    source = ast.unparse(statement)
    if not _is_literal(statement.value) or _has_blank(source):
        return False
    return tested.isdisjoint(_defined_names(source))


def _bodies(statements: Iterable[ast.stmt]) -> Iterator[tuple[int, int]]:
    """Yield the lines below the headers of functions, and of the methods of classes."""
    for function in statements:
        if not isinstance(function, DEFINITIONS):
            continue
        body = function.body
        if len(body) > 1 and ast.get_docstring(function) is not None:
            body = body[1:]
        if all(isinstance(node, DEFINITIONS) for node in body):
            yield from _bodies(body)
        else:
            yield body[0].lineno - 1, function.end_lineno or 0


def _set_grader(
    cell: NotebookNode,
    grade_id: str,
    points: float | None = None,
    is_test: bool = False,
) -> Metadata:
    """Write, and return, what nbgrader has to know of a test, or else an answer.

    A test without points gets some later. An answer with points is graded by hand.
    """
    metadata = {
        "grade": is_test,
        "grade_id": grade_id,
        "locked": is_test,
        "schema_version": 3,
        "solution": not is_test,
        "task": False,
    }
    if is_test or points is not None:
        metadata.update(grade=True, points=points)
    cell.metadata["nbgrader"] = metadata
    return nbgrader_metadata(cell)


def _sum(points: float | list[float | None]) -> float:
    values = points if isinstance(points, list) else [points]
    return float(sum(each or 0 for each in values))


def _fill(graders: list[Metadata], total: float) -> bool:
    """Share a total out over the tests without points; return whether there are any."""
    pending = [grader for grader in graders if grader["points"] is None]
    total -= sum(grader["points"] or 0 for grader in graders)
    for number, grader in enumerate(pending):
        share = total / (len(pending) - number)
        grader["points"] = max(round(share, 2), 0.0)
        total = round(total - grader["points"], 2)
    return bool(pending)
