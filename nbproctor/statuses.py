"""Statuses of a submission: for each its order, its words and what it counts."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Status = Literal[
    "graded",
    "repaired",
    "partial",
    "ungradable",
    "not graded",
    "missing",
    "late",
    "excused",
]


@dataclass(frozen=True)
class ReportSection:
    """A part of the class report, which lists notes on some submissions."""

    title: str
    introduction: str = ""  # shown above the list, which is then collapsed
    list_name: str = ""


NOT_GRADED = ReportSection("Could not be graded: please check")
TO_BE_GRADED_BY_HAND = ReportSection("To be graded by hand")
GRADED_IN_PART = ReportSection("Graded in part: please check")
GRADED = ReportSection("Graded, but something looks unusual")
REPAIRED = ReportSection(
    "Repaired",
    introduction="You do not need to do anything. Repairs cost no points, and "
    "students see them on their feedback pages.",
    list_name="The repairs",
)
UNTRIED = ReportSection(
    "Code that no test has run",
    introduction="These answers earned all points, but no test ran the code that "
    "begins at this line. This changes no mark. If such code could be wrong, add a "
    "test.",
    list_name="The lines",
)
REPORT_SECTIONS = (
    NOT_GRADED,
    TO_BE_GRADED_BY_HAND,
    GRADED_IN_PART,
    GRADED,
    REPAIRED,
    UNTRIED,
)


@dataclass(frozen=True)
class StatusRow:
    """One status of a submission."""

    name: Status  # in the table of a class, in ``grading.json`` and in an export
    headline: str  # on the student's page
    advice: str = ""  # below it, and below the notes on this submission
    section: ReportSection | None = None  # of the class report, if it lists this status
    is_failure: bool = False  # no mark; the command that graded ends with status 1
    is_mark_due: bool = True  # a missing mark means work to do
    is_remarkable: bool = True  # the page of a term shows it with the mark

    @property
    def may_wait(self) -> bool:
        """Whether a person may still have parts to grade."""
        return self.is_mark_due and not self.is_failure


#: By name, the most serious first.
STATUSES: dict[str, StatusRow] = {
    row.name: row
    for row in (
        StatusRow(
            "ungradable",
            headline="Could not be graded",
            advice="This is not a zero: you have no mark yet. Your submission was "
            "saved exactly as you sent it. If you can correct it, submit it "
            "again. If you cannot, or do not know how, show this page to your "
            "teacher.",
            section=NOT_GRADED,
            is_failure=True,
        ),
        StatusRow(
            "partial",
            headline="Graded in part",
            advice="Everything else is graded as usual. The list below shows where to "
            "look.",
            section=GRADED_IN_PART,
        ),
        StatusRow(
            "repaired",
            headline="Graded, after a repair",
            advice="These repairs cost you no points. Next time, submit the notebook "
            "under its original name and with all its cells.",
            section=REPAIRED,
        ),
        StatusRow("late", headline="Graded, submitted late", section=GRADED),
        StatusRow(
            "graded",
            headline="Graded",
            section=GRADED,
            is_remarkable=False,
        ),
        StatusRow("not graded", headline="Not graded yet", is_failure=True),
        StatusRow("missing", headline="Nothing submitted", is_mark_due=False),
        StatusRow(
            "excused",
            headline="Excused",
            advice="You need no mark in this assignment. Nothing on this page counts "
            "for or against you.",
            is_mark_due=False,
        ),
    )
}
