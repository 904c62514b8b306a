"""What students get: start scripts, a copy that is renewed, a check of their work."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import nbformat
import pytest

from examples import sample_class
from nbproctor.kit import handout, lab, submit
from nbproctor.nbgrader import Course
from nbproctor.notebook import MasterNotebook
from nbproctor.submission.repair import repair
from tests import programs
from tests.broken.cases import by_id, code_of, write
from tests.copies import LAB, lab_course, unpack, write_program
from tests.kernels import run_in_kernel
from tests.kit.test_kit import POSIX
from tests.nbgrader.tiny import configure
from tests.notebooks import find_cell, read_json, read_notebook

NAME = f"{LAB}.ipynb"
Notebook = dict[str, Any]


@pytest.fixture(scope="module")
def archive(project: Path, module_path: Path) -> Path:
    course = lab_course(project, module_path, hand_in="Hand in on Moodle, task 3.")
    return handout.pack(Course(course, LAB))


@pytest.fixture
def unpacked(archive: Path, tmp_path: Path) -> Path:
    unpack(archive, tmp_path / "Übung {1} von & mit Müller")
    return tmp_path / "Übung {1} von & mit Müller" / LAB


# ---- the start scripts ---------------------------------------------------------------


# A Python that says how it is called, and has a version.
FAKE_PYTHON = """#!/bin/sh
case "$1" in
  -c) case "$2" in *version_info*) [ {version} -ge 311 ];; *) true;; esac ;;
  *) printf '%s|' "{name}" "$PWD" "$@" ;;
esac
"""
KIT = "kit.py|lab|--no-browser|"


@POSIX
@pytest.mark.parametrize(
    ("pythons", "message"),
    [
        ({"python3": 309, "python": 312}, "python|{folder}|" + KIT),
        ({"python3": 309}, "python3|{folder}|" + KIT),  # kit.py says what to do
        ({}, "no Python on this computer"),
        ({}, "https://www.python.org/downloads/"),
        ({}, "Unpack the whole zip"),
    ],
    ids=["new enough", "old", "none", "where to get one", "not all of the zip"],
)
@pytest.mark.slow
def test_the_start_script_takes_the_best_python_or_says_where_to_get_one(
    unpacked: Path,
    tmp_path: Path,
    pythons: dict[str, int],
    message: str,
) -> None:
    if message.startswith("Unpack"):
        (unpacked / "kit.py").unlink()
    for name, version in pythons.items():
        write_program(tmp_path / name, FAKE_PYTHON.format(version=version, name=name))
    for name in ("dirname", "uname"):
        (tmp_path / name).symlink_to(str(shutil.which(name)))
    command = ["/bin/sh", unpacked / "start_linux.sh", "--no-browser"]
    result = programs.start(*command, cwd=Path("/"), PATH=str(tmp_path))
    assert message.format(folder=unpacked) in result.stdout
    assert result.returncode == (not pythons)


@POSIX
@pytest.mark.slow
def test_the_start_scripts_may_be_run_and_that_of_windows_has_its_line_ends(
    unpacked: Path,
) -> None:
    linux = unpacked / "start_linux.sh"
    macos = unpacked / "start_macos.command"
    assert linux.read_bytes() == macos.read_bytes()
    assert os.access(linux, os.X_OK) and os.access(macos, os.X_OK)
    # Unpacked over the work, the zip overwrites none: originals are for reading.
    assert not (unpacked / f"kit/original/{LAB}.ipynb").stat().st_mode & 0o222
    windows = (unpacked / "start_windows.bat").read_bytes()
    assert windows.count(b"\r\n") == windows.count(b"\n") > 20
    text = windows.decode("ascii")  # cmd reads it in whatever code page is set
    jumps = {*re.findall(r"goto (\w+)", text)}
    assert {"found", "failed", "packed"} <= jumps
    assert jumps <= {*re.findall(r"^:(\w+)\r$", text, re.M)}


# ---- the page and the data -----------------------------------------------------------


@pytest.mark.slow
def test_another_assignment_has_neither_the_digits_nor_a_place(
    template: Path, tmp_path: Path
) -> None:
    root = shutil.copytree(template, tmp_path / "course")
    (root / "data/mnist").mkdir(parents=True)
    (root / "data/mnist/digits.gz").touch()
    (root / "release").rename(root / "given")
    configure(root, "c.CourseDirectory.release_directory = 'given'")
    course = Course(root, "tiny")
    unpack(handout.pack(course), tmp_path)
    folder = tmp_path / "tiny"
    page = (folder / "START.html").read_text("utf-8")
    assert "where your course asks for it" in page and "something goes wrong" in page
    assert not (folder / "data").exists()
    # Unless a module names them.
    (root / "given/tiny/tools.py").write_text("FILES = Path('data') / 'mnist'\n")
    assert handout.data_of(course) == ["data/mnist/digits.gz"]


# ---- the copy ------------------------------------------------------------------------


@pytest.fixture
def release(tmp_path: Path) -> Path:
    folder = tmp_path / "release"
    folder.mkdir()
    for name in ("lab.ipynb", "tools.py"):
        (folder / name).write_text("first")
    return folder


def test_a_copy_is_renewed_until_somebody_works_in_it(
    release: Path, tmp_path: Path
) -> None:
    copy = tmp_path / "copy"
    sentences = lab.renew(copy, release)
    assert sentences == [f"The assignment was copied to {copy}: work there."]
    (release / "lab.ipynb").write_text("second")
    sentences = lab.renew(copy, release)
    assert sentences == ["lab.ipynb was updated. You had not changed it."]
    assert (copy / "lab.ipynb").read_text() == "second"
    (copy / "lab.ipynb").write_text("my work")
    assert lab.renew(copy, release) == []
    for name in ("lab.ipynb", "tools.py"):
        (release / name).write_text("third")
    for _ in range(2):  # it is said each time
        assert "--fresh" in lab.renew(copy, release)[-1]
        assert (copy / "lab.ipynb").read_text() == "my work"
        assert (copy / "tools.py").read_text() == "third"


def test_fresh_keeps_the_work_under_a_dated_name_and_says_so(
    release: Path, tmp_path: Path
) -> None:
    copy = tmp_path / "copy"
    lab.renew(copy, release)
    works = ("my work", "my work of the same minute")
    for work in works:
        (copy / "lab.ipynb").write_text(work)
        os.utime(copy / "lab.ipynb", (1_795_600_000, 1_795_600_000))
        (sentence,) = lab.renew(copy, release, fresh=True)
        assert (copy / sentence.split("'")[1]).read_text() == work
        assert (copy / "lab.ipynb").read_text() == "first"
    copies = copy.glob("lab 2026-11-*.ipynb")
    assert {path.read_text() for path in copies} == {*works}
    assert lab.renew(copy, release, fresh=True) == []  # there is no work any more


# ---- before it is submitted ----------------------------------------------------------


@pytest.fixture(scope="module")
def original(project: Path) -> Path:
    return project / "release" / LAB / f"{LAB}.ipynb"


@pytest.fixture(scope="module")
def solution(lab_master: MasterNotebook, original: Path) -> str:
    """All exercises answered, and run from top to bottom."""
    notebook = read_notebook(original)
    solved = sample_class.solve(notebook, sample_class.solutions(lab_master))
    for count, cell in enumerate(code_of(solved), 1):
        cell["execution_count"] = count
    return str(nbformat.writes(solved))


@pytest.fixture
def work(solution: str) -> Any:
    return json.loads(solution)


def test_good_work_gets_no_warning_and_a_stub_is_no_answer(
    work: Notebook,
    original: Path,
    lab_master: MasterNotebook,
    tmp_path: Path,
) -> None:
    work["cells"][-1]["source"] = "files = !ls\nprint?\nif x:\n    %time f()"
    findings = submit.Findings(write(tmp_path, work, NAME), original)
    assert (findings.problems, findings.remarks, findings.unanswered) == ([], [], [])
    assert len(findings.stubs) == 12
    stub = find_cell(lab_master, "one_hot").stub
    by_id(work, "one-hot")["source"] = f"# To do!\n\n{stub}"
    assert submit.Findings(write(tmp_path, work, NAME), original).unanswered == [
        "one_hot"
    ]


# Cell, what is done to it, warning, and whether that costs marks or is repaired.
DAMAGES = r"""
one-hot | lost | exercise one_hot is missing | costs repaired
one-hot | doubled | has the cell of exercise one_hot 2 times | costs repaired
one-hot | {"cell_type": "markdown"} | exercise one_hot is no longer a code cell | \
costs repaired
one-hot | {"source": "def onehot(Y, n):\n    return 1"} | \
exercise one_hot does not define one_hot | costs
one-hot | {"source": "def one_hot(Y, n):\n    return ("} | \
exercise one_hot cannot run: it has a syntax error | costs
one-hot | {"source": "def one_hot(Y, n):\n    if n:\n        return Y\n    raise \
NotImplementedError  # here"} | \
one_hot still ends with raise NotImplementedError, below your code | repaired
one-hot-public | {"source": "assert True"} | \
Read-only cells were changed: '# Each column has | repaired
one-hot-public | lost | Read-only cells are missing: '# Each column has | repaired
one-hot-public | doubled | Read-only cells are duplicated: '# Each column has | repaired
try-self-check | {"source": "x = ("} | A cell has a syntax error: 'x = ('. | nothing
one-hot | {"execution_count": 900} | did not run from top to bottom | nothing
one-hot | {"execution_count": null} | 1 cells have not run | nothing
 | {"execution_count": null} | No cell has run in the saved file | nothing
one-hot-public | {"outputs": [{"output_type": "error", "ename": "E", "evalue": "", \
"traceback": []}]} | Public tests of these exercises fail: one_hot. | nothing
""".replace("\\\n", "")


@pytest.mark.parametrize("row", DAMAGES.strip("\n").splitlines())
def test_damage_that_costs_marks_or_is_repaired_is_named(
    work: Notebook,
    original: Path,
    lab_master: MasterNotebook,
    tmp_path: Path,
    row: str,
) -> None:
    name, change, warning, effect = row.split(" | ")
    for cell in [cell for cell in work["cells"] if name in ("", cell["id"])]:
        if change == "lost":
            work["cells"].remove(cell)
        elif change == "doubled":
            work["cells"].append(cell | {"execution_count": 900})
        else:
            cell.update(json.loads(change))
    path = write(tmp_path / "submitted", work, NAME)
    findings = submit.Findings(path, original)
    (sentence,) = findings.problems + findings.remarks
    assert warning in sentence
    assert bool(findings.problems) == ("costs" in effect)
    assert bool(repair(path.parent, lab_master).notes) == ("repaired" in effect)


def test_a_file_next_to_the_notebook_would_be_missing_or_is_a_later_one(
    work: Notebook,
    original: Path,
    tmp_path: Path,
) -> None:
    (tmp_path / "my_tools.py").touch()
    (tmp_path / "mnist.py").touch()
    work["cells"][-1]["source"] = "%time x = 1\nimport my_tools, mnist\n!ls"
    path = write(tmp_path, work, NAME)
    os.utime(path, (1, 1))
    write(tmp_path, work, "neural_network-Copy1.ipynb")
    (tmp_path / "other.ipynb").write_text('{"cells": []}')
    later, module = submit.Findings(path, original).problems
    assert "neural_network-Copy1.ipynb was saved later" in later
    assert "my_tools.py" in module and "mnist" not in module


# ---- as students run it, without the package -----------------------------------------


def run_kit(folder: Path, *words: str) -> subprocess.CompletedProcess[str]:
    """Run kit.py under a Python that has nothing but its standard library."""
    command = [sys.executable, "-I", "-S", folder / "kit.py", *words]
    return programs.start(*command, cwd=Path("/"))


@pytest.mark.slow
def test_submit_writes_the_one_file_and_says_where_it_goes(
    work: Notebook, unpacked: Path
) -> None:
    write(unpacked, work, "neural_network (1).ipynb")
    result = programs.succeeded(run_kit(unpacked, "submit"))
    target = unpacked / "hand_in" / f"{LAB}.ipynb"
    assert read_json(target) == work
    assert "12 of 12 exercises are answered" in result.stdout
    assert "called 'neural_network (1).ipynb'" in result.stdout
    end = f"Submit this one file: {target}\nHand in on Moodle, task 3.\n"
    assert result.stdout.endswith(end)
    assert "Hand in on Moodle, task 3." in (unpacked / "START.html").read_text("utf-8")
    done = programs.start(
        sys.executable, "-S", "-c", IN_A_BROWSER, cwd=unpacked / "kit"
    )
    message = f"open hand_in, right-click {LAB}.ipynb, choose Download"
    assert message in programs.succeeded(done).stdout


IN_A_BROWSER = """
import runpy, sys
sys.platform, sys.argv = "emscripten", [""]
runpy.run_path("submit.py", run_name="__main__")
"""


@pytest.mark.slow
def test_what_cannot_be_submitted_is_not_written(unpacked: Path) -> None:
    path = unpacked / f"{LAB}.ipynb"
    for text, error in (
        ("", "There is no neural_network.ipynb"),
        ('{"cells": [', "is cut short or damaged"),
        ("[]", "is not a notebook"),
        ('{"cells": []}', "holds no cell of"),
    ):
        if text:
            path.write_text(text)
        assert error in programs.complaint_of(run_kit(unpacked, "submit"))
    assert not (unpacked / "hand_in").exists()
    result = run_kit(unpacked, "sumbit")  # gets the commands
    assert result.returncode == 2
    assert "kit.py lab" in result.stdout and "kit.py submit" in result.stdout


# ---- under the course's own kit ------------------------------------------------------


@pytest.mark.slow
def test_submit_of_the_course_says_what_grading_would_repair(
    work: Notebook,
    project: Path,
    tmp_path: Path,
) -> None:
    lab_course(project, tmp_path)
    work["cells"].remove(by_id(work, "one-hot-public"))
    folder = tmp_path / "lab" / LAB
    lab.renew(folder, tmp_path / "release" / LAB)
    write(folder, work, NAME)
    output = programs.run_line("submit", tmp_path)
    target = folder / "hand_in" / f"{LAB}.ipynb"
    assert "Grading would note: " in output
    assert f"Submit this one file: {target}" in output
    assert read_json(target) == work


# ---- the table at the end of the lab, without nbgrader and nbproctor -----------------

ALONE = "import sys; sys.modules['nbgrader'] = sys.modules['nbproctor'] = None"
PASSES = "✓ passes its public test"
LOOK = "→ look here"
NOT_STARTED = "○ not started"
# A copy of a test without its checks is passed by.
COPY = "@public_test(1, advise)\ndef test(part):\n    pass"
CHANGED = f"Sigmoid.__call__ = lambda self, z: 0\nget_ipython().run_cell({COPY!r})"


@pytest.mark.slow
def test_each_row_says_how_its_exercise_stands_now_and_is_no_mark(
    project: Path, lab_master: MasterNotebook
) -> None:
    """Not as it stood when its test ran."""
    folder = project / "release" / LAB
    release = read_notebook(folder / f"{LAB}.ipynb")
    right = sample_class.solutions(lab_master)
    done = ("sigmoid", "regularization", "initialize_parameters", "predict")
    answers_of_some = {name: right[name] for name in (*done, "backward_propagation")}
    answers_of_some["one_hot"] = "def one_hot(Y, n_classes):\n    return 3"
    answers_of_some["compute_cost"] = "def compute_cost(A2, Y):\n    raise SystemExit"
    # All that is not prose or a demonstration; the table is the last cell.
    partly, solved = (
        [
            cell
            for cell in code_of(sample_class.solve(release, answers))
            if "nbgrader" in cell.metadata or cell.id == "try-self-check"
        ]
        for answers in (answers_of_some, right)
    )
    partly = [cell for cell in partly if cell.id != "predict-public"]
    alone, change, table = map(
        nbformat.v4.new_code_cell, (ALONE, CHANGED, solved[-1].source)
    )
    release.cells = [alone, *partly, *solved, change, table]
    run_in_kernel(release, folder)
    tables = []
    for cell in (partly[-1], solved[-1], table):
        *rows, _, last = "".join(o.text for o in cell.outputs).splitlines()
        assert last.startswith("This is not a mark")
        tables.append([row[38:] for row in rows])
    assert tables[0] == [
        PASSES,
        NOT_STARTED,
        f"{LOOK}: runs: one_hot([[2, 0, 3]], 5): an array is needed, but found int",
        f"{LOOK}: SystemExit",
        PASSES,
        NOT_STARTED,
        PASSES,
        NOT_STARTED,
        f"{LOOK}: exercise 2 is not written yet; this one builds on it: do that first",
        NOT_STARTED,
        NOT_STARTED,
        "– no test has run (a given exercise has none)",
    ]
    assert tables[1] == 12 * [PASSES]
    assert tables[2][0].startswith(LOOK) and tables[2][2] == PASSES
