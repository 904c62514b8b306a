"""Pins, licences and the zip for students."""

from __future__ import annotations

import ast
import os
import re
import shutil
import subprocess
import sys
import tarfile
import tomllib
import venv
from importlib import metadata
from pathlib import Path
from zipfile import ZipFile

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

import nbproctor
from nbproctor.kit import handout, starter
from nbproctor.nbgrader import Course
from tests.cli.term_class import RIGHT
from tests.copies import LAB, lab_course, link, read_document, write_program
from tests.kit.conftest import STOCK
from tests.nbgrader.tiny import hand_in
from tests.notebooks import read_json
from tests.programs import start, succeeded

PLATFORMS = {
    "linux": "Linux",
    "darwin": "Darwin",
    "win32": "Windows",
}


def pins(path: Path) -> list[Requirement]:
    lines = re.findall(r"^[^#\s].*?(?=\s+#|$)", path.read_text(), re.M)
    return [*map(Requirement, lines)]


@pytest.fixture(scope="module")
def declared(project: Path) -> dict[str, list[Requirement]]:
    table = tomllib.loads((project / "pyproject.toml").read_text())["project"]
    groups = table["optional-dependencies"] | {"runtime": table["dependencies"]}
    return {name: list(map(Requirement, group)) for name, group in groups.items()}


def applies(need: Requirement, **variables: str) -> bool:
    return need.marker is None or need.marker.evaluate(variables)


def installed(
    pinned: list[Requirement],
    python: str,
    platform: str,
) -> dict[str, str]:
    """What pip takes from these pins there: canonical name → version."""
    computer = {
        "python_version": python,
        "python_full_version": f"{python}.7",
        "sys_platform": platform,
        "platform_system": PLATFORMS[platform],
        "os_name": "nt" if platform == "win32" else "posix",
    }
    chosen = [pin for pin in pinned if applies(pin, **computer)]
    versions = {canonicalize_name(pin.name): str(pin.specifier)[2:] for pin in chosen}
    assert len(versions) == len(chosen), "two pins of one package"
    return versions


PINNED = "requirements.txt", "requirements-browser.txt", "requirements.lock"


@pytest.mark.parametrize("name", PINNED)
def test_every_pin_is_one_exact_version_of_no_index_and_no_machine(
    project: Path, name: str
) -> None:
    for pin in pins(project / name):
        assert re.fullmatch(r"==[\w.]+", str(pin.specifier)), pin
    text = (project / name).read_text()
    assert not re.search(r"https?:|^\s*-|@ |/", text, re.M)


@pytest.mark.parametrize("platform", PLATFORMS)
@pytest.mark.parametrize("python", ["3.11", "3.12", "3.13", "3.14"])
def test_pins_fit_together_and_what_the_project_declares(
    declared: dict[str, list[Requirement]],
    project: Path,
    python: str,
    platform: str,
) -> None:
    runtime, more_for_site, lock = (pins(project / name) for name in PINNED)
    part, more, whole = (
        installed(pinned, python, platform)
        for pinned in (runtime, more_for_site + runtime, lock)
    )
    assert part.items() < more.items() < whole.items()
    assert whole["numpy"] == installed(lock, "3.11", platform)["numpy"]  # for all
    for versions, group in (
        (part, "runtime"),
        (more, "browser"),
        (whole, "dev"),
        (whole, "cluster"),
    ):
        for need in declared[group]:
            if applies(
                need, sys_platform=platform, platform_system=PLATFORMS[platform]
            ):
                assert versions[canonicalize_name(need.name)] in need.specifier


# ---- the package that others depend on -----------------------------------------------

# Files that the package is made from, next to its modules.
CLONED = ("kit.py", "pyproject.toml", "README.md", "CHANGELOG.md", "LICENSE")


def closure(declared: list[Requirement]) -> set[str]:
    """Walk the installed packages: an account of needs that the lock did not make."""
    needed: set[tuple[str, str]] = set()
    waiting = [need for need in declared if applies(need, extra="")]
    while waiting:
        need = waiting.pop()
        for extra in {"", *need.extras}:
            key = canonicalize_name(need.name), extra
            if key not in needed:
                needed.add(key)
                requires = map(Requirement, metadata.requires(need.name) or [])
                waiting += [each for each in requires if applies(each, extra=extra)]
    return {name for name, _ in needed}


def link_packages(declared: list[Requirement], site: Path) -> None:
    """Link what is declared, and what that needs, from this environment."""
    for name in closure(declared):
        for file in metadata.files(name) or []:
            if file.parts[0] != ".." and Path(file.locate()).is_file():
                (site / file).parent.mkdir(parents=True, exist_ok=True)
                link(str(file.locate()), str(site / file))


@pytest.fixture(scope="module")
def built(project: Path, module_path: Path) -> Path:
    """Wheel and source distribution, built without a network."""
    command = [sys.executable, "-m", "hatchling", "build", "-d", str(module_path)]
    subprocess.run(
        command,
        cwd=project,
        check=True,
        capture_output=True,
    )
    return module_path


@pytest.mark.slow
def test_what_is_published_is_whole_and_holds_nothing_of_the_lab(built: Path) -> None:
    wheel, source = sorted(built.iterdir())
    command = [sys.executable, "-m", "twine", "check", "--strict"]
    succeeded(start(*command, wheel, source, cwd=built))
    with tarfile.open(source) as archive:
        names = {name.partition("/")[2] for name in archive.getnames()}
    packed = {name for name in names if name.startswith("nbproctor/")}
    others = {name.partition("/")[0] for name in names - packed}
    assert others == {*CLONED, "PKG-INFO", ".gitignore"}
    with ZipFile(wheel) as archive:
        page = archive.read(next(n for n in archive.namelist() if "METADATA" in n))
        installed = {n for n in archive.namelist() if not n.startswith("nbproctor-")}
    assert not re.search(rb"\]\((?!https?:)", page)  # the index has no such file
    assert b"For students \xc2\xb7 For instructors" in page
    assert installed == packed | {"nbproctor/kit/kit.py"}


@pytest.fixture
def installed_clone(
    project: Path,
    declared: dict[str, list[Requirement]],
    tmp_path: Path,
) -> Path:
    """An environment in which the documented line has installed a clone.

    As written, but without the index: what it needs is linked, and nothing else is.
    """
    page = read_document("differences")
    command = re.findall(r"^\$ (pip install .*)", page, re.MULTILINE)[0]
    command = command.replace("PATH/TO/THE/CLONE", "./nbproctor")
    environment = tmp_path / "environment"
    venv.create(environment, symlinks=True)
    site = next(environment.glob("lib/python*/site-packages"))
    link_packages([Requirement("pip"), *declared["runtime"]], site)
    bin_ = environment / "bin"
    write_program(bin_ / "pip", f'#!/bin/sh\nexec {bin_}/python -m pip "$@"\n')
    clone = tmp_path / "nbproctor"
    shutil.copytree(project / "nbproctor", clone / "nbproctor")
    for name in CLONED:
        shutil.copy(project / name, clone / name)
    tools = tmp_path / "tools"
    build = tomllib.loads((clone / "pyproject.toml").read_text())["build-system"]
    link_packages(list(map(Requirement, build["requires"])), tools)
    offline = {
        "PIP_NO_INDEX": "1",
        "PIP_NO_DEPS": "1",
        "PIP_NO_BUILD_ISOLATION": "0",
    }
    path = os.pathsep.join([str(bin_), os.environ["PATH"]])
    variables = offline | {"PATH": path, "PYTHONPATH": str(tools)}
    succeeded(start("bash", "-c", command, cwd=tmp_path, **variables))
    shutil.rmtree(clone)
    return environment


@pytest.mark.slow
def test_a_clone_installed_as_documented_grades_a_course_of_plain_nbgrader(
    installed_clone: Path, stock: Path
) -> None:
    config = stock / "nbgrader_config.py"
    config.write_text(STOCK + starter.SWITCH)

    def run(*words: str) -> None:
        python = installed_clone / "bin/python"
        succeeded(start(python, "-m", *words, cwd=stock))

    run("nbgrader", "generate_assignment", "tiny", "--create")
    hand_in(stock, "ann", **RIGHT)
    run("nbgrader", "autograde", "tiny")
    graded = read_json(stock / "autograded/ann/tiny/grading.json")
    assert graded["status"] == "graded" and graded["score"] == 10
    run("nbproctor", "off")
    assert config.read_text() == STOCK
    assert not list(stock.glob(".nbproctor*"))
    assert (installed_clone / "bin/nbproctor").is_file()


def test_every_file_names_the_same_version(project: Path) -> None:
    citation = (project / "CITATION.cff").read_text()
    assert f"\nversion: {nbproctor.__version__}\n" in citation
    changes = (project / "CHANGELOG.md").read_text("utf-8")
    versions = re.findall(r"^## (\S+)", changes, re.MULTILINE)
    assert nbproctor.__version__ == next(v for v in versions if v != "Unreleased")


def test_every_file_names_the_same_pythons(project: Path) -> None:
    script = (project / "kit.py").read_text()
    ast.parse(script, feature_version=(3, 7))  # an old one can read what is wrong
    versions = re.search(r"OLDEST, NEWEST = \(3, (\d+)\), \(3, (\d+)\)", script)
    assert versions
    oldest, newest = map(int, versions.groups())
    words = f"3.{oldest} to 3.{newest}"
    condition = f"(3, {oldest}) <= sys.version_info[:2] <= (3, {newest})"
    templates = project / "nbproctor/templates"
    for file in (project / "README.md", *templates.glob("start.*")):
        text = file.read_text("utf-8")
        assert words in text, file
        assert condition in text or file.suffix not in (".sh", ".bat"), file
    package = (project / "pyproject.toml").read_text()
    named = re.findall(r'"Programming Language :: Python :: 3\.(\d+)"', package)
    assert [*map(int, named)] == [*range(oldest, newest + 1)]
    assert f'requires-python = ">=3.{oldest}"' in package


# ---- what students get ---------------------------------------------------------------


@pytest.fixture
def course(project: Path, tmp_path: Path) -> Path:
    """The course with the release as it is committed, and nothing in dist/."""
    shutil.copy(project / "requirements.txt", tmp_path)
    return lab_course(project, tmp_path, "data")


def pack(course: Path) -> dict[str, bytes]:
    """Return the files of the zip that students get."""
    with ZipFile(handout.pack(Course(course, LAB))) as archive:
        return {
            name.removeprefix(f"{LAB}/"): archive.read(name)
            for name in archive.namelist()
        }


# Files of the zip that students get.
FOR_STUDENTS = """
    START.html
    data/mnist/README.md
    data/mnist/train-images-idx3-ubyte.gz
    data/mnist/train-labels-idx1-ubyte.gz
    kit.py
    kit/cells.py
    kit/jupyter/jupyter_server_config.d/student.json
    kit/jupyter/labconfig/page_config.json
    kit/lab.py
    kit/original/lab_tools.py
    kit/original/mnist.py
    kit/original/my_network_template.html
    kit/original/neural_network.ipynb
    kit/original/paper_network.html
    kit/original/public_tests.py
    kit/pins.txt
    kit/submit.py
    requirements.txt
    start_linux.sh
    start_macos.command
    start_windows.bat
"""


@pytest.mark.slow
def test_the_zip_holds_all_that_a_student_needs_and_no_more(course: Path) -> None:
    files = pack(course)
    assert [*files] == FOR_STUDENTS.split()
    notebook = (course / "release" / LAB / f"{LAB}.ipynb").read_bytes()
    assert files[f"kit/original/{LAB}.ipynb"] == notebook
    page = files["START.html"].decode()
    assert "$" not in page and all(s in page for s in ("Windows", "macOS", "Linux"))
    constraint, *lines = files["requirements.txt"].decode().splitlines()
    assert constraint == "-c kit/pins.txt"
    # wget is left out: the digits come along, and it has no wheel.
    used = "ipython jupyter matplotlib nbgrader numpy pillow seaborn tqdm"
    assert [line.partition("==")[0] for line in lines] == used.split()
    pins = files["kit/pins.txt"].decode()
    assert pins == (course / "requirements.txt").read_text()
    assert {*lines} < {*pins.split()}


@pytest.mark.slow
def test_the_same_release_makes_the_same_zip(course: Path) -> None:
    first = handout.pack(Course(course, LAB)).read_bytes()
    for path in course.rglob("*"):
        path.touch()
    for name in (".ipynb_checkpoints/old.ipynb", "__pycache__/mnist.pyc"):
        path = course / "release" / LAB / name
        path.parent.mkdir(exist_ok=True)
        path.touch()
    assert handout.pack(Course(course, LAB)).read_bytes() == first


@pytest.mark.slow
def test_a_notebook_that_imports_an_unpinned_package_is_not_packed(
    course: Path,
) -> None:
    pins_file = course / "requirements.txt"
    pins_file.write_text(pins_file.read_text().replace("\nseaborn==", "\nother=="))
    with pytest.raises(handout.HandoutError, match="seaborn"):
        pack(course)
    assert not (course / "dist").exists()


@pytest.mark.slow
def test_a_course_without_pins_gets_the_versions_that_are_installed(
    course: Path,
    project: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    shutil.copy(project / "kit.py", tmp_path)
    monkeypatch.setattr(handout, "CHECKOUT", tmp_path)  # as from a wheel
    (course / "requirements.txt").unlink()
    shutil.rmtree(course / "data")
    files = pack(course)
    assert not any(name.startswith("data/") for name in files)
    for file in ("requirements.txt", "kit/pins.txt"):
        lines = files[file].decode().splitlines()
        for name in ("nbgrader", "numpy", "seaborn"):
            assert f"{name}=={metadata.version(name)}" in lines
