"""Release check: the release matches the source, and holds no solutions."""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path

from nbproctor import markers
from nbproctor.nbgrader.converters import check_sources, generate
from nbproctor.nbgrader.course import Course
from nbproctor.nbgrader.source import CourseError
from nbproctor.results import Check


def check_release(course: Path | Course, assignment: str) -> list[Check]:
    """Check the source of an assignment, and its release if there is one.

    Everything is made in a temporary course; yours is only read.

    Raises
    ------
    CourseError
        There is no such assignment, or the course puts a header or a footer around
        its notebooks, which the audit does not read.
    """
    course = Course.at(course)
    if any(course.header_and_footer):
        raise CourseError(
            "The audit reads the source alone, and c.IncludeHeaderFooter puts other "
            "notebooks around it. Lint, release and grade do work."
        )
    source = course.folder("source", assignment)
    with tempfile.TemporaryDirectory(prefix="nbproctor-") as name:
        temporary = Path(name)
        for file in ("nbgrader_config.py", "autotests.yml", "autotests.yaml"):
            if (course.root / file).is_file():
                shutil.copy(course.root / file, temporary)
        copied = Course(temporary)
        if source.is_dir():
            shutil.copytree(source, copied.folder("source", assignment))
        try:
            check_sources(course, assignment)
            generate(copied, assignment)
        except CourseError as error:
            return [Check("source", False, str(error))]
        fresh = _contents(copied.folder("release", assignment))
    notebooks = (data for path, data in fresh.items() if path.suffix == ".ipynb")
    left = [m for data in notebooks for m in markers.left_over(data.decode())]
    checks = [
        Check("source", True, "can be released"),
        Check("release is clean", not left, f"found {left}" if left else "no markers"),
    ]
    if old := _contents(course.folder("release", assignment)):
        found = f"release/{assignment} is not what the source makes: release it again"
        if fresh == old:
            found = "as the source makes it"
        checks.append(Check("release is new", fresh == old, found))
    return checks


def _contents(folder: Path) -> dict[Path, bytes]:
    files = (p for p in folder.rglob("*.*") if "__pycache__" not in p.parts)
    return {p.relative_to(folder): p.read_bytes() for p in files if p.is_file()}
