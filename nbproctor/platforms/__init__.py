"""Learning platforms: files in, class lists, grades and feedback out."""

from nbproctor.platforms.classlist import Person, Roster, RosterError
from nbproctor.platforms.feedback import HOW, FeedbackNames, feedback_names
from nbproctor.platforms.fill import Change, Filled, fill
from nbproctor.platforms.layout import ExportError
from nbproctor.platforms.plan import Download, plan
from nbproctor.platforms.problems import CollectError, Problem
from nbproctor.platforms.submission import Submission
from nbproctor.platforms.table import write_table
from nbproctor.platforms.write import Written, late, read_record, write

__all__ = [
    "HOW",
    "Change",
    "CollectError",
    "Download",
    "ExportError",
    "FeedbackNames",
    "Filled",
    "Person",
    "Problem",
    "Roster",
    "RosterError",
    "Submission",
    "Written",
    "feedback_names",
    "fill",
    "late",
    "plan",
    "read_record",
    "write",
    "write_table",
]
