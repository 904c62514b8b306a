"""What students get: start scripts, a copy that is renewed, a check of their work."""

from __future__ import annotations

import json
import os
import shutil
import stat
import subprocess
import sys
from collections.abc import Callable
from copy import deepcopy
from pathlib import Path
from typing import Any
from zipfile import ZipFile

import nbformat
import pytest

from examples import sample_class
from nbproctor.kit import handout, lab, submit
from nbproctor.nbgrader import Course
from nbproctor.notebook import MasterNotebook
from nbproctor.submission.repair import repair
from tests import programs
from tests.copies import LAB, lab_course
from tests.kernels import run_in_kernel

POSIX = pytest.mark.skipif(os.name == "nt", reason="a script of POSIX shells")

Notebook = dict[str, Any]


def unpack(archive: Path, folder: Path) -> Path:
    """Unpack the zip as a file manager does, permissions included."""
    with ZipFile(archive) as content:
        for entry in content.infolist():
            path = Path(content.extract(entry, folder))
            path.chmod(stat.S_IMODE(entry.external_attr >> 16))
    return next(folder.iterdir())


@pytest.fixture(scope="module")
def archive(project: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("course")
    course = lab_course(project, folder, hand_in="Hand in on Moodle, task 3.")
    return handout.pack(Course(course, LAB))


@pytest.fixture
def unpacked(archive: Path, tmp_path: Path) -> Path:
    return unpack(archive, tmp_path / "Übung {1} von & mit Müller")


# ---- the start scripts ---------------------------------------------------------------


def fake_python(
    folder: Path,
    name: str,
    version: int,
) -> None:
    """A Python that says how it is called, and has a version."""
    script = f"""#!/bin/sh
case "$1" in
  -c) case "$2" in *version_info*) [ {version} -ge 311 ];; *) true;; esac ;;
  *) printf '%s|' "{name}" "$PWD" "$@" ;;
esac
"""
    (folder / name).write_text(script)
    (folder / name).chmod(0o755)


def start(folder: Path, tools: Path) -> subprocess.CompletedProcess[str]:
    for name in ("dirname", "uname"):
        (tools / name).symlink_to(str(shutil.which(name)))
    command = ["/bin/sh", folder / "start_linux.sh", "--no-browser"]
    return programs.start(*command, cwd=Path("/"), PATH=str(tools))


KIT = "kit.py|lab|--no-browser|"


@POSIX
@pytest.mark.parametrize(
    ("pythons", "message"),
    [
        ({"python3": 309, "python": 312}, "python|{folder}|" + KIT),
        ({"python3": 309}, "python3|{folder}|" + KIT),  # kit.py says what to do
        ({}, "https://www.python.org/downloads/"),
        (None, "Unpack the whole zip"),
    ],
    ids=["new enough", "old", "none", "not all of the zip"],
)
@pytest.mark.slow
def test_the_start_script_takes_the_best_python_or_says_where_to_get_one(
    unpacked: Path,
    tmp_path: Path,
    pythons: dict[str, int] | None,
    message: str,
) -> None:
    if pythons is None:
        (unpacked / "kit.py").unlink()
    for name, version in (pythons or {}).items():
        fake_python(tmp_path, name, version)
    result = start(unpacked, tmp_path)
    assert message.format(folder=unpacked) in result.stdout
    assert result.returncode == (not pythons)
    assert ("no Python on this computer" in result.stdout) == (pythons == {})


@POSIX
@pytest.mark.slow
def test_the_start_scripts_may_be_run_and_that_of_windows_has_its_line_ends(
    unpacked: Path,
) -> None:
    linux = unpacked / "start_linux.sh"
    macos = unpacked / "start_macos.command"
    assert os.access(linux, os.X_OK) and os.access(macos, os.X_OK)
    assert linux.read_bytes() == macos.read_bytes()
    windows = (unpacked / "start_windows.bat").read_bytes()
    assert windows.count(b"\r\n") == windows.count(b"\n") > 20
    text = windows.decode("ascii")  # cmd reads it in whatever code page is set
    lines = text.splitlines()
    jumps = {word for line in lines for word in line.partition("goto ")[2:]}
    assert {f":{word}" for word in jumps if word} <= {*lines}
    assert jumps >= {"found", "failed", "packed"}
    for script in (linux, macos):
        subprocess.run(["/bin/sh", "-n", script], check=True)


# ---- the page and the data -----------------------------------------------------------


@pytest.fixture
def tiny(project: Path, tmp_path: Path) -> Path:
    """The tiny assignment in a course that has the digits, too, and no pins."""
    shutil.copytree(project / "examples/tiny/source", tmp_path / "source")
    (tmp_path / "data" / "mnist").mkdir(parents=True)
    (tmp_path / "data" / "mnist" / "digits.gz").touch()
    shutil.copytree(tmp_path / "source" / "tiny", tmp_path / "given" / "tiny")
    moved = "c = get_config()\nc.CourseDirectory.release_directory = 'given'"
    (tmp_path / "nbgrader_config.py").write_text(moved)
    return tmp_path


@pytest.mark.slow
def test_another_assignment_has_neither_the_digits_nor_a_place(tiny: Path) -> None:
    folder = unpack(handout.pack(Course(tiny, "tiny")), tiny / "unpacked")
    page = (folder / "START.html").read_text("utf-8")
    assert "where your course asks for it" in page and "something is wrong" in page
    assert not (folder / "data").exists()
    # Unless a module names them.
    (tiny / "given/tiny/tools.py").write_text("FILES = Path('data') / 'mnist'\n")
    assert handout.data_of(Course(tiny, "tiny")) == ["data/mnist/digits.gz"]


# ---- the copy ------------------------------------------------------------------------


@pytest.fixture
def release(tmp_path: Path) -> Path:
    folder = tmp_path / "release"
    folder.mkdir()
    (folder / "lab.ipynb").write_text("first")
    (folder / "tools.py").write_text("first")
    return folder


def test_a_copy_is_renewed_until_somebody_works_in_it(
    release: Path, tmp_path: Path
) -> None:
    copy = tmp_path / "copy"
    copied = f"The assignment was copied to {copy}: work there."
    assert lab.renew(copy, release) == [copied]
    (release / "lab.ipynb").write_text("second")
    (sentence,) = lab.renew(copy, release)
    assert sentence == "lab.ipynb was updated. You had not changed it."
    assert (copy / "lab.ipynb").read_text() == "second"
    (copy / "lab.ipynb").write_text("my work")
    assert lab.renew(copy, release) == []
    (release / "lab.ipynb").write_text("third")
    (release / "tools.py").write_text("third")
    for _ in range(2):  # it is said each time
        assert "--fresh" in lab.renew(copy, release)[-1]
        assert (copy / "lab.ipynb").read_text() == "my work"
        assert (copy / "tools.py").read_text() == "third"


def test_fresh_keeps_the_work_under_a_dated_name_and_says_so(
    release: Path, tmp_path: Path
) -> None:
    copy = tmp_path / "copy"
    lab.renew(copy, release)
    copies: list[Path] = []
    for work in ("my work", "my work of the same minute"):
        (copy / "lab.ipynb").write_text(work)
        os.utime(copy / "lab.ipynb", (1_795_600_000, 1_795_600_000))
        (sentence,) = lab.renew(copy, release, fresh=True)
        copies.append(copy / sentence.split("'")[1])
        assert copies[-1].read_text() == work
        assert copies[-1].name.startswith("lab 2026-11-")
        assert (copy / "lab.ipynb").read_text() == "first"
    assert len(set(copies)) == 2
    assert lab.renew(copy, release, fresh=True) == []  # there is no work any more


# ---- before it is submitted ----------------------------------------------------------


@pytest.fixture(scope="module")
def original(project: Path) -> Path:
    return project / "release" / LAB / f"{LAB}.ipynb"


@pytest.fixture(scope="module")
def solution(lab_master: MasterNotebook, original: Path) -> str:
    """All exercises answered, and run from top to bottom."""
    notebook = nbformat.read(original, as_version=4)
    solved = sample_class.solve(notebook, sample_class.solutions(lab_master))
    for count, cell in enumerate(
        (cell for cell in solved.cells if cell.cell_type == "code"), 1
    ):
        cell.execution_count = count
    return str(nbformat.writes(solved))


@pytest.fixture
def work(solution: str) -> Any:
    return json.loads(solution)


def cell_of(notebook: Notebook, name: str) -> Notebook:
    return next(
        cell
        for cell in notebook["cells"]
        if cell["metadata"].get("nbgrader", {}).get("grade_id") == name
    )


def save(
    notebook: Notebook,
    folder: Path,
    name: str = f"{LAB}.ipynb",
) -> Path:
    folder.mkdir(exist_ok=True)
    path = folder / name
    path.write_text(json.dumps(notebook), "utf-8")
    return path


def test_good_work_gets_no_warning_and_a_stub_is_no_answer(
    work: Notebook,
    original: Path,
    lab_master: MasterNotebook,
    tmp_path: Path,
) -> None:
    work["cells"][-1]["source"] = "files = !ls\nprint?\nif x:\n    %time f()"
    findings = submit.check(save(work, tmp_path), original)
    assert (findings.problems, findings.remarks, findings.unanswered) == ([], [], [])
    assert findings.exercises == 12
    stub = next(cell.stub for cell in lab_master.cells if cell.id == ANSWER)
    cell_of(work, ANSWER)["source"] = f"# To do!\n\n{stub}"
    assert submit.check(save(work, tmp_path), original).unanswered == [ANSWER]


Damage = Callable[[Notebook], object]
ANSWER = "one_hot"
TEST = "one_hot_public"
FINISHED = "def one_hot(Y, n):\n    if n:\n        return Y"
ERROR = {
    "output_type": "error",
    "ename": "E",
    "evalue": "",
    "traceback": [],
}


def change(name: str, **new: Any) -> Damage:
    return lambda work: cell_of(work, name).update(new)


def lose(name: str) -> Damage:
    return lambda work: work["cells"].remove(cell_of(work, name))


def double(name: str) -> Damage:
    return lambda work: work["cells"].append(
        deepcopy(cell_of(work, name)) | {"execution_count": 900}
    )


def turn_to_text(work: Notebook) -> None:
    cell = cell_of(work, ANSWER)
    cell["cell_type"] = "markdown"
    del cell["outputs"], cell["execution_count"]


def never_run(work: Notebook) -> None:
    for cell in work["cells"]:
        if cell["cell_type"] == "code":
            cell["execution_count"] = None


# Warning → what was done, and whether it costs marks and grading repairs it.
DAMAGES: dict[str, tuple[Damage, bool, bool]] = {
    "exercise one_hot is missing": (lose(ANSWER), True, True),
    "exercise one_hot 2 times": (double(ANSWER), True, True),
    "exercise one_hot does not define one_hot": (
        change(ANSWER, source="def onehot(Y, n):\n    return 1"),
        True,
        False,
    ),
    "exercise one_hot cannot run: it has a syntax error": (
        change(ANSWER, source="def one_hot(Y, n):\n    return ("),
        True,
        False,
    ),
    "exercise one_hot is no longer a code cell": (turn_to_text, True, True),
    "one_hot still ends with raise NotImplementedError, below your code": (
        change(ANSWER, source=f"{FINISHED}\n    raise NotImplementedError  # here"),
        False,
        True,
    ),
    "Read-only cells were changed: '# Each column has": (
        change(TEST, source="assert True"),
        False,
        True,
    ),
    "Read-only cells are missing: '# Each column has": (lose(TEST), False, True),
    "Read-only cells are duplicated: '# Each column has": (
        double(TEST),
        False,
        True,
    ),
    "A cell has a syntax error: 'x = ('.": (
        lambda work: work["cells"][-1].update(source="x = ("),
        False,
        False,
    ),
    "No cell has run in the saved file": (never_run, False, False),
    "did not run from top to bottom": (
        change(ANSWER, execution_count=900),
        False,
        False,
    ),
    "1 cells have not run": (change(ANSWER, execution_count=None), False, False),
    "Public tests of these exercises fail: one_hot.": (
        change(TEST, outputs=[ERROR]),
        False,
        False,
    ),
}


@pytest.mark.parametrize("warning", DAMAGES)
def test_what_would_cost_marks_or_be_repaired_or_is_only_odd_is_named(
    work: Notebook,
    original: Path,
    lab_master: MasterNotebook,
    tmp_path: Path,
    warning: str,
) -> None:
    damage, costs, repaired = DAMAGES[warning]
    damage(work)
    path = save(work, tmp_path / "submitted")
    findings = submit.check(path, original)
    (sentence,) = findings.problems if costs else findings.remarks
    assert warning in sentence
    assert bool(findings.problems) == costs
    assert bool(repair(path.parent, lab_master).notes) == repaired


def test_a_module_of_the_students_own_would_be_missing_in_grading(
    work: Notebook,
    original: Path,
    tmp_path: Path,
) -> None:
    (tmp_path / "my_tools.py").touch()
    (tmp_path / "mnist.py").touch()
    work["cells"][-1]["source"] = "%time x = 1\nimport my_tools, mnist\n!ls"
    findings = submit.check(save(work, tmp_path), original)
    (cost,) = findings.problems
    assert "my_tools.py" in cost and "mnist" not in cost


def test_an_older_file_of_the_right_name_is_doubted(
    work: Notebook,
    original: Path,
    tmp_path: Path,
) -> None:
    path = save(work, tmp_path)
    os.utime(path, (1, 1))
    save(work, tmp_path, "neural_network-Copy1.ipynb")
    (tmp_path / "other.ipynb").write_text('{"cells": []}')
    (cost,) = submit.check(path, original).problems
    assert "neural_network-Copy1.ipynb was saved later" in cost


# ---- as students run it, without the package -----------------------------------------


def run_submit(folder: Path, *words: str) -> subprocess.CompletedProcess[str]:
    """kit.py submit under a Python that has nothing but its standard library."""
    command = [sys.executable, "-I", "-S", folder / "kit.py", "submit", *words]
    return programs.start(*command, cwd=Path("/"))


@pytest.mark.slow
def test_submit_writes_the_one_file_and_says_where_it_goes(
    work: Notebook, unpacked: Path
) -> None:
    save(work, unpacked, "neural_network (1).ipynb")
    result = programs.succeeded(run_submit(unpacked))
    target = unpacked / "hand_in" / f"{LAB}.ipynb"
    assert json.loads(target.read_text("utf-8")) == work
    assert "12 of 12 exercises are answered" in result.stdout
    assert "called 'neural_network (1).ipynb'" in result.stdout
    end = result.stdout.splitlines()[-2:]
    assert end == [f"Submit this one file: {target}", "Hand in on Moodle, task 3."]
    assert end[1] in (unpacked / "START.html").read_text("utf-8")
    browsers = "import runpy, sys; sys.platform, sys.argv = 'emscripten', ['']"
    browsers += (
        "; sys.path += ['kit']; runpy.run_path('kit/submit.py', run_name='__main__')"
    )
    command = [sys.executable, "-S", "-c", browsers]
    done = programs.start(*command, cwd=unpacked)
    output = done.stdout + done.stderr
    assert f"open hand_in, right-click {LAB}.ipynb, choose Download" in output


@pytest.mark.parametrize(
    ("text", "error"),
    [
        ('{"cells": [', "is cut short or damaged"),
        ("[]", "is not a notebook"),
        ('{"cells": []}', "holds no cell of"),
        (None, "There is no neural_network.ipynb"),
    ],
)
@pytest.mark.slow
def test_what_cannot_be_submitted_is_not_written(
    unpacked: Path,
    text: str | None,
    error: str,
) -> None:
    path = unpacked / f"{LAB}.ipynb"
    if text is not None:
        path.write_text(text)
    result = run_submit(unpacked)
    assert result.returncode == 1
    assert error in result.stderr and "Traceback" not in result.stderr
    assert not (unpacked / "hand_in").exists()


@pytest.mark.slow
def test_a_word_that_is_not_a_command_gets_the_commands(unpacked: Path) -> None:
    result = programs.start(sys.executable, "kit.py", "sumbit", cwd=unpacked)
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
    lose(TEST)(work)
    lab.renew(tmp_path / "lab" / LAB, tmp_path / "release" / LAB)
    save(work, tmp_path / "lab" / LAB)
    result = programs.succeeded(
        programs.run_python("nbproctor", "submit", cwd=tmp_path)
    )
    assert "Grading would note: " in result.stdout
    target = tmp_path / "lab" / LAB / "hand_in" / f"{LAB}.ipynb"
    assert f"Submit this one file: {target}" in result.stdout
    assert json.loads(target.read_text("utf-8")) == work


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
    release = nbformat.read(folder / f"{LAB}.ipynb", as_version=4)
    right = sample_class.solutions(lab_master)
    done = ("sigmoid", "regularization", "initialize_parameters", "predict")
    answers_of_some = {name: right[name] for name in (*done, "backward_propagation")}
    answers_of_some["one_hot"] = "def one_hot(Y, n_classes):\n    return 3"
    answers_of_some["compute_cost"] = "def compute_cost(A2, Y):\n    raise SystemExit"
    # All that is not prose or a demonstration; the table is the last cell.
    partly, solved = (
        [
            cell
            for cell in sample_class.solve(release, answers).cells
            if cell.cell_type == "code"
            and (cell.metadata.get("nbgrader") or cell.id == "try-self-check")
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
        f"{LOOK}: exercise 2 is not written yet, and this test uses it: do that first",
        NOT_STARTED,
        NOT_STARTED,
        "– no test has run (a given exercise has none)",
    ]
    assert tables[1] == 12 * [PASSES]
    assert tables[2][0].startswith(LOOK) and tables[2][2] == PASSES
