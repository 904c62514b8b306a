"""The only importer of nbgrader: grading, gradebook, feedback, release, lint."""

from nbproctor.nbgrader.changed_cells import check_cells
from nbproctor.nbgrader.course import Course
from nbproctor.nbgrader.decision import MarkChange
from nbproctor.nbgrader.failures import CourseError
from nbproctor.nbgrader.feedback import feedback
from nbproctor.nbgrader.grading import grade, proctor, regrade
from nbproctor.nbgrader.options import RunOptions
from nbproctor.nbgrader.people import (
    check_exportable,
    class_table,
    enrol,
    excuse,
    extend,
    people,
    scores,
    term,
)
from nbproctor.nbgrader.placement import places_told
from nbproctor.nbgrader.release import check_release, check_sources, generate, lint
from nbproctor.nbgrader.submitted import unread

__all__ = [
    "Course",
    "CourseError",
    "MarkChange",
    "RunOptions",
    "check_cells",
    "check_exportable",
    "check_release",
    "check_sources",
    "class_table",
    "enrol",
    "excuse",
    "extend",
    "feedback",
    "generate",
    "grade",
    "lint",
    "people",
    "places_told",
    "proctor",
    "regrade",
    "scores",
    "term",
    "unread",
]
