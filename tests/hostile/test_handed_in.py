"""Hostile files: what a notebook says of itself, and what lies beside it."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from nbproctor.nbgrader import feedback, scores
from tests.broken.cases import by_id, new_cell
from tests.hostile.trap import grade_class
from tests.notebooks import read_json
from tests.pages.lab import Requests

pytestmark = pytest.mark.slow

SECRET = "a-word-from-outside-the-sandbox"
SCRIPT = "<script>alert(666)</script><img src=x onerror=alert(666)>"
Notebook = dict[str, Any]
Attack = Callable[[Path, Notebook], str | None]
HANDED_IN: dict[str, Attack] = {}


def hostile(make: Attack) -> None:
    """Enter a student by the name of the function; `area` is answered wrongly.

    It changes the notebook and adds files, and may return another name of the notebook.
    """
    HANDED_IN[make.__name__] = make


def cell(kind: str, source: str, **more: Any) -> dict[str, Any]:
    return {"cell_type": kind, "id": "own", "metadata": {}, "source": source, **more}


@hostile
def points_and_ids_of_cells_are_the_source_s(folder: Path, notebook: Notebook) -> None:
    for block in notebook["cells"]:
        meta = block["metadata"]["nbgrader"]
        meta |= {
            "points": 1000,
            "locked": False,
            "solution": True,
            "grade": True,
        }
        if meta["grade_id"].startswith("area-"):
            meta["grade_id"] = "control-values"


@hostile
def a_tag_of_one_s_own_skips_nothing(folder: Path, notebook: Notebook) -> None:
    for block in notebook["cells"]:
        block["metadata"]["tags"] = ["skip-grading", "skip-execution"]


@hostile
def stored_outputs_are_thrown_away(folder: Path, notebook: Notebook) -> None:
    score = {"text/plain": "7.0", "text/html": SCRIPT}
    output = {
        "output_type": "execute_result",
        "data": score,
        "metadata": {},
    }
    for block in notebook["cells"]:
        block["outputs"] = [output | {"execution_count": 1}]


@hostile
def a_cell_with_the_tools_of_the_tests_is_not_theirs(
    folder: Path, notebook: Notebook
) -> None:
    own_cell = new_cell("def exact(r): return -1.0")
    own_cell["metadata"] = {"nbgrader": {"grade_id": "oracle", "locked": True}}
    notebook["cells"].insert(1, own_cell)


@hostile
def text_cells_show_no_html_alive(folder: Path, notebook: Notebook) -> None:
    links = ["javascript:", "JavaScript\\:", "java&#115;cript:", "&\\#106;avascript:"]
    links += ["javascript&colon;", "javascript&colon\\;", "&amp\\#106;avascript:"]
    links += ["attachment:", "attach&#109;ent:"]
    link = "".join(f"\n\n[a]({n}alert(666)) ![p]({n}alert(666))" for n in links)
    link += f"\n\n[a]: javascript:alert(666)\n\n```mermaid\n{SCRIPT}"
    attached = {"p": {'image/png"><script>alert(666)</script>': "x"}}
    notebook["cells"] += [
        cell("markdown", SCRIPT + link, attachments=attached),
        cell("raw", SCRIPT),
        new_cell(f"# {SCRIPT}"),
    ]


@hostile
def a_file_s_name_is_not_shown_alive(folder: Path, notebook: Notebook) -> str:
    (folder / "<script>alert(666)<!-- .txt").write_text("x")
    return "<img src=x onerror=alert(666)>.ipynb"


@hostile
def links_show_nothing_of_the_course(folder: Path, notebook: Notebook) -> None:
    course = folder.parents[2]
    look = "from pathlib import Path\nfor p in Path('.').iterdir():\n    print(p)\n    "
    look += "print(p.read_text()[:99])"
    notebook["cells"].insert(0, new_cell(look))
    for name in ("gradebook.db", "secret.txt", "source", "submitted"):
        (folder / f"link-{name}").symlink_to(course / name)


@hostile
def pipes_and_odd_files_are_not_waited_for(folder: Path, notebook: Notebook) -> None:
    os.mkfifo(folder / "pipe.txt")
    os.mkfifo(folder / "pipe.ipynb")
    os.mkfifo(folder / "timestamp.txt")
    (folder / "loop").symlink_to(folder)
    (folder / "folder.ipynb").mkdir()


@hostile
def folders_named_like_our_files_stop_nothing(folder: Path, notebook: Notebook) -> None:
    for name in ("grading.json", ".grading.json", "trap.html", "timestamp.txt"):
        (folder / name).mkdir()
        (folder / name / "x").write_text("x")


@hostile
def a_cell_that_is_slow_to_read_does_not_delay_the_class(
    folder: Path, notebook: Notebook
) -> None:
    notebook["cells"].append(new_cell("@\n" * 50_000))
    for number in range(200):
        notebook["cells"].insert(1, new_cell(f"a {number} " * 50))
    source = "area = lambda r: -1.0"
    by_id(notebook, "area").update(id="lost", metadata={}, source=source)


@hostile
def names_and_text_that_are_no_unicode_cost_nothing(
    folder: Path, notebook: Notebook
) -> str:
    notebook["cells"].append(new_cell("# half a smile: \ud83d"))
    notebook["metadata"]["kernelspec"] = {"language": "\ud83d"}
    (folder / os.fsdecode(b"\xdcbung.txt")).write_text("x")
    (folder / os.fsdecode(b"\xdcbung.bin")).write_bytes(bytes(20 << 20))
    return os.fsdecode(b"\xdcbung.ipynb")


@hostile
def a_report_of_one_s_own_is_not_believed(folder: Path, notebook: Notebook) -> None:
    report = {
        "student": "me",
        "status": "graded",
        "reason": "",
        "score": 13.0,
        "max_score": 13.0,
        "notes": {},
        "verdicts": {},
    }
    (folder / "grading.json").write_text(json.dumps(report))
    (folder / "timestamp.txt").write_text("1999-01-01 00:00:00 UTC")
    (folder / "gradebook.db").write_text("x")
    (folder / "nbgrader_config.py").write_text("raise SystemExit('read')")


STUDENTS = [*HANDED_IN, "honest"]


def submit(student: str, folder: Path, notebook: Notebook) -> None:
    by_id(notebook, "area")["source"] = "def area(r):\n    return -1.0"
    attack = HANDED_IN.get(student)
    name = attack and attack(folder, notebook)
    (folder / (name or "trap.ipynb")).write_text(json.dumps(notebook), "utf-8")


@pytest.fixture(scope="module")
def course(module_path: Path) -> Path:
    (module_path / "secret.txt").write_text(SECRET)
    grade_class(module_path, STUDENTS, submit)
    feedback(module_path, "trap")
    return module_path


@pytest.mark.parametrize("student", STUDENTS)
def test_only_the_honest_answers_earn_and_no_page_runs_or_shows_what_it_must_not(
    course: Path, student: str
) -> None:
    assert dict(scores(course, "trap").loc[student]) == {
        "area": 0.0,
        "orbit": 3.0,
        "control": 3.0,
        "total": 6.0,
    }
    (page,) = (course / "feedback" / student / "trap").glob("*.html")
    text = page.read_text("utf-8")
    assert Requests(text).requests == [] != Requests(SCRIPT).requests
    assert SECRET not in text
    copied = course / "autograded" / student / "trap"
    for path in copied.rglob("*"):
        assert not path.is_symlink()
        assert path.is_dir() or SECRET.encode() not in path.read_bytes()
    assert read_json(copied / "grading.json")["score"] == 6.0
