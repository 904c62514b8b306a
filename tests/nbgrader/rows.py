"""What a gradebook says about a class, comparable between two gradebooks."""

from __future__ import annotations

from operator import attrgetter
from pathlib import Path
from typing import Any

from nbgrader.api import Gradebook

Rows = dict[tuple[str, ...], tuple[Any, ...]]
OF_NOTEBOOK = attrgetter("late_submission_penalty", "failed_tests")
OF_GRADE = attrgetter(
    "auto_score", "manual_score", "extra_credit", "needs_manual_grade", "max_score"
)
OF_COMMENT = attrgetter("auto_comment", "manual_comment")


def rows(db_url: str) -> Rows:
    """Everything but the ids, which nbgrader draws."""
    result: Rows = {}
    with Gradebook(db_url, "tiny") as book:
        for student in book.students:
            result["student", student.id] = (student.first_name, student.last_name)
        for each in book.assignment_submissions("tiny"):
            student_id = each.student.id
            result["submission", student_id] = (each.timestamp, each.total_seconds_late)
            for notebook in each.notebooks:
                result["notebook", student_id, notebook.name] = OF_NOTEBOOK(notebook)
                for part in notebook.grades:
                    key = "grade", student_id, notebook.name, part.name
                    result[key] = OF_GRADE(part)
                for part in notebook.comments:
                    key = "comment", student_id, notebook.name, part.name
                    result[key] = OF_COMMENT(part)
    return result


def url(course: Path) -> str:
    return f"sqlite:///{course / 'gradebook.db'}"


def compare_classes(course: Path, other: Path) -> None:
    """Check that two gradebooks say the same, and graded notebooks are the same."""
    marks, other_marks = (
        {
            name: value
            for name, value in everything(each).items()
            if name.endswith(("rows", ".ipynb"))
        }
        for each in (course, other)
    )
    assert marks == other_marks


def everything(course: Path) -> dict[str, object]:
    """All that a student or a teacher would miss: rows and files, as they stand."""
    files = {
        str(path.relative_to(course)): path.read_bytes()
        for step in ("autograded", "feedback")
        for path in (course / step).glob("*/tiny/*")
    }
    return files | {"rows": rows(url(course))}
