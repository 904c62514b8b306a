"""What a student is given: the release, packed with all that it takes to start."""

from __future__ import annotations

import re
from importlib.metadata import PackageNotFoundError, packages_distributions, version
from pathlib import Path
from zipfile import ZIP_DEFLATED, ZIP_STORED, ZipFile, ZipInfo

from nbproctor.errors import NbproctorError
from nbproctor.markers import imports
from nbproctor.notebook import MasterNotebook
from nbproctor.templates import render

# What opens a notebook, and what makes its Validate button.
TOOLS = {"jupyter", "nbgrader"}


class HandoutError(NbproctorError):
    """The course lacks something that its students need."""


def pack(course: Path, assignment: str) -> Path:
    """Pack the release of an assignment for students.

    The same release gives the same bytes, so that a changed zip means a changed lab.

    Parameters
    ----------
    course : Path
        Folder with ``release/<assignment>/``; the files in its ``data/`` go along, so
        that the lab works without a network.
    assignment : str
        Name of the assignment.

    Returns
    -------
    Path
        ``<course>/dist/<assignment>.zip``.

    Raises
    ------
    OSError
        A file cannot be read, or the zip cannot be written; an older one is kept.
    HandoutError
        ``requirements.txt`` does not pin a package that the notebook imports.
    """
    release = course / "release" / assignment
    sources = sorted((course / "source" / assignment).glob("*.ipynb"))
    start = render(
        "start.html",
        assignment=assignment,
        notebooks=[path.name for path in sources],
    )
    content = {
        "START.html": start.encode(),
        "requirements.txt": requirements(course, sources).encode(),
    }
    content |= {_name(path, release): path.read_bytes() for path in _tree(release)}
    content |= {
        _name(path, course): path.read_bytes() for path in _tree(course / "data")
    }
    target = course / "dist" / f"{assignment}.zip"
    target.parent.mkdir(exist_ok=True)
    unfinished = target.with_suffix(".part")
    with ZipFile(unfinished, "w") as archive:
        for name, data in sorted(content.items()):
            entry = ZipInfo(f"{assignment}/{name}")  # dated 1980, on every computer
            entry.external_attr = 0o644 << 16
            entry.create_system = 3
            packed = ZIP_STORED if name.endswith(".gz") else ZIP_DEFLATED
            archive.writestr(entry, data, packed)
    unfinished.replace(target)
    return target


def requirements(course: Path, notebooks: list[Path]) -> str:
    """Return pins of what some notebooks import, one a line.

    They are the course's own; where it has no ``requirements.txt``, the versions that
    are installed here. Modules that lie beside a notebook count by what they import
    themselves.
    """
    file = course / "requirements.txt"
    pins = file.read_text("utf-8") if file.is_file() else None
    provider = packages_distributions()
    beside = {path for nb in notebooks for path in nb.parent.glob("*.py")}
    modules = {name for nb in notebooks for name in MasterNotebook.read(nb).modules}
    modules.update(*(imports(path.read_text("utf-8")) for path in beside))
    modules -= {path.stem for path in beside}
    wanted = TOOLS.union(*(provider.get(m.partition(".")[0], []) for m in modules))
    lines = []
    for package in sorted(wanted):
        here = _installed(package)
        if pins is None:
            lines += here
            continue
        found = re.search(rf"^{re.escape(package)}==\S+", pins, re.M | re.I)
        if found is None:
            line = f", for example {here[0]}" if here else ""
            raise HandoutError(f"{file} does not pin {package!r}: add it there{line}.")
        lines.append(found[0])
    return "\n".join(lines) + "\n"


def _installed(package: str) -> list[str]:
    """Return the pin of the version installed here, if there is one."""
    try:
        # Not the local part, as in 2.6.0+cpu: the package index has no such version.
        return [f"{package}=={version(package).partition('+')[0]}"]
    except PackageNotFoundError:
        return []


def _tree(folder: Path) -> list[Path]:
    """Return the files below `folder`, leaving out what editors and Python leave."""
    return sorted(
        path
        for path in folder.rglob("*")
        if path.is_file()
        and not any(
            part.startswith(".") or part == "__pycache__"
            for part in path.relative_to(folder).parts
        )
    )


def _name(path: Path, folder: Path) -> str:
    return path.relative_to(folder).as_posix()
