"""Checks a notebook before it is submitted, and writes the one file to submit.

Standard library only: students get this file too, as ``kit/submit.py`` of their folder,
with ``cells.py`` next to it. It compares the notebook with the one that was handed out,
and runs nothing.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING or __package__:
    from nbproctor.cells import (
        RawCell,
        SubmittedCell,
        error_output_of,
        imported,
        list_few,
        nbgrader_metadata,
        source_of,
    )
else:  # in a student's folder
    from cells import (
        RawCell,
        SubmittedCell,
        error_output_of,
        imported,
        list_few,
        nbgrader_metadata,
        source_of,
    )

HERE = Path(__file__).resolve().parent
TARGET = "hand_in"  # the folder of the file to submit
IN_BROWSER = (
    "The file is only in this browser. In the list of files on the left, open hand_in, "
    "right-click {}, choose Download, and submit the downloaded file."
)
USE_FILE_OPTION = "run the same command with --file=FILE."
NO_FILE = (
    ". Start the lab, which copies it there. If your notebook is in another folder, "
    f"{USE_FILE_OPTION}"
)
NOWHERE = "Submit it where your course asks for it."
MANY_BYTES = 20_000_000  # many platforms take no more
SHOWN = 5


class SubmitError(Exception):
    """There is nothing to submit; the message says why."""


class Findings:
    """What was noticed in a student's notebook, which is compared and only read.

    Attributes
    ----------
    problems, remarks : list of str
        What costs marks, and what is odd but costs none.
    unanswered : list of str
        The exercises whose cell is missing or unchanged.
    stubs : dict
        Name of an exercise → its cell as it was handed out.
    """

    def __init__(self, notebook: Path, original: Path) -> None:
        self._notebook = notebook
        self._original = original
        self._cells = _cells(notebook)
        self._originals = {cell.name: cell for cell in _cells(original) if cell.name}
        self.stubs = {n: cell for n, cell in self._originals.items() if cell.is_answer}
        self.problems: list[str] = []
        self.remarks: list[str] = []
        self.unanswered: list[str] = []
        if not _is_assignment(notebook, original):
            raise SubmitError(
                f"{notebook.name} holds no cell of {original.name}, so it is another "
                f"notebook. To choose the right one, {USE_FILE_OPTION}"
            )
        self._check_file()
        self._check_copies()
        self._check_answers()
        self._check_run()
        self._check_modules()

    def lines(self) -> list[str]:
        """Return the findings in lines to print."""
        saved = datetime.fromtimestamp(self._notebook.stat().st_mtime).astimezone()
        total = len(self.stubs)
        answered = total - len(self.unanswered)
        lines = [
            f"{self._notebook.name}, saved on {saved:%d %B %Y at %H:%M %Z}: "
            f"{answered} of {total} exercises are answered."
        ]
        if self.unanswered:
            wrong = "" if answered else " Is it the file that you worked in?"
            lines.append(f"Not answered: {list_few(self.unanswered, SHOWN)}.{wrong}")
        for title, sentences in (
            ("This could cost points:", self.problems),
            ("Please check this; it does not cost points by itself:", self.remarks),
        ):
            if sentences:
                lines += ["", title, *(f"  - {sentence}" for sentence in sentences)]
        return [*lines, ""]

    def _check_file(self) -> None:
        notebook = self._notebook
        details = notebook.stat()
        if notebook.name != self._original.name:
            self.remarks.append(
                f"Your file is called '{notebook.name}'. The file to submit is called "
                f"{self._original.name}."
            )
        if details.st_size > MANY_BYTES:
            self.remarks.append(
                f"The file has {details.st_size / 1e6:.0f} MB, but many platforms "
                "accept only 20. Delete large outputs or pictures."
            )
        later = [
            path.name
            for path in _find_notebooks(notebook.parent, self._original)
            if path.stat().st_mtime > details.st_mtime
        ]
        if later:
            self.problems.append(
                f"{list_few(later, SHOWN)} was saved later than {notebook.name}. If "
                f"your answers are there, {USE_FILE_OPTION}"
            )

    def _check_copies(self) -> None:
        missing = []
        repeated = []
        changed = []
        for name, original in self._originals.items():
            copies = [cell for cell in self._cells if cell.name == name]
            count = len(copies)
            if name in self.stubs:
                self._check_answer_cell(name, count)
                continue
            if not count:
                missing.append(original.start)
            elif count > 1:
                repeated.append(original.start)
            if any(copy.text.plain != original.text.plain for copy in copies):
                changed.append(original.start)
        for starts, remark in (
            (missing, "are missing: {}. Grading adds them again."),
            (repeated, "are duplicated: {}."),
            (
                changed,
                "were changed: {}. Grading undoes these changes. If your answers need "
                "them, put them into new cells.",
            ),
        ):
            if starts:
                listed = list_few(starts, SHOWN)
                self.remarks.append(f"Read-only cells {remark.format(listed)}")

    def _check_answer_cell(self, name: str, count: int) -> None:
        """Check how often the notebook has the cell of an exercise."""
        if not count:
            self.problems.append(
                f"The cell of exercise {name} is missing, so your answer may not be "
                "found. Restore it (Edit, Undo Cell Operation), or copy it from the "
                "notebook in kit/original."
            )
        elif count > 1:
            self.problems.append(
                f"The notebook has the cell of exercise {name} {count} times, but only "
                "one of them is graded. Delete the others."
            )

    def _check_answers(self) -> None:
        last = {cell.name: cell for cell in self._cells}
        for name, stub in self.stubs.items():
            cell = last.get(name)
            if not cell or not cell.text.answers(stub.text, words=not stub.is_code):
                self.unanswered.append(name)
            elif stub.is_code and not cell.is_code:
                self.problems.append(
                    f"The cell of exercise {name} is no longer a code cell. Change its "
                    "type back to Code."
                )
            elif stub.is_code and (lost := stub.text.names - cell.text.names):
                self.problems.append(
                    f"The cell of exercise {name} does not define "
                    f"{list_few(sorted(lost), SHOWN)}. Define it there, under this "
                    "name."
                )
            elif cell.text.without_stub_line(stub.text) is not cell.text:
                self.remarks.append(
                    f"The cell of exercise {name} still ends with raise "
                    "NotImplementedError, below your code. Delete this line."
                )
        for cell in self._cells:
            if cell.is_code and not cell.text.tree:
                if cell.name in self.stubs:
                    self.problems.append(
                        f"The cell of exercise {cell.name} cannot run: it has a syntax "
                        "error. Correct it."
                    )
                else:
                    self.remarks.append(f"A cell has a syntax error: {cell.start}.")

    def _check_run(self) -> None:
        code = [cell for cell in self._cells if cell.is_code and cell.text.plain]
        counts = [cell.raw.get("execution_count") for cell in code]
        run = [count for count in counts if isinstance(count, int)]
        again = "Choose Run, Restart Kernel and Run All Cells, then save."
        if not run:
            self.remarks.append(f"No cell has run in the saved file. {again}")
            return
        if len(run) < len(counts):
            self.remarks.append(
                f"{len(counts) - len(run)} cells have not run in the saved file. "
                f"{again}"
            )
        elif run != sorted(set(run)):
            self.remarks.append(
                "The cells did not run from top to bottom, as they do in grading. "
                f"{again}"
            )
        errors = {cell.name for cell in code if error_output_of(cell.raw)}
        failing = []
        exercise = ""  # of the tests below its cell
        for name, cell in self._originals.items():
            if name in self.stubs:
                exercise = name
            is_test = nbgrader_metadata(cell.raw).get("grade")
            is_listed = exercise in failing
            if is_test and name in errors and exercise and not is_listed:
                failing.append(exercise)
        if failing:
            self.remarks.append(
                f"Public tests of these exercises fail: {list_few(failing, SHOWN)}."
            )

    def _check_modules(self) -> None:
        names = {
            f"{module.partition('.')[0]}.py"
            for cell in self._cells
            if cell.is_code and cell.text.tree
            for module in imported(cell.text.tree)
        }
        local = [
            name
            for name in sorted(names)
            if (self._notebook.parent / name).is_file()
            and not (self._original.parent / name).exists()
        ]
        if local:
            self.problems.append(
                f"Your notebook imports {list_few(local, SHOWN)}, which grading does "
                "not have. Put this code into a cell of the notebook."
            )


def find(folder: Path, original: Path) -> Path:
    """Return the student's notebook: the one of the right name, or the only other."""
    exact = folder / original.name
    if exact.is_file():
        return exact
    others = _find_notebooks(folder, original)
    if len(others) == 1:
        return others[0]
    advice = NO_FILE
    if others:
        names = ", ".join(f"'{path.name}'" for path in others)
        advice = f", but {names}. To choose one of them, {USE_FILE_OPTION}"
    raise SubmitError(f"There is no {original.name} in {folder}{advice}")


def submit(
    folder: Path,
    handed_out: Path,
    file: Path | None = None,
) -> Iterator[tuple[Path, list[str]]]:
    """Write each file to submit; yield its path, and the findings in lines to print.

    The notebook is looked for in `folder`, unless it is the `file`.
    """
    for original in sorted(handed_out.glob("[!.]*.ipynb")):
        notebook = file or find(folder, original)
        lines = Findings(notebook, original).lines()
        target = folder / TARGET / original.name
        target.parent.mkdir(exist_ok=True)
        target.write_bytes(notebook.read_bytes())
        yield target, lines


def main() -> int:
    """Check and write the notebook in the folder around ``kit/``."""
    parser = argparse.ArgumentParser(
        prog="kit.py submit",
        description="Check your notebook, and write the one file to submit.",
    )
    parser.add_argument("--file", help="your notebook, if it has another name")
    silent = argparse.SUPPRESS
    parser.add_argument(
        "file",
        nargs="?",
        default=silent,
        help=silent,
    )
    argument = parser.parse_args().file
    file = Path(argument) if argument else None
    try:
        for target, lines in submit(HERE.parent, HERE / "original", file):
            print(*lines, sep="\n")
            print(f"Submit this one file: {target}")
            if sys.platform == "emscripten":  # where the disk is the browser's
                print(IN_BROWSER.format(target.name))
        where = HERE / "hand_in.txt"
        print(where.read_text("utf-8") if where.exists() else NOWHERE)
    except (SubmitError, OSError) as error:
        print(f"Nothing was written. {error}", file=sys.stderr)
        return 1
    return 0


# ---- cells ---------------------------------------------------------------------------


class _Cell:
    """A cell as it is in a file, and as grading reads it."""

    def __init__(self, raw: RawCell) -> None:
        self.raw = raw
        handed = SubmittedCell.read(raw, source_of(raw))
        self.name = handed.name  # nbgrader's, or none
        self.is_code = handed.kind == "code"
        self.text = handed.text

    @property
    def is_answer(self) -> bool:
        grader = nbgrader_metadata(self.raw)
        return bool(grader.get("solution") or grader.get("task"))

    @property
    def start(self) -> str:
        """The first line, by which a student finds it."""
        line = self.text.text.strip().partition("\n")[0]
        if len(line) > 41:
            line = f"{line[:40]}…"
        return f"'{line}'"


def _cells(path: Path) -> list[_Cell]:
    try:
        content = json.loads(path.read_text("utf-8-sig"))
    except ValueError as error:
        raise SubmitError(
            f"{path.name} is cut short or damaged. Open it in JupyterLab and save it. "
            "If it does not open, look for an older copy in .ipynb_checkpoints."
        ) from error
    cells = content.get("cells") if isinstance(content, dict) else None
    if not isinstance(cells, list):
        raise SubmitError(
            f"{path.name} is not a notebook: it has no cells. Choose another file: "
            f"{USE_FILE_OPTION}"
        )
    return [
        _Cell(cell)
        for cell in cells
        if isinstance(cell, dict) and isinstance(cell.get("cell_type"), str)
    ]


def _find_notebooks(folder: Path, original: Path) -> list[Path]:
    """Return the notebooks of a folder that hold cells of the assignment."""
    paths = sorted(folder.glob("[!.]*.ipynb"))
    return [path for path in paths if _is_assignment(path, original)]


def _is_assignment(path: Path, original: Path) -> bool:
    """Whether a file holds cells of the assignment."""
    try:
        names = {cell.name for cell in _cells(path)}
    except (SubmitError, OSError):
        return False
    return bool(names & {cell.name for cell in _cells(original) if cell.name})


if __name__ == "__main__":
    sys.exit(main())
