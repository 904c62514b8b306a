"""What a student is given: the release with all that it takes to start, or as a site.

The site, the lab in the browser, is static: JupyterLite makes it, any web server serves
it, and nothing runs there. Pyodide runs Python in the browser.
"""

from __future__ import annotations

import ast
import json
import re
import shutil
import subprocess
import sys
from collections.abc import Iterable
from contextlib import suppress
from importlib.metadata import (
    Distribution,
    distribution,
    distributions,
    packages_distributions,
)
from importlib.util import find_spec
from pathlib import Path
from tempfile import TemporaryDirectory

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from nbproctor.errors import NbproctorError
from nbproctor.kit.lab import JUPYTER
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
# What of the package students get, in ``kit/``.
GIVEN = (HERE / "submit.py", HERE.parent / "cells.py")
ORIGINAL = "kit/original"  # the assignment as it is handed out; `lab` copies it
STARTS = {  # Windows reads line ends of its own; the others must be allowed to run
    "start_linux.sh": "start.sh",
    "start_macos.command": "start.sh",
    "start_windows.bat": "start.bat",
}

# Of the site.
KERNEL = "@jupyterlite/pyodide-kernel-extension"
KERNEL_NEEDS = {"ipython", "jedi", "micropip"}  # of Pyodide
# Not of Pyodide: what the kernel imports, and what draws a progress bar.
BESIDE = {"comm", "ipywidgets"}
# What those need and has come with IPython, or is for other programs than JupyterLite.
THERE = {*KERNEL_NEEDS, "jupyterlab-widgets", "traitlets", "widgetsnbextension"}
EXTENSIONS = Path(sys.prefix) / "share/jupyter/labextensions"
OPTIONS = (
    *("--contents=contents", "--output-dir=site", "--no-sourcemaps"),
    "--ignore-sys-prefix",  # whatever else is installed
    f"--LiteBuildConfig.federated_extensions={EXTENSIONS / KERNEL}",
    "--LiteBuildConfig.federated_extensions="
    f"{EXTENSIONS / '@jupyter-widgets/jupyterlab-manager'}",
)


class HandoutError(NbproctorError):
    """The course lacks something that its students need."""


def pack(course: Path | Course, assignment: str) -> Path:
    """Pack the release of an assignment for students; return ``dist/<assignment>.zip``.

    The same release gives the same bytes. An older zip is kept if this one cannot be
    made: `HandoutError` where ``requirements.txt`` lacks a package. The notebook and
    its modules are in ``kit/original`` alone (``lab`` copies them): no zip that is
    unpacked over a student's folder overwrites work.
    """
    course = Course.at(course)
    kit = HERE / "kit.py"  # in a wheel
    content = given(course, assignment) | {
        "START.html": first_page(course, assignment).encode(),
        "kit.py": (kit if kit.is_file() else CHECKOUT / "kit.py").read_bytes(),
        # The packages, and the versions of those that they need in turn.
        "requirements.txt": "\n".join(
            ["-c kit/pins.txt", *requirements(course, assignment), ""]
        ).encode(),
        "kit/pins.txt": _pins(course).encode(),
        "kit/lab.py": (HERE / "lab.py").read_bytes(),
    }
    content |= {name: _start(template) for name, template in STARTS.items()}
    content |= {f"kit/jupyter/{n}": (JUPYTER / n).read_bytes() for n in tree(JUPYTER)}
    target = course.root / "dist" / f"{assignment}.zip"
    placed = {f"{assignment}/{name}": data for name, data in content.items()}
    write_zip(target, placed, _mode)
    return target


def first_page(course: Course, assignment: str, browser: bool = False) -> str:
    """Return the page that students see first, of a zip or of the lab in a browser."""
    names = [path.name for path in course.sources(assignment)]
    about = {"assignment": assignment, "notebooks": names}
    return render("start.html", **about, where=course.options.hand_in, browser=browser)


def given(course: Course, assignment: str) -> dict[str, bytes]:
    """Return the files that students get in every form: path → content."""
    release, where = course.folder("release", assignment), course.options.hand_in
    content = {f"{ORIGINAL}/{n}": (release / n).read_bytes() for n in tree(release)}
    content |= {n: (course.root / n).read_bytes() for n in data_of(course, assignment)}
    content |= {f"kit/{path.name}": path.read_bytes() for path in GIVEN}
    return content | ({"kit/hand_in.txt": where.encode()} if where else {})


def data_of(course: Course, assignment: str) -> list[str]:
    """Return files of ``data/``, below the course: those that students need.

    They lie in a folder, or have a name, that stands in a notebook or module.
    """
    release = course.folder("release", assignment)
    given = [release / name for name in tree(release)]
    texts = [p.read_text("utf-8") for p in given if p.suffix in (".ipynb", ".py")]

    def named(file: str) -> bool:
        name = re.escape(file.partition("/")[0])
        return any(re.search(rf"\b{name}\b", text) for text in texts)

    return [f"data/{file}" for file in tree(course.root / "data") if named(file)]


def requirements(course: Course, assignment: str) -> list[str]:
    """Return pins of what the notebooks of an assignment import.

    Modules that lie beside a notebook count by what they import themselves. What they
    try to import, and go without, is left out: a package without a wheel does not
    install on every computer.
    """
    pins, notebooks = _pins(course), course.sources(assignment)
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
            file = course.root / "requirements.txt"
            here = re.search(rf"^{re.escape(package)}==\S+", _installed(), re.M | re.I)
            line = f", for example {here[0]}" if here else ""
            raise HandoutError(f"{file} does not pin {package!r}: add it there{line}.")
        lines.append(found[0])
    return lines


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


def _pins(course: Course) -> str:
    """Return pins: those of the course, of the kit's checkout, or what is installed."""
    for file in (course.root / "requirements.txt", CHECKOUT / "requirements.txt"):
        if file.is_file():
            return file.read_text("utf-8")
    return _installed()


def _installed() -> str:
    """Return a pin of every package that is installed here."""
    # Not the local part, as in 2.6.0+cpu: the package index has no such version.
    pins = {f"{d.name}=={d.version.partition('+')[0]}\n" for d in distributions()}
    return "".join(sorted(pins))


def _mode(name: str) -> int:
    if name.endswith((".sh", ".command")):
        return 0o100755
    return 0o100444 if f"/{ORIGINAL}/" in name else 0o100644


def _start(template: str) -> bytes:
    text = render(template)
    return (text.replace("\n", "\r\n") if template.endswith(".bat") else text).encode()


# ---- the site ------------------------------------------------------------------------


def make_site(
    course: Path | Course, assignment: str, pyodide: Path | None = None
) -> Path:
    """Make the site of an assignment's release; return ``dist/<assignment>_browser``.

    Pyodide comes from its own address, or is copied from the folder `pyodide` into the
    site, which then asks nothing of the outside. `HandoutError`: something is missing.
    """
    if find_spec("jupyterlite_pyodide_kernel") is None:
        raise HandoutError(
            "The site needs JupyterLite: pip install 'nbproctor[browser]', then again."
        )
    course = Course.at(course)
    pins = requirements(course, assignment)
    names = {pin.partition("==")[0] for pin in pins}
    wheels, compiled = _packages(BESIDE | names - TOOLS)
    if pyodide:
        _check(pyodide, KERNEL_NEEDS.union(compiled))
    content = {}
    for name, data in given(course, assignment).items():
        content[f"contents/{name}"] = data
        content[f"contents/{name.removeprefix(f'{ORIGINAL}/')}"] = data
    content["jupyter-lite.json"] = _configuration(assignment, [*compiled, *wheels])
    target = course.root / "dist" / f"{assignment}_browser"
    with TemporaryDirectory() as folder:
        lite = Path(folder)
        for name, data in content.items():
            (lite / name).parent.mkdir(parents=True, exist_ok=True)
            (lite / name).write_bytes(data)
        for name, package in wheels.items():
            write_zip(lite / "pypi" / name, _files(package))
        if pyodide:
            (lite / "static").mkdir()
            (lite / "static/pyodide").symlink_to(pyodide.resolve())
        command = [sys.executable, "-m", "jupyterlite_core", "build", *OPTIONS]
        done = subprocess.run(command, cwd=lite, capture_output=True, text=True)
        if done.returncode:
            told = (done.stdout + done.stderr)[-2000:]
            raise HandoutError(f"JupyterLite could not make the site:\n{told}")
        page = first_page(course, assignment, browser=True)
        (lite / "site/index.html").write_text(page, "utf-8")
        shutil.rmtree(target, ignore_errors=True)
        target.parent.mkdir(exist_ok=True)
        shutil.move(lite / "site", target)
    return target


def _packages(names: Iterable[str]) -> tuple[dict[str, Distribution], list[str]]:
    """Return the packages that are pure Python, by wheel, and names of the others.

    With them come the packages that they need. What is compiled has to be Pyodide's.
    """
    wheels: dict[str, Distribution] = {}
    compiled = set[str]()
    waiting = list(names)
    seen = set(THERE)
    while waiting:
        package = distribution(waiting.pop())
        name = canonicalize_name(package.name)
        if name in seen:
            continue
        seen.add(name)
        if "Root-Is-Purelib: true" in (package.read_text("WHEEL") or ""):
            file = f"{name.replace('-', '_')}-{package.version}-py3-none-any.whl"
            wheels[file] = package
            for need in map(Requirement, package.requires or []):
                if need.marker is None or need.marker.evaluate({"extra": ""}):
                    waiting.append(need.name)
        else:
            compiled.add(name)
    return wheels, sorted(compiled)


def _files(package: Distribution) -> dict[str, Path]:
    """Return the files of a package as it is installed: name in a wheel → path."""
    files = [f for f in package.files or () if not {"..", "__pycache__"} & {*f.parts}]
    return {f.as_posix(): Path(str(f.locate())) for f in files}


def _check(pyodide: Path, needed: Iterable[str]) -> None:
    """Raise a `HandoutError` if a folder is not the Pyodide that the kernel needs."""
    from jupyterlite_pyodide_kernel.constants import (
        PYODIDE_PYTHON_VERSION,
        PYODIDE_VERSION,
    )

    fits = False
    with suppress(OSError, ValueError, KeyError, TypeError):
        lock = json.loads((pyodide / "pyodide-lock.json").read_text("utf-8"))
        files = [lock["packages"][name]["file_name"] for name in needed]
        fits = all((pyodide / file).exists() for file in files)
        fits = fits and lock["info"]["python"].startswith(f"{PYODIDE_PYTHON_VERSION}.")
    if not fits:
        raise HandoutError(
            f"{pyodide} is not Pyodide {PYODIDE_VERSION} with all its packages. Get "
            f"pyodide-{PYODIDE_VERSION}.tar.bz2, unpack it, and name its folder "
            "pyodide: https://github.com/pyodide/pyodide/releases"
        )


def _configuration(assignment: str, packages: list[str]) -> bytes:
    """Return the site's configuration; all `packages` are loaded before a cell runs.

    For modules beside the notebook need some, and Pyodide looks at cells alone.
    """
    # The kernel's worker loads wheels from where it is itself, four folders down.
    loaded = [f"../../../../pypi/{p}" if p.endswith(".whl") else p for p in packages]
    kernel = {
        "disablePyPIFallback": True,  # grading has no other packages either
        "loadPyodideOptions": {"packages": loaded},
    }
    page = {"appName": assignment, "litePluginSettings": {f"{KERNEL}:kernel": kernel}}
    site = {"jupyter-lite-schema-version": 0, "jupyter-config-data": page}
    return json.dumps(site).encode()
