"""Grammars of file names: how each learning platform names what it gives.

Who, which file, when, how late. Sources: Canvas ``lib/content_zipper.rb``; Moodle
``mod/assign/classes/downloader.php`` and, before 4.0, ``locallib.php``; what teachers'
scripts read of Blackboard and Brightspace; ``gh classroom clone student-repos``.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import PurePosixPath

from nbproctor.platforms.people import BLIND


@dataclass(frozen=True)
class Handed:
    """One file of a download, as its name describes it.

    Attributes
    ----------
    key : str
        Tells students of this download apart.
    file : PurePosixPath
        The file's own name, as the student gave it, with the student's own folders.
    name : str
        The student's name as the platform writes it; empty in anonymous downloads.
    ids : tuple of str
        What may stand in a roster for this student: number, login.
    late : bool
        The platform says that it was late.
    submitted : datetime or None
        When it was handed in, in the platform's local time, without a zone.
    attempt : str
        Orders the attempts of a student; empty where the platform has no such thing.
    by_platform : bool
        The platform made this file: a typed text, a page about the hand-in.
    address : str
        The name under which the platform takes feedback on it; empty: it takes none.
    """

    key: str
    file: PurePosixPath
    name: str = ""
    ids: tuple[str, ...] = ()
    late: bool = False
    submitted: datetime | None = None
    attempt: str = ""
    by_platform: bool = False
    address: str = ""


# What a student calls a file comes last, and may look like all that stands before it:
# so each part takes as little as it can.
# Canvas removes everything but letters, digits and underscores from a name. One with
# underscores counts where a long number of a file follows: dates have them too.
_CANVAS = re.compile(
    r"(?:(?P<late2>LATE_)?anon_(?P<anonymous>[^\W_]+)(?P<late3>_LATE)?"
    r"|(?P<name>[^\s/.,;()'_-]+?"
    r"|[^\s/.,;()'-]+?(?=_(?:LATE_)?\d+_(?:\d{4,}_|(?:text|link)\.html)))"
    r"_(?P<late>LATE_)?(?P<user>\d+))"
    r"_(?:(?P<attachment>\d+)_(?P<file>.+)|(?P<typed>(?:text|link)\.html))"
)
_MOODLE = re.compile(
    r"(?P<name>.+?)_(?P<id>\d+)_assignsubmission_(?P<kind>[a-z]+)(?:_(?P<file>.*))?"
)
_BLACKBOARD = re.compile(
    r"(?P<assignment>.*?)_(?P<user>[^_]+)_attempt_"
    r"(?P<when>\d{4}(?:-\d\d){5})(?:_(?P<file>.+)|\.txt)"
)
_BRIGHTSPACE = re.compile(
    r"(?:(?P<user>\d+)-(?P<item>\d+) - )(?P<name>.+?) - "
    r"(?P<when>[^-]*\b\d{4}\b[^-]*?)(?: - (?P<file>.+))?"
)


def canvas(parts: Sequence[str]) -> Handed | None:
    """``okaforamara_LATE_1042_88031_lab-1.ipynb``, all in one folder."""
    match = _CANVAS.fullmatch(unicodedata.normalize("NFC", parts[0]))
    if match is None or len(parts) > 1:
        return None
    group = match.groupdict()
    late = bool(group["late"] or group["late2"] or group["late3"])
    who = group["user"] or f"anon_{group['anonymous']}"
    return Handed(
        who,
        PurePosixPath(group["file"] or group["typed"]),
        group["name"] or "",
        (who,),
        late,
        attempt=group["attachment"] or "",
        by_platform=bool(group["typed"]),
        # Its own text files have no number of a file: nothing can be sent back to one.
        address="" if group["typed"] else parts[0],
    )


def moodle(parts: Sequence[str]) -> Handed | None:
    """``Amara Okafor_4711_assignsubmission_file/lab.ipynb``, and older.

    Moodle before 4.0 ends the folder's name with another ``_``; without folders the
    file's name follows there.
    """
    match = _MOODLE.fullmatch(parts[0])
    if match is None:
        return None
    flat = len(parts) == 1
    inside = match["file"] if flat else "/".join(parts[1:])
    if not inside:
        return None
    blind = match["name"].casefold() in BLIND
    return Handed(
        match["id"],
        PurePosixPath(inside),
        "" if blind else match["name"],
        (match["id"],),
        by_platform=match["kind"] != "file",
        address=f"{match['name']}_{match['id']}_assignsubmission_{match['kind']}_",
    )


def blackboard(parts: Sequence[str]) -> Handed | None:
    """``Lab 5_aokafor_attempt_2026-11-24-22-30-00_lab.ipynb``."""
    match = _BLACKBOARD.fullmatch(parts[0])
    if match is None or len(parts) > 1:
        return None
    try:
        when = datetime.strptime(match["when"], "%Y-%m-%d-%H-%M-%S")
    except ValueError:
        return None
    return Handed(
        match["user"],
        PurePosixPath(match["file"] or "attempt.txt"),
        ids=(match["user"],),
        submitted=when,
        attempt=match["when"],
        by_platform=match["file"] is None,
    )


def brightspace(parts: Sequence[str]) -> Handed | None:
    """``1042-88031 - Amara Okafor - Nov 24, 2026 1030 PM/lab.ipynb``."""
    match = _BRIGHTSPACE.fullmatch(parts[0])
    if match is None:
        return None
    if len(parts) > 1:
        inside = "/".join(([match["file"]] if match["file"] else []) + [*parts[1:]])
    elif match["file"]:
        inside = match["file"]
    else:
        return None
    when = brightspace_time(match["when"])
    return Handed(
        f"{match['user']} {match['name']}",
        PurePosixPath(inside),
        match["name"].strip(),
        (match["user"],),
        submitted=when,
        attempt=when.isoformat() if when else match["when"],
        address=parts[0].removesuffix(f" - {match['file']}"),
    )


def classroom(parts: Sequence[str]) -> Handed | None:
    """``lab-5-submissions/lab-5-aokafor/lab.ipynb`` of GitHub Classroom."""
    slug = parts[0].removesuffix("-submissions")
    if slug == parts[0] or len(parts) < 3 or not parts[1].startswith(f"{slug}-"):
        return None
    login = parts[1].removeprefix(f"{slug}-")
    return Handed(login, PurePosixPath(*parts[2:]), ids=(login,))


PLATFORMS: dict[str, Callable[[Sequence[str]], Handed | None]] = {
    "Moodle": moodle,
    "Blackboard": blackboard,
    "Brightspace": brightspace,
    "GitHub Classroom": classroom,
    "Canvas": canvas,
}


def brightspace_time(text: str) -> datetime | None:
    """Read ``Nov 24, 2026 1030 PM`` and what other settings make of it."""
    match = re.fullmatch(r"(.*\d{4}),? (\d{1,2}):?(\d\d) ?([AP]M)?", text.strip(), re.I)
    if match is None:
        return None
    date = match[1].replace(",", "").replace(".", "")
    hour, half = int(match[2]), (match[4] or "").upper()
    if half:
        hour = hour % 12 + (12 if half == "PM" else 0)
    for form in ("%b %d %Y", "%B %d %Y", "%d %b %Y", "%d %B %Y"):
        try:
            return datetime.strptime(date, form).replace(
                hour=hour, minute=int(match[3])
            )
        except ValueError:
            continue
    return None
