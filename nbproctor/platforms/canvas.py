"""Canvas: names in *Download Submissions*, grade book, *Re-Upload Submissions*.

Sources: ``lib/content_zipper.rb``, ``lib/gradebook_exporter.rb``, and
``generate_comments_from_files`` in ``app/models/abstract_assignment.rb``.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from pathlib import Path, PurePosixPath

from nbproctor.platforms.person import Identifier, Kind, normalize
from nbproctor.platforms.platform import (
    Columns,
    FileName,
    GradeColumn,
    Platform,
    choose_column,
    form_of_marks,
)
from nbproctor.platforms.sheet import Sheet

# Canvas removes everything but letters, digits and underscores from a name. One with
# underscores counts where a long number of a file follows: dates have them too.
_NAME = re.compile(
    r"(?:(?P<late2>LATE_)?(?P<anonymous>anon_[^\W_]+)(?P<late3>_LATE)?"
    r"|(?P<name>[^\s/.,;()'_-]+?"
    r"|[^\s/.,;()'-]+?(?=_(?:LATE_)?\d+_(?:\d{4,}_|(?:text|link)\.html)))"
    r"_(?P<late>LATE_)?(?P<user>\d+))"
    r"_(?:(?P<attachment>\d+)_(?P<file>.+)|(?P<typed>(?:text|link)\.html))"
)
# Titles, as `normalize` has them, of its grade book.
_OWN_TITLES = {"student", "sisloginid"}


class Canvas(Platform):
    """Canvas, which says that something was late, and not when it came."""

    name = "Canvas"
    upload = "Grades > menu of the assignment's column > Re-Upload Submissions"
    why_no_address = (
        "typed text into Canvas, which accepts no feedback file for that. Mail the "
        "page, and ask for the notebook file"
    )

    def parse(self, parts: Sequence[str]) -> FileName | None:
        """``okaforamara_LATE_1042_88031_lab-1.ipynb``, all in one folder."""
        match = _NAME.fullmatch(unicodedata.normalize("NFC", parts[0]))
        if match is None or len(parts) > 1:
            return None
        user = match["user"] or match["anonymous"]
        kind = Kind.CANVAS if match["user"] else Kind.ANONYMOUS
        # Its own text files have no number of a file: nothing can be sent back to one.
        typed = match["typed"]
        return FileName(
            key=user,
            file=PurePosixPath(match["file"] or typed),
            name=match["name"] or "",
            identifiers=(Identifier(kind, user),),
            late=any(match.group("late", "late2", "late3")),
            number=match["attachment"] or "",
            kind="typed" if typed else "file",
            address="" if typed else parts[0],
        )

    def find_people(self, sheet: Sheet, columns: Columns) -> None:
        """In its grade book, "Student" is the name, and "ID" its own number.

        In its list of groups, "user_id" is the SIS id.
        """
        titles = [normalize(title) for title in sheet.titles]
        has_own_title = not _OWN_TITLES.isdisjoint(titles)
        if "id" in titles and (has_own_title or titles[0] == "lastname"):
            columns[Kind.CANVAS] += columns[Kind.STUDENT]
            columns["name"] += columns[Kind.WORD]
        elif "canvasuserid" in titles:
            columns[Kind.SIS] += columns[Kind.WORD]
        else:
            return
        columns[Kind.STUDENT] = []
        columns[Kind.WORD] = []

    def grade_column(
        self,
        sheet: Sheet,
        assignment: str,
        column: str | None,
    ) -> GradeColumn | None:
        """Titles end with the number of the assignment; a row has the points."""
        heads = sheet.values(0)
        if heads[0] not in ("Student", "LastName") or "ID" not in heads:
            return None
        limits = 0
        for row in range(1, min(4, len(sheet.rows))):
            if sheet.value(row, 0).strip() == "Points Possible":
                limits = row
                break
        for index in range(len(heads)):
            if "read only" in sheet.value(limits, index):
                heads[index] = ""
        chosen, _ = choose_column(heads, r"(.*) \(\d+\)$", assignment, column)
        most = sheet.value(limits, chosen) if limits else ""
        form = form_of_marks(most, sheet)
        return GradeColumn(limits + 1, chosen, *form, excused="EX")

    def feedback_names(
        self,
        address: str,
        page: Path,
        notebook: Path,
    ) -> dict[Path, str]:
        """Give the annotated notebook the numbers of user and file that Canvas reads.

        Canvas shows a file under the name of the student's own, whatever it is called
        here: a page would be called ….ipynb, so the notebook goes. Of several files the
        one that is called like the notebook; a single one may be called as it likes.
        What follows the numbers is not read, but must not be "link".
        """
        # Under the name in the download, how the student called it.
        files = {}
        for text in address.split("/"):
            name = self.parse([text])
            if name:
                files[text] = name.file
        alike = []
        for text, file in files.items():
            stem = re.sub(
                r"(?<=.)-\d+$", "", file.stem
            )  # without the number of ``lab-1``
            if stem == page.stem or len(files) == 1:
                alike.append(text)
        if not alike:
            return {}
        newest = max(alike)
        head = newest.removesuffix(f"_{files[newest]}")
        return {notebook: f"{head}_feedback.ipynb"}
