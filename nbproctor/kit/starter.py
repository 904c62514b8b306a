"""A first assignment to change, and nbproctor for a course that is there already."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

from nbproctor import nbgrader
from nbproctor.errors import NbproctorError
from nbproctor.kit.lab import contents
from nbproctor.nbgrader.course import NAMES
from nbproctor.nbgrader.lock import course_lock
from nbproctor.nbgrader.run import CACHE
from nbproctor.writing import write_file

_STARTER = Path(__file__).parents[1] / "templates/starter"
_NAME = re.compile(r"[^\W_][\w.-]*")

# At the end of a configuration, and of a .gitignore.
SWITCH = (_STARTER / "switch_on.txt").read_text("utf-8")
IGNORED = (_STARTER / "ignored.txt").read_text("utf-8")


class StarterError(NbproctorError):
    """An assignment or a course cannot be started as asked."""


def new_assignment(course: Path, name: str) -> list[Path]:
    """Make an assignment with one exercise; return what was created.

    It passes ``lint``, ``release``, ``grade`` and ``audit`` as it is. A course that has
    no configuration gets one. `StarterError`: the name is none, or is taken.
    """
    config = course / "nbgrader_config.py"
    is_new = not config.exists()
    variants = course / "variants" / name
    templates = contents(_STARTER / "variants")
    if contents(variants).items() - templates.items():
        raise StarterError(f"{variants} already exists. Choose another name.")
    source = new_source(course, name)
    notebook = source / f"{name}.ipynb"
    for path, text in templates.items():
        write_file(variants / path, text)
    # Text in the package, as no module of it imports this.
    write_file(source / "public_tests.py", (_STARTER / "public_tests.txt").read_bytes())
    # Last: only with its source there is an assignment.
    write_file(notebook, (_STARTER / "notebook.ipynb").read_bytes())
    created = [notebook, variants]
    if is_new:
        created.append(config)
    return created


def new_source(course: Path, name: str) -> Path:
    """Return the folder of a new assignment, in a course that has a configuration.

    `StarterError`: the name is none, or is taken.
    """
    if not _NAME.fullmatch(name):
        raise StarterError(f"{name!r} cannot name an assignment. {NAMES}")
    source = course / "source" / name
    config = course / "nbgrader_config.py"
    if config.exists():
        source = nbgrader.Course(course, name).folder("source")
    if any(source.glob("[!.]*.ipynb")):
        raise StarterError(f"{source} already exists. Choose another name.")
    if not config.exists():
        text = (_STARTER / "config.txt").read_text("utf-8")
        write_file(config, text + SWITCH)
    return source


def switch_on(course: Path) -> bool:
    """Add nbproctor to the configuration of a course; return whether it was missing.

    `CourseError`: the file does not run, with nbproctor or without; it is left as it
    was.
    """
    file = (course / "nbgrader_config.py").resolve()
    if not file.is_file():
        raise StarterError(
            f"{course} has no nbgrader_config.py. Run this in the folder of a course "
            "(if it has no such file, make an empty one), or start a course with: "
            "nbproctor new NAME"
        )
    if nbgrader.Course(course).options.enabled:
        return False
    text = file.read_bytes()
    write_file(file, text + SWITCH.encode())
    try:
        nbgrader.Course(course)  # executes it
    except nbgrader.CourseError:
        write_file(file, text)
        raise
    if any((folder / ".git").exists() for folder in (course, *course.parents)):
        with (course / ".gitignore").open("ab") as ignored:
            ignored.write(IGNORED.encode())
    return True


def switch_off(course: Path) -> None:
    """Take out what `switch_on` wrote, and remove ``.nbproctor.*``; marks stay.

    `StarterError`: nbproctor is switched on by lines that `switch_on` did not write.
    """
    with course_lock(course, "switching nbproctor off"):
        for name, added in (("nbgrader_config.py", SWITCH), (".gitignore", IGNORED)):
            file = (course / name).resolve()
            text = file.read_bytes() if file.is_file() else b""
            if added.encode() in text:
                write_file(file, text.replace(added.encode(), b""))
                if not file.stat().st_size and file.name == ".gitignore":
                    file.unlink()
        if nbgrader.Course(course).options.enabled:
            raise StarterError(
                "nbproctor is switched on by lines that init did not write. Remove "
                f"them from {course / 'nbgrader_config.py'} yourself."
            )
        shutil.rmtree(course / CACHE, ignore_errors=True)
    for file in [path for path in course.glob(".nbproctor*") if path.is_file()]:
        file.unlink()
