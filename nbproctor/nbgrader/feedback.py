"""Pages on graded notebooks: feedback for students, and the class report.

`ProctoredFeedback` stands in for nbgrader's `GenerateFeedback` on the command line and
behind formgrader's button; `feedback` is the same from Python.
"""

from __future__ import annotations

import hashlib
import shutil
from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Mapping
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec
from nbgrader.converters import GenerateFeedback

import nbproctor
from nbproctor.nbgrader.course import Course
from nbproctor.nbgrader.failures import CourseError, raise_nbgrader_errors, run
from nbproctor.nbgrader.lock import course_lock
from nbproctor.nbgrader.marks import StudentMarks
from nbproctor.nbgrader.standings import Standings, late_without_time, participants
from nbproctor.nbgrader.submitted import submission_time
from nbproctor.nbgrader.tries import read_tries
from nbproctor.pages.making import PageError, PageJob, make, notebook_of
from nbproctor.pages.outline import Outline
from nbproctor.pages.report import class_report
from nbproctor.pages.summary import GradedNotebook
from nbproctor.platforms import Person, labels, local_time
from nbproctor.results import SubmissionResult
from nbproctor.statuses import Status
from nbproctor.submission.border import TIMESTAMP_FILE, RefusedFileError, find
from nbproctor.templates import render
from nbproctor.writing import write_file

if TYPE_CHECKING:
    import pandas as pd

Progress = Callable[[int, int], None]  # pages made, pages to be made
SECRET = "submission_secret.txt"  # nbgrader derives the page's name from it
MAX_SIDE = 1000  # bytes of a file that identifies a submission


def graded_notebooks(
    course: Course,
    standings: Standings,
    purpose: str,
) -> list[GradedNotebook]:
    """Return the notebooks of all participants who have submitted, graded or refused.

    `CourseError`: there is none; the message says for which `purpose` they are needed.
    """
    notebooks = []
    obstacles = course.find_unwritable(standings)
    tries = {}
    if course.options.early_feedback != "nothing":
        with course.gradebook() as book:
            tries = read_tries(book, course.assignment)
    for student, standing in standings.items():
        if student in obstacles or not standing.has_submitted:
            continue
        folder = course.folder("autograded", student)
        record = standing.marks
        result = standing.result
        for name, outline in course.outlines.items():
            graded = folder / f"{name}.ipynb"
            is_graded = graded.is_file()
            if not is_graded and name not in result.notes:
                continue
            notebook = GradedNotebook(
                student=student,
                name=_full_name(standing.person),
                assignment=course.assignment,
                notebook=name,
                status=result.status,
                notes=result.notes.get(name, []),
                verdicts=result.verdicts.get(name, []),
                marks=record.marks(name),
                waiting=[g.cell for g in standing.waiting if g.notebook == name],
                comments=record.comments.get(name, {}),
                penalty=record.penalties.get(name, 0.0),
                late=record.late,
                path=graded if is_graded else None,
                version=_version(record, result),
                since=result.since.get(name, ""),
                untried=result.untried.get(name, []),
                tries=[t.notebook(outline) for t in reversed(tries.get(student, []))],
            )
            notebooks.append(notebook)
    if not notebooks and not obstacles:
        raise CourseError(
            f"Nothing in {course.assignment!r} is graded yet. Grade it before you ask "
            f"for {purpose}."
        )
    return notebooks


def _full_name(person: Person) -> str:
    """Return a name as students read it, first name first, or nothing."""
    return " ".join(filter(None, (person.first, person.last)))


def _version(record: StudentMarks, result: SubmissionResult) -> str:
    """Identify the files of a page: when submitted and graded, and their hash."""
    parts = []
    if record.timestamp:
        parts.append(f"submitted {local_time(record.timestamp)}")
    if result.graded:
        parts.append(f"graded {local_time(result.graded)}")
    if result.handed_in:
        parts.append(f"file hash {result.handed_in[:4]}")
    return ", ".join(parts)


def report(
    course: Course,
    standings: Standings,
    *,
    find_similar: bool = False,
) -> tuple[Path, list[str]]:
    """Write the class report; return its path and its lines for a terminal.

    `standings` are what `participants` returns. With `find_similar`, it looks for
    unusually similar long answers.
    """
    graded = graded_notebooks(
        course=course,
        standings=standings,
        purpose="a report",
    )
    full_names = {s: _full_name(each.person) or s for s, each in standings.items()}
    names = labels(full_names)

    def names_of(status: Status) -> dict[str, str]:
        return {
            student: names[student]
            for student, each in standings.items()
            if each.result.status == status
        }

    rendered, lines = class_report(
        notebooks=graded,
        outlines=course.outlines,
        missing=names_of("missing"),
        excused=names_of("excused"),
        late_without_time=late_without_time(standings),
        find_similar=find_similar,
        groups=course.read_column("group"),
        permissions=course.options.describe_permissions(course.assignment),
    )
    return _write_report(
        course=course,
        name=course.assignment,
        text=rendered,
    ), lines


def term_report(
    course: Course,
    table: pd.DataFrame,
    columns: Mapping[str, str],
) -> Path:
    """Write the pages of a whole term, from what `tables.term` returns.

    One page is for the teacher. The folder ``term`` next to it has one for each
    student.
    """
    rows = table.reset_index().to_dict("records")
    values = {"columns": columns, "local_time": local_time}
    for row in rows:
        page = render(
            "term.html",
            rows=[row],
            own=True,
            **values,
        )
        _write_report(
            course=course,
            name=f"term/{row['student']}",
            text=page,
        )
    text = render(
        "term.html",
        rows=rows,
        own=False,
        **values,
    )
    return _write_report(
        course=course,
        name="term",
        text=text,
    )


def _write_report(
    course: Course,
    name: str,
    text: str,
) -> Path:
    page = course.root / f"report/{name}.html"
    write_file(page, text)
    return page


def feedback(
    course: Path | Course,
    assignment: str,
    progress: Progress | None = None,
    students: Collection[str] | None = None,
) -> Path:
    """Write the feedback page of every submitted notebook; return their folder.

    A page is not made again if its grades, comments and notebook have not changed.

    Parameters
    ----------
    progress : callable, optional
        Called for each page that is made.
    students : collection of str, optional
        Look only at the pages of these.

    Raises
    ------
    CourseError
        Nothing is graded yet, or a page cannot be made.
    """
    course = Course.load(course, assignment)
    converter = course.converter(ProctoredFeedback)
    converter.course = course
    converter.on_page = progress
    converter.students = students
    run(converter, f"Writing feedback for {assignment!r}")
    return Path(converter.coursedir.root, converter.coursedir.feedback_directory)


def pages(course: Course) -> list[tuple[str, Path, Path]]:
    """Return the pages made so far: student id, page, and the notebook next to it.

    A student without a submission has no page here.
    """
    return [
        (student, page, notebook_of(page))
        for student in course.submissions()
        for page in sorted(course.folder("feedback", student).glob("*.html"))
    ]


class ProctoredFeedback(GenerateFeedback):  # type: ignore[misc]
    """`GenerateFeedback` with nbproctor's pages, also for ungradable submissions.

    Files next to a graded notebook are not copied, because no page shows them.
    """

    #: Called with the number of pages made so far, and in all.
    on_page: Progress | None = None
    #: Students whose pages are checked; None: all that ``coursedir`` chooses.
    students: Collection[str] | None = None
    #: The course, if it has been read already.
    course: Course | None = None

    def start(self) -> None:
        """Write every page whose inputs have changed (all with ``force``)."""
        doing = f"writing the feedback of {self.coursedir.assignment_id!r}"
        with raise_nbgrader_errors(self), course_lock(Path(self.coursedir.root), doing):
            self._run()

    def _run(self) -> None:
        assignment = self.coursedir.assignment_id
        course = self.course or Course.from_converter(self)
        outlines = course.outlines
        standings = participants(course, students=self.students)
        makers = {name: _maker(outline) for name, outline in outlines.items()}
        waiting = []
        by_student = defaultdict(list)
        for graded in graded_notebooks(
            course=course,
            standings=standings,
            purpose="feedback",
        ):
            job = _make_job(course, graded, makers[graded.notebook])
            if self.force or not job.is_made:
                waiting.append(job)
                by_student[graded.student].append(str(graded.path or job.page))
        for student in by_student:
            copy_for_release(course, student)
        try:
            for number, job in enumerate(make(waiting, outlines), start=1):
                self.log.info("Made %s", job.page)
                if self.on_page:
                    self.on_page(number, len(waiting))
        finally:
            for student, notebooks in by_student.items():
                if course.folder("feedback", student).exists():
                    self.notebooks = notebooks
                    self.set_permissions(assignment, student)
                    self.run_post_convert_hook()
        if not self.course:  # otherwise grading has reported this
            for student, reason in course.find_unwritable(standings).items():
                raise PageError(f"{student}: {reason}. All other pages were made.")


def copy_for_release(course: Course, student: str) -> None:
    """Copy the files that ``nbgrader release_feedback`` needs next to a page.

    They tell the exchange to which submission the page belongs.
    """
    handed_in = course.folder("submitted", student)
    pages = course.folder("feedback", student)
    if secret := read_secret(handed_in):
        write_file(pages / SECRET, secret)
    if when := submission_time(handed_in):  # a time, not a student's text
        write_file(pages / TIMESTAMP_FILE, f"{when} UTC")


def read_secret(handed_in: Path) -> bytes:
    """Return the secret that names a submission's pages in the exchange, or nothing."""
    file = find(handed_in, SECRET)
    with suppress(RefusedFileError, UnicodeDecodeError):
        if file and file.size < MAX_SIDE:
            secret = file.read()
            secret.decode()  # nbgrader does the same
            return secret
    return b""


def remove_pages(pages_folder: Path, notebooks: Iterable[str]) -> None:
    """Remove pages of an earlier submission, which must not be taken for this one's."""
    for name in notebooks:
        page = pages_folder / f"{name}.html"
        for path in (page, notebook_of(page)):
            if path.is_dir():  # not a page, but in its place
                shutil.rmtree(path)
            path.unlink(missing_ok=True)
    if pages_folder.is_dir() and not any(pages_folder.glob("*.html")):
        # Otherwise it would be released, or zipped, without a page.
        shutil.rmtree(pages_folder)


def _make_job(
    course: Course,
    graded: GradedNotebook,
    maker: bytes,
) -> PageJob:
    """Return the job of a page: its path, and the fingerprint of all its inputs."""
    pages_folder = course.folder("feedback", graded.student)
    facts = replace(graded, path=None)
    key = hashlib.sha256(maker)
    key.update(msgspec.json.encode(facts, order="deterministic"))
    if graded.path:
        key.update(graded.path.read_bytes())
    return PageJob(
        graded=graded,
        page=pages_folder / f"{graded.notebook}.html",
        key=key.hexdigest(),
    )


def _maker(outline: Outline) -> bytes:
    """Return the fingerprint of assignment and code, which all pages depend on."""
    digest = hashlib.sha256(msgspec.json.encode(outline, order="deterministic"))
    package = Path(nbproctor.__file__).parent
    for pattern in ("pages/*.*", "templates/*.*", "results.py", "statuses.py"):
        for path in sorted(package.glob(pattern)):
            digest.update(path.read_bytes())
    return digest.digest()
