"""The only importer of nbgrader: grading, gradebook, feedback, release, lint."""

from nbproctor.nbgrader.config import proctor
from nbproctor.nbgrader.converters import check_sources, generate
from nbproctor.nbgrader.course import Course
from nbproctor.nbgrader.decision import MarkChange
from nbproctor.nbgrader.feedback import feedback
from nbproctor.nbgrader.graded import exercise_titles
from nbproctor.nbgrader.grading import grade, regrade
from nbproctor.nbgrader.lint import check_release, lint
from nbproctor.nbgrader.marks import scores
from nbproctor.nbgrader.options import RunOptions
from nbproctor.nbgrader.people import (
    check_exportable,
    class_table,
    enrol,
    enrol_people,
    people,
    submission_folder,
)
from nbproctor.nbgrader.placement import places_told
from nbproctor.nbgrader.shards import Shard, grade_shard
from nbproctor.nbgrader.source import CourseError, check_source
from nbproctor.nbgrader.submitted import Unread, unread

__all__ = [
    "Course",
    "CourseError",
    "MarkChange",
    "RunOptions",
    "Shard",
    "Unread",
    "check_exportable",
    "check_release",
    "check_source",
    "check_sources",
    "class_table",
    "enrol",
    "enrol_people",
    "exercise_titles",
    "feedback",
    "generate",
    "grade",
    "grade_shard",
    "lint",
    "people",
    "places_told",
    "proctor",
    "regrade",
    "scores",
    "submission_folder",
    "unread",
]
