"""The only importer of nbgrader: grading, gradebook, feedback, release, lint."""

from nbproctor.nbgrader.changed_cells import check_cells
from nbproctor.nbgrader.course import Course, check_exportable
from nbproctor.nbgrader.deadlines import excuse, extend, set_due
from nbproctor.nbgrader.decision import MarkChange
from nbproctor.nbgrader.export import write_table
from nbproctor.nbgrader.failures import CourseError, as_computer_error
from nbproctor.nbgrader.feedback import feedback, pages, report, term_report
from nbproctor.nbgrader.grading import grade, proctor, regrade
from nbproctor.nbgrader.lock import course_lock
from nbproctor.nbgrader.options import RunOptions
from nbproctor.nbgrader.people import enrol, labels, list_names, people
from nbproctor.nbgrader.placement import describe_placement
from nbproctor.nbgrader.release import (
    STOCK,
    check_release,
    check_sources,
    differences,
    generate,
    lint,
)
from nbproctor.nbgrader.standings import (
    Standings,
    late_without_time,
    outdated,
    participants,
    too_high,
)
from nbproctor.nbgrader.submitted import describe_unread
from nbproctor.nbgrader.tables import class_table, exercise_columns, scores, term
from nbproctor.nbgrader.watch import TryResult, Watch

__all__ = [
    "STOCK",
    "Course",
    "CourseError",
    "MarkChange",
    "RunOptions",
    "Standings",
    "TryResult",
    "Watch",
    "as_computer_error",
    "check_cells",
    "check_exportable",
    "check_release",
    "check_sources",
    "class_table",
    "course_lock",
    "describe_placement",
    "describe_unread",
    "differences",
    "enrol",
    "excuse",
    "exercise_columns",
    "extend",
    "feedback",
    "generate",
    "grade",
    "labels",
    "late_without_time",
    "lint",
    "list_names",
    "outdated",
    "pages",
    "participants",
    "people",
    "proctor",
    "regrade",
    "report",
    "scores",
    "set_due",
    "term",
    "term_report",
    "too_high",
    "write_table",
]
