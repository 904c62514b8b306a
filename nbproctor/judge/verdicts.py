"""Verdicts and outputs as a run through a notebook makes them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from nbproctor.judge.student_errors import StudentGone
from nbproctor.notebook import Cell
from nbproctor.results import Outcome, Output, Verdict
from nbproctor.sanitize import one_line, plain_text


def no_points(cell: Cell, outcome: Outcome, message: str) -> Verdict:
    """Return the verdict of a test that earned nothing."""
    line = one_line(message)
    return Verdict(cell.id, cell.exercise, 0.0, cell.points, outcome, line)


def with_print(verdict: Verdict, text: str) -> Verdict:
    """Add what a public test printed."""
    return replace(verdict, printed=plain_text(text))


def broken_test(text: str) -> str:
    """Return the message of a test that is at fault itself."""
    return f"This test is broken, tell your teacher: {text}"


def error_output(name: str, text: str) -> Output:
    """Return an error as a cell shows it."""
    return {
        "output_type": "error",
        "ename": name,
        "evalue": text,
        "traceback": [text],
    }


def lacks_memory(outputs: Sequence[Output]) -> bool:
    """Whether a cell ended because there was no memory left."""
    return any(
        output["output_type"] == "error" and output["ename"].endswith("MemoryError")
        for output in outputs
    )


def what_happened(gone: StudentGone, subject: str, limit: float) -> str:
    """Say why a student process has ended, and what it was doing."""
    if gone.reason == "timeout":
        return f"{subject} was stopped: it did not finish in {limit:g} seconds."
    if gone.reason == "died":
        return f"{subject} ended the Python process that it ran in."
    return f"{subject} broke the connection to the grader ({gone})."
