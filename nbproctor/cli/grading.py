"""The verbs that grade: ``grade``, and ``watch`` before the deadline."""

from __future__ import annotations

import time
from datetime import UTC, datetime
from difflib import get_close_matches
from typing import Annotated

import typer
from typer import Option

from nbproctor.cli.app import (
    TYPED,
    Assignment,
    CommandError,
    Sandbox,
    app,
    nbgrader,
    open_course,
    say,
)
from nbproctor.cli.class_run import grade_class

SECONDS = 2.0  # between two looks of `watch`


@app.command()
def grade(
    assignment: Assignment = None,
    force: Annotated[
        bool, Option("--force", help="Grade again what is graded already.")
    ] = False,
    sandbox: Sandbox = "strict",
    student: Annotated[
        list[str] | None, Option(help="Grade only this student; may be repeated.")
    ] = None,
    lower: Annotated[
        bool, Option("--lower", help="Let marks become lower for the same files.")
    ] = False,
    alike: Annotated[
        bool, Option("--alike", help="List long answers that stand out as alike.")
    ] = False,
    cluster: Annotated[
        str, Option(help="Execute on the workers of this Dask scheduler.")
    ] = "",
    container: Annotated[
        bool, Option("--container", help="In a container, by Podman or Docker: kit.py.")
    ] = False,
) -> None:
    """Grade what is in submitted/, write feedback, and show the table of scores.

    What is graded already and has not changed is left as it is. Ends with status 1 if
    somebody could not be graded.
    """
    if container:
        raise CommandError(
            "--container is an option of kit.py: kit.py grade --container"
        )
    course, name = open_course(assignment)
    for each in student or ():
        _check_handed_in(course, name, each)
    options = nbgrader.RunOptions(
        student,
        force=force,
        lower=lower,
        weak_sandbox=True if sandbox == "weak" else None,
        cluster=cluster or None,
    )
    grade_class(course, name, options, alike=alike)


def _check_handed_in(course: nbgrader.Course, assignment: str, student: str) -> None:
    """Stop where a student named on the command line handed in nothing."""
    if student in dict(course.folders("submitted", assignment)):
        return
    folder = course.folder("submitted", assignment, student)
    people = nbgrader.people(course)
    similar = get_close_matches(student, [person.student for person in people])
    similar += [p.student for p in people if student.casefold() in p.name.casefold()]
    message = f"{student!r} has handed in nothing: there is no {folder}."
    if similar:
        message += f" Did you mean {' or '.join(dict.fromkeys(similar))}?"
    raise CommandError(message)


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
    early_tries. After Ctrl-C, the same command goes on. Ends with status 1 if work
    could not be collected, or a page not be given back.
    """
    course, name = open_course(assignment)
    with (
        nbgrader.course_lock(course.root, f"watching {name!r}", ".watch"),
        nbgrader.Watch(course.root, name, exchange, sandbox == "weak") as watching,
    ):
        say(f"Watching {name}{_until(watching.due)}. Ctrl-C ends it.")
        say(*(f"  {s}{_until(end)}" for s, end in watching.extended.items()))
        message = ""
        problems = False
        while not watching.over(_now()):
            try:
                tries = watching.look(_now())
                say(*map(_line, tries))
                problems = problems or any(each.problem for each in tries)
                message = ""
            except nbgrader.CourseError as error:  # somebody else grades: the next look
                if str(error) != message:
                    say(error)
                message = str(error)
            time.sleep(SECONDS)
    say(f"The deadline has passed. Grade everybody: {TYPED} grade {name}")
    if problems:
        raise typer.Exit(1)


def _now() -> datetime:
    return datetime.now(UTC).replace(tzinfo=None)


def _until(moment: datetime | None) -> str:
    """Say how long; the moment is in UTC."""
    if moment is None:
        return ""
    return f" until {moment.replace(tzinfo=UTC).astimezone():%Y-%m-%d %H:%M %Z}"


def _line(attempt: nbgrader.Try) -> str:
    clock = f"{datetime.now():%H:%M:%S} {attempt.student}"
    result = attempt.result
    if attempt.problem:
        return f"{clock}: {attempt.problem}."
    if attempt.late:
        return f"{clock}: it came after the deadline, and is not tried."
    wait = f"no try left today for {attempt.waiting} exercises"
    if result is None:
        return f"{clock}: {wait if attempt.waiting else 'no answer has changed'}."
    mark = "" if result.score is None else f"{result.score:g} of {result.max_score:g}, "
    counts = f"{attempt.tries_used} exercises told"
    if attempt.waiting:
        counts += f", {wait}"
    return (
        f"{clock}: {mark}{result.status}; {counts}, "
        f"after {(_now() - attempt.noticed).total_seconds():.0f} s."
    )
