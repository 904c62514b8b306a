"""The lab in the browser: a static site that JupyterLite makes of what students get.

Any web server serves it, and nothing runs there: Pyodide runs Python in the browser.
"""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from collections.abc import Iterable
from contextlib import suppress
from importlib.metadata import Distribution, distribution
from importlib.util import find_spec
from pathlib import Path
from tempfile import TemporaryDirectory
from urllib.parse import urlsplit

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from nbproctor.kit import handout
from nbproctor.kit.handout import HandoutError
from nbproctor.nbgrader import Course
from nbproctor.platforms import write_zip
from nbproctor.templates import render
from nbproctor.writing import write_file

KERNEL = "@jupyterlite/pyodide-kernel-extension"
KERNEL_NEEDS = {"ipython", "jedi", "micropip"}  # of Pyodide
# Not of Pyodide: what the kernel imports, and what draws a progress bar.
ADDED = {"comm", "ipywidgets"}
# Needed by those, but installed with IPython or only for other programs.
PROVIDED = {*KERNEL_NEEDS, "jupyterlab-widgets", "traitlets", "widgetsnbextension"}
EXTENSIONS = Path(sys.prefix) / "share/jupyter/labextensions"
OPTIONS = (
    "--contents=contents",
    "--output-dir=site",
    "--no-sourcemaps",
    "--ignore-sys-prefix",  # whatever else is installed
    f"--LiteBuildConfig.federated_extensions={EXTENSIONS / KERNEL}",
    "--LiteBuildConfig.federated_extensions="
    f"{EXTENSIONS / '@jupyter-widgets/jupyterlab-manager'}",
)


def make_site(course: Course, pyodide: Path | None = None) -> Path:
    """Make the site of the assignment's release; return ``dist/<assignment>_browser``.

    Pyodide comes from its own address, or is copied from the folder `pyodide` into the
    site, which then loads nothing from elsewhere. `HandoutError`: something is missing.
    """
    if not find_spec("jupyterlite_pyodide_kernel"):
        raise HandoutError(
            "The site needs JupyterLite, which is not installed. Run "
            "pip install 'nbproctor[browser]', then the same command again."
        )
    pins = handout.requirements(course)
    names = {pin.partition("==")[0] for pin in pins}
    wheels, compiled = _packages(ADDED | names - handout.TOOLS)
    if pyodide:
        _check(pyodide, KERNEL_NEEDS.union(compiled))
    assignment = course.assignment
    configuration = _configuration(assignment, [*compiled, *wheels])
    target = course.root / f"dist/{assignment}_browser"
    with TemporaryDirectory() as folder:
        lite = Path(folder)
        built_site = lite / "site"
        for name, data in handout.student_files(course).items():
            for path in {name, name.removeprefix(f"{handout.ORIGINAL}/")}:
                write_file(lite / "contents" / path, data)
        write_file(lite / "jupyter-lite.json", configuration)
        for name, package in wheels.items():
            write_zip(lite / "pypi" / name, _installed(package))
        if pyodide:
            (lite / "static").mkdir()
            (lite / "static/pyodide").symlink_to(pyodide.resolve())
        command = [sys.executable, "-m", "jupyterlite_core", "build", *OPTIONS]
        done = subprocess.run(
            command,
            cwd=lite,
            capture_output=True,
            text=True,
        )
        if done.returncode:
            output = (done.stdout + done.stderr)[-2000:]
            raise HandoutError(f"JupyterLite could not make the site:\n{output}")
        page = handout.first_page(course, browser=True)
        (built_site / "index.html").write_text(page, "utf-8")
        if not pyodide:
            _report_blocked_network(built_site)
        shutil.rmtree(target, ignore_errors=True)
        target.parent.mkdir(exist_ok=True)
        shutil.move(built_site, target)
    return target


def _report_blocked_network(site: Path) -> None:
    """Make pages say so where a network blocks the server that Pyodide comes from."""
    from jupyterlite_pyodide_kernel.constants import PYODIDE_LOCK_DEFAULT_URL

    message = render(
        "connection.html",
        address=PYODIDE_LOCK_DEFAULT_URL,
        server=urlsplit(PYODIDE_LOCK_DEFAULT_URL).hostname,
    )
    for path in (site / "index.html", site / "lab/index.html"):
        text = path.read_text("utf-8").replace("</body>", f"{message}</body>")
        path.write_text(text, "utf-8")


def _packages(names: Iterable[str]) -> tuple[dict[str, Distribution], list[str]]:
    """Return the packages that are pure Python, by wheel, and names of the others.

    With them come the packages that they need. What is compiled has to be Pyodide's.
    """
    wheels = {}
    compiled = set()
    waiting = list(names)
    finished = set(PROVIDED)
    while waiting:
        package = distribution(waiting.pop())
        name = canonicalize_name(package.name)
        if name in finished:
            continue
        finished.add(name)
        if "Root-Is-Purelib: true" in (package.read_text("WHEEL") or ""):
            file = f"{name.replace('-', '_')}-{package.version}-py3-none-any.whl"
            wheels[file] = package
            for need in map(Requirement, package.requires or []):
                if not need.marker or need.marker.evaluate({"extra": ""}):
                    waiting.append(need.name)
        else:
            compiled.add(name)
    return wheels, sorted(compiled)


def _installed(package: Distribution) -> dict[str, Path]:
    """Return the files of a package as it is installed: name in a wheel → path."""
    return {
        file.as_posix(): Path(str(file.locate()))
        for file in package.files or ()
        if {"..", "__pycache__"}.isdisjoint(file.parts)
    }


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
        is_version = lock["info"]["python"].startswith(f"{PYODIDE_PYTHON_VERSION}.")
        fits = is_version and all((pyodide / file).exists() for file in files)
    if not fits:
        raise HandoutError(
            f"{pyodide} is not Pyodide {PYODIDE_VERSION} with all its packages. Get "
            f"pyodide-{PYODIDE_VERSION}.tar.bz2, unpack it, and name its folder "
            "pyodide: https://github.com/pyodide/pyodide/releases"
        )


def _configuration(assignment: str, packages: list[str]) -> bytes:
    """Return the site's configuration; all `packages` are loaded before a cell runs.

    Modules next to the notebook may need some, but Pyodide looks only at cells.
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
