"""Everything that touches nbgrader, and the only place that imports it."""

from nbproctor.bridge.book import enrol, scores
from nbproctor.bridge.course import generate
from nbproctor.bridge.feedback import feedback
from nbproctor.bridge.grading import grade
from nbproctor.bridge.lint import lint
from nbproctor.bridge.record import Outcome, Record
from nbproctor.bridge.source import CourseError, check_source
from nbproctor.bridge.switch import proctor

__all__ = [
    "CourseError",
    "Outcome",
    "Record",
    "check_source",
    "enrol",
    "feedback",
    "generate",
    "grade",
    "lint",
    "proctor",
    "scores",
]
