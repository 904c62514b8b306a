"""The only importer of nbgrader: grading, gradebook, feedback, release, lint."""

from nbproctor.nbgrader.config import proctor
from nbproctor.nbgrader.course import (
    check_sources,
    generate,
    hand_in,
    is_proctored,
)
from nbproctor.nbgrader.feedback import feedback
from nbproctor.nbgrader.gradebook import enrol
from nbproctor.nbgrader.graded import exercise_titles
from nbproctor.nbgrader.grading import grade
from nbproctor.nbgrader.lint import lint
from nbproctor.nbgrader.masters import masters_of
from nbproctor.nbgrader.people import (
    check_exportable,
    class_table,
    enrol_people,
    people,
    submission_folder,
)
from nbproctor.nbgrader.placement import places_told
from nbproctor.nbgrader.regrade import regrade
from nbproctor.nbgrader.release_check import check_release
from nbproctor.nbgrader.scores import scores
from nbproctor.nbgrader.shards import Shard, grade_shard
from nbproctor.nbgrader.source import CourseError, check_source
from nbproctor.nbgrader.submitted import Unread, unread

__all__ = [
    "CourseError",
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
    "hand_in",
    "is_proctored",
    "lint",
    "masters_of",
    "people",
    "places_told",
    "proctor",
    "regrade",
    "scores",
    "submission_folder",
    "unread",
]
