"""How feedback is called in a zip for the platform: as the platform named the work.

Sources: Canvas ``app/models/abstract_assignment.rb`` (``generate_comments_from_files``)
and Moodle ``mod/assign/feedback/file/importziplib.php``. Both look for numbers in the
name: of user and file, and of participant. Brightspace wants its download back: the
folders under their names, with feedback in them, and its ``index.html``.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath

from nbproctor.platforms.grammars import canvas
from nbproctor.platforms.write import ADDRESS, LISTING, read_record

HOW = {
    "Canvas": "grade book, menu of the assignment's column, Re-Upload Submissions",
    "Moodle": "Submissions, Upload multiple feedback files in a zip",
    "Brightspace": "the assignment's submissions, Add Feedback Files",
}


@dataclass
class FeedbackNames:
    """Which files of feedback go to a platform, and how they are called there.

    Attributes
    ----------
    platform : str
        Who takes a zip so named; empty: a folder for each student.
    files : list of (str, Path)
        Student id and file; no id: for the platform itself.
    names : dict
        Student id and name of the file → its place in the zip.
    left : list of (str, str)
        Students whose feedback has no place there, and why.
    """

    platform: str
    files: list[tuple[str, Path]] = field(default_factory=list)
    names: dict[tuple[str, str], str] = field(default_factory=dict)
    left: list[tuple[str, str]] = field(default_factory=list)


def feedback_names(
    pages: Iterable[tuple[str, Path, Path]], records: Path
) -> FeedbackNames:
    """Name pages and annotated notebooks as the platform takes them.

    Parameters
    ----------
    pages
        Student id, page, and the annotated notebook beside it.
    records
        Folder with what the platform said of each student, which `write` filled.
    """
    record = read_record(records)
    platforms = [row["platform"] for row in record.values() if row.get(ADDRESS)]
    made = FeedbackNames(max(HOW, key=platforms.count) if platforms else "")
    for student, page, notebook in pages:
        row = record.get(student, {})
        here = row.get("platform") == made.platform
        address = row.get(ADDRESS, "") if here else ""
        if made.platform and not address:
            made.left.append((student, f"was not collected from {made.platform}"))
        elif made.platform == "Canvas":
            # Canvas shows a file under the name of the student's own, whatever it is
            # called here: a page would be called ….ipynb, so the notebook goes.
            if name := _of_canvas(address, page.stem):
                made.files.append((student, notebook))
                made.names[student, notebook.name] = name
            else:
                made.left.append((student, f"handed in no file called {page.stem}"))
        else:
            for path in (page, notebook):
                made.files.append((student, path))
                folder = address.split("/")[0] or student
                made.names[student, path.name] = f"{folder}/{path.name}"
    listing = records / LISTING
    if made.platform == "Brightspace" and listing.is_file():
        made.files.append(("", listing))
        made.names["", LISTING] = LISTING
    return made


def _of_canvas(address: str, notebook: str) -> str:
    """Return the name with the numbers of a student's file, or nothing.

    Of several files the one that is called like the notebook; a single one may be
    called as it likes. What follows the numbers is not read, but must not be "link".
    """
    found = {
        name: handed
        for name in address.split("/")
        if (handed := canvas([name])) is not None
    }
    named = [n for n, handed in found.items() if _stem(handed.file) == notebook]
    for name in sorted(named or (found if len(found) == 1 else ()), reverse=True):
        return f"{name.removesuffix(f'_{found[name].file}')}_feedback.ipynb"
    return ""


def _stem(file: PurePosixPath) -> str:
    """Return a file's name without the number of a second hand-in: ``lab-1``."""
    head, dash, number = file.stem.rpartition("-")
    return head if dash and number.isdigit() else file.stem
