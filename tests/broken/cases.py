"""The broken class as a table: name, how it is made, expected status and score.

Each case starts from the *released* notebook of ``examples/tiny`` with both
exercises answered correctly (10 points), and breaks it in one way.
"""

from __future__ import annotations

import copy
import io
import json
import tarfile
import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from tests.copies import write_file

Notebook = dict[str, Any]
Make = Callable[[Path, Notebook], object]
Edit = Callable[[Notebook], Notebook | None]
NAME = "tiny.ipynb"

ANSWERS = {
    "fizz": '    return str(n) if n % 3 else "fizz"',
    "mean_of": "    return sum(numbers) / len(numbers)",
}
STUB = "    raise NotImplementedError  # your code here"


@dataclass(frozen=True)
class Case:
    """One broken submission: `write` writes it into a folder, from a right one.

    `note` is a part of a sentence that the student must be told.
    """

    name: str
    write: Make
    status: str
    score: float | None
    note: str

    def make(self, folder: Path, notebook: Notebook) -> None:
        """Hand it in."""
        folder.mkdir(parents=True, exist_ok=True)
        self.write(folder, notebook)


CASES: list[Case] = []
# Read in workers alone, with 2 seconds and 300 MB: anything else would not come back.
BOMBS: list[Case] = []
# A line that is no part of an answer stops it: seen only when the cells are run.
STOPPED: list[Case] = []


def case(
    status: str,
    score: float | None,
    note: str = "",
    table: list[Case] = CASES,
) -> Callable[[Make], Make]:
    """Enter the function into the table under its own name."""

    def enter(make: Make) -> Make:
        table.append(Case(make.__name__, make, status, score, note))
        return make

    return enter


def edited(
    status: str,
    score: float | None,
    note: str = "",
) -> Callable[[Edit], Edit]:
    """Enter the function, which changes a notebook before it is written."""

    def enter(edit: Edit) -> Edit:
        def make(folder: Path, notebook: Notebook) -> None:
            write(folder, edit(notebook) or notebook)

        CASES.append(Case(edit.__name__, make, status, score, note))
        return edit

    return enter


def answered(release: Notebook) -> Notebook:
    """Return the released notebook with both exercises answered."""
    notebook = copy.deepcopy(release)
    for name, answer in ANSWERS.items():
        cell = by_id(notebook, name)
        cell["source"] = text(cell).replace(STUB, answer)
    return notebook


def by_id(notebook: Notebook, name: str) -> dict[str, Any]:
    """Return the cell with this id."""
    cell: dict[str, Any] = next(c for c in notebook["cells"] if c["id"] == name)
    return cell


def text(cell: dict[str, Any]) -> str:
    """Return the text of a cell."""
    source = cell["source"]
    return source if isinstance(source, str) else "".join(source)


def set_answer(
    notebook: Notebook,
    name: str,
    code: str,
) -> None:
    """Put other code in the place of the right answer."""
    cell = by_id(notebook, name)
    cell["source"] = text(cell).replace(ANSWERS[name], code)


def around(
    notebook: Notebook,
    name: str,
    before: str = "",
    after: str = "",
) -> None:
    """Write something above and below the text of a cell."""
    cell = by_id(notebook, name)
    cell["source"] = before + text(cell) + after


def code_of(notebook: Notebook) -> list[Notebook]:
    """Return the code cells."""
    return [cell for cell in notebook["cells"] if cell["cell_type"] == "code"]


def dump(notebook: Notebook) -> bytes:
    """Return a notebook as a file holds it."""
    return json.dumps(notebook, ensure_ascii=False, indent=1).encode()


def write(
    folder: Path,
    notebook: Notebook,
    name: str = NAME,
) -> Path:
    """Write a notebook the way Jupyter does."""
    path = folder / name
    write_file(path, dump(notebook))
    return path


def blank(notebook: Notebook, *exercises: str) -> Notebook:
    """Return the notebook with the stub in place of some answers."""
    notebook = copy.deepcopy(notebook)
    for name in exercises:
        set_answer(notebook, name, STUB)
    return notebook


def new_cell(source: str) -> dict[str, Any]:
    """Return a code cell of the student's own."""
    return {
        "cell_type": "code",
        "id": "own",
        "metadata": {},
        "source": source,
        "outputs": [],
        "execution_count": None,
    }


def merge(notebook: Notebook, *cells: Notebook, keep: str) -> None:
    """Merge cells into one, which keeps the marks of one of them."""
    at = notebook["cells"].index(cells[0])
    source = "\n\n".join(text(cell) for cell in cells)
    merged = by_id(notebook, keep) | {"source": source}
    notebook["cells"] = [cell for cell in notebook["cells"] if cell not in cells]
    notebook["cells"].insert(at, merged)


# --- names and places ---------------------------------------------------------


for _case, _name in {
    "renamed_by_a_browser": "tiny (1).ipynb",
    "any_name": "My homework.ipynb",
    "without_its_ending": "tiny",
}.items():
    _make = partial(write, name=_name)
    CASES.append(Case(_case, _make, "repaired", 10, f"'{_name}' was graded as"))


@case("ungradable", None, "is missing")
def link_to_a_file_outside(folder: Path, notebook: Notebook) -> None:
    outside = write(folder.parent / "outside", notebook, "other.ipynb")
    (folder / NAME).symlink_to(outside)
    (folder / "readme.txt").write_text("see the link")


@case("ungradable", None, "'tiny.ipynb' was not read: it has a second name")
def hard_link_as_some_programs_make_backups(folder: Path, notebook: Notebook) -> None:
    outside = write(folder.parent / "backup", notebook, "other.ipynb")
    (folder / NAME).hardlink_to(outside)


@case("graded", 5)
def environments_and_checkpoints_beside_it(folder: Path, notebook: Notebook) -> None:
    write(folder, blank(notebook, "mean_of"))
    for name in (".ipynb_checkpoints", ".venv/lib", "my_env/lib"):
        write(folder / name, notebook)
    (folder / "my_env/pyvenv.cfg").write_text("home = /usr/bin")
    # More files than are used besides a notebook.
    for number in range(2_100):
        (folder / f"my_env/lib/module{number}.py").touch()


@case("repaired", 10, "at most 2,000 files")
def pictures_by_the_thousand_beside_it(folder: Path, notebook: Notebook) -> None:
    write(folder, notebook)
    for number in range(2_100):
        (folder / f"{number}.png").touch()


@case("repaired", 10, "homework.zip/work/tiny.ipynb")
def zip_of_the_folder(folder: Path, notebook: Notebook) -> None:
    with zipfile.ZipFile(folder / "homework.zip", "w") as archive:
        archive.writestr("work/tiny.ipynb", json.dumps(notebook))
        archive.writestr("__MACOSX/work/._tiny.ipynb", b"\0\5\x16\7")
        archive.writestr("work/.ipynb_checkpoints/tiny-checkpoint.ipynb", "{}")


# --- encodings and formats ----------------------------------------------------


@edited("graded", 10)
def hundred_and_twenty_megabytes_of_outputs(notebook: Notebook) -> None:
    big = {
        "output_type": "stream",
        "name": "stdout",
        "text": "ü" * 60_000_000,
    }
    by_id(notebook, "fizz")["outputs"] = [big]


@edited("repaired", 10, "were shortened")
def six_megabytes_pasted_into_an_answer(notebook: Notebook) -> None:
    around(notebook, "fizz", f'PASTED = "{"x" * 6_000_000}"\n')
    by_id(notebook, "title")["source"] = "words " * 1_000_000


@edited("graded", 10)
def notebook_format_4_0(notebook: Notebook) -> Notebook:
    for cell in notebook["cells"]:
        del cell["id"]
    return notebook | {"nbformat_minor": 0}


# --- metadata -----------------------------------------------------------------


@edited("repaired", 10, "without nbgrader's metadata")
def metadata_lost_ids_kept(notebook: Notebook) -> None:
    for cell in notebook["cells"]:
        cell["metadata"] = {}


@edited("repaired", 10, "without nbgrader's metadata")
def metadata_lost_as_in_colab(notebook: Notebook) -> None:
    for number, cell in enumerate(notebook["cells"]):
        cell["metadata"] = {"id": f"q{number}"}
        cell["id"] = f"q{number}"


@edited("graded", 10)
def unknown_grade_id(notebook: Notebook) -> None:
    meta = {
        "grade_id": "bonus",
        "grade": True,
        "points": 50,
        "solution": False,
    }
    notebook["cells"].append(new_cell("50") | {"metadata": {"nbgrader": meta}})


@edited("repaired", 10, "'xpython' kernel")
def unknown_kernel(notebook: Notebook) -> None:
    notebook["metadata"]["kernelspec"] = {"name": "x", "language": "xpython"}


# --- cells --------------------------------------------------------------------


@edited("repaired", 10, "Missing")
def test_cells_deleted(notebook: Notebook) -> None:
    for name in ("fizz-numbers", "fizz-multiples", "mean-oracle", "mean-public"):
        notebook["cells"].remove(by_id(notebook, name))


@edited("partial", 5, "The notebook has no cell for: fizz")
def solution_cell_deleted(notebook: Notebook) -> None:
    notebook["cells"].remove(by_id(notebook, "fizz"))


@edited("repaired", 10, "a different cell than expected: fizz")
def answer_merged_into_the_locked_cell_above(notebook: Notebook) -> None:
    merge(notebook, *code_of(notebook)[:2], keep="setup")


@edited("repaired", 10, "a different cell than expected: fizz")
def answer_merged_into_the_test_below(notebook: Notebook) -> None:
    cells = by_id(notebook, "fizz"), by_id(notebook, "fizz-public")
    merge(notebook, *cells, keep="fizz-public")


@edited("repaired", 10, "a different cell than expected: mean_of")
def all_cells_merged_into_one(notebook: Notebook) -> None:
    merge(notebook, *code_of(notebook), keep="fizz")


@edited("repaired", 5, "a different cell than expected: fizz, mean_of")
def all_cells_merged_into_a_locked_one_and_one_wrong(notebook: Notebook) -> None:
    # The public test of the wrong answer fails in the middle of the merged cell.
    set_answer(notebook, "fizz", "    return n")
    merge(notebook, *code_of(notebook), keep="setup")


@edited("repaired", 10, "read-only cells was moved to new cells: setup")
def an_import_and_a_helper_added_to_a_locked_cell(notebook: Notebook) -> None:
    # The class looks like a stub, and is none of the assignment's.
    helper = (
        "class Odd(Exception):\n    pass\n\n\n"
        "def third(n):\n    return math.fmod(n, 3) == 0"
    )
    around(notebook, "setup", after=f"\nimport math\n\n\n{helper}")
    set_answer(notebook, "fizz", '    return "fizz" if Odd and third(n) else str(n)')


@edited("repaired", 5, "unclear which exercise they belong to: fizz-public")
def something_else_written_into_a_test(notebook: Notebook) -> Notebook:
    around(notebook, "fizz-public", after="\nprint('fizz')")
    return blank(notebook, "fizz")


@edited("repaired", 10, "a different cell than expected: fizz")
def answer_above_the_stub(notebook: Notebook) -> Notebook:
    decorated = "import functools\n\n@functools.cache\n"
    answer = decorated + text(by_id(notebook, "fizz"))
    notebook = blank(notebook, "fizz")
    at = notebook["cells"].index(by_id(notebook, "fizz"))
    notebook["cells"].insert(at, new_cell(answer))
    return notebook


@edited("repaired", 10, "was still below the answer")
def answer_above_the_stub_in_one_cell(notebook: Notebook) -> None:
    stub = text(by_id(notebook, "fizz")).replace(ANSWERS["fizz"], STUB)
    around(notebook, "fizz", after="\n\n\n" + stub)


@edited("graded", 10)
def lower_half_of_a_cell_with_the_same_name(notebook: Notebook) -> None:
    cells = notebook["cells"]
    cell = by_id(notebook, "fizz")
    below = cell | {"id": "below", "source": "print(fizz(3))"}
    cells.insert(cells.index(cell) + 1, below)


@edited("repaired", 10, "The one above their tests was graded: fizz.")
def older_copies_of_an_answer_above_and_at_the_end(notebook: Notebook) -> None:
    changes = {"id": "older", "source": "def fizz(n):\n    return n"}
    older = by_id(notebook, "fizz") | changes
    notebook["cells"] = [older, *notebook["cells"], older | {"id": "oldest"}]


@edited("repaired", 10, "moved to where")
def tests_moved_to_the_top(notebook: Notebook) -> None:
    notebook["cells"].sort(key=lambda cell: not cell["id"].startswith("mean-"))


@edited("repaired", 10, "moved to where")
def exercises_swapped(notebook: Notebook) -> None:
    cells = notebook["cells"]
    fizz, mean = (cells.index(by_id(notebook, name)) for name in ANSWERS)
    cells.insert(fizz, cells.pop(mean))
    cells.insert(mean, cells.pop(fizz + 1))


@edited("repaired", 10, "Changed read-only cells were restored")
def tests_turned_into_text(notebook: Notebook) -> None:
    for name in ("fizz-numbers", "mean-values"):
        cell = by_id(notebook, name)
        cell["cell_type"] = "markdown"
        del cell["outputs"], cell["execution_count"]


@edited("repaired", 10, "code cells again")
def solution_turned_into_raw_text(notebook: Notebook) -> None:
    by_id(notebook, "fizz")["cell_type"] = "raw"


@edited("repaired", 0, "Changed read-only cells were restored")
def tests_rewritten_to_pass(notebook: Notebook) -> Notebook:
    notebook = blank(notebook, *ANSWERS)
    for cell in notebook["cells"]:
        if cell["metadata"].get("nbgrader", {}).get("grade"):
            cell["source"] = "pass"
    return notebook


@edited("repaired", 10, "damaged")
def cells_that_are_no_cells(notebook: Notebook) -> None:
    notebook["cells"][3:3] = [None, 7, ["a"]]


# --- what other programs, and pasting, make of a notebook ----------------------


@edited("repaired", 10, "Code fences")
def answers_in_fences_as_from_a_chat(notebook: Notebook) -> None:
    for name in ANSWERS:
        around(notebook, name, "```python\n", "\n```")


@edited("repaired", 10, "Version 2 was graded")
def conflict_of_a_merge_with_the_answers_second(notebook: Notebook) -> None:
    for name, code in ANSWERS.items():
        both = f"<<<<<<< HEAD\n{STUB}\n=======\n{code}\n>>>>>>> work"
        set_answer(notebook, name, both)


@case("repaired", 10, "'homework.py' is not a notebook. Its code was graded")
def solved_script_beside_an_untouched_notebook(
    folder: Path, notebook: Notebook
) -> None:
    write(folder, blank(notebook, *ANSWERS))
    cells = ["Words that are no code", *map(text, code_of(notebook))]
    # As Jupyter exports it, and with the marks of other editors.
    script = "\n\n\n# In[7]:\n\n\n".join(cells)
    (folder / "homework.py").write_text(f"# %% [markdown]\n{script}\n# %%\n")


@edited("repaired", 10, "without nbgrader's metadata")
def marks_on_the_next_cell(notebook: Notebook) -> None:
    marks = [cell["metadata"] for cell in notebook["cells"]]
    for cell, moved in zip(notebook["cells"], marks[1:] + marks[:1], strict=True):
        cell["metadata"] = moved


@edited("repaired", 10, "copies of original cells")
def doubled_and_the_second_half_is_blank(notebook: Notebook) -> None:
    notebook["cells"] += blank(notebook, *ANSWERS)["cells"]
    metadata_lost_as_in_colab(notebook)


@edited("repaired", 10, "was ignored")
def raise_left_below_the_answers(notebook: Notebook) -> None:
    for name in ANSWERS:
        around(notebook, name, after=f"\n{STUB}")


@edited("graded", 10)
def cells_of_ones_own_with_odd_ids(notebook: Notebook) -> None:
    for number, name in enumerate(["me", "me", "", "a b", "x" * 65, "own-3", "tiny"]):
        notebook["cells"].append(new_cell(f"x = {number}") | {"id": name})


# --- several candidates: which answers are there, and which cells do they need? -------


HELPER = "def total(x):\n    return sum(x)"
USES_HELPER = "    return total(numbers) / len(numbers)"


def with_helper(notebook: Notebook) -> Notebook:
    """Return the notebook with a cell of the student's own that one answer uses."""
    notebook = copy.deepcopy(notebook)
    set_answer(notebook, "mean_of", USES_HELPER)
    notebook["cells"].insert(2, new_cell(HELPER))
    return notebook


@case("graded", 10)
def untouched_copies_beside_it(folder: Path, notebook: Notebook) -> None:
    write(folder, notebook)
    for number in range(20):
        write(folder, blank(notebook, *ANSWERS), f"tiny-Copy{number}.ipynb")


@case("repaired", 10, "2 notebooks were submitted. 'tiny-Copy1.ipynb' was graded")
def older_version_under_the_name(folder: Path, notebook: Notebook) -> None:
    older = blank(notebook, "mean_of")
    set_answer(older, "fizz", "    return 'fizz'")
    write(folder, older)
    write(folder, notebook, "tiny-Copy1.ipynb")


@case("repaired", 10, "'tiny.ipynb' is empty. Another file was graded.")
def empty_file_under_the_name(folder: Path, notebook: Notebook) -> None:
    (folder / NAME).touch()
    write(folder, notebook, "work.ipynb")


@case("ungradable", None, "this assignment's notebook 'tiny'")
def notebook_of_last_week(folder: Path, notebook: Notebook) -> None:
    setup = by_id(notebook, "setup")
    write(folder, notebook | {"cells": [setup, new_cell("total = 6")]})


@case("repaired", 10, "Missing answers were taken from 'rest.py': mean_of")
def script_with_the_rest_beside_a_notebook(folder: Path, notebook: Notebook) -> None:
    write(folder, blank(notebook, "mean_of"))
    (folder / "rest.py").write_text(
        "\n\n".join(map(text, code_of(with_helper(notebook))))
    )


@case("repaired", 10, "were taken from version 2 of 'tiny.ipynb': mean_of")
def conflict_of_a_merge_with_an_answer_on_each_side(
    folder: Path, notebook: Notebook
) -> None:
    sides = blank(notebook, "mean_of"), blank(with_helper(notebook), "fizz")
    (folder / NAME).write_bytes(
        b"<<<<<<< HEAD\n%b\n=======\n%b\n>>>>>>> work\n" % (*map(dump, sides),)
    )


@case("repaired", 10, "were taken from version 2 of 'tiny.ipynb': mean_of")
def half_a_notebook_behind_the_other(folder: Path, notebook: Notebook) -> None:
    second = blank(with_helper(notebook), "fizz")
    (folder / NAME).write_bytes(dump(blank(notebook, "mean_of")) + dump(second))


@edited("partial", 5, "The notebook has no cell for: fizz")
def helper_where_an_answer_was(notebook: Notebook) -> None:
    by_id(notebook, "fizz")["source"] = "def double(n):\n    return 2 * n"
    metadata_lost_as_in_colab(notebook)


# --- what a notebook was exported as, or saved as by other programs -------------------


@case("repaired", 10, "'tiny.pdf' was graded as")
def renamed_to_pdf_with_the_metadata_first(folder: Path, notebook: Notebook) -> None:
    first = {"metadata": {"long": "x" * 600}}
    write(folder, first | {"nbformat": 4, "cells": notebook["cells"]}, "tiny.pdf")


# --- what cannot be graded ----------------------------------------------------


def only(
    folder: Path,
    _: Notebook,
    name: str,
    data: bytes,
) -> None:
    """Write one file, and no notebook."""
    (folder / name).write_bytes(data)


for _case, _name, _data, _note in (
    ("empty_file", NAME, b"", "empty"),
    ("html_under_the_name", NAME, b"<!DOCTYPE html>\n<html></html>", "web page"),
    ("pdf_only", "homework.pdf", b"%PDF-1.7\n%\xe2\xe3", "PDF"),
    ("docx_under_the_name", NAME, b"PK\x03\x04 word/document.xml", "Office"),
    ("placeholder_of_a_cloud", ".tiny.ipynb.icloud", b"bplist00\xd3", "iCloud"),
):
    _make = partial(only, name=_name, data=_data)
    CASES.append(Case(_case, _make, "ungradable", None, _note))


@case("ungradable", None, "password required")
def zip_with_a_password(folder: Path, notebook: Notebook) -> None:
    zip_of_the_folder(folder, notebook)
    path = folder / "homework.zip"
    data = path.read_bytes()
    for header in (b"PK\3\4\x14\0", b"PK\1\2\x14\3\x14\0"):
        data = data.replace(header + b"\0", header + b"\1")  # its flags
    path.write_bytes(data)


@case("ungradable", None, "No file")
def empty_folder(folder: Path, notebook: Notebook) -> None: ...


@edited("ungradable", None, "more than 5000 cells")
def too_many_cells(notebook: Notebook) -> None:
    notebook["cells"] += [new_cell("1")] * 5_001


@edited("ungradable", None, "more code")
def too_much_code(notebook: Notebook) -> None:
    notebook["cells"] += [new_cell("x" * 1_500_000)] * 3


# --- a line that stops every answer: no zero, but a reason ----------------------------


def stopped(
    folder: Path,
    notebook: Notebook,
    fizz: str,
    mean_of: str,
) -> None:
    """Write a line above each answer."""
    around(notebook, "fizz", f"{fizz}\n")
    around(notebook, "mean_of", f"{mean_of}\n")
    write(folder, notebook)


MAGIC = "%sparkly on"
MISSING = "import nothing_here"
FILE = "%%writefile answer.txt"
INSTALL = "!pip install numpy"
for _case, _fizz, _mean, _score, _note in (
    ("every_answer_below_an_unknown_magic", MAGIC, MAGIC, None, "%sparkly"),
    ("every_answer_below_a_missing_import", MISSING, MISSING, None, "'nothing_here'"),
    ("every_answer_in_a_file", FILE, FILE, None, f"`{FILE}`"),
    ("every_answer_below_a_line_of_its_own", MAGIC, MISSING, None, ""),
    ("every_answer_below_a_command", INSTALL, INSTALL, 10, ""),
    ("every_answer_timed", "%%time", "%%time", 10, ""),
    ("one_answer_below_an_unknown_magic", MAGIC, "", 5, ""),
    ("one_answer_below_a_missing_import", MISSING, "", 5, ""),
):
    _status = "partial" if _score is None else "graded"
    _words = f"any answer would stop at|{_note}" if _score is None else ""
    _make = partial(stopped, fizz=_fizz, mean_of=_mean)
    STOPPED.append(Case(_case, _make, _status, _score, _words))


# --- a few bytes that take hours or gigabytes -----------------------------------------

TOO_MUCH = "takes too much memory to be read"


@case("ungradable", None, TOO_MUCH, BOMBS)
def a_small_zip_of_blanks(folder: Path, notebook: Notebook) -> None:
    with zipfile.ZipFile(folder / "tiny.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(NAME, b'{"cells": [' + b" " * 200_000_000, compresslevel=1)


@case("repaired", 10, TOO_MUCH, BOMBS)
def a_bomb_beside_the_notebook(folder: Path, notebook: Notebook) -> None:
    a_small_zip_of_blanks(folder, notebook)
    write(folder, notebook, "solved.ipynb")


@case("ungradable", None, "", BOMBS)
def a_tiny_tar_of_zeros(folder: Path, notebook: Notebook) -> None:
    with tarfile.open(folder / "tiny.tar.bz2", "w:bz2") as archive:
        info = tarfile.TarInfo(NAME)
        info.size = 60_000_000
        archive.addfile(info, io.BytesIO(bytes(info.size)))


@case("ungradable", None, "Reading the submission takes more than", BOMBS)
def gigabytes_on_the_disk(folder: Path, notebook: Notebook) -> None:
    write(folder, notebook)
    for number in range(40):
        with (folder / f"{number}.bin").open("wb") as file:
            file.truncate(290_000_000)


@case("graded", 10, "", BOMBS)
def twenty_long_cells(folder: Path, notebook: Notebook) -> None:
    long = "if 0:\n" + "    total = max(1, 2, 3) + 5 * sum([1, 2])\n" * 1_000
    notebook["cells"] += [new_cell(f"{long}    {number}") for number in range(20)]
    write(folder, notebook)
