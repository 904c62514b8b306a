"""Turns a notebook for Otter-Grader, OkPy or plain assertions into an nbgrader source.

The notebook is not run. A decision that only the teacher can make becomes a question. A
test that may be hidden is hidden.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import nbformat
from nbformat import NotebookNode
from nbformat.corpus.words import generate_corpus_id

from nbproctor.cells import (
    CellText,
    RawCell,
    error_output_of,
    grade_id,
    nbgrader_metadata,
)
from nbproctor.kit.adopted_tests import (
    AdoptError,
    Settings,
    has_assertion,
    is_marked_test,
    read_settings,
    read_test,
    read_test_file,
)
from nbproctor.kit.solutions import (
    BEGIN,
    MARKERS,
    defined_names,
    has_blank,
    mark_solution,
    solution_marks,
    solution_regions,
)
from nbproctor.markers import imports
from nbproctor.nbgrader.release import sections
from nbproctor.notebook import SKIP_TAG, language_of
from nbproctor.writing import write_file

#: The first line of a raw cell, or of a block in a text cell, that begins or ends a
#: part of the notebook.
_BLOCK = re.compile(
    r"^#?\s*(BEGIN|END) (QUESTION|SOLUTION|TESTS|PROMPT)\b"
    r"|^#?\s*(ASSIGNMENT CONFIG)"
)
#: A block in a text cell: older Otter, or an editor without raw cells, such as Colab.
_IN_TEXT = re.compile(
    r"^(?:```otter\s*\n"
    r"|(?:```|<!--)\s*\n(?=(?i:BEGIN QUESTION)))"
    r"(.*?)"
    r"^\s*(?:```|-->)\s*$",
    re.MULTILINE | re.DOTALL,
)
#: The first line of a cell that Otter shows only to the author.
_IGNORED = re.compile(r"\s*#{1,2}\s*ignore\s*(?:#|:|$)", re.MULTILINE | re.IGNORECASE)
_CHECK = re.compile(r"\b(?:ok\.grade|grader\.check)\(\s*['\"](\w+)['\"]")
#: Lines that use the other grader; all of them are removed.
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


@dataclass
class AdoptedExercise:
    """An exercise of the other grader."""

    name: str
    points: Any  # a number for all tests, or a list with one for each
    by_hand: bool
    is_plain: bool = False  # in a notebook of plain assertions
    is_answered: bool = False
    tests: list[NotebookNode] = field(default_factory=list)  # their cells

    @property
    def test_code(self) -> str:
        """The code of all its tests."""
        return "\n".join(test.source for test in self.tests)


@dataclass
class AdoptedCell:
    """A cell of the new notebook: one row of the table that the teacher reads."""

    cell: NotebookNode
    kind: str
    exercise: AdoptedExercise | None = None  # that the cell answers

    @property
    def grade_id(self) -> str:
        """The name of an answer or a graded cell; empty for other cells."""
        return grade_id(self.cell)

    @property
    def points(self) -> float | None:
        """Its points; None for a cell without points."""
        return nbgrader_metadata(self.cell).get("points")


class Adopted:
    """The new notebook, and what was found in the old one.

    Attributes
    ----------
    notebook : NotebookNode
        The source notebook of an assignment.
    cells : list of AdoptedCell
        What its cells have become.
    questions : list of str
        Decisions that only the teacher can make, as sentences.
    files : list of str
        Files that the configuration of the old notebook names.
    unanswered : list of str
        Exercises that the teacher has to solve.
    """

    def __init__(self, notebook: NotebookNode, tests: Path) -> None:
        self.notebook = nbformat.v4.new_notebook(metadata=notebook.metadata)
        self.cells: list[AdoptedCell] = []
        self.questions: list[str] = []
        self.files: list[str] = []
        self.unanswered: list[str] = []
        self._exercise: AdoptedExercise | None = None
        self._exercises: list[AdoptedExercise] = []
        self._folder = tests
        self._block = ""  # SOLUTION, TESTS or PROMPT
        self._names: set[str] = set()
        cells = [part for cell in notebook.cells for part in _parts(cell)]
        #: Older notebooks do not mark where an answer begins.
        self._marks_answers = any(
            "BEGIN SOLUTION" in cell.source for cell in cells if cell.cell_type == "raw"
        )
        for cell in cells:
            self._add(cell)
        for exercise in self._exercises:
            self._set_points(exercise)
        self._share_points()
        self._mark_answers()

    def _add(self, cell: NotebookNode) -> None:
        """Convert the next cell of the old notebook."""
        block = _BLOCK.match(cell.source)
        if block and cell.cell_type == "raw":
            _, _, settings = cell.source.partition("\n")
            self._begin_or_end(block, read_settings(settings))
        elif self._block == "PROMPT" or _IGNORED.match(cell.source):
            return
        elif cell.cell_type == "code":
            self._add_code(cell)
        else:
            self._copy(cell)

    # ---- blocks ----------------------------------------------------------------

    def _begin_or_end(self, block: re.Match[str], settings: Settings) -> None:
        """Begin or end a block; without a block, read the files of the assignment."""
        side, content, _ = block.groups()
        begins = side == "BEGIN"
        if content == "QUESTION":
            self._close()
            if begins:
                self._exercise = self._open(settings)
        elif content:
            self._block = content if begins else ""
        else:
            # Otter has three such lists: for students, for the autograder, for both.
            for key, names in settings.items():
                if key.endswith("files") and names:
                    self.files += map(str, names)

    def _open(self, settings: Settings) -> AdoptedExercise:
        points = settings.get("points")
        if isinstance(points, dict):
            points = points.get("total") or [points.get("each", 1)]
        name = re.sub(r"\W+", "_", str(settings.get("name", "question")))
        exercise = AdoptedExercise(
            name=self._free(name),
            points=points,
            by_hand=bool(settings.get("manual")),
        )
        self._exercises.append(exercise)
        return exercise

    def _close(self) -> None:
        self._exercise = None
        self._block = ""

    # ---- cells -----------------------------------------------------------------

    def _add_code(self, cell: NotebookNode) -> None:
        checked_names = _CHECK.findall(cell.source)
        cell.source = _CLIENT.sub("", cell.source).strip("\n")
        for name in checked_names:
            self._add_test_file(name)
        if not cell.source.strip():
            return
        is_test = self._block == "TESTS" or is_marked_test(cell.source)
        if self._exercise and is_test:
            self._add_test(self._exercise, cell)
        elif self._exercise or checked_names:
            self._copy(cell)
        elif is_test or has_assertion(cell.source):
            self._add_plain_test(cell)
        else:
            self._copy(cell)

    def _copy(self, cell: NotebookNode) -> None:
        """Add a cell unchanged, perhaps as an answer.

        It is an answer if it is in a block of solutions, or is the first cell of its
        exercise in a notebook without such blocks.
        """
        row = self._append_cell(cell, cell.cell_type)
        exercise = self._exercise
        if not exercise:
            return
        is_first = not (self._marks_answers or exercise.is_answered)
        may_answer = exercise.by_hand or cell.cell_type != "markdown"
        if may_answer and (is_first or self._block == "SOLUTION"):
            self._set_answer(row, exercise)

    def _add_test_file(self, name: str) -> None:
        """Add the tests of ``tests/`` that a cell calls by their name."""
        path = self._folder / f"{name}.py"
        if not path.is_file():
            return  # the tests are in the notebook
        points, tests = read_test_file(path)
        exercise = self._exercise
        if not exercise or exercise.name != name:
            exercise = self._open({"name": name})
        exercise.points = exercise.points or points
        last = self.cells[-1] if self.cells else None
        for settings in tests:
            test = nbformat.v4.new_code_cell(settings["code"])
            self._add_test(exercise, test, settings)
        if not exercise.is_answered:
            row = self._find_defining_cell(exercise.test_code) or last
            if row and not row.exercise and row.kind == "code":
                self._set_answer(row, exercise)
        self._close()

    def _set_answer(self, row: AdoptedCell, exercise: AdoptedExercise) -> None:
        """Make a cell an answer to an exercise; the first one gets its points."""
        grade_id = exercise.name
        points = _sum(exercise.points or 1)
        if exercise.is_answered:
            grade_id = self._free(f"{exercise.name}_part")
            points = 0.0
        exercise.is_answered = True
        row.exercise = exercise
        row.kind = "answer, graded by hand" if exercise.by_hand else "answer"
        _set_grader(
            row.cell,
            grade_id=grade_id,
            points=points if exercise.by_hand else None,
        )

    def _add_test(
        self,
        exercise: AdoptedExercise,
        cell: NotebookNode,
        settings: Mapping[str, Any] = {},
    ) -> None:
        """Add a test of an exercise, or say why it is left out."""
        try:
            test = read_test(cell, settings)
        except (AdoptError, ValueError) as error:
            self.questions.append(f"{exercise.name}: {error} Left out.")
            return
        test_cell = nbformat.v4.new_code_cell(test.code)
        self._append_cell(
            test_cell,
            kind="hidden test" if test.is_hidden else "public test",
        )
        exercise.tests.append(test_cell)
        _set_grader(
            cell=test_cell,
            grade_id=self._free(f"{exercise.name}_test_{len(exercise.tests)}"),
            points=test.points,
            is_test=True,
        )

    def _add_plain_test(self, cell: NotebookNode) -> None:
        """Add assertions as a test of the nearest cell above that they test."""
        row = self._find_defining_cell(cell.source)
        if not row or (row.exercise and not row.exercise.is_plain):
            self._leave_out(cell)
            return
        exercise = row.exercise
        if not exercise:
            exercise = self._open({"name": "exercise"})
            exercise.is_plain = True
            self._set_answer(row, exercise)
        self._add_test(exercise, cell)

    def _leave_out(self, cell: NotebookNode) -> None:
        """Ask about assertions that test no answer; never publish hidden ones."""
        first_line, _, _ = cell.source.strip().partition("\n")
        action = "Not graded."
        if self._block == "TESTS" or "hidden" in cell.source.lower():
            action = "Left out."
        else:
            self._append_cell(cell, cell.cell_type)
        self.questions.append(
            f"{first_line!r}: no answer above defines what is tested here. {action}"
        )

    def _find_defining_cell(self, test: str) -> AdoptedCell | None:
        """Return the nearest code cell above that defines a name that a test uses.

        A cell that has only imports and literals counts only if there is no other.
        """
        names = CellText.parse(test).uses - set(defined_names(test))
        nearest = None
        for row in reversed(self.cells):
            source = row.cell.source
            if row.kind not in ("code", "answer"):
                continue
            if names.isdisjoint(defined_names(source)):
                continue
            if BEGIN in solution_marks(source) or solution_regions(source, set()):
                return row
            nearest = nearest or row
        return nearest

    def _append_cell(self, cell: NotebookNode, kind: str) -> AdoptedCell:
        if error_output_of(cell):  # it shows a mistake, so grading need not run it
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

    def _set_points(self, exercise: AdoptedExercise) -> None:
        """Give tests the points that their exercise says, and list what is missing."""
        tests = exercise.tests
        if tests and not exercise.is_answered:
            self.unanswered.append(exercise.name)
        elif not tests and not exercise.by_hand:
            self.questions.append(f"{exercise.name}: it has no test.")
        points = exercise.points
        if isinstance(points, list) and len(points) in (1, len(tests)):
            points *= len(tests) // len(points)
            for test, each in zip(tests, points, strict=True):
                _share_out(float(each or 0), [test])
        elif points is not None:
            _share_out(_sum(points), tests)
        elif any(nbgrader_metadata(test)["points"] for test in tests):
            _share_out(0, tests)

    def _share_points(self) -> None:
        """Give other tests the points of their heading, else one point an exercise."""
        for section in reversed(sections(self.notebook.cells)):
            _share_out(section.points, section.cells)
        for exercise in self._exercises:
            is_unknown = _share_out(1, exercise.tests)
            if is_unknown and exercise.is_plain:
                self.questions.append(f"{exercise.name}: are its tests worth 1 point?")

    def _mark_answers(self) -> None:
        """Mark the solutions in code cells; list cells that have none or only that."""
        whole_cells = []
        visible_cells = []
        for number, row in enumerate(self.cells, 1):
            source = row.cell.source
            if row.cell.cell_type != "code" or row.kind.endswith("test"):
                continue
            marked = solution_marks(source)
            if row.exercise and BEGIN not in marked:
                tested = CellText.parse(row.exercise.test_code).uses
                marked = mark_solution(marked, tested)
            if BEGIN not in marked:
                if any(defined_names(source)):
                    visible_cells.append(str(number))
                continue
            row.cell.source = marked
            if not row.exercise:
                row.kind = "answer"
                _set_grader(row.cell, self._free("answer"))
            elif has_blank(source):
                self.unanswered.append(row.grade_id)
            visible_lines = set(CellText.parse(MARKERS.without_regions(marked)).code)
            if visible_lines.issubset(MARKERS.stub.splitlines()):
                whole_cells.append(row.grade_id)
        if whole_cells:
            self.questions.append(
                f"The whole cell became the solution: {', '.join(whole_cells)}. Is "
                "there a line that students should see? Move it above "
                f"{BEGIN!r}."
            )
        if visible_cells and any(exercise.is_plain for exercise in self._exercises):
            self.questions.append(
                f"Students see these cells as they are: {', '.join(visible_cells)}."
            )

    def _free(self, name: str) -> str:
        """Return, and reserve, a name that no cell has yet."""
        number = 2
        free = name
        while free in self._names:
            free = f"{name}_{number}"
            number += 1
        self._names.add(free)
        return free


def adopt(path: Path) -> Adopted:
    """Read a notebook of another grader, and the tests in the folder next to it.

    `AdoptError`: the file is not a notebook in Python, is nbgrader's already, or has no
    test.
    """
    try:
        notebook = nbformat.read(path, as_version=4)
    except (OSError, ValueError, nbformat.ValidationError) as error:
        reason = getattr(error, "strerror", None) or error
        raise AdoptError(f"{path} cannot be read as a notebook: {reason}") from error
    language = language_of(notebook)
    if language != "python":
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
    """Write an adopted notebook and the files that it needs into a new folder.

    Files that are not found become questions. Returns the path of the notebook.
    """
    folder = path.parent
    for name in [*adopted.files, *_modules(adopted.notebook, folder)]:
        file = folder / name
        if file.is_file() and file.resolve().is_relative_to(folder.resolve()):
            write_file(source / name, file.read_bytes())
        else:
            adopted.questions.append(f"The file {name!r} is not next to the notebook.")
    target = source / f"{source.name}.ipynb"
    write_file(target, nbformat.writes(adopted.notebook))
    return target


def _parts(cell: NotebookNode) -> Iterator[NotebookNode]:
    """Yield a cell; instead of a text with blocks, its texts and raw cells."""
    if cell.cell_type != "markdown" or not _IN_TEXT.search(cell.source):
        yield cell
        return
    for number, part in enumerate(_IN_TEXT.split(cell.source)):
        text = part.strip()
        is_block = number % 2
        if is_block:
            yield nbformat.v4.new_raw_cell(text)
        elif text:
            metadata = dict(cell.metadata)
            yield nbformat.v4.new_markdown_cell(text, metadata=metadata)


def _modules(notebook: NotebookNode, folder: Path) -> Iterator[str]:
    """Yield the files of modules that a notebook imports from its own folder."""
    names = {
        module.partition(".")[0]
        for cell in notebook.cells
        if cell.cell_type == "code"
        for module in imports(cell.source)
    }
    for name in names:
        for pattern in (f"{name}.py", f"{name}/**/*.py"):
            for path in folder.glob(pattern):
                yield str(path.relative_to(folder))


def _set_grader(
    cell: NotebookNode,
    grade_id: str,
    points: float | None = None,
    is_test: bool = False,
) -> None:
    """Write nbgrader's metadata of a test or of an answer.

    A test without points gets some later. An answer with points is graded by hand.
    """
    is_graded = is_test or points is not None
    metadata = {
        "grade": is_graded,
        "grade_id": grade_id,
        "locked": is_test,
        "schema_version": 3,
        "solution": not is_test,
        "task": False,
    }
    if is_graded:
        metadata["points"] = points
    cell.metadata["nbgrader"] = metadata


def _sum(points: float | list[float | None]) -> float:
    values = points if isinstance(points, list) else [points]
    return float(sum(each or 0 for each in values))


def _share_out(total: float, cells: Iterable[RawCell]) -> bool:
    """Share points out over the cells without points; return whether there are any.

    `total` includes the points of the other cells.
    """
    graders = [nbgrader_metadata(cell) for cell in cells]
    pending = [grader for grader in graders if grader["points"] is None]
    total -= sum(grader["points"] or 0 for grader in graders)
    for number, grader in enumerate(pending):
        share = total / (len(pending) - number)
        grader["points"] = max(round(share, 2), 0.0)
        total = round(total - grader["points"], 2)
    return bool(pending)
