"""Commands that grade: ``grade``, and ``watch`` before the deadline."""

from __future__ import annotations

import time
from datetime import UTC, datetime
from difflib import get_close_matches
from typing import Annotated

import typer
from typer import Option

from nbproctor.cli.app import (
    PROGRAM,
    Assignment,
    CommandError,
    Container,
    Sandbox,
    command,
    echo,
    nbgrader,
    open_course,
)
from nbproctor.cli.class_run import grade_class
from nbproctor.platforms import local_time

POLL_SECONDS = 2.0  # between two polls of `watch`


@command("grade", "grade lab2 --student=20260013 --lower")
def grade(
    assignment: Assignment = "",
    force: Annotated[
        bool, Option("--force", help="Also grade submissions that are already graded.")
    ] = False,
    sandbox: Sandbox = "strict",
    student: Annotated[
        list[str] | None,
        Option(help="Grade only the student with this id. May be repeated."),
    ] = None,
    lower: Annotated[
        bool,
        Option(
            "--lower",
            help="Allow a lower mark even if the student's files have not changed.",
        ),
    ] = False,
    similar: Annotated[
        bool,
        Option(
            "--similar",
            "--alike",  # its earlier name
            help="In the class report, list pairs of students whose long answers are "
            "unusually similar.",
        ),
    ] = False,
    cluster: Annotated[
        str, Option(help="Address of a Dask scheduler: grade on its workers.")
    ] = "",
    container: Container = False,
) -> None:
    """Grade what is in submitted/, write feedback, and show the score table.

    Skips submissions that are already graded, unless something that affects their marks
    has changed. Exits with status 1 if a submission could not be graded.
    """
    course = open_course(assignment)
    for each in student or ():
        _check_submitted(course, each)
    options = nbgrader.RunOptions(
        students=student,
        force=force,
        allow_lower=lower,
        weak_sandbox=sandbox == "weak",
        cluster=cluster,
    )
    grade_class(course, options, find_similar=similar)


def _check_submitted(course: nbgrader.Course, student: str) -> None:
    """Stop if a student named on the command line has submitted nothing."""
    if student in course.submissions():
        return
    folder = course.folder("submitted", student)
    people = nbgrader.people(course)
    similar = get_close_matches(student, [person.student for person in people])
    text = student.casefold()
    similar += [each.student for each in people if text in each.name.casefold()]
    message = f"{student!r} has not submitted anything: there is no {folder}."
    if student in similar:
        for sentence in nbgrader.describe_unread(course):
            if f"/{student}/" in sentence:
                message += f" {sentence}"
    elif similar:
        message += f" Did you mean {' or '.join(dict.fromkeys(similar))}?"
    raise CommandError(message)


@command("watch", "watch lab2 --exchange")
def watch(
    assignment: Assignment = "",
    exchange: Annotated[
        bool,
        Option(
            "--exchange",
            help="Collect from nbgrader's exchange, and release the feedback there.",
        ),
    ] = False,
    sandbox: Sandbox = "strict",
    container: Container = False,
) -> None:
    """Grade submissions as they arrive, and give feedback before the deadline.

    Reads submitted/ and writes feedback/, until the deadline. To stop the command,
    press Ctrl-C. You can start it again. Exits with status 1 if a submission could not
    be collected, or a feedback page could not be released.

    Two options in nbgrader_config.py: c.Nbproctor.early_feedback sets what students
    see. c.Nbproctor.early_tries sets how many submissions of a student are graded in
    a day.
    """
    course = open_course(assignment)
    name = course.assignment
    with (
        nbgrader.course_lock(course.root, f"watching {name!r}", ".watch"),
        nbgrader.Watch(
            root=course.root,
            assignment=name,
            exchange=exchange,
            weak=sandbox == "weak",
        ) as watching,
    ):
        echo(f"Watching {name}{_until(watching.due)}. To stop, press Ctrl-C.")
        for student, deadline in watching.deadlines.items():
            echo(f"  {student}{_until(deadline)}")
        message = ""
        problems = False
        while not watching.is_finished(_now()):
            try:
                tries = watching.poll(_now())
                echo(*map(_describe_try, tries))
                problems = problems or any(each.problem for each in tries)
                message = ""
            except nbgrader.CourseError as error:  # somebody else grades: the next poll
                if str(error) != message:
                    echo(error)
                message = str(error)
            time.sleep(POLL_SECONDS)
    echo(f"The deadline has passed. To grade everybody: {PROGRAM} grade {name}")
    if problems:
        raise typer.Exit(1)


def _now() -> datetime:
    return datetime.now(UTC).replace(tzinfo=None)


def _until(moment: datetime | None) -> str:
    """Return the words for the end of a period; the moment is in UTC."""
    if not moment:
        return ""
    return f" until {local_time(moment)}"


def _describe_try(attempt: nbgrader.TryResult) -> str:
    clock = f"{datetime.now().astimezone():%H:%M:%S %Z} {attempt.student}"
    result = attempt.result
    if attempt.problem:
        return f"{clock}: {attempt.problem}."
    if attempt.late:
        return f"{clock}: submitted after the deadline, so it gets no early feedback."
    if not result:
        return f"{clock}: no tries left today."
    mark = ""
    if result.score is not None:
        mark = f"{result.score:g} of {result.max_score:g}, "
    seconds = (_now() - attempt.noticed).total_seconds()
    return (
        f"{clock}: {mark}{result.status}. Try {attempt.tries_today} today. "
        f"Feedback took {seconds:.0f} s."
    )
