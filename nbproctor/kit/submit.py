"""Looks at a notebook before it is handed in, and writes the one file to hand in.

Standard library only: students get this file too, as ``kit/submit.py`` of their folder,
with ``cells.py`` beside it. It compares with the notebook as it was handed out and runs
nothing.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections import Counter
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING or __package__:
    from nbproctor.cells import CellText, HandedCell, grader_of, imported, source_of
else:  # in a student's folder
    from cells import CellText, HandedCell, grader_of, imported, source_of

HERE = Path(__file__).resolve().parent
TARGET = "hand_in"  # the folder of the file to hand in
IN_BROWSER = (
    "It is in this browser alone: in the list of files on the left, open hand_in, "
    "click {} with the right button, Download, and hand in what you get."
)
NAME_IT = "run the same command with --file=FILE."
NO_FILE = f". Start the lab: that puts it there. Is yours elsewhere? Then {NAME_IT}"
NOWHERE = "Hand it in where your course asks for it."
MANY_BYTES = 20_000_000  # many platforms take no more
SHOWN = 5


class SubmitError(Exception):
    """There is nothing that could be handed in; the message says why."""


@dataclass
class Findings:
    """What was seen in a notebook: what costs marks, and what is odd and costs nothing.

    `left` are the exercises, of so many, whose cell is gone or says nothing yet.
    """

    cells: list[_Cell]
    given: dict[str, _Cell]  # of the notebook as it was handed out
    costs: list[str] = field(default_factory=list)
    odd: list[str] = field(default_factory=list)
    left: list[str] = field(default_factory=list)
    exercises: int = 0


def find(folder: Path, original: Path) -> Path:
    """Return the student's notebook: the one of the right name, or the only other."""
    exact = folder / original.name
    if exact.is_file():
        return exact
    others = [path for path in sorted(folder.glob("*.ipynb")) if _is(path, original)]
    if len(others) == 1:
        return others[0]
    names = ", ".join(f"'{path.name}'" for path in others)
    raise SubmitError(
        f"There is no {original.name} in {folder}"
        + (f", but {names}. To name the one you mean, {NAME_IT}" if others else NO_FILE)
    )


def check(notebook: Path, original: Path) -> Findings:
    """Compare a student's notebook, which is only read, with the one handed out."""
    given = {cell.name: cell for cell in _cells(original) if cell.name}
    found = Findings(_cells(notebook), given)
    if not any(cell.name in given for cell in found.cells):
        raise SubmitError(f"{notebook.name} holds no cell of {original.name}.")
    _check_names(notebook, original, found)
    _check_copies(found)
    _check_answers(found)
    _check_run(found)
    _check_modules(notebook, original, found)
    return found


def write(notebook: Path, original: Path, folder: Path) -> Path:
    """Write the file to hand in, under the right name, and return where it is."""
    target = folder / TARGET / original.name
    target.parent.mkdir(exist_ok=True)
    target.write_bytes(notebook.read_bytes())
    return target


def report(notebook: Path, found: Findings) -> list[str]:
    """Return what was found, in lines to print."""
    saved = datetime.fromtimestamp(notebook.stat().st_mtime)
    answered = found.exercises - len(found.left)
    lines = [
        f"{notebook.name}, saved on {saved:%d %B %Y at %H:%M}: "
        f"{answered} of {found.exercises} exercises are answered."
    ]
    if found.left:
        wrong = "" if answered else " Is it the file that you worked in?"
        lines.append(f"Not answered: {_list(found.left)}.{wrong}")
    for title, sentences in (
        ("This would cost marks:", found.costs),
        ("This is worth a look; by itself it costs nothing:", found.odd),
    ):
        if sentences:
            lines += ["", title, *(f"  - {sentence}" for sentence in sentences)]
    return [*lines, ""]


def main() -> int:
    """Check and write the notebook in the folder around ``kit/``."""
    parser = argparse.ArgumentParser(
        prog="kit.py submit",
        description="Look at your notebook, and write the one file to hand in.",
    )
    parser.add_argument("--file", help="your notebook, if it has another name")
    silent = argparse.SUPPRESS
    parser.add_argument("file", nargs="?", default=silent, help=silent)
    file = parser.parse_args().file
    folder = HERE.parent
    try:
        for original in sorted((HERE / "original").glob("*.ipynb")):
            notebook = Path(file) if file else find(folder, original)
            print(*report(notebook, check(notebook, original)), sep="\n")
            target = write(notebook, original, folder)
            print(f"Hand in this one file: {target}")
            if sys.platform == "emscripten":  # where the disk is the browser's
                print(IN_BROWSER.format(target.name))
        where = HERE / "hand_in.txt"
        print(where.read_text("utf-8") if where.exists() else NOWHERE)
    except (SubmitError, OSError) as error:
        print(f"Nothing was written. {error}", file=sys.stderr)
        return 1
    return 0


# ---- what is looked at ---------------------------------------------------------------


def _check_names(notebook: Path, original: Path, found: Findings) -> None:
    if notebook.name != original.name:
        found.odd.append(
            f"Your file is called '{notebook.name}'; it is written as {original.name}."
        )
    if notebook.stat().st_size > MANY_BYTES:
        found.odd.append(
            f"The file has {notebook.stat().st_size / 1e6:.0f} MB: many platforms take "
            "no more than 20. Delete outputs or pictures that need so much."
        )
    later = [
        path.name
        for path in sorted(notebook.parent.glob("*.ipynb"))
        if path.stat().st_mtime > notebook.stat().st_mtime and _is(path, original)
    ]
    if later:
        found.costs.append(
            f"{_list(later)} was saved later than {notebook.name}. If your answers are "
            f"there, {NAME_IT}"
        )


def _check_copies(found: Findings) -> None:
    cells, given = found.cells, found.given
    count = Counter(cell.name for cell in cells)
    for name, cell in given.items():
        if cell.is_answer and not count[name]:
            found.costs.append(
                f"The cell of exercise {name} is gone: its answer may not be found. "
                "Bring it back (Edit, Undo Cell Operation), or copy it from the "
                "original in kit/original."
            )
        elif cell.is_answer and count[name] > 1:
            found.costs.append(
                f"The cell of exercise {name} is there {count[name]} times; only one "
                "is graded. Delete the others."
            )
    locked = {name: cell for name, cell in given.items() if not cell.is_answer}
    if gone := [cell.start for name, cell in locked.items() if not count[name]]:
        found.odd.append(f"Locked cells are gone: {_list(gone)}. Grading adds them.")
    if twice := [cell.start for name, cell in locked.items() if count[name] > 1]:
        found.odd.append(f"Locked cells are there twice: {_list(twice)}.")
    changed = [
        locked[cell.name].start
        for cell in cells
        if cell.name in locked and cell.text.plain != locked[cell.name].text.plain
    ]
    if changed:
        found.odd.append(
            f"Locked cells were changed: {_list(changed)}. Grading undoes that: what "
            "your answers need from there must stand in cells of your own."
        )


def _check_answers(found: Findings) -> None:
    last = {cell.name: cell for cell in found.cells}
    stubs = {name: cell for name, cell in found.given.items() if cell.is_answer}
    found.exercises = len(stubs)
    for name, stub in stubs.items():
        cell = last.get(name)
        if not cell or not cell.text.answers(stub.text, words=not stub.is_code):
            found.left.append(name)
        elif stub.is_code and not cell.is_code:
            found.costs.append(f"The cell of exercise {name} is no code cell any more.")
        elif stub.is_code and (lost := stub.text.names - cell.text.names):
            found.costs.append(
                f"The cell of exercise {name} does not define {_list(sorted(lost))}: "
                "bring it back there, under that name."
            )
        elif cell.text.without_stub_line(stub.text) is not cell.text:
            found.odd.append(
                f"In the cell of exercise {name} your code is there, but raise "
                "NotImplementedError still ends it: delete that line."
            )
    for cell in found.cells:
        if cell.is_code and cell.text.tree is None:
            if cell.name in stubs:
                found.costs.append(
                    f"The cell of exercise {cell.name} cannot run: it has a syntax "
                    "error."
                )
            else:
                found.odd.append(f"A cell has a syntax error: {cell.start}.")


def _check_run(found: Findings) -> None:
    code = [cell for cell in found.cells if cell.is_code and cell.text.plain]
    counts = [cell.raw.get("execution_count") for cell in code]
    run = [count for count in counts if isinstance(count, int)]
    again = "Choose Run, Restart Kernel and Run All Cells, then save."
    if not run:
        found.odd.append(f"The saved file shows no run at all. {again}")
        return
    if len(run) < len(counts):
        found.odd.append(
            f"{len(counts) - len(run)} cells have not run in the saved file. {again}"
        )
    elif run != sorted(set(run)):
        found.odd.append(
            "The cells did not run from top to bottom; in grading they do. " + again
        )
    tested, exercise = {}, ""
    for name, cell in found.given.items():
        exercise = name if cell.is_answer else exercise
        tested[name] = exercise if grader_of(cell.raw).get("grade") else ""
    failed = [tested.get(cell.name) for cell in code if cell.has_failed]
    if failing := [*dict.fromkeys(filter(None, failed))]:
        found.odd.append(f"Public tests fail of: {_list(failing)}.")


def _check_modules(notebook: Path, original: Path, found: Findings) -> None:
    trees = [cell.text.tree for cell in found.cells if cell.is_code and cell.text.tree]
    wanted = {name.partition(".")[0] for tree in trees for name in imported(tree)}
    own = [
        f"{name}.py"
        for name in sorted(wanted)
        if (notebook.parent / f"{name}.py").is_file()
        and not (original.parent / f"{name}.py").exists()
    ]
    if own:
        found.costs.append(
            f"Your notebook imports {_list(own)}, which grading does not have: put "
            "that code into a cell of the notebook."
        )


# ---- cells ---------------------------------------------------------------------------


class _Cell:
    """A cell as it is in a file, and as grading reads it."""

    def __init__(self, raw: dict[str, Any]) -> None:
        self.raw = raw
        handed = HandedCell.read(raw, source_of(raw) or "")
        self.name = handed.name or ""  # nbgrader's, or none
        self.is_code = handed.kind == "code"
        self.text: CellText = handed.text

    @property
    def is_answer(self) -> bool:
        grader = grader_of(self.raw)
        return bool(grader.get("solution") or grader.get("task"))

    @property
    def start(self) -> str:
        """The first line, by which a student finds it."""
        line = self.text.text.strip().partition("\n")[0]
        return f"'{line[:40]}…'" if len(line) > 41 else f"'{line}'"

    @property
    def has_failed(self) -> bool:
        outputs = self.raw.get("outputs")
        return any(
            isinstance(output, dict) and output.get("output_type") == "error"
            for output in (outputs if isinstance(outputs, list) else ())
        )


def _cells(path: Path) -> list[_Cell]:
    try:
        content = json.loads(path.read_text("utf-8-sig"))
    except ValueError as error:
        raise SubmitError(
            f"{path.name} is cut short or damaged. Open it in JupyterLab and save it; "
            "if it does not open, look for an older copy in .ipynb_checkpoints."
        ) from error
    cells = content.get("cells") if isinstance(content, dict) else None
    if not isinstance(cells, list):
        raise SubmitError(f"{path.name} is no notebook: it has no cells.")
    return [
        _Cell(cell)
        for cell in cells
        if isinstance(cell, dict) and isinstance(cell.get("cell_type"), str)
    ]


def _is(path: Path, original: Path) -> bool:
    """Whether a file holds cells of the assignment."""
    try:
        names = {cell.name for cell in _cells(path)}
    except (SubmitError, OSError):
        return False
    return bool(names & {cell.name for cell in _cells(original) if cell.name})


def _list(names: list[str]) -> str:
    """Return names for a sentence, the first few of many."""
    more = len(names) - SHOWN
    return ", ".join(names[:SHOWN]) + (f" and {more} more" if more > 0 else "")


if __name__ == "__main__":
    sys.exit(main())
