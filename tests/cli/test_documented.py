"""Every command that a document gives is run as written, where the document says.

Commands stand in the documents' ``console`` blocks after ``$``. Those of `EVENING` are
run here, in this order, in a copy of the project with a class's files beside it, as
docs/instructors.md asks for. `OTHERS` says who runs the others, `UNTESTED` has those
that no test runs. How a program starts is looked at in those of `STARTED`; the others
are forked, where the same start would take most of their time.
"""

from __future__ import annotations

import calendar
import contextlib
import csv
import json
import os
import re
import runpy
import shlex
import shutil
import sqlite3
import subprocess
import sys
import textwrap
import zipfile
from pathlib import Path

import nbformat
import pytest
from PIL import Image
from typer.main import get_command

from examples import sample_class
from nbproctor.cli import app
from nbproctor.nbgrader.placement import FILE
from nbproctor.notebook import MasterNotebook
from tests.copies import link, shorten_lab
from tests.notebooks import read_json, read_notebook
from tests.pages.browser import MARKS, accessible, browser
from tests.pages.lab import words
from tests.programs import run_python, start, succeeded

LAB = "neural_network"
# The demo's class: who is in the picture, and one without a mark.
DEMO = "hivanova", "dpatel"
DOCUMENTS = ("README.md", "CONTRIBUTING.md", "docs/*.md")
# Status and command. Grading ends with 1 where somebody could not be graded.
LINES = """\
0 python kit.py release
0 .venv/bin/nbgrader generate_assignment neural_network --force
0 python kit.py roster canvas_grades.csv
0 python kit.py collect submissions.zip
1 python kit.py grade
1 python kit.py grade --similar
1 .venv/bin/nbgrader autograde neural_network
0 .venv/bin/nbgrader generate_feedback neural_network
0 .venv/bin/nbgrader db assignment add neural_network \
--duedate="2026-11-24 23:00:00 UTC"
0 .venv/bin/nbgrader export
0 python kit.py export feedback
0 python kit.py export canvas_grades.csv
0 python kit.py export canvas_grades.csv --write
0 python kit.py export csv
0 python kit.py export parquet
0 python kit.py export gradescope
0 python kit.py export classroom
0 python kit.py doctor
0 python kit.py demo
0 python kit.py lab
"""
EVENING = {line[2:]: int(line[0]) for line in LINES.splitlines()}
STARTED = (
    "python kit.py release",
    "python kit.py demo",
    ".venv/bin/nbgrader autograde",
    "rm ",
)
# After the others.
FORGET = """\
.venv/bin/nbgrader db student remove aokafor --force
rm -r submitted/aokafor autograded/aokafor feedback/aokafor
rm -rf .nbproctor.cache report exported
""".splitlines()
# Where the lab waits until the demo needs all of it: the others have a short one.
WHOLE_LAB = "whole lab"
# Page in docs/samples/ → what the demo makes. The third, of an audit, is only dated.
SAMPLES = {
    "feedback": f"demo/feedback/hivanova/{LAB}/{LAB}.html",
    "report": f"demo/report/{LAB}.html",
}
# Under tests/: file that runs commands, and these. Some have a sample, or a stand-in.
OTHERS = """\
audit/test_audit.py
    python kit.py audit
cli/test_platforms.py
    python kit.py --course examples/tiny audit
kit/test_edition.py
    python kit.py new short_lab --from neural_network --hours 2
kit/test_browser_site.py
    python kit.py release --browser
nbgrader/test_watch.py
    python kit.py watch
kit/test_kit.py
    python kit.py grade --container
    python kit.py doctor --container
kit/test_packaging.py
    pip install PATH/TO/THE/CLONE
    nbproctor off
kit/test_starter.py
    nbproctor init
    python kit.py new lab2
    python kit.py lint lab2
    python kit.py audit lab2
    python kit.py release lab2
kit/test_adopt.py
    nbproctor adopt hw.ipynb
pages/test_day.py
    .venv/bin/jupyter lab
cli/test_documented.py
    .venv/bin/mkdocs build --strict
../.ci/run
    python kit.py test --fast
    python kit.py test tests/hostile
nbgrader/test_hub.py
    nbgrader generate_assignment tiny
    nbgrader release_assignment tiny
    nbgrader fetch_assignment tiny
    nbgrader submit tiny
    nbgrader collect tiny --update
    nbgrader autograde tiny
    nbgrader generate_feedback tiny
    nbgrader release_feedback tiny
    nbgrader fetch_feedback tiny
nbgrader/test_cluster.py
    dask scheduler --no-dashboard
    dask worker tcp://scheduler:8786 --nworkers 4 --nthreads 1 --no-dashboard
    python -m nbproctor grade --cluster tcp://scheduler:8786
""".splitlines()
# Run by no test, because it is for a computer of the cluster's.
UNTESTED = {'pip install -c requirements.lock ".[cluster]"'}


@pytest.fixture(scope="module")
def documents(project: Path) -> str:
    """The text of all documents."""
    paths = [path for pattern in DOCUMENTS for path in project.glob(pattern)]
    return "\n".join(path.read_text("utf-8") for path in paths)


def test_every_documented_command_is_run_by_a_test(
    project: Path, documents: str
) -> None:
    commands = set()
    for block in re.findall(r"```console\n(.*?)```", documents, re.S):
        block = block.replace("  #", "\n").replace("student$", "$")
        commands |= {*re.findall(r"^ *\$ (.*?) *$", block, re.M)}
    elsewhere = {line.strip() for line in OTHERS if line.startswith(" ")}
    tested = EVENING.keys() | elsewhere | {*FORGET}
    assert commands == tested | UNTESTED
    for line in OTHERS:
        assert line.startswith(" ") or (project / "tests" / line).is_file()


def test_python_in_the_documents_can_be_read_by_python(documents: str) -> None:
    for code in re.findall("^ *```python\n(.*?)^ *```", documents, re.M | re.S):
        compile(textwrap.dedent(code), "documents", "exec")


def test_every_command_and_option_in_running_text_exists(documents: str) -> None:
    commands = get_command(app).commands  # type: ignore[attr-defined]
    named = set(re.findall(r"`python kit\.py (\w+)([^`]*)`", documents))
    assert {name for name, _ in named} > {"grade", "export", "test", "doctor"}
    for name, options in named:
        if name not in ("test", "demo", "lab"):  # not of the package, or of JupyterLab
            parameters = commands[name].params
            options_of = [each.opts + each.secondary_opts for each in parameters]
            registered = {"--help"}.union(*options_of)
            assert {*re.findall(r"--[a-z-]+", options)} <= registered, name


# What the commands of an evening read of the project.
CONTENT = """
    kit.py nbgrader_config.py nbproctor source release variants data examples docs
    pyproject.toml requirements.txt requirements.lock README.md
"""


@pytest.fixture(scope="module")
def kit(project: Path, module_path: Path) -> Path:
    """A copy of the project as somebody unpacks it, with an environment that is made.

    The environment is this one under other names: files are linked, not copied.
    """
    venv = Path(sys.prefix)
    if not (venv / "kit.json").is_file():
        pytest.skip("this environment was not made by kit.py")
    root = module_path / "project"
    root.mkdir()
    content = [project / name for name in CONTENT.split()]
    subprocess.run(["cp", "-r", *content, root], check=True)
    shutil.copytree(venv, root / ".venv", symlinks=True, copy_function=link)
    (root / ".venv/kit.json").unlink()
    module = runpy.run_path(str(root / "kit.py"))
    names = (module["RUNTIME"], module["DEVELOPMENT"])
    pins = {name: module["fingerprint"](name) for name in names}
    module["write_stamp"]({"pins": pins})
    students = root / "examples/sample_class.toml"
    head, *entries = re.split(r"(?m)^(?=\[\[)", students.read_text("utf-8"))
    few = (e for e in entries if any(f'id = "{name}"' in e for name in DEMO))
    students.write_text("".join([head, *few]), "utf-8")
    shutil.copytree(root / f"source/{LAB}", root / WHOLE_LAB)
    shorten_lab(root / f"source/{LAB}/{LAB}.ipynb")
    return root


def hand_in(root: Path) -> None:
    """Write what a teacher downloads from Canvas: the submissions and a grade file."""
    master = MasterNotebook.read(root / f"source/{LAB}/{LAB}.ipynb")
    release = read_notebook(root / f"release/{LAB}/{LAB}.ipynb")
    right = sample_class.SampleStudent("aokafor", "Okafor, Amara", "right")
    variants = root / "variants" / LAB
    _, notebook = sample_class.submit(right, release, master, variants)
    content = nbformat.writes(notebook)
    with zipfile.ZipFile(root / "submissions.zip", "w") as archive:
        archive.writestr(f"okaforamara_1000_91000_{LAB}.ipynb", content)
        archive.writestr(f"pateldev_1001_91001_{LAB}.ipynb", content[:500])
    points = sum(cell.points for cell in master.cells)
    (root / "canvas_grades.csv").write_text(
        "Student,ID,SIS Login ID,Section,Neural Network (77)\n"
        f"    Points Possible,,,,{points:.2f}\n"
        '"Okafor, Amara",1000,aokafor,A,\n"Patel, Dev",1001,dpatel,A,\n'
    )


@pytest.fixture(scope="module")
def env(module_path: Path) -> dict[str, str]:
    """Variables under which the commands are run."""
    (module_path / "jupyter_server_config.json").write_text(
        '{"ServerApp": {"allow_root": true}}'  # tests may run as root
    )
    (module_path / "python").symlink_to(sys.executable)
    return os.environ | {
        "PATH": f"{module_path}{os.pathsep}{os.environ['PATH']}",
        "JUPYTER_CONFIG_DIR": str(module_path),
        "BROWSER": "true",  # a program that opens nothing
    }


@pytest.mark.slow
@pytest.mark.parametrize("command", EVENING)
def test_a_documented_command_ends_as_it_should(
    kit: Path,
    env: dict[str, str],
    command: str,
) -> None:
    """One evening: each finds what those before it have left."""
    if command == "python kit.py lab":  # runs until it is ended
        serves(command, kit, env)
        return
    if command == "python kit.py demo":  # of the whole lab
        shutil.copytree(kit / WHOLE_LAB, kit / f"source/{LAB}", dirs_exist_ok=True)
    run(command, EVENING[command], kit, env)
    if command == "python kit.py release":
        hand_in(kit)


@pytest.mark.slow
def test_the_evening_leaves_grades_pages_and_the_picture_of_the_documents(
    kit: Path, env: dict[str, str]
) -> None:
    with zipfile.ZipFile(kit / f"exported/{LAB}_feedback.zip") as archive:
        packed = archive.namelist()
    table = (kit / "canvas_grades_filled.csv").read_text("utf-8").splitlines()
    _, points, *marks = (row[4] for row in csv.reader(table))
    assert sorted(marks) == ["", points]  # one was cut short
    # What could not be graded has a page too.
    assert len(packed) == len(marks)
    page = (kit / SAMPLES["feedback"]).read_text("utf-8")
    text = words(page)
    for phrase in json.loads(Image.open(kit / "docs/picture.png").info["Shows"]):
        assert phrase in text, f"docs/picture.png is out of date: {phrase!r}"
    samples = kit / "docs/samples"
    advice = f"{samples} is out of date: docs/picture.py"
    shown_words = words_of(samples / "feedback.html")
    assert words_of(kit / SAMPLES["feedback"]) == shown_words, advice
    # Of a larger class: more of it has something to say.
    shown_headings = headings_of(samples / "report.html")
    assert headings_of(kit / SAMPLES["report"]) <= shown_headings, advice
    places = read_json(kit / FILE)[LAB][LAB]["tests"]
    assert places == {}  # all of the lab's tests are judged by the judge
    forget_a_student(kit, env)


def words_of(page: Path) -> set[str]:
    """Return what a page says, but for numbers and days: they differ each time."""
    text = words(page.read_text("utf-8"))
    days = {*calendar.month_name, *calendar.month_abbr, *calendar.day_name}
    return set(re.findall(r"\b[^\W\d_]{3,}\b", text)) - days


def headings_of(page: Path) -> set[str]:
    """Return the headings of a page, and those of its tables."""
    headings = re.findall(r"<(h\d|th)\b[^>]*>(.*?)</\1>", page.read_text("utf-8"), re.S)
    return {words(text) for _, text in headings}


def forget_a_student(kit: Path, env: dict[str, str]) -> None:
    """Run what docs/data-protection.md says; look for what is left."""

    def list_files() -> str:
        folders = ("submitted", "autograded", "feedback", "gradebook.db")
        command = ("grep", "-rl", "--exclude=grading.log", "aokafor", *folders)
        return start(*command, cwd=kit).stdout

    assert "gradebook.db" in list_files()
    for command in FORGET:
        run(command, 0, kit, env)
    with contextlib.closing(sqlite3.connect(kit / "gradebook.db")) as book:
        book.execute("VACUUM")
    assert list_files() == ""


def run(
    command: str,
    status: int,
    folder: Path,
    env: dict[str, str],
) -> None:
    if command.startswith(STARTED):
        done = start("bash", "-c", command, cwd=folder, **env)
    else:
        program, *words = shlex.split(command.removeprefix("python "))
        module = "nbproctor" if program == "kit.py" else "nbgrader"
        done = run_python(module, *words, cwd=folder, env=env)
    transcript = f"$ {command}\n{done.stdout}\n{done.stderr}"
    assert done.returncode == status, transcript
    assert "Traceback" not in transcript, transcript


def serves(
    command: str,
    folder: Path,
    env: dict[str, str],
) -> None:
    """Start a server, see that it serves, and end it."""
    with subprocess.Popen(
        ["bash", "-c", f"exec {command} 2>&1"],
        cwd=folder,
        env=env,
        stdout=subprocess.PIPE,
        text=True,
    ) as server:
        assert server.stdout
        assert any("is running at" in line for line in server.stdout), command
        server.terminate()


# The documentation as a site: its address, and pages of every kind of content.
ADDRESS = "https://example.org/course/"
SEEN = {"light": (".", "instructors"), "dark": ("new-assignment", "security")}


def test_the_address_of_the_site_is_one_setting(project: Path, tmp_path: Path) -> None:
    """`site_url` in mkdocs.yml; the others are up to date, with an address or none."""
    address = runpy.run_path(str(project / "docs/address.py"))
    files = [*address["LINES"]]
    config = tmp_path / "mkdocs.yml"
    (tmp_path / "docs").mkdir()
    for name in (*files, config.name):
        shutil.copy(project / name, tmp_path / name)
    address["main"](tmp_path)
    for name in files:
        is_current = (tmp_path / name).read_text() == (project / name).read_text()
        assert is_current, "run docs/address.py"
    for line in (f"site_url: {ADDRESS}", 'site_url: ""'):
        config.write_text(address["SETTING"].sub(line, config.read_text("utf-8")))
        address["main"](tmp_path)
        for name in files:
            text = (tmp_path / name).read_text("utf-8")
            assert (ADDRESS in text) == (ADDRESS in line), name


@pytest.fixture(scope="module")
def site(project: Path, module_path: Path) -> Path:
    """The documentation, as it is published."""
    folder = module_path / "site"
    command = [sys.executable, "-m", "mkdocs", "build", "--strict", "-d", folder]
    done = succeeded(start(*command, cwd=project))
    assert not re.search(r"^(WARNING|ERROR)", done.stderr, re.M), done.stderr
    return folder


@MARKS[1]
@pytest.mark.slow
def test_the_site_can_be_read_by_everybody_on_a_phone_too(site: Path, axe: str) -> None:
    """Two of its pages in light colours, and two in dark ones: all have one theme."""
    for scheme, names in SEEN.items():
        with browser() as context:  # the site remembers the colours of the first page
            page = context.new_page()
            for name in names:
                address = (site / name / "index.html").as_uri()
                accessible(page, address, axe, [(scheme, 360)])


@pytest.mark.slow
def test_the_site_is_built_and_mkdocs_finds_no_dead_link(site: Path) -> None:
    assert (site / "search/search_index.json").is_file()
