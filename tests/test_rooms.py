"""Who may know whom in the package, and what nothing in it may know."""

from __future__ import annotations

import ast
import functools
import re
from pathlib import Path
from typing import NamedTuple

import pytest

from tests.copies import read_document
from tests.readability import Readability, measure_readability, parse

# Top floor first. A room imports itself and what stands in later lines, nothing else.
FLOORS = """\
cli
kit
audit nbgrader
platforms pages
engine
judge submission
student
sanitize
results
notebook
expect markers templates
cells
protocol
sandbox
errors statuses writing
"""
# How much there is to read, and how dense it is, may only fall; the aims stand beside.
# Nodes rose: by a tenth for the border, identifiers by kind, borrowers and the proof,
# and by 4,900 for specifications, `adopt`, the pages of a term, tries on pages,
# and mutants of tables and text. They rose by 320 for points that change after a
# release, marks above a maximum, and assignments that are called like a column.
# Lines and modules are not bounded: white space is free, and an idea may have a module.
BOUNDS = {
    "nbproctor": Readability(
        nodes=119_512,  # 92,000
        nodes_per_code_line=5.259,  # 5.3
        starred_literals=0,
        tuple_assignments=0.0,
        vague_names=0,
    ),
    "tests": Readability(
        nodes=98_069,  # 95,000
        nodes_per_code_line=4.141,  # 5.0
        starred_literals=0,
        tuple_assignments=0.0,
        vague_names=0,
    ),
}
FLOOR_OF = {
    room: floor
    for floor, rooms in enumerate(FLOORS.splitlines())
    for room in rooms.split()
}
FACADE = {"__init__", "__main__"}  # of the package


def room_of(path: Path, package: Path) -> str:
    return path.relative_to(package).with_suffix("").parts[0]


class Facts(NamedTuple):
    """What a module imports, calls and defines."""

    imports: list[tuple[str, str]]  # top module, and first part below that
    called: set[str]
    classes: list[str]


@functools.cache
def facts(path: Path) -> Facts:
    """Read a module."""
    imports: list[tuple[str, str]] = []
    called = set[str]()
    classes: list[str] = []
    for node in ast.walk(parse(path)):
        match node:
            case ast.Import(names):
                imports += [(*alias.name.split("."), "")[:2] for alias in names]
            case ast.ImportFrom(module, names, level):
                assert level == 0, f"{path}: imports are absolute"
                parts = str(module).split(".")
                imports += [(*parts, alias.name)[:2] for alias in names]
            case ast.Call(ast.Name(name)):
                called.add(name)
            case ast.ClassDef(name):
                classes.append(name)
    return Facts(imports, called, classes)


def test_imports_go_down(project: Path) -> None:
    package = project / "nbproctor"
    up = [
        f"{path.relative_to(project)} imports {room}"
        for path in package.rglob("*.py")
        if (own_room := room_of(path, package)) not in FACADE
        for top, room in facts(path).imports
        if top == "nbproctor" and room in FLOOR_OF
        if room != own_room and FLOOR_OF[room] <= FLOOR_OF[own_room]
    ]
    assert not up


def test_the_map_gives_every_room_in_its_order_with_its_own_sentence(
    project: Path,
) -> None:
    package = project / "nbproctor"
    rooms = {path.stem for path in package.glob("*.py")} - FACADE
    rooms |= {path.parent.name for path in package.glob("*/__init__.py")}
    assert rooms == FLOOR_OF.keys()
    page = read_document("architecture")
    section = page.partition("## Rooms of nbproctor")[2].partition("\n## ")[0]
    rows = re.findall(r"^\| `([\w.]+)/?` \| (.+) \|$", section, re.MULTILINE)
    floors = [FLOOR_OF[name.removesuffix(".py")] for name, _ in rows]
    assert floors == sorted(FLOOR_OF.values())  # each room once, no room above its own
    for name, sentence in rows:
        path = package / name
        path = path if path.is_file() else path / "__init__.py"
        docstring = ast.get_docstring(parse(path)) or ""
        first = " ".join(docstring.partition("\n\n")[0].split())
        assert sentence == first.replace("``", "`").rstrip(".") + ".", name


def test_every_file_folder_and_module_on_the_map_exists(project: Path) -> None:
    package = project / "nbproctor"
    page = read_document("architecture")
    for name in re.findall(r"`([\w/.]+(?:/|\.py))`", page):
        assert (project / name).exists() or (package / name).exists(), name
    for target in re.findall(r"\]\(([\w/.]+)\)", page):
        assert (project / "docs" / target).exists(), target
    figure = page.partition("```text")[2].partition("```")[0]
    dotted = re.findall(r"\b([a-z]+)\.([a-z]+)\b(?!\()", figure)
    named = [(room, name) for room, name in dotted if room in FLOOR_OF]
    assert named
    for room, name in named:
        source = (package / room / "__init__.py").read_text("utf-8")
        assert (package / room / f"{name}.py").exists() or f'"{name}"' in source, name


def test_only_one_room_prints(project: Path) -> None:
    package = project / "nbproctor"
    in_the_zip = {package / "kit/lab.py", package / "kit/submit.py"}  # without the cli
    for path in package.rglob("*.py"):
        if room_of(path, package) != "cli" and path not in in_the_zip:
            assert "print" not in facts(path).called, path


def test_only_one_room_knows_nbgrader(project: Path) -> None:
    package = project / "nbproctor"
    for path in package.rglob("*.py"):
        if room_of(path, package) != "nbgrader":
            assert "nbgrader" not in {top for top, _ in facts(path).imports}, path


@pytest.mark.parametrize("word", ["sigmoid", "mnist", "neural"])
def test_nothing_in_the_package_knows_the_lab(project: Path, word: str) -> None:
    for path in [p for p in (project / "nbproctor").rglob("*") if p.is_file()]:
        if path.suffix in {".py", ".html"}:
            assert word not in path.read_text("utf-8").lower(), path


@pytest.mark.parametrize("tree", BOUNDS)
def test_there_is_not_more_to_read(project: Path, tree: str) -> None:
    figures = measure_readability(project / tree)._asdict()
    bounds = BOUNDS[tree]._asdict()
    exceeded = {name: value for name, value in figures.items() if value > bounds[name]}
    assert not exceeded


def test_a_class_name_has_one_meaning(project: Path) -> None:
    homes: dict[str, list[str]] = {}
    for path in (project / "nbproctor").rglob("*.py"):
        for name in facts(path).classes:
            homes.setdefault(name, []).append(path.name)
    assert not {name: where for name, where in homes.items() if len(where) > 1}
