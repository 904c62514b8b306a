"""The verb that gives feedback before the deadline: ``watch``."""

from __future__ import annotations

import time
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated

from typer import Option

from nbproctor.cli.app import TYPED, Assignment, Sandbox, app, open_course, say

if TYPE_CHECKING:
    from nbproctor.nbgrader.watch import Try

SECONDS = 2.0  # between two looks


@app.command()
def watch(
    assignment: Assignment = None,
    exchange: Annotated[
        bool,
        Option(
            "--exchange",
            help="Collect from nbgrader's exchange, and release feedback there.",
        ),
    ] = False,
    sandbox: Sandbox = "strict",
) -> None:
    """Grade what arrives until the deadline, and give back what you allow.

    Reads submitted/ and writes feedback/. What students get, and how many times a day
    for each exercise, stands in nbgrader_config.py: c.Nbproctor.early_feedback and
    early_tries. After Ctrl-C, the same command goes on.
    """
    course, name = open_course(assignment)
    from nbproctor.nbgrader import CourseError
    from nbproctor.nbgrader.lock import course_lock
    from nbproctor.nbgrader.watch import Watch

    with (
        course_lock(course.root, f"watching {name!r}", ".watch"),
        Watch(course.root, name, exchange, weak=sandbox == "weak") as watching,
    ):
        say(f"Watching {name}{_until(watching.due)}. Ctrl-C ends it.")
        say(*(f"  {s}{_until(end)}" for s, end in watching.extended.items()))
        said = ""
        while not watching.over(_now()):
            try:
                say(*map(_line, watching.look(_now())))
                said = ""
            except CourseError as error:  # somebody else grades: the next look
                if str(error) != said:
                    say(error)
                said = str(error)
            time.sleep(SECONDS)
    say(f"The deadline has passed. Grade everybody: {TYPED} grade {name}")


def _now() -> datetime:
    return datetime.now(UTC).replace(tzinfo=None)


def _until(moment: datetime | None) -> str:
    """Say how long; the moment is in UTC."""
    if moment is None:
        return ""
    return f" until {moment.replace(tzinfo=UTC).astimezone():%Y-%m-%d %H:%M %Z}"


def _line(tried: Try) -> str:
    """Say what became of a try."""
    clock = f"{datetime.now():%H:%M:%S} {tried.student}"
    result = tried.result
    if tried.late:
        return f"{clock}: it came after the deadline, and is not tried."
    wait = f"no try left today for {tried.waiting} exercises"
    if result is None:
        return f"{clock}: {wait if tried.waiting else 'no answer has changed'}."
    mark = "" if result.score is None else f"{result.score:g} of {result.max_score:g}, "
    told = f"{tried.told} exercises told" + f", {wait}" * bool(tried.waiting)
    return (
        f"{clock}: {mark}{result.status}; {told}, "
        f"after {(_now() - tried.noticed).total_seconds():.0f} s."
    )
