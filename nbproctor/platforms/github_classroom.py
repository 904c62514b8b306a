"""GitHub Classroom: what ``gh classroom clone student-repos`` makes, and a workflow."""

from __future__ import annotations

from pathlib import Path

from nbproctor.platforms.platform import PeopleList, Platform, Visibility
from nbproctor.templates import render
from nbproctor.writing import write_file


class GitHubClassroom(Platform):
    """GitHub Classroom; its workflow grades in the teacher's own repository."""

    name = "GitHub Classroom"
    # ``lab-5-submissions/lab-5-aokafor/lab.ipynb``
    path = r"([^/]*)-submissions/\1-(?P<GITHUB>[^/]+)/(?P<file>.+)"
    lists = (
        PeopleList(
            known_by={"identifier", "github_username"},
            kinds={"name": "ignored"},  # a student chose it on GitHub
        ),
    )


def write_autograder(
    course: Path,
    source: Path,
    to: Path | None,
    visibility: Visibility,
) -> str:
    """Write the workflow; it clones the students' repositories and grades them."""
    path = to or course / f".github/workflows/grade_{source.name}.yml"
    write_file(path, render("classroom.yml", assignment=source.name))
    return (
        f"Workflow: {path}\n"
        "It is meant for a private repository of yours. Its first lines say what it "
        "needs."
    )
