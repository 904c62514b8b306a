"""Zip of the release for students, with all that it takes to start."""

from __future__ import annotations

import ast
import re
from functools import cache
from importlib.metadata import distributions, packages_distributions
from pathlib import Path

from nbproctor.cells import parse_code
from nbproctor.errors import NbproctorError
from nbproctor.kit.lab import JUPYTER, contents
from nbproctor.kit.lab import files as tree
from nbproctor.markers import imports
from nbproctor.nbgrader import Course
from nbproctor.notebook import MasterNotebook
from nbproctor.platforms import write_zip
from nbproctor.templates import render

# What opens a notebook, and what makes its Validate button.
TOOLS = {"jupyter", "nbgrader"}
HERE = Path(__file__).parent
# Where kit.py and requirements.txt are, unless nbproctor is installed from a wheel.
CHECKOUT = HERE.parents[1]
# Modules of the package that students get, in ``kit/``.
STUDENT_MODULES = (HERE / "submit.py", HERE.parent / "cells.py")
ORIGINAL = "kit/original"  # the assignment as it is handed out; `lab` copies it
STARTS = {  # Windows reads line ends of its own; the others must be allowed to run
    "start_linux.sh": "start.sh",
    "start_macos.command": "start.sh",
    "start_windows.bat": "start.bat",
}


class HandoutError(NbproctorError):
    """The course lacks something that its students need."""


def pack(course: Course) -> Path:
    """Pack the release for students; return ``dist/<assignment>.zip``.

    The same release gives the same bytes. An older zip stays if this one cannot be
    made: `HandoutError` where ``requirements.txt`` lacks a package. The notebook and
    its modules are in ``kit/original`` alone (``lab`` copies them): no zip that is
    unpacked over a student's folder overwrites work.
    """
    kit = HERE / "kit.py"  # in a wheel
    if not kit.is_file():
        kit = CHECKOUT / "kit.py"
    # The packages, and the versions of those that they need in turn.
    needed = ["-c kit/pins.txt", *requirements(course), ""]
    content = student_files(course) | {
        "START.html": first_page(course).encode(),
        "kit.py": kit.read_bytes(),
        "requirements.txt": "\n".join(needed).encode(),
        "kit/pins.txt": _pins(course).encode(),
        "kit/lab.py": (HERE / "lab.py").read_bytes(),
    }
    for name, template in STARTS.items():
        content[name] = _start(template)
    content |= contents(JUPYTER, "kit/jupyter/")
    assignment = course.assignment
    target = course.root / f"dist/{assignment}.zip"
    entries = {f"{assignment}/{name}": data for name, data in content.items()}
    write_zip(target, entries, _mode)
    return target


def first_page(course: Course, browser: bool = False) -> str:
    """Return the page that students see first, of a zip or of the lab in a browser."""
    return render(
        "start.html",
        assignment=course.assignment,
        notebooks=[path.name for path in course.sources()],
        where=course.options.hand_in,
        browser=browser,
    )


def student_files(course: Course) -> dict[str, bytes]:
    """Return the files that students get in every form: path → content."""
    content = contents(course.folder("release"), f"{ORIGINAL}/")
    for name in data_of(course):
        content[name] = (course.root / name).read_bytes()
    for path in STUDENT_MODULES:
        content[f"kit/{path.name}"] = path.read_bytes()
    if where := course.options.hand_in:
        content["kit/hand_in.txt"] = where.encode()
    return content


def data_of(course: Course) -> list[str]:
    """Return files of ``data/``, below the course: those that students need.

    They lie in a folder, or have a name, that stands in a notebook or module.
    """
    text = "\n".join(
        data.decode()
        for name, data in contents(course.folder("release")).items()
        if name.endswith((".ipynb", ".py"))
    )
    return [
        f"data/{file}"
        for file in tree(course.root / "data")
        if re.search(rf"\b{re.escape(file.partition('/')[0])}\b", text)
    ]


def requirements(course: Course) -> list[str]:
    """Return pins of what the notebooks of the assignment import.

    Of modules in the folder of a notebook, their own imports count. What they
    try to import, and go without, is left out: a package without a wheel does not
    install on every computer.
    """
    modules = set[str]()
    local = set[Path]()
    for notebook in course.sources():
        modules.update(MasterNotebook.read(notebook).modules)
        local.update(notebook.parent.glob("*.py"))
    for path in local:
        text = path.read_text("utf-8")
        modules.update(set(imports(text)) - _optional_imports(text))
    modules -= {path.stem for path in local}
    providers = _providers()
    packages = TOOLS.union(
        *(providers.get(module.partition(".")[0], ()) for module in modules)
    )
    pins = _pins(course)
    lines = []
    for package in sorted(packages):
        pin = _pin_of(package, pins)
        if not pin:
            file = course.root / "requirements.txt"
            installed = _pin_of(package, _installed())
            example = f", for example {installed}" if installed else ""
            raise HandoutError(
                f"{file} does not pin {package!r}: add it there{example}."
            )
        lines.append(pin)
    return lines


def _pin_of(package: str, pins: str) -> str:
    """Return the line that pins a package, or nothing."""
    name = re.escape(package)
    match = re.search(rf"^{name}==\S+", pins, re.MULTILINE | re.IGNORECASE)
    return match[0] if match else ""


# It looks into the files of every package that is installed.
_providers = cache(packages_distributions)


def _optional_imports(source: str) -> set[str]:
    """Return the modules that a module imports only if they are there."""
    return {
        alias.name
        for node in ast.walk(parse_code(source))
        if isinstance(node, ast.Try)
        for statement in node.body
        if isinstance(statement, ast.Import)
        for alias in statement.names
    }


def _pins(course: Course) -> str:
    """Return pins: those of the course, of the kit's checkout, or what is installed."""
    for file in (course.root / "requirements.txt", CHECKOUT / "requirements.txt"):
        if file.is_file():
            return file.read_text("utf-8")
    return _installed()


def _installed() -> str:
    """Return a pin of every package that is installed here."""
    # Not the local part, as in 2.6.0+cpu: the package index has no such version.
    pins = {
        f"{package.name}=={package.version.partition('+')[0]}\n"
        for package in distributions()
    }
    return "".join(sorted(pins))


def _mode(name: str) -> int:
    if name.endswith((".sh", ".command")):
        return 0o100755
    if f"/{ORIGINAL}/" in name:
        return 0o100444
    return 0o100644


def _start(template: str) -> bytes:
    text = render(template)
    if template.endswith(".bat"):
        text = text.replace("\n", "\r\n")
    return text.encode()
