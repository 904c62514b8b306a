"""Who submits and when: ``collect``, ``roster``, ``due``, ``extend``, ``late``."""

from __future__ import annotations

from collections import Counter
from datetime import datetime, time, timedelta
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from rich.markup import escape
from typer import Argument, Option

from nbproctor import platforms
from nbproctor.cli.app import (
    PROGRAM,
    Assignment,
    CommandError,
    command,
    console,
    echo,
    find_course,
    nbgrader,
    open_course,
    print_list,
    show_status,
)
from nbproctor.platforms import Roster, labels, local_time
from nbproctor.writing import write_file

if TYPE_CHECKING:
    from nbproctor.platforms import Download
    from nbproctor.platforms.roster import MergeResult

END_OF_DAY = time(23, 59, 59)
CLASS_LIST = Path("collected", "roster.csv")  # in the course
Zone = Annotated[
    str, Option(help="Time zone of the given times. Default: that of this computer.")
]
Answers = Annotated[
    list[str] | None,
    Option(
        "--as",
        help="Match a name or number in the file to a student. For example, "
        "'Canvas id 1042=20260013' means: the student with the Canvas id 1042 is "
        "20260013. Leave the right side empty for a new student. Your answer is saved "
        "for the next time.",
    ),
]
SameKinds = Annotated[
    list[str] | None,
    Option(
        help="Treat two kinds of identifiers as one. For example, 'GitHub "
        "handle=login' means: the column 'GitHub handle' of one file is the column "
        "'login' of another. Your answer is saved for the next time."
    ),
]


@command("collect submissions.zip", "collect submissions.zip lab2 --dry-run")
def collect(
    source: Annotated[
        Path, Argument(help="Zip or folder, as downloaded from the platform.")
    ],
    assignment: Assignment = "",
    roster: Annotated[
        Path | None,
        Option(
            help="Class list to import first. Moodle's worksheet also has the "
            "submission times."
        ),
    ] = None,
    groups: Annotated[
        Path | None,
        Option(help="Groups: a CSV file with the columns group and student."),
    ] = None,
    called: Answers = None,
    same: SameKinds = None,
    timezone: Zone = "",
    only: Annotated[
        list[str] | None,
        Option(help="Collect only this student (id or name). May be repeated."),
    ] = None,
    replace: Annotated[
        bool,
        Option(
            "--replace",
            help="Replace a submission in submitted/ even if it is unknown which one "
            "is newer. The old one is saved.",
        ),
    ] = False,
    dry_run: Annotated[
        bool, Option("--dry-run", help="Only show what would be done.")
    ] = False,
) -> None:
    """Copy the submissions from a platform to submitted/, one folder per student.

    Reads downloads from Canvas, Moodle, Blackboard, Brightspace, Gradescope, GitHub
    Classroom, Teams and OpenOlat. For other platforms, such as ILIAS and Sakai, give a
    zip or folder in which each student has a file or folder, named by id, name or both.

    A newer attempt replaces an older one. The older one is saved. A submission that
    could belong to several students is not copied: use --as to say who submitted it.
    """
    course = open_course(assignment)
    names = [path.stem for path in course.sources()]
    everybody = read_class_list(course, called, same)
    times = {}
    if roster:
        merged = everybody.merge(platforms.read_class_list(roster))
        _print_merge(roster, everybody, merged)
        times = platforms.read_times(roster, everybody, is_time_list=False)
    zone = zone_of(timezone)
    records = course.records
    kept_groups = records / "groups.csv"
    if not groups and kept_groups.is_file():
        groups = kept_groups
    together = platforms.read_groups(groups, everybody) if groups else {}
    with show_status(f"Reading {source.name}"):
        download = platforms.parse_download(
            source=source,
            assignment=course.assignment,
            notebooks=names,
            roster=everybody,
            zone=zone,
            groups=together,
            times=times,
        )
    if only:
        downloaded = Roster([s.person for s in download.submissions])
        taken = {downloaded.find_one(student) for student in only}
        download.submissions = [s for s in download.submissions if s.person in taken]
    console.print(f"{download.recognised}.")
    _check_assignment(course, download)
    folder_of = partial(course.folder, "submitted")
    platforms.write(
        download,
        destination=folder_of,
        records=records,
        source=source.name,
        replace=replace,
        dry_run=dry_run,
    )
    if not dry_run:
        if groups and groups != kept_groups:
            write_file(kept_groups, groups.read_bytes())
        news = [everybody.add(s.person) for s in download.submissions if not s.found_by]
        if roster or called or same or news:
            _import(course, everybody)
    _print_summary(download, Roster() if only else everybody)
    with course.gradebook() as book:
        is_released = course.assignment in {row.name for row in book.assignments}
    next_command = "grade" if is_released else "release"
    next_step = f"Next: {PROGRAM} {next_command} {course.assignment}"
    echo("Dry run: nothing was written." if dry_run else next_step)


def _check_assignment(course: nbgrader.Course, download: Download) -> None:
    """Raise `CommandError` if most notebooks have the names of another assignment."""
    files = [path.stem for s in download.submissions for path in s.files]

    def count_named_like(assignment: str) -> int:
        sources = course.for_assignment(assignment).sources()
        names = tuple(path.stem for path in sources)
        return sum(file.endswith(names) for file in files)

    best = max(course.assignments(), key=count_named_like)
    if count_named_like(best) > count_named_like(course.assignment):
        raise CommandError(
            f"These files have the names of {best}, not of {course.assignment}. "
            f"Nothing was written. To collect them: {PROGRAM} collect DOWNLOAD {best}"
        )


@command("roster class_list.csv", "roster grades.csv --same 'GitHub handle=login'")
def roster(
    file: Annotated[Path, Argument(help="Class list from a platform, as CSV.")],
    called: Answers = None,
    same: SameKinds = None,
) -> None:
    """Import a class list: the score table and formgrader then show names.

    Reads any grade file or list of participants that a platform exports. New students
    are added, missing data is filled in, and nobody is removed. Rows that match
    more than one student are skipped and listed.
    """
    course = nbgrader.Course(find_course())
    everybody = read_class_list(course, called, same)
    result = everybody.merge(platforms.read_class_list(file))
    _import(course, everybody)
    _print_merge(file, everybody, result)
    echo(f"Saved in {CLASS_LIST} and the gradebook.")


def read_class_list(
    course: nbgrader.Course,
    answers: list[str] | None = None,
    same: list[str] | None = None,
) -> Roster:
    """Return everybody in the imported class list or in the gradebook.

    `answers` and `same` are a teacher's answers, as given with ``--as`` and ``--same``.
    """
    path = course.root / CLASS_LIST
    everybody = Roster(nbgrader.people(course))
    # It has the last word: a teacher may have changed a name there.
    for person in platforms.read_class_list(path) if path.is_file() else []:
        everybody.add(person)
    for each in same or []:
        kind, _, other = each.partition("=")
        everybody.add_kind_alias(kind, other)
    for each in answers or []:
        text, _, student = each.rpartition("=")
        everybody.answer(text, student)
    return everybody


def _import(course: nbgrader.Course, everybody: Roster) -> None:
    """Save a class list in the course, and enter everybody in it in the gradebook."""
    platforms.write_class_list(everybody, course.root / CLASS_LIST)
    nbgrader.enrol(course, everybody.students)


def _print_merge(file: Path, everybody: Roster, result: MergeResult) -> None:
    """Print whom a class list names, and the rows on which a teacher must decide."""
    unchanged = result.students - result.new - result.changed
    count = len(result.students) + len(result.questions)
    echo(
        f"{file.name} lists {count} students: {len(result.new)} new, "
        f"{len(result.changed)} changed, {len(unchanged)} unchanged."
    )
    names = everybody.labels
    absent = sorted(names[s] for s in names.keys() - result.students)
    if result.new < names.keys():  # not the first class list
        print_list("New in the class list:", sorted(names[s] for s in result.new))
    if not result.questions:  # such a row may be one of them
        title = f"In the class list, but not in {file.name} (nobody was removed):"
        print_list(title, absent)
    _mention_same(len(result.questions))
    print_list("Not imported from the list:", result.questions)


def _mention_same(questions: int) -> None:
    """Name the option that may answer many questions at once."""
    if questions > 1:
        echo(
            "If two columns hold the same identifier, such as GitHub handle and login, "
            'say so once: --same "GitHub handle=login"'
        )


_STATES = {
    "new": "new",
    "replaced": "replaced (the old ones are saved)",
    "same": "already there",
    "kept": "not written",
}


def _print_summary(download: Download, everybody: Roster) -> None:
    submissions = download.submissions
    platform = download.recognised.platform
    people = {s.person.student: s.person.name for s in submissions}
    names = labels(people) | everybody.labels
    states = Counter[str](submission.state for submission in submissions)
    found_by = Counter(submission.found_by for submission in submissions)
    late = [names[s.person.student] for s in submissions if s.late]
    remarks = [
        f"{names[submission.person.student]}: {note}"
        for submission in submissions
        for note in (submission.reason, *submission.notes)
        if note
    ]
    parts = [f"{states[s]} {words}" for s, words in _STATES.items() if states[s]]
    console.print(f"{len(submissions)} students: {', '.join(parts) or 'none'}.")
    if everybody.people:
        by = [f"{n} by {how}" for how, n in found_by.most_common() if how]
        console.print(f"Matched with the class list: {', '.join(by) or 'nobody'}.")
    if late:
        console.print(f"Late, according to {platform.name}: {escape('; '.join(late))}.")
    if platform.times and not any(s.submitted for s in submissions):
        where = f"{platform.name} has the times in {platform.times}"
        console.print(f"The submission times are not known. {where}: --roster=FILE.csv")
    _mention_same(download.questions)
    print_list("Please check these:", remarks + download.problems)
    if states["kept"]:
        echo(
            "To replace the old submissions, use --replace (for one student, --only "
            "NAME --replace). The old submissions are saved."
        )
    absent = [names[p.student] for p in everybody.students if p.student not in people]
    if absent and found_by.total() > found_by[""]:
        print_list(
            "In the class list or gradebook, but not in this download:", sorted(absent)
        )


def zone_of(name: str) -> ZoneInfo | None:
    """Return a time zone; None is this computer's."""
    if not name:
        return None
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError) as error:
        raise CommandError(f"There is no time zone {name!r}.") from error


@command("extend 20260013 --until='2026-12-01 18:00'", "extend 20260013 lab2 --days=2")
def extend(
    student: Annotated[str, Argument(help="Id or name of the student.")],
    assignment: Assignment = "",
    until: Annotated[
        str,
        Option(
            help="A fixed deadline for this student, for example '2026-12-01 18:00'. A "
            "date without a time includes the whole day. If the due date changes, this "
            "deadline stays."
        ),
    ] = "",
    days: Annotated[
        float | None,
        Option(
            help="Days after the due date. If the due date changes, so does this "
            "deadline."
        ),
    ] = None,
    excused: Annotated[
        bool | None,
        Option(
            "--excused/--not-excused",
            help="The student needs no mark in this assignment.",
        ),
    ] = None,
    timezone: Zone = "",
) -> None:
    """Give a student more time, or excuse the student from the assignment.

    If the submission is already graded, run `grade` again.
    """
    course = open_course(assignment)
    name = course.assignment
    people = read_class_list(course)
    student = people.find_one(student).student
    label = people.labels[student]
    if excused is not None:
        nbgrader.excuse(
            course=course,
            student=student,
            yes=excused,
        )
        echo(f"{label} is {'' if excused else 'not '}excused from {name}.")
        return
    if bool(until) == (days is not None):
        raise CommandError("Give one of --until, --days, --excused, --not-excused.")
    extension: datetime | timedelta = timedelta(days=days or 0)
    if until:
        extension = _moment(
            text=until,
            timezone=timezone,
            default_time=END_OF_DAY,
        )
    end, due = nbgrader.extend(course, student, extension)
    moves = "does not move" if until else "moves"
    echo(
        f"{label} may submit {name} until {local_time(end)}, others until "
        f"{local_time(due)}. This deadline {moves} with the due date. If the "
        f"submission is already graded, run {PROGRAM} grade {name} again."
    )


@command("due '2026-11-30 18:00'", "due 2026-11-30 lab2 --timezone=Europe/Berlin")
def due(
    date: Annotated[
        str,
        Argument(
            help="When the assignment is due, for example '2026-12-01 18:00'. A date "
            "without a time includes the whole day."
        ),
    ],
    assignment: Assignment = "",
    timezone: Zone = "",
) -> None:
    """Set when an assignment is due.

    If submissions are already graded, run `grade` again.
    """
    course = open_course(assignment)
    name = course.assignment
    moment = _moment(
        text=date,
        timezone=timezone,
        default_time=END_OF_DAY,
    )
    fixed = nbgrader.set_due(course, moment)
    echo(f"{name} is due at {local_time(moment)}.")
    if fixed:
        names = nbgrader.list_names(course, fixed)
        echo(f"These students keep their own deadline: {names}")
    echo(f"If submissions are already graded, run {PROGRAM} grade {name} again.")


@command("late times.csv", "late worksheet.csv lab2 --timezone=Europe/Berlin")
def late(
    file: Annotated[Path, Argument(help="CSV file with the columns student and time.")],
    assignment: Assignment = "",
    timezone: Zone = "",
) -> None:
    """Record submission times that the platform does not provide.

    Use this command, for example, for notebooks that came by e-mail. FILE can also be
    Moodle's grading worksheet. nbgrader reads these times from timestamp.txt, next to
    each student's files.
    """
    course = open_course(assignment)
    name = course.assignment
    people = read_class_list(course)
    submitted = course.submissions()
    times = {
        student: _moment(
            text=text,
            timezone=timezone,
            default_time=time(),
        )
        for student, text in platforms.read_times(file, people).items()
    }
    if absent := [people.labels[s] for s in times if s not in submitted]:
        shown = "; ".join(absent)
        raise CommandError(f"Not submitted in {name}: {shown}. Nothing was written.")
    for student, when in times.items():
        platforms.write_time(submitted[student], when)
        echo(f"{people.labels[student]}: {local_time(when)}")
    echo(f"Next: {PROGRAM} grade {name}")


def _moment(
    text: str,
    timezone: str,
    default_time: time,
) -> datetime:
    """Read a time; a date without a time gets `default_time`."""
    try:
        when = platforms.read_time(text) or datetime.fromisoformat(text)
    except ValueError as error:
        example = "2026-12-01 18:00"
        raise CommandError(
            f"{text!r} is not a time. Write it like {example!r}."
        ) from error
    if len(text) <= len("2026-12-01"):
        when = datetime.combine(when, default_time)
    return when.replace(tzinfo=when.tzinfo or zone_of(timezone)).astimezone()
