"""What a student is given: the release, packed with all that it takes to start."""

from __future__ import annotations

import ast
import re
from importlib.metadata import packages_distributions
from importlib.resources import files
from pathlib import Path
from zipfile import ZIP_DEFLATED, ZIP_STORED, ZipFile, ZipInfo

from nbproctor.errors import NbproctorError
from nbproctor.markers import imports
from nbproctor.notebook import MasterNotebook
from nbproctor.templates import render

# What opens a notebook, and what makes its Validate button.
TOOLS = {"jupyter", "nbgrader"}
HERE = Path(__file__).parent
# Where kit.py and requirements.txt are, for a course that has none of its own.
CHECKOUT = HERE.parents[1]
VERBS = ("lab.py", "submit.py")
STARTS = {  # Windows reads line ends of its own; the others must be allowed to run
    "start_linux.sh": "start.sh",
    "start_macos.command": "start.sh",
    "start_windows.bat": "start.bat",
}


class HandoutError(NbproctorError):
    """The course lacks something that its students need."""


def pack(course: Path, assignment: str, where: str = "") -> Path:
    """Pack the release of an assignment for students.

    The same release gives the same bytes, so that a changed zip means a changed lab.

    Parameters
    ----------
    course : Path
        Folder with ``release/<assignment>/``. What of its ``data/`` the notebook names
        goes along, so that the lab works without a network.
    assignment : str
        Name of the assignment.
    where : str, optional
        Where students hand in, as a sentence.

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
        where=where,
    )
    given = {_name(path, release): path.read_bytes() for path in _tree(release)}
    content = {
        "START.html": start.encode(),
        "kit.py": _of_kit(course, "kit.py").read_bytes(),
        # The packages, and the versions of those that they need in turn.
        "requirements.txt": b"-c kit/pins.txt\n"
        + requirements(course, sources).encode(),
        "kit/pins.txt": _of_kit(course, "requirements.txt").read_bytes(),
    }
    content |= {name: _start(template) for name, template in STARTS.items()}
    content |= {f"kit/{verb}": (HERE / verb).read_bytes() for verb in VERBS}
    content |= {
        f"kit/{_name(path, HERE)}": path.read_bytes()
        for path in _tree(HERE / "jupyter")
    }
    if where:
        content["kit/hand_in.txt"] = where.encode()
    content |= given
    content |= {f"kit/original/{name}": data for name, data in given.items()}
    content |= {
        _name(path, course): path.read_bytes() for path in data_of(course, assignment)
    }
    target = course / "dist" / f"{assignment}.zip"
    target.parent.mkdir(exist_ok=True)
    unfinished = target.with_suffix(".part")
    with ZipFile(unfinished, "w") as archive:
        for name, data in sorted(content.items()):
            entry = ZipInfo(f"{assignment}/{name}")  # dated 1980, on every computer
            runs = name.endswith((".sh", ".command"))
            entry.external_attr = (0o100755 if runs else 0o100644) << 16
            entry.create_system = 3
            packed = ZIP_STORED if name.endswith(".gz") else ZIP_DEFLATED
            archive.writestr(entry, data, packed)
    unfinished.replace(target)
    return target


def data_of(course: Path, assignment: str) -> list[Path]:
    """Return the files of the course's ``data/`` that an assignment's students need.

    A folder or file of ``data/`` belongs to an assignment if its name stands in the
    text of a notebook, or of a module beside it.
    """
    texts = [
        path.read_text("utf-8")
        for path in _tree(course / "release" / assignment)
        if path.suffix in (".ipynb", ".py")
    ]

    def named(path: Path) -> bool:
        name = path.relative_to(course / "data").parts[0]
        return any(re.search(rf"\b{re.escape(name)}\b", text) for text in texts)

    return list(filter(named, _tree(course / "data")))


def requirements(course: Path, notebooks: list[Path]) -> str:
    """Return the course's pins of what some notebooks import, one a line.

    Modules that lie beside a notebook count by what they import themselves. What they
    try to import, and go without, is left out: a package without a wheel does not
    install on every computer.
    """
    file = _of_kit(course, "requirements.txt")
    pins = file.read_text("utf-8")
    provider = packages_distributions()
    beside = {path for nb in notebooks for path in nb.parent.glob("*.py")}
    modules = {name for nb in notebooks for name in MasterNotebook.read(nb).modules}
    for text in (path.read_text("utf-8") for path in beside):
        modules.update(set(imports(text)) - _tried(text))
    modules -= {path.stem for path in beside}
    wanted = TOOLS.union(*(provider.get(m.partition(".")[0], []) for m in modules))
    lines = []
    for package in sorted(wanted):
        found = re.search(rf"^{re.escape(package)}==\S+", pins, re.M | re.I)
        if found is None:
            raise HandoutError(f"{file} does not pin {package!r}: add it there.")
        lines.append(found[0])
    return "\n".join(lines) + "\n"


def _tried(source: str) -> set[str]:
    """Return the modules that a module imports only if they are there."""
    tried = set()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Try):
            caught = " ".join(ast.unparse(h.type) for h in node.handlers if h.type)
            if re.search(r"\b(ImportError|ModuleNotFoundError)\b", caught):
                inside = (s for s in node.body if isinstance(s, ast.Import))
                tried |= {alias.name for s in inside for alias in s.names}
    return tried


def _of_kit(course: Path, name: str) -> Path:
    """Return a file of the kit: the course's own, or that of nbproctor's checkout."""
    own = course / name
    return own if own.exists() else CHECKOUT / name


def _start(template: str) -> bytes:
    text = files("nbproctor").joinpath("templates", template).read_text("utf-8")
    return (text.replace("\n", "\r\n") if template.endswith(".bat") else text).encode()


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
