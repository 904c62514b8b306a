"""Everything that touches nbgrader, and the only place that imports it."""

from nbproctor.nbgrader.config import proctor
from nbproctor.nbgrader.course import generate
from nbproctor.nbgrader.feedback import feedback
from nbproctor.nbgrader.gradebook import enrol, scores
from nbproctor.nbgrader.grading import grade
from nbproctor.nbgrader.lint import lint
from nbproctor.nbgrader.people import (
    check_exportable,
    class_table,
    enrol_people,
    not_read,
    people,
    submission_folder,
)
from nbproctor.nbgrader.regrade import regrade
from nbproctor.nbgrader.source import CourseError, check_source

__all__ = [
    "CourseError",
    "check_exportable",
    "check_source",
    "class_table",
    "enrol",
    "enrol_people",
    "feedback",
    "generate",
    "grade",
    "lint",
    "not_read",
    "people",
    "proctor",
    "regrade",
    "scores",
    "submission_folder",
]
