"""Turns a notebook for Otter-Grader, OkPy or plain assertions into an nbgrader source.

It runs nothing: what a test expects is the output that is stored below its cell, or
that stands in a doctest of ``tests/``. What cannot be known becomes a question.
"""

from __future__ import annotations

import ast
import doctest
import re
import shutil
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import nbformat
import yaml  # type: ignore[import-untyped]
from nbformat import NotebookNode
from nbformat.corpus.words import generate_corpus_id

from nbproctor.cells import parse_code
from nbproctor.errors import NbproctorError
from nbproctor.markers import Markers, imports
from nbproctor.notebook import SKIP_TAG, language_of
from nbproctor.writing import write_file

#: The first line of a raw cell, or of a block in a text cell, that says what comes.
_BLOCK = re.compile(
    r"^#?\s*(BEGIN|END) (QUESTION|SOLUTION|TESTS|PROMPT)\b|^#?\s*(ASSIGNMENT CONFIG)"
)
#: The same in a text cell: fenced, or in a comment.
_IN_TEXT = re.compile(
    r"(?:```|<!--)\s*\n(BEGIN QUESTION.*?)(?:```|-->)", re.DOTALL | re.IGNORECASE
)
_TEST = re.compile(r"^\s*#+\s*(?P<hidden>HIDDEN )?TESTS?\b.*\n?", re.IGNORECASE)
_TEST_CONFIG = re.compile(
    r'"""\s*# BEGIN TEST CONFIG\s*\n(.*?)"""\s*# END TEST CONFIG', re.DOTALL
)
_PROMPT = re.compile(
    r'^\s*"""\s*# BEGIN PROMPT.*?"""[^\n]*\n?', re.DOTALL | re.MULTILINE
)
_CHECK = re.compile(r"\b(?:ok\.grade|grader\.check)\(\s*['\"](\w+)['\"]")
#: Lines of the other grader, of which nothing is left.
_CLIENT = re.compile(
    r"^.*(\b(otter|jassign)\b|client\.api|gofer\.ok|\b(ok|grader)\.\w+\(|"
    r"\bgenerate_pdf\(|Notebook\(['\"]).*$",
    re.MULTILINE,
)
_BEGIN, _END = (f"### {marker}" for marker in Markers().solution)
_BEGIN_HIDDEN, _END_HIDDEN = (f"### {marker}" for marker in Markers().hidden)


class AdoptError(NbproctorError):
    """A notebook cannot be adopted; says what to do."""


@dataclass
class Question:
    """An exercise as the other grader has it."""

    name: str
    points: float | Sequence[float] = 1.0
    by_hand: bool = False
    in_text: bool = False  # announced in a text cell, not between raw cells
    has_answer: bool = False
    tests: list[tuple[str, bool]] = field(default_factory=list)  # code, hidden


@dataclass(frozen=True)
class AdoptedCell:
    """A row of the table that a teacher reads: what a cell has become."""

    number: int
    kind: str
    grade_id: str = ""
    points: float | None = None


@dataclass
class Adopted:
    """The new notebook, and what was understood of the old one."""

    notebook: NotebookNode
    cells: list[AdoptedCell] = field(default_factory=list)
    questions: list[str] = field(default_factory=list)  # to the teacher
    files: list[str] = field(default_factory=list)  # that the notebook names
    unanswered: list[str] = field(default_factory=list)  # exercises to be solved


class _Reader:
    """Goes through the cells once, and writes the new ones."""

    def __init__(self, notebook: NotebookNode, tests: Path) -> None:
        self.adopted = Adopted(nbformat.v4.new_notebook(metadata=notebook.metadata))
        self.question: Question | None = None
        self._folder = tests
        self._block = ""  # SOLUTION, TESTS or PROMPT
        self._names: set[str] = set()
        self._cells = notebook.cells

    def read(self) -> Adopted:
        for cell in self._cells:
            if self._is_marker(cell):
                continue
            if cell.cell_type == "code":
                self._code(cell)
            elif cell.cell_type == "markdown":
                self._text(cell)
            else:
                self._keep(cell)
        self._close()
        return self.adopted

    # ---- markers ---------------------------------------------------------------

    def _is_marker(self, cell: NotebookNode) -> bool:
        """Act on a cell that says what comes next; return whether it does."""
        block = _BLOCK.match(cell.source) if cell.cell_type == "raw" else None
        if block is None:
            return False
        side, content, _ = block.groups()
        settings = _settings(cell.source.partition("\n")[2])
        if content == "QUESTION" and side == "BEGIN":
            self._open(settings)
        elif content == "QUESTION":
            self._close()
        elif content:
            self._block = content if side == "BEGIN" else ""
        else:
            # Otter has three such lists: of students, of the autograder, of both.
            lists = (v for k, v in settings.items() if str(k).endswith("files") and v)
            self.adopted.files = [str(name) for names in lists for name in names]
        return True

    def _open(self, settings: dict[str, Any], *, in_text: bool = False) -> None:
        self._close()
        name = re.sub(r"\W+", "_", str(settings.get("name", "question")))
        points = settings.get("points", 1)
        if isinstance(points, dict):
            points = points.get("total", points.get("each", 1))
        self.question = Question(
            self._free(name),
            points,
            by_hand=bool(settings.get("manual")),
            in_text=in_text,
        )

    def _close(self) -> None:
        """Write the tests of the question that ends."""
        question = self.question
        self.question = None
        self._block = ""
        if question is None:
            return
        if question.tests and not question.has_answer:
            self.adopted.unanswered.append(question.name)
        elif not question.tests and not question.by_hand:
            self.adopted.questions.append(f"{question.name}: it has no test.")
        shares = _shares(question.points, len(question.tests))
        for number, ((code, hidden), points) in enumerate(
            zip(question.tests, shares, strict=True), 1
        ):
            if hidden:
                code = f"{_BEGIN_HIDDEN}\n{code}\n{_END_HIDDEN}"
            grade_id = self._free(f"{question.name}_test_{number}")
            kind = "hidden test" if hidden else "public test"
            cell = nbformat.v4.new_code_cell(code)
            self._add(cell, kind, grade_id, points, locked=True)

    # ---- cells -----------------------------------------------------------------

    def _text(self, cell: NotebookNode) -> None:
        if block := _IN_TEXT.search(cell.source):
            self._open(_settings(block[1].partition("\n")[2]), in_text=True)
            cell.source = _IN_TEXT.sub("", cell.source).strip()
            self._keep(cell)
        elif self._is_answer(cell):
            self._answer(cell)
        elif self._block != "PROMPT":
            self._keep(cell)

    def _code(self, cell: NotebookNode) -> None:
        checks = _CHECK.findall(cell.source)
        test = _TEST.match(cell.source)
        cell.source = _CLIENT.sub("", cell.source).strip("\n")
        for name in checks:
            self._check(name)
        if not cell.source.strip() or self._block == "PROMPT":
            return
        if self._block == "TESTS" or (test and self.question):
            self._test(cell, bool(test and test["hidden"]))
        elif self._is_answer(cell):
            self._answer(cell)
        elif not checks and _is_assertions(cell.source) and self._adopt_plain(cell):
            pass
        else:
            self._keep(cell, solution_marks(cell.source))

    def _is_answer(self, cell: NotebookNode) -> bool:
        """Whether a cell is in a block of solutions, or right below its question."""
        question = self.question
        if question is None:
            return False
        if cell.cell_type == "markdown" and not question.by_hand:
            return False
        is_first = question.in_text and not question.has_answer
        return self._block == "SOLUTION" or is_first

    def _check(self, name: str) -> None:
        """Take the tests of ``tests/``, where a cell of the notebook calls them."""
        if not (self._folder / f"{name}.py").is_file():
            return  # they are in the notebook
        test = _doctest_file(self._folder, name)
        if self.question is None or self.question.name != name:
            self._open({"name": name, "points": test.get("points") or 1})
        assert self.question
        if not self.question.has_answer:
            self._adopt_answer_above()
        self.question.tests += self._doctests(name, test)
        self._close()

    def _answer(self, cell: NotebookNode) -> None:
        question = self.question
        assert question
        grade_id = question.name
        points = float(_sum(question.points)) if question.by_hand else None
        if question.has_answer:
            grade_id = self._free(f"{question.name}_part")
            points = 0.0 if question.by_hand else None
        question.has_answer = True
        if cell.cell_type == "code" and _has_blank(cell.source):
            self.adopted.unanswered.append(grade_id)
        if cell.cell_type == "code":
            marked = solution_marks(cell.source)
            whole = f"{_BEGIN}\n{cell.source}\n{_END}"
            cell.source = marked if _BEGIN in marked else whole
        kind = "answer, graded by hand" if question.by_hand else "answer"
        self._add(cell, kind, grade_id, points, solution=True)

    def _test(self, cell: NotebookNode, hidden: bool) -> None:
        assert self.question
        source = _TEST.sub("", cell.source)
        if config := _TEST_CONFIG.search(source):
            hidden = hidden or bool(_settings(config[1]).get("hidden"))
            source = _TEST_CONFIG.sub("", source)
        try:
            code = _as_assertion(source.strip(), cell.get("outputs", []))
        except AdoptError as error:
            self.adopted.questions.append(f"{self.question.name}: {error} Left out.")
            return
        if code:
            self.question.tests.append((code, hidden))

    def _adopt_plain(self, cell: NotebookNode) -> bool:
        """Take assertions for the test of the code cell before them, if it is none."""
        name = self._free("exercise")
        self.question = Question(name)
        self._adopt_answer_above()
        if not self.question.has_answer:
            self.question = None
            return False
        self.question.tests = [(cell.source, False)]
        self.adopted.questions.append(f"{name}: are its tests worth 1 point?")
        self._close()
        return True

    def _adopt_answer_above(self) -> None:
        """Make the code cell above the answer of this question, unless it is one."""
        cells = self.adopted.cells
        if cells and cells[-1].kind in ("code", "answer"):
            cell = self.adopted.notebook.cells.pop()
            cells.pop()
            cell.metadata.pop("nbgrader", None)
            self._answer(cell)

    def _doctests(self, name: str, test: dict[str, Any]) -> Iterator[tuple[str, bool]]:
        """Yield the tests of a file in ``tests/``, and whether each is hidden."""
        for suite in test.get("suites", []):
            setup = suite.get("setup", "")
            for case in suite.get("cases", []):
                code = setup + "\n" + case["code"]
                try:
                    yield _from_doctest(code), bool(case.get("hidden"))
                except (AdoptError, ValueError) as error:
                    self.adopted.questions.append(f"{name}: {error} Left out.")

    # ---- writing ---------------------------------------------------------------

    def _keep(self, cell: NotebookNode, source: str | None = None) -> None:
        if source and _BEGIN in source:
            cell.source = source
            name = self._free("answer")
            self._add(cell, "answer", name, solution=True)
        else:
            # It shows a mistake: grading need not run it.
            if any(out.output_type == "error" for out in cell.get("outputs", [])):
                cell.metadata["tags"] = [SKIP_TAG]
            self._add(cell, cell.cell_type)

    def _add(
        self,
        cell: NotebookNode,
        kind: str,
        grade_id: str = "",
        points: float | None = None,
        *,
        solution: bool = False,
        locked: bool = False,
    ) -> None:
        cell.metadata.pop("deletable", None)
        cell.metadata.pop("editable", None)
        if cell.cell_type == "code":
            cell.outputs = []
            cell.execution_count = None
        cell.setdefault("id", generate_corpus_id())
        if grade_id:
            cell.metadata["nbgrader"] = {
                "grade": points is not None,
                "grade_id": grade_id,
                "locked": locked,
                "schema_version": 3,
                "solution": solution,
                "task": False,
            } | ({} if points is None else {"points": points})
        self.adopted.notebook.cells.append(cell)
        number = len(self.adopted.notebook.cells)
        self.adopted.cells.append(AdoptedCell(number, kind, grade_id, points))

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
    except (OSError, ValueError) as error:
        raise AdoptError(f"{path} cannot be read as a notebook: {error}") from error
    if (language := language_of(notebook)) != "python":
        raise AdoptError(f"{path} is in {language}. nbproctor grades Python.")
    if any("nbgrader" in cell.metadata for cell in notebook.cells):
        raise AdoptError(f"{path} is nbgrader's already. Copy it into source/.")
    adopted = _Reader(notebook, path.parent / "tests").read()
    if not any(cell.points for cell in adopted.cells):
        raise AdoptError(
            f"No test was found in {path}: no BEGIN TESTS, no tests/ folder, and no "
            "cell of assertions below a cell of code."
        )
    return adopted


def write(adopted: Adopted, path: Path, source: Path) -> Path:
    """Write an adopted notebook and the files that it needs into a new folder."""
    for name in [*adopted.files, *_modules(adopted.notebook, path.parent)]:
        file = path.parent / name
        if file.is_file() and file.resolve().is_relative_to(path.parent.resolve()):
            (source / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(file, source / name)
        else:
            adopted.questions.append(f"The file {name!r} is not next to the notebook.")
    target = source / f"{source.name}.ipynb"
    write_file(target, nbformat.writes(adopted.notebook).encode())
    return target


def solution_marks(source: str) -> str:
    """Return code with nbgrader's marks in place of Otter's ``# SOLUTION``."""
    lines: list[str] = []
    inside = False
    for line in _PROMPT.sub("", source).splitlines():
        indent = re.match(r"\s*", line)
        blank = indent[0] if indent else ""
        if re.match(r"\s*#+\s*BEGIN SOLUTION", line):
            inside = True
            lines.append(blank + _BEGIN)
        elif re.match(r"\s*#+\s*END SOLUTION", line):
            inside = False
            lines.append(blank + _END)
        elif not inside and (marked := re.match(r"(.*?\S)\s*#+\s*SOLUTION\b", line)):
            if lines and lines[-1] == blank + _END:
                lines.pop()  # of the line above
            else:
                lines.append(blank + _BEGIN)
            lines += [marked[1], blank + _END]
        else:
            lines.append(line)
    return "\n".join(lines)


def _as_assertion(source: str, outputs: Iterable[NotebookNode]) -> str:
    """Return a test that compares the last expression with its stored output."""
    try:
        body = parse_code(source).body
    except SyntaxError as error:
        raise AdoptError(f"a test is not Python ({error.msg}): {source!r}.") from error
    values = [o.data.get("text/plain", "") for o in outputs if "data" in o]
    printed = "".join(o.text for o in outputs if o.output_type == "stream")
    if printed:
        raise AdoptError(f"a test compares what is printed: {source!r}.")
    if not body or not isinstance(body[-1], ast.Expr) or not values:
        return source if body else ""
    before = "\n".join(source.splitlines()[: body[-1].lineno - 1])
    expression = ast.get_source_segment(source, body[-1].value)
    return f"{before}\n{_comparison(str(expression), values[-1])}".strip()


def _comparison(expression: str, expected: str) -> str:
    """Return the assertion that an expression is shown as this text."""
    if expected == "True":
        return f"assert {expression}"
    try:
        ast.literal_eval(expected)
    except (ValueError, SyntaxError):
        return f"assert repr({expression}) == {expected!r}"
    return f"assert ({expression}) == {expected}"


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


def _doctest_file(folder: Path, name: str) -> dict[str, Any]:
    """Return the dictionary ``test`` of a file, which is not run."""
    try:
        tree = parse_code((folder / f"{name}.py").read_text("utf-8"))
    except (OSError, SyntaxError) as error:
        raise AdoptError(f"The tests of {name!r} cannot be read: {error}") from error
    for statement in tree.body:
        if isinstance(statement, ast.Assign):
            try:
                value = ast.literal_eval(statement.value)
            except ValueError:
                continue
            if isinstance(value, dict) and "suites" in value:
                return value
    raise AdoptError(f"{folder / name}.py has no dictionary `test` that can be read.")


def _settings(text: str) -> dict[str, Any]:
    """Return what a block of YAML says, or nothing."""
    try:
        settings = yaml.safe_load(text)
    except yaml.YAMLError:
        return {}
    return settings if isinstance(settings, dict) else {}


def _has_blank(source: str) -> bool:
    """Whether code has ``...`` where students write, as ``x = ...``, not ``x[...]``."""
    nodes = [*ast.walk(_tree(source))]
    indices = {
        id(part) for n in nodes if isinstance(n, ast.Subscript) for part in ast.walk(n)
    }
    return any(
        isinstance(node, ast.Constant) and node.value is ... and id(node) not in indices
        for node in nodes
    )


def _modules(notebook: NotebookNode, folder: Path) -> Iterator[str]:
    """Yield the files of modules that a notebook imports from its own folder."""
    code = [cell.source for cell in notebook.cells if cell.cell_type == "code"]
    for name in {each.partition(".")[0] for text in code for each in imports(text)}:
        for path in [folder / f"{name}.py", *(folder / name).glob("**/*.py")]:
            if path.is_file():
                yield str(path.relative_to(folder))


def _is_assertions(source: str) -> bool:
    return any(isinstance(statement, ast.Assert) for statement in _tree(source).body)


def _tree(source: str) -> ast.Module:
    """Return the syntax tree of plain Python; of anything else, an empty one."""
    try:
        return parse_code(source)
    except SyntaxError:
        return ast.Module([], [])


def _sum(points: float | Sequence[float]) -> float:
    return points if isinstance(points, int | float) else sum(points)


def _shares(points: float | Sequence[float], count: int) -> list[float]:
    """Return what each test is worth: as the question says, or equal shares."""
    if not isinstance(points, int | float) and len(points) == count:
        return [float(each) for each in points]
    share = round(_sum(points) / count, 2) if count else 0.0
    last = round(_sum(points) - share * (count - 1), 2)
    return [share] * (count - 1) + [last] * min(count, 1)
