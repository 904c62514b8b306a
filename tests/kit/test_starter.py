"""`new` makes an assignment that works as it is; `init` takes over a course."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from nbproctor import nbgrader
from nbproctor.kit import starter
from nbproctor.kit.adopt import AdoptError, adopt
from nbproctor.kit.starter import StarterError
from nbproctor.nbgrader import CourseError
from tests.broken.cases import write
from tests.cli.term_class import notebook
from tests.copies import write_file
from tests.kit.conftest import STOCK
from tests.nbgrader.tiny import content
from tests.notebooks import read_json
from tests.programs import run_line


@pytest.mark.slow
def test_a_new_assignment_passes_lint_release_audit_and_grade(tmp_path: Path) -> None:
    for command in ("new", "lint", "audit", "release"):  # at first without a course
        run_line(f"{command} lab2", tmp_path)
    audited = read_json(tmp_path / "audit/lab2.json")
    assert (audited["faults"], audited["killed"], audited["named"]) == ([], 1, 1)
    submitted = tmp_path / "submitted/ann/lab2/lab2.ipynb"
    write_file(submitted, notebook(tmp_path, "lab2", "floor", "ann"))
    (ann,) = nbgrader.grade(tmp_path, "lab2")
    assert (ann.status, ann.score, ann.max_score) == ("graded", 2, 5)


@pytest.mark.parametrize("name", ["", ".", "..", "a/b", "a b", "-x", "_x", "a\n"])
def test_what_cannot_name_an_assignment_is_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(StarterError, match="cannot name an assignment"):
        starter.new_assignment(tmp_path, name)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("config", [STOCK, STOCK + "\n", "c = get_config()\r\n", ""])
@pytest.mark.parametrize("ignored", [None, "*.db\n"])
def test_a_course_is_as_it_was_once_nbproctor_is_off(
    stock: Path,
    config: str,
    ignored: str | None,
) -> None:
    (stock / ".git").mkdir()
    (stock / "nbgrader_config.py").write_bytes(config.encode())
    if ignored:
        (stock / ".gitignore").write_text(ignored)
    before = content(stock)
    assert starter.switch_on(stock) and not starter.switch_on(stock)  # once
    assert ".nbproctor*" in (stock / ".gitignore").read_text().splitlines()
    for name in (".nbproctor.json", ".nbproctor.cache/ab/1234"):
        write_file(stock / name, "")
    starter.switch_off(stock)
    assert content(stock) == before
    starter.switch_off(stock)  # once more changes nothing
    assert content(stock) == before


def test_a_configuration_that_would_not_run_is_left_as_it_was(tmp_path: Path) -> None:
    file = tmp_path / "nbgrader_config.py"
    with pytest.raises(StarterError, match=r"make an empty one.*nbproctor new NAME"):
        starter.switch_on(tmp_path)  # there is none: this is not a course
    for broken in ("c = get_config(", "c = None"):
        file.write_text(broken)
        with pytest.raises(CourseError, match="has an error"):
            starter.switch_on(tmp_path)
        assert file.read_text() == broken


@pytest.mark.slow
def test_init_says_what_will_differ_and_what_was_faulty_before(stock: Path) -> None:
    path = shutil.copytree(stock / "source/tiny", stock / "source/wrong") / "tiny.ipynb"
    text = path.read_text("utf-8").replace("sum(numbers) / len(numbers)", "0")
    path.write_text(text, "utf-8")
    output = run_line("init", stock)
    for sentence in (
        "switched on at the end of",
        "tiny: the reference solution earns every point.",
        "differences from plain nbgrader",
        " nbproctor: the reference earns",
        " stock nbgrader: the reference earns",
        "wrong: the reference solution loses points in plain nbgrader, too.",
    ):
        assert sentence in output
    assert output.count("nbproctor lint wrong") == 1


# What IRkernel, Colab, IJava and SageMath write into a notebook.
KERNELS = """\
r {"kernelspec": {"name": "ir", "language": "R"}, "language_info": {"name": "R"}}
julia {"kernelspec": {"name": "julia"}, "language_info": {"name": "julia"}}
java {"kernelspec": {"name": "java", "language": "java"}}
sage {"kernelspec": {"language": "sage"}, "language_info": {"name": "python"}}"""


@pytest.mark.slow
def test_notebooks_for_other_kernels_are_refused_with_a_sentence(stock: Path) -> None:
    notebook = read_json(stock / "source/tiny/tiny.ipynb")
    shutil.rmtree(stock / "source/tiny")
    for line in KERNELS.splitlines():
        language, metadata = line.split(maxsplit=1)
        changed = notebook | {"metadata": json.loads(metadata)}
        path = write(stock / "source" / language, changed, "work.ipynb")
        sentence = f"'work' is a notebook for '{language}'. nbproctor grades only Pyth"
        with pytest.raises(CourseError, match=sentence):
            nbgrader.grade(stock, language)
        with pytest.raises(AdoptError, match=f"is in {language}. nbproctor grades"):
            adopt(path)
    messages = run_line("init", stock, status=1)
    assert messages.count(" nbproctor grades only Python.") == 4
