"""Canvas: names in *Download Submissions*, grade book, *Re-Upload Submissions*.

Sources: ``lib/content_zipper.rb``, ``lib/gradebook_exporter.rb``, and
``generate_comments_from_files`` in ``app/models/abstract_assignment.rb``.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import replace
from operator import attrgetter
from pathlib import Path

from nbproctor.platforms.person import Kind
from nbproctor.platforms.platform import (
    FileName,
    GradeColumn,
    PeopleList,
    Platform,
    choose_column,
    form_of_marks,
)
from nbproctor.platforms.sheet import Sheet

_GRADE_BOOK = {"student": "name", "id": Kind.CANVAS}


class Canvas(Platform):
    """Canvas, which says that something was late, and not when it came."""

    name = "Canvas"
    # ``okaforamara_LATE_1042_88031_lab-1.ipynb``, all in one folder. Of a name, only
    # letters, digits and underscores are there. One with underscores counts where a
    # long number of a file follows: dates have them too.
    path = (
        r"(?:(?P<late>LATE_)?(?P<ANONYMOUS>anon_[^\W_]+)(?P<late2>_LATE)?"
        r"|(?P<name>[^\s/.,;()'_-]+?"
        r"|[^\s/.,;()'-]+?(?=_(?:LATE_)?\d+_(?:\d{4,}_|(?:text|link)\.html)))"
        r"_(?P<late3>LATE_)?(?P<CANVAS>\d+))"
        r"_(?:(?P<number>\d+)_(?P<file>[^/]+)|(?P<typed>(?:text|link)\.html))"
    )
    lists = (
        PeopleList(
            known_by={"Student", "ID"},
            kinds=_GRADE_BOOK,
        ),
        PeopleList(
            known_by={"LastName", "ID"},
            kinds=_GRADE_BOOK,
        ),
        PeopleList(
            known_by={"canvas_user_id"},
            kinds={"userid": Kind.SIS},  # of groups
        ),
    )
    upload = "Grades > menu of the assignment's column > Re-Upload Submissions"
    why_no_address = (
        "typed text into Canvas, which accepts no feedback file for that. Mail the "
        "page, and ask for the notebook file"
    )

    def parse(self, parts: Sequence[str]) -> FileName | None:
        """Its own text files have no number: nothing can be sent back to one."""
        name = super().parse([unicodedata.normalize("NFC", part) for part in parts])
        if name and name.number:
            return replace(name, address=parts[0])
        return name

    def grade_column(
        self,
        sheet: Sheet,
        assignment: str,
        column: str | None,
    ) -> GradeColumn | None:
        """Titles end with the number of the assignment; a row has the points."""
        titles = sheet.titles
        if titles[0] not in ("Student", "LastName") or "ID" not in titles:
            return None
        chosen, _ = choose_column(
            heads=titles,
            titles=r"(.*) \(\d+\)$",
            assignment=assignment,
            column=column,
        )
        most = ""
        for row in sheet.body[:3]:
            if sheet.value(row, 0) == "Points Possible":
                most = sheet.value(row, chosen)
        return GradeColumn(chosen, *form_of_marks(most, sheet), excused="EX")

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
        names = [self.parse([text]) for text in address.split("/")]
        alike = [
            name
            for name in filter(None, names)
            # Without the number of ``lab-1``.
            if re.sub(r"(?<=.)-\d+$", "", name.file.stem) == page.stem
            or len(names) == 1
        ]
        if not alike:
            return {}
        newest = max(alike, key=attrgetter("age"))
        head = newest.address.removesuffix(f"_{newest.file}")
        return {notebook: f"{head}_feedback.ipynb"}
