"""The verbs on time: ``extend`` for one student, ``late`` for what came another way."""

from __future__ import annotations

from datetime import datetime, time
from pathlib import Path
from typing import Annotated

from typer import Argument, Option

from nbproctor import platforms
from nbproctor.cli.app import TYPED, Assignment, CommandError, app, open_course, say
from nbproctor.cli.collecting import Zone, read_class_list, zone_of


@app.command()
def extend(
    student: Annotated[str, Argument(help="Id or name of the student.")],
    assignment: Assignment = None,
    until: Annotated[
        str, Option(help="Last moment, as '2026-12-01 18:00'; a day is whole.")
    ] = "",
    excused: Annotated[
        bool | None,
        Option("--excused/--not-excused", help="No mark is wanted, handed in or not."),
    ] = None,
    timezone: Zone = "",
) -> None:
    """Give a student more time, or excuse from the assignment altogether.

    What was graded as late is then graded again.
    """
    from nbproctor import nbgrader

    course, name = open_course(assignment)
    person = read_class_list(course).one(student)
    student = person.student
    if excused is not None:
        nbgrader.excuse(course, name, student, excused)
        say(f"{person.name} is {'' if excused else 'not '}excused from {name}.")
        return
    end = _moment(until, timezone, time(23, 59, 59))
    due = nbgrader.extend(course, name, student, end)
    say(
        f"{person.name} may hand in {name} until {_shown(end)}, others until "
        f"{_shown(due)}. If it is graded already: {TYPED} grade"
    )


@app.command()
def late(
    file: Annotated[Path, Argument(help="CSV with student and time handed in.")],
    assignment: Assignment = None,
    timezone: Zone = "",
) -> None:
    """Say when somebody handed in, where no platform told: by mail, on a stick.

    Moodle's grading worksheet is such a list, too. Writes timestamp.txt beside each
    student's files, where nbgrader looks for it.
    """
    course, name = open_course(assignment)
    people = read_class_list(course)
    submitted = dict(course.folders("submitted", name))
    for who, text in platforms.read_times(file, people).items():
        if who not in submitted:
            raise CommandError(f"{who!r} has handed in nothing of {name!r}.")
        when = _moment(text, timezone, time())
        platforms.write_time(submitted[who], when)
        say(f"{who}: {_shown(when)}")
    say(f"Next: {TYPED} grade")


def _moment(text: str, timezone: str, of_a_day: time) -> datetime:
    """Read a time; of a day alone, it is the moment `of_a_day`."""
    try:
        when = platforms.read_time(text) or datetime.fromisoformat(text)
    except ValueError as error:
        example = "2026-12-01 18:00"
        raise CommandError(f"{text!r} is no time: write it as {example!r}.") from error
    if len(text) <= len("2026-12-01"):
        when = datetime.combine(when, of_a_day)
    return when.replace(tzinfo=when.tzinfo or zone_of(timezone)).astimezone()


def _shown(when: datetime) -> str:
    return f"{when.astimezone():%Y-%m-%d %H:%M %Z}"
