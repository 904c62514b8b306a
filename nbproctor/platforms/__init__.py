"""Learning platforms: files in, class lists, grades and feedback out."""

from nbproctor.platforms.archive import CollectError, write_zip
from nbproctor.platforms.collected import (
    feedback_names,
    local_time,
    note,
    read_record,
    utc,
    write,
    write_time,
)
from nbproctor.platforms.download import Download, plan
from nbproctor.platforms.grade_book import (
    Filled,
    fill,
    read_class_list,
    read_groups,
    read_times,
    write_class_list,
)
from nbproctor.platforms.person import Clue, Identifier, Kind, Person, labels
from nbproctor.platforms.platform import ExportError, FileName, GradeColumn, Platform
from nbproctor.platforms.registry import AUTOGRADERS
from nbproctor.platforms.roster import Roster, RosterError
from nbproctor.platforms.sheet import read_time

__all__ = [
    "AUTOGRADERS",
    "Clue",
    "CollectError",
    "Download",
    "ExportError",
    "FileName",
    "Filled",
    "GradeColumn",
    "Identifier",
    "Kind",
    "Person",
    "Platform",
    "Roster",
    "RosterError",
    "feedback_names",
    "fill",
    "labels",
    "local_time",
    "note",
    "plan",
    "read_class_list",
    "read_groups",
    "read_record",
    "read_time",
    "read_times",
    "utc",
    "write",
    "write_class_list",
    "write_time",
    "write_zip",
]
