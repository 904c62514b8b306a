"""Everything that touches nbgrader, and the only place that imports it."""

from nbproctor.nbgrader.config import proctor
from nbproctor.nbgrader.course import generate
from nbproctor.nbgrader.feedback import feedback
from nbproctor.nbgrader.gradebook import enrol, scores
from nbproctor.nbgrader.grading import grade
from nbproctor.nbgrader.lint import lint
from nbproctor.nbgrader.source import CourseError, check_source
from nbproctor.nbgrader.submitted import Unread, unread

__all__ = [
    "CourseError",
    "Unread",
    "check_source",
    "enrol",
    "feedback",
    "generate",
    "grade",
    "lint",
    "proctor",
    "scores",
    "unread",
]
