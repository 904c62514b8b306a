"""Feedback page of one notebook that one student handed in."""

from __future__ import annotations

from pathlib import Path

from markupsafe import Markup

from nbproctor.pages import cells as html
from nbproctor.pages.data import Submission, read_cells
from nbproctor.pages.outline import Outline
from nbproctor.pages.sections import Room, sections
from nbproctor.pages.summary import Summary, summarise
from nbproctor.pages.tested import BESIDE, WORDS
from nbproctor.templates import render

STATUS = {
    "graded": "Graded",
    "late": "Graded, handed in late",
    "repaired": "Graded, after a repair",
    "partial": "Graded in part",
    "ungradable": "Could not be graded",
    "missing": "Nothing handed in",
    "waiting": "To be graded by hand",
}
ADVICE = {
    "repaired": "This cost you nothing. Next time, hand in the notebook under its own "
    "name and with all its cells.",
    "partial": "Everything else is graded as usual; the table says where to look.",
    "ungradable": "This is not a zero: you have no score yet. What you handed in is "
    "kept just as it came. If you can mend it, hand it in again; if you cannot, or do "
    "not know how, show this page to your teacher.",
}


def feedback_page(
    submission: Submission, outline: Outline, key: str = "", *, plain: bool = False
) -> str:
    """Return the page as HTML, complete in one file.

    Parameters
    ----------
    submission
        What was handed in, and how it went.
    outline
        The assignment.
    key
        Fingerprint of everything the page was made from; see `made_from`.
    plain
        Show every cell as plain text: for a notebook that took too long otherwise.
    """
    room = Room(plain=plain)
    cells = read_cells(submission.graded)
    summary = summarise(submission, outline, cells)
    folder = Path(submission.graded).parent if submission.graded else Path()
    parts = sections(cells, outline, summary, submission.comments, folder, room)
    shown = {section.row.exercise.id for section in parts if section.row}
    status = _status(submission, summary)
    return render(
        "feedback.html",
        key=key,
        submission=submission,
        outline=outline,
        summary=summary,
        status=status,
        status_word=STATUS[status],
        facts=_facts(submission, summary),
        advice=ADVICE.get(status, ""),
        sections=parts,
        shown=shown,
        cuts=room.cuts,
        words=WORDS,
        beside=BESIDE,
        inline=lambda text: Markup(html.inline(text)),
        safe=Markup,
        anchor=lambda row: f"exercise-{outline.exercises.index(row.exercise) + 1}",
    )


def _status(submission: Submission, summary: Summary) -> str:
    """Return the status of this notebook, which may be one of several handed in."""
    if summary.total is None and submission.status != "missing":
        waiting = any(row.state == "waiting" for row in summary.rows)
        return "waiting" if waiting and submission.graded else "ungradable"
    return submission.status


def _facts(submission: Submission, summary: Summary) -> str:
    """Say what else the total depends on, in sentences."""
    facts = []
    if submission.late:
        facts.append(f"Handed in {hours(submission.late)} late.")
    if submission.penalty:
        facts.append(f"{submission.penalty:g} points are taken off for that.")
    if summary.waiting:
        facts.append(
            f"{summary.waiting:g} points are not given yet: the total will change."
        )
    return " ".join(facts)


def hours(seconds: float) -> str:
    """Write a span of time as people say it."""
    minutes = round(seconds / 60)
    if minutes < 120:
        return f"{minutes} minutes"
    hours = round(minutes / 60)
    return f"{hours} hours" if hours < 48 else f"{round(hours / 24)} days"


def made_from(page: Path) -> str:
    """Return the fingerprint of what a page was made from; empty if there is none."""
    try:
        with page.open(encoding="utf-8") as file:
            start = file.read(400)
    except (OSError, ValueError):
        return ""
    return start.partition('name="nbproctor-key" content="')[2].partition('"')[0]
