"""What a gradebook says about a class, comparable between two gradebooks."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from nbgrader.api import Gradebook

Rows = dict[tuple[str, ...], tuple[Any, ...]]


def rows(db_url: str, assignment: str = "tiny") -> Rows:
    """Everything but the ids, which nbgrader draws."""
    result: Rows = {}
    with Gradebook(db_url, "tiny") as book:
        for student in book.students:
            result["student", student.id] = (student.first_name, student.last_name)
        for each in book.assignment_submissions(assignment):
            student_id = each.student.id
            result["submission", student_id] = (each.timestamp, each.total_seconds_late)
            for notebook in each.notebooks:
                result["notebook", student_id, notebook.name] = (
                    notebook.late_submission_penalty,
                    notebook.failed_tests,
                )
                for grade in notebook.grades:
                    result["grade", student_id, notebook.name, grade.name] = (
                        grade.auto_score,
                        grade.manual_score,
                        grade.extra_credit,
                        grade.needs_manual_grade,
                        grade.max_score,
                    )
                for comment in notebook.comments:
                    result["comment", student_id, notebook.name, comment.name] = (
                        comment.auto_comment,
                        comment.manual_comment,
                    )
    return result


def graded_files(course: Path, assignment: str = "tiny") -> dict[str, bytes]:
    """The graded notebooks, byte for byte."""
    folder = course / "autograded"
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in folder.glob(f"*/{assignment}/*.ipynb")
    }


def url(course: Path) -> str:
    return f"sqlite:///{course / 'gradebook.db'}"


def everything(course: Path, assignment: str = "tiny") -> dict[str, object]:
    """All that a student or a teacher would miss: rows and files, as they stand."""
    files = {
        str(path.relative_to(course)): path.read_bytes()
        for step in ("autograded", "feedback")
        for path in (course / step).glob(f"*/{assignment}/*")
    }
    return files | {"rows": rows(url(course), assignment)}
