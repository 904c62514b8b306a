"""Learning platforms: files in, class lists, grades and feedback out."""

from nbproctor.platforms.archive import CollectError, write_zip
from nbproctor.platforms.collected import (
    feedback_names,
    local_time,
    read_record,
    update_record,
    utc,
    write,
    write_time,
)
from nbproctor.platforms.download import Download, parse_download
from nbproctor.platforms.grade_book import (
    FilledGradeFile,
    fill,
    read_class_list,
    read_groups,
    read_times,
    write_class_list,
)
from nbproctor.platforms.person import Identifier, Identity, Kind, Person, labels
from nbproctor.platforms.platform import ExportError, FileName, GradeColumn, Platform
from nbproctor.platforms.registry import AUTOGRADERS
from nbproctor.platforms.roster import Roster, RosterError
from nbproctor.platforms.sheet import read_time

__all__ = [
    "AUTOGRADERS",
    "CollectError",
    "Download",
    "ExportError",
    "FileName",
    "FilledGradeFile",
    "GradeColumn",
    "Identifier",
    "Identity",
    "Kind",
    "Person",
    "Platform",
    "Roster",
    "RosterError",
    "feedback_names",
    "fill",
    "labels",
    "local_time",
    "parse_download",
    "read_class_list",
    "read_groups",
    "read_record",
    "read_time",
    "read_times",
    "update_record",
    "utc",
    "write",
    "write_class_list",
    "write_time",
    "write_zip",
]
