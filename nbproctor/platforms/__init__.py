"""Learning platforms: files in, class lists, grades and feedback out."""

from nbproctor.platforms.archive import CollectError
from nbproctor.platforms.collected import (
    FeedbackNames,
    Written,
    feedback_names,
    late,
    write,
)
from nbproctor.platforms.download import CollectedSubmission, Download, plan
from nbproctor.platforms.grade_book import (
    Filled,
    FilledMark,
    fill,
    read_class_list,
    read_groups,
    read_times,
    write_class_list,
)
from nbproctor.platforms.people import Person, Roster, RosterError
from nbproctor.platforms.platform import ExportError, Platform
from nbproctor.platforms.registry import PLATFORMS

__all__ = [
    "PLATFORMS",
    "CollectError",
    "CollectedSubmission",
    "Download",
    "ExportError",
    "FeedbackNames",
    "Filled",
    "FilledMark",
    "Person",
    "Platform",
    "Roster",
    "RosterError",
    "Written",
    "feedback_names",
    "fill",
    "late",
    "plan",
    "read_class_list",
    "read_groups",
    "read_times",
    "write",
    "write_class_list",
]
