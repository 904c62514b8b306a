"""Commands that grade: ``demo``, ``grade``, and ``watch`` before the deadline."""

from __future__ import annotations

import contextlib
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
    Container,
    Sandbox,
    command,
    console,
    nbgrader,
    open_course,
    say,
)
from nbproctor.cli.class_run import grade_class
from nbproctor.platforms.person import Person, split_name

SECONDS = 2.0  # between two looks of `watch`


@command("demo", "demo --container")
def demo(assignment: Assignment = None, container: Container = False) -> None:
    """Grade a sample class and show the table of scores.

    Everything happens in the folder demo/. Each run makes it again. Your own
    submissions and gradebook are not touched.
    """
    parent_course, name = open_course(assignment)
    project = parent_course.root
    sample_class = project / "examples" / "sample_class.toml"
    if not sample_class.is_file():
        raise CommandError(
            f"There is no {sample_class}. Run the demo in nbproctor's own repository: "
            "it grades the course there."
        )
    console.print("Making a sample class in demo/. These students submit:")
    from nbproctor.kit import sample

    course = nbgrader.Course(sample.new_course(project, name))
    nbgrader.generate(course, name)
    students = sample.read_class(sample_class)
    master = course.masters(name)[0]
    sample.write_class(students, course.root, master, project / "variants" / name)
    for student in students:
        console.print(f"  {student.name:20} {student.story}")
    names = {student.id: student.name for student in students}
    nbgrader.enrol(course, [Person(s.id, *split_name(s.name)) for s in students])
    with contextlib.suppress(typer.Exit):  # somebody's file is cut short, as it happens
        # Weak, because this code is our own: the demo is to run on any computer.
        grade_class(course, name, nbgrader.RunOptions(weak_sandbox=True), names)


@command("grade", "grade lab2 --student=20260013 --lower")
def grade(
    assignment: Assignment = None,
    force: Annotated[
        bool, Option("--force", help="Grade again what is already graded.")
    ] = False,
    sandbox: Sandbox = "strict",
    student: Annotated[
        list[str] | None, Option(help="Grade only this student. May be repeated.")
    ] = None,
    lower: Annotated[
        bool,
        Option(
            "--lower",
            help="Allow a mark to become lower although the files are the same.",
        ),
    ] = False,
    alike: Annotated[
        bool, Option("--alike", help="List long answers that are unusually similar.")
    ] = False,
    cluster: Annotated[
        str, Option(help="Grade on the workers of this Dask scheduler.")
    ] = "",
    container: Container = False,
) -> None:
    """Grade what is in submitted/, write feedback, and show the table of scores.

    Submissions that are already graded and have not changed are skipped. Exits with
    status 1 if a submission could not be graded.
    """
    course, name = open_course(assignment)
    for each in student or ():
        _check_submitted(course, name, each)
    options = nbgrader.RunOptions(
        student,
        force=force,
        lower=lower,
        weak_sandbox=True if sandbox == "weak" else None,
        cluster=cluster or None,
    )
    grade_class(course, name, options, alike=alike)


def _check_submitted(course: nbgrader.Course, assignment: str, student: str) -> None:
    """Stop if a student named on the command line has submitted nothing."""
    if student in dict(course.folders("submitted", assignment)):
        return
    folder = course.folder("submitted", assignment, student)
    people = nbgrader.people(course)
    similar = get_close_matches(student, [person.student for person in people])
    similar += [p.student for p in people if student.casefold() in p.name.casefold()]
    message = f"{student!r} has not submitted anything: there is no {folder}."
    if similar:
        message += f" Did you mean {' or '.join(dict.fromkeys(similar))}?"
    raise CommandError(message)


@command("watch", "watch lab2 --exchange")
def watch(
    assignment: Assignment = None,
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

    Reads submitted/ and writes feedback/. In nbgrader_config.py you set what students
    see (c.Nbproctor.early_feedback) and how many times a day (c.Nbproctor.early_tries).
    You can stop it with Ctrl-C and start it again. Exits with status 1 if a submission
    could not be collected or a page not be returned.
    """
    course, name = open_course(assignment)
    with (
        nbgrader.course_lock(course.root, f"watching {name!r}", ".watch"),
        nbgrader.Watch(course.root, name, exchange, sandbox == "weak") as watching,
    ):
        say(f"Watching {name}{_until(watching.due)}. To stop, press Ctrl-C.")
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
    say(f"The deadline has passed. To grade everybody: {TYPED} grade {name}")
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
    clock = f"{datetime.now().astimezone():%H:%M:%S %Z} {attempt.student}"
    result = attempt.result
    if attempt.problem:
        return f"{clock}: {attempt.problem}."
    if attempt.late:
        return f"{clock}: submitted after the deadline, so it gets no early feedback."
    if result is None:
        return f"{clock}: no tries left today."
    mark = "" if result.score is None else f"{result.score:g} of {result.max_score:g}, "
    return (
        f"{clock}: {mark}{result.status}; try {attempt.tries_today} today, "
        f"after {(_now() - attempt.noticed).total_seconds():.0f} s."
    )
