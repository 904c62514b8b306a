"""Release check: the release matches the source, and holds no solutions."""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path

from nbproctor import markers
from nbproctor.nbgrader.course import check_sources, directory, generate, load_config
from nbproctor.nbgrader.course import folder as folder_of
from nbproctor.nbgrader.masters import header_and_footer
from nbproctor.nbgrader.source import CourseError
from nbproctor.results import Check


def check_release(course: Path, assignment: str) -> list[Check]:
    """Check the source of an assignment, and its release if there is one.

    Everything is made in a temporary course; yours is only read.

    Raises
    ------
    CourseError
        There is no such assignment, or the course puts a header or a footer around
        its notebooks, which the audit does not read.
    """
    view = directory(load_config(course))
    if any(header_and_footer(view)):
        raise CourseError(
            "The audit reads the source alone, and c.IncludeHeaderFooter puts other "
            "notebooks around it. Lint, release and grade do work."
        )
    source = folder_of(view, "source", assignment)
    with tempfile.TemporaryDirectory(prefix="nbproctor-") as name:
        temporary = Path(name)
        for file in ("nbgrader_config.py", "autotests.yml", "autotests.yaml"):
            if (course / file).is_file():
                shutil.copy(course / file, temporary)
        copied = directory(load_config(temporary))
        if source.is_dir():
            shutil.copytree(source, folder_of(copied, "source", assignment))
        try:
            check_sources(course, assignment)
            generate(temporary, assignment)
        except CourseError as error:
            return [Check("source", False, str(error))]
        fresh = _contents(folder_of(copied, "release", assignment))
    notebooks = (data for path, data in fresh.items() if path.suffix == ".ipynb")
    left = [m for data in notebooks for m in markers.left_over(data.decode())]
    checks = [
        Check("source", True, "can be released"),
        Check("release is clean", not left, f"found {left}" if left else "no markers"),
    ]
    if old := _contents(folder_of(view, "release", assignment)):
        found = f"release/{assignment} is not what the source makes: release it again"
        if fresh == old:
            found = "as the source makes it"
        checks.append(Check("release is new", fresh == old, found))
    return checks


def _contents(folder: Path) -> dict[Path, bytes]:
    files = (p for p in folder.rglob("*.*") if "__pycache__" not in p.parts)
    return {p.relative_to(folder): p.read_bytes() for p in files if p.is_file()}
