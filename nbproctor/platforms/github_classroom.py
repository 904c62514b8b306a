"""GitHub Classroom: what ``gh classroom clone student-repos`` makes, and a workflow."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path, PurePosixPath

from nbproctor.platforms.platform import FileName, Platform, Visibility
from nbproctor.templates import render


class GitHubClassroom(Platform):
    """GitHub Classroom; its workflow grades in the teacher's own repository."""

    name = "GitHub Classroom"

    def parse(self, parts: Sequence[str]) -> FileName | None:
        """``lab-5-submissions/lab-5-aokafor/lab.ipynb``."""
        slug = parts[0].removesuffix("-submissions")
        if slug == parts[0] or len(parts) < 3 or not parts[1].startswith(f"{slug}-"):
            return None
        login = parts[1].removeprefix(f"{slug}-")
        return FileName(login, PurePosixPath(*parts[2:]), ids=(login,))


def write_autograder(
    course: Path, source: Path, to: Path | None, visibility: Visibility
) -> str:
    """Write the workflow; it clones the students' repositories and grades them."""
    path = to or course / ".github" / "workflows" / f"grade_{source.name}.yml"
    path.parent.mkdir(parents=True, exist_ok=True)
    workflow = render("classroom.yml", assignment=source.name)
    path.write_text(workflow, "utf-8")
    return (
        f"Workflow: {path}\n"
        "It is for your own private repository; its first lines say what it needs."
    )
