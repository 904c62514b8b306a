"""GitHub Classroom: what ``gh classroom clone student-repos`` makes, and a workflow."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path, PurePosixPath

from nbproctor.platforms.person import Identifier, Kind
from nbproctor.platforms.platform import FileName, Platform, Visibility
from nbproctor.platforms.sheet import Sheet
from nbproctor.templates import render
from nbproctor.writing import write_file


class GitHubClassroom(Platform):
    """GitHub Classroom; its workflow grades in the teacher's own repository."""

    name = "GitHub Classroom"

    def parse(self, parts: Sequence[str]) -> FileName | None:
        """``lab-5-submissions/lab-5-aokafor/lab.ipynb``."""
        slug = parts[0].removesuffix("-submissions")
        if slug == parts[0] or len(parts) < 3 or not parts[1].startswith(f"{slug}-"):
            return None
        handle = parts[1].removeprefix(f"{slug}-")
        identifiers = (Identifier(Kind.GITHUB, handle),)
        return FileName(handle, PurePosixPath(*parts[2:]), identifiers=identifiers)

    def find_people(self, sheet: Sheet, columns: dict[str, list[int]]) -> None:
        """In its roster, the name is the one that a student chose on GitHub."""
        if columns[Kind.GITHUB] and columns[Kind.IDENTIFIER]:
            columns["name"] = []


def write_autograder(
    course: Path, source: Path, to: Path | None, visibility: Visibility
) -> str:
    """Write the workflow; it clones the students' repositories and grades them."""
    path = to or course / ".github" / "workflows" / f"grade_{source.name}.yml"
    write_file(path, render("classroom.yml", assignment=source.name))
    return (
        f"Workflow: {path}\n"
        "It is meant for a private repository of yours. Its first lines say what it "
        "needs."
    )
