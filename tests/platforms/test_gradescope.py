"""Gradescope's container, simulated: its folders, its scripts, a small class."""

import shutil
import subprocess
import sysconfig
import venv
import zipfile
from pathlib import Path
from typing import Any

import pytest

from nbproctor.notebook import MasterNotebook
from nbproctor.platforms.gradescope import results, write_autograder
from nbproctor.results import SubmissionResult, Verdict
from tests.copies import unpack
from tests.nbgrader.tiny import configure, hand_in
from tests.notebooks import read_json
from tests.programs import start, succeeded


@pytest.fixture(scope="module")
def course(
    project: Path,
    class_course: Path,
) -> Path:
    """A course that is not graded yet: an answer that hangs, and half a file."""
    shutil.copy(project / "requirements.txt", class_course)
    (class_course / "data").mkdir(exist_ok=True)
    (class_course / "data/x.gz").touch()
    configure(class_course, "c.Nbproctor.call_seconds = 1")
    hand_in(class_course, "hangs", fizz="import time\ndef fizz(n):\n    time.sleep(99)")
    broken = hand_in(class_course, "broken")
    broken.write_text(broken.read_text()[:300])
    return class_course


@pytest.fixture(scope="module")
def archive(course: Path, module_path: Path) -> Path:
    """What a teacher uploads to Gradescope."""
    path = module_path / "autograder.zip"
    write_autograder(course, course / "source/tiny", path, "visible")
    return path


@pytest.fixture(scope="module")
def autograder(archive: Path) -> Path:
    """The folder ``/autograder`` as Gradescope makes it from the archive.

    In an environment with the packages that are here, and the archive's nbproctor:
    installing them anew takes a network and a minute.
    """
    root = archive.with_suffix("")
    source = root / "source"
    unpack(archive, source)
    venv.create(source / ".venv", symlinks=True)
    (packages,) = source.glob(".venv/lib/python*/site-packages")
    (packages / "all.pth").write_text(f"{source}\n{sysconfig.get_path('purelib')}\n")
    setup = (source / "setup.sh").read_text()
    script = setup.replace("apt-get", "true apt-get")  # this computer stays as it is
    done = succeeded(start("bash", "-c", script, source / "setup.sh", cwd=source))
    assert done.stdout.strip().endswith("earns every point in this container.")
    shutil.copy(source / "run_autograder", root)
    return root


def run(root: Path, submission: Path) -> tuple[subprocess.CompletedProcess[str], Any]:
    for name in ("submission", "results"):
        shutil.rmtree(root / name, ignore_errors=True)
    shutil.copytree(submission, root / "submission")
    done = start(root / "run_autograder", cwd=root)
    return done, read_json(root / "results/results.json")


@pytest.mark.slow
def test_the_container_tells_partial_and_ungradable_submissions(
    course: Path, autograder: Path
) -> None:
    done, content = run(autograder, course / "submitted/hangs/tiny")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "How this container isolates" in done.stdout
    assert content["extra_data"]["status"] == "partial"
    assert content["stdout_visibility"] == "hidden"
    assert content["execution_time"] > 0
    fizz, mean_of = content["tests"]
    assert "`fizz` was stopped" in fizz.pop("output")
    passed = {
        "number": "2",
        "name": "mean_of",
        "score": 5,
        "max_score": 5,
        "status": "passed",
        "output": "",
        "output_format": "text",
        "visibility": "visible",
    }
    assert mean_of == passed
    failed = {"number": "1", "name": "fizz", "score": 0, "status": "failed"}
    assert passed | fizz == passed | failed
    done, content = run(autograder, course / "submitted/broken/tiny")
    assert done.returncode == 1
    assert content["extra_data"]["status"] == "ungradable"
    assert "cut short" in content["output"]
    assert "tests" not in content and "score" not in content


@pytest.mark.slow
def test_the_archive_holds_no_student_and_no_gradebook(
    course: Path,
    archive: Path,
    tmp_path: Path,
) -> None:
    write_autograder(course, course / "source/tiny", tmp_path / "again", "visible")
    assert (tmp_path / "again").read_bytes() == archive.read_bytes()
    names = zipfile.ZipFile(archive).namelist()
    scripts = {"setup.sh", "run_autograder", "nbgrader_config.py", "data/x.gz"}
    assert scripts <= set(names)
    for private in ("gradebook.db", "submitted/", "__pycache__"):
        assert not any(private in name for name in names)


def test_what_nobody_has_judged_gets_no_score_there(
    tiny_master: MasterNotebook,
) -> None:
    verdicts = [
        Verdict(test.id, test.exercise, 0.0, test.points, "not run", "A sentence.")
        for test in tiny_master.of_kind("test")
    ]
    about = ("s", "graded", "A reason.", 0.0, 10.0)
    result = SubmissionResult(*about, verdicts={"tiny": verdicts})
    content = results(result, [tiny_master], "after_due_date", 1.6)
    assert content.keys().isdisjoint({"tests", "score"})
    assert "A reason." in content["output"]
