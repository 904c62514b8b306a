"""Annotated notebook: the submission with the feedback beside each cell."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from nbproctor import sanitize
from nbproctor.pages.data import Submission, grade_id, read_cells, source_of
from nbproctor.pages.outline import Outline
from nbproctor.pages.summary import Row, Summary, summarise
from nbproctor.pages.tested import BESIDE, WORDS, Test

SIGNS = {
    "passed": "✓",
    "given": "✓",
    "partly": "◐",
    "failed": "✗",
    "not-started": "○",
    "not-run": "–",
    "waiting": "…",
}
MAX_CELLS = 1000


def annotated(submission: Submission, outline: Outline) -> dict[str, Any]:
    """Return a notebook (format 4.5) that shows feedback beside each cell.

    It holds no metadata of nbgrader's, so that nobody can hand it in by mistake, and
    no hidden test: what the assignment locks is as students got it.
    """
    cells = read_cells(submission.graded)
    summary = summarise(submission, outline, cells)
    known = {cell.id: cell for cell in outline.master.cells}
    tests = {test.id: test for row in summary.rows for test in row.tests}
    made = [_text(_overview(submission, outline, summary))]
    for cell in cells[:MAX_CELLS]:
        name = grade_id(cell)
        ours = known.get(name)
        if ours is not None and ours.kind == "helper":
            continue
        locked = ours is not None and (ours.locked or ours.kind == "test")
        source = ours.stub if ours and locked else source_of(cell)
        if cell.get("cell_type") == "code":
            made.append(_code(source, [] if name in tests else cell.get("outputs")))
        elif cell.get("cell_type") == "markdown":
            attached = sanitize.attachments(cell.get("attachments"))
            made.append(_text(sanitize.markdown(source, attached), attached))
        if name in tests:
            made.append(_text(_said(tests[name])))
        if comment := submission.comments.get(name):
            quoted = "\n> ".join(sanitize.markdown(comment).splitlines())
            made.append(_text(f"> **From your teacher:** {quoted}"))
    for number, cell in enumerate(made):
        cell["id"] = f"feedback-{number}"
    return {
        "cells": made,
        "metadata": {
            "kernelspec": {
                "display_name": "Python 3",
                "language": "python",
                "name": "python3",
            }
        },
        "nbformat": 4,
        "nbformat_minor": 5,
    }


def _overview(submission: Submission, outline: Outline, summary: Summary) -> str:
    who = submission.name or submission.student
    total = "–" if summary.total is None else f"{summary.total:g}"
    lines = [
        f"# Feedback for {_plain(who)}: {total} of {outline.points:g} points",
        *map(_plain, submission.notes),
    ]
    if summary.total is None:
        lines.append("This is not a zero: you have no score yet.")
        return "\n\n".join(lines)
    table = ["| exercise | points | result | cause |", "|---|---|---|---|"]
    table += map(_line, summary.rows)
    return "\n\n".join([*lines, "\n".join(table)])


def _line(row: Row) -> str:
    earned = "–" if row.points is None else f"{row.points:g}"
    points = f"{earned} / {row.exercise.points:g}"
    result = f"{SIGNS[row.state]} {WORDS[row.state]}"
    result += " (by hand)" if row.by_hand else ""
    columns = _plain(row.exercise.name), points, result, _plain(row.cause)
    return f"| {' | '.join(columns)} |"


def _said(test: Test) -> str:
    words = f"**{SIGNS[test.state]} {WORDS[test.state]}**"
    if test.max_points and test.points is not None:
        words += f" · {test.points:g} of {test.max_points:g} points"
    if test.by_hand:
        words += ", by hand"
    if test.beside:
        words += f" · {BESIDE}"
    return f"{words}\n\n{_plain(test.message)}" if test.message else words


def _plain(text: str) -> str:
    """Return a sentence that Markdown shows as it is, code between backticks too."""
    return sanitize.markdown(text).replace("|", "\\|").replace("$", "\\$")


def _text(
    source: str, attached: Mapping[str, Mapping[str, str]] | None = None
) -> dict[str, Any]:
    cell: dict[str, Any] = {"cell_type": "markdown", "metadata": {}, "source": source}
    return cell | ({"attachments": attached} if attached else {})


def _code(source: str, outputs: object) -> dict[str, Any]:
    return {
        "cell_type": "code",
        "metadata": {},
        "source": source,
        "outputs": sanitize.clean(outputs),
        "execution_count": None,
    }
