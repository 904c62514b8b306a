"""Copies of large folders, as fast as the file system allows, and a shorter lab."""

import os
import shutil
import stat
from pathlib import Path
from zipfile import ZipFile

import nbformat

from nbproctor.notebook import SKIP_TAG
from tests import PROJECT
from tests.notebooks import read_notebook

LAB = "neural_network"
PLOT = "plot-sigmoid"
DATA = "load-data", "shapes", "scale"


def link(source: str, target: str) -> None:
    """Stand for `shutil.copy2` in a copy of files that nobody changes."""
    try:
        os.link(source, target)
    except OSError:  # another file system
        shutil.copy2(source, target)


def write_file(path: Path, content: bytes | str) -> None:
    """Write a file, in a folder that is made if need be."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content.encode() if isinstance(content, str) else content)


def write_program(path: Path, text: str) -> None:
    """Write a file that may be run."""
    write_file(path, text)
    path.chmod(0o755)


def read_document(name: str) -> str:
    """Return the text of a page of the documents."""
    return (PROJECT / f"docs/{name}.md").read_text("utf-8")


def unpack(archive: Path, folder: Path) -> None:
    """Unpack a zip as a file manager does, permissions included."""
    with ZipFile(archive) as content:
        for entry in content.infolist():
            path = Path(content.extract(entry, folder))
            path.chmod(stat.S_IMODE(entry.external_attr >> 16))


def lab_course(project: Path, course: Path, *more: str, hand_in: str = "") -> Path:
    """Copy the lab's source and release, and more folders, to a course of its own."""
    cache = shutil.ignore_patterns("__pycache__")
    for name in (f"source/{LAB}", f"release/{LAB}", *more):
        shutil.copytree(project / name, course / name, ignore=cache)
    config = f"c = get_config()\nc.Nbproctor.assignment = {LAB!r}\n"
    config += f"c.Nbproctor.hand_in = {hand_in!r}\n"
    (course / "nbgrader_config.py").write_text(config)
    return course


def shorten_lab(path: Path, *, plots: bool = False) -> None:
    """Leave the lab's notebook its first three exercises, and one plot if wanted.

    Without plots, it has no data either: to import the libraries takes longer than all
    that its cells do.
    """
    notebook = read_notebook(path)
    names = [cell.id for cell in notebook.cells]
    notebook.cells = [
        cell
        for cell in notebook.cells[: names.index("compute-cost-note")]
        if SKIP_TAG not in cell.metadata.get("tags", []) or (plots and cell.id == PLOT)
        if plots or cell.id not in DATA
    ]
    if not plots:
        (packages,) = (c for c in notebook.cells if c.id == "packages")
        packages.source = "import numpy as np"
    nbformat.write(notebook, path)
