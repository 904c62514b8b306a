"""Decision on a submission: its status, and whether its marks are written at all.

If the student has submitted something else, the new mark simply counts. If the same
files earn less than before, because a test or a limit was changed, the mark that a
student may have seen stays until a teacher confirms the lower one. Marks and comments
that a person wrote into the gradebook are never touched.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Collection
from dataclasses import dataclass, field
from datetime import UTC, datetime

from nbproctor.nbgrader import gradebook
from nbproctor.nbgrader.answers import answered_below, describe_changes
from nbproctor.nbgrader.feedback import remove_pages
from nbproctor.nbgrader.gradebook import CellKey, SharedGradebook
from nbproctor.nbgrader.marks import StudentMarks
from nbproctor.nbgrader.options import RunOptions
from nbproctor.nbgrader.prefetch import Submission, not_run
from nbproctor.nbgrader.run import Run
from nbproctor.nbgrader.submitted import submission_time
from nbproctor.results import SubmissionResult, cells_of
from nbproctor.statuses import STATUSES, Status

log = logging.getLogger(__name__)

NOTHING_ANSWERED = (
    "No exercise is answered: this is the notebook as it was given out, or the wrong "
    "file."
)


@dataclass(frozen=True)
class MarkChange:
    """A change of a student's total points; None means that there is no mark."""

    student: str
    before: float | None  # of the graded parts, while both totals wait for a person
    after: float | None
    reason: str  # in a few words
    is_kept: bool  # the new mark is lower for the same files, so the earlier one stays
    # Test cell → points before and after, where they differ.
    cells: dict[str, tuple[float | None, float | None]] = field(
        default_factory=dict, compare=False
    )


def decide(
    submission: Submission,
    previous: SubmissionResult,
    before: StudentMarks,
    after: StudentMarks,
    may_lower: bool,
) -> MarkChange | None:
    """Decide on the marks of a submission that had a result before.

    A mark may not fall for the same files, with two exceptions: `may_lower`, and a late
    penalty after a deadline or a submission time was changed. None: nothing has
    changed.
    """
    total_before = before.total()
    total = after.total()
    if total_before is total is None:  # the same parts wait for a person
        total_before = before.total_so_far()
        total = after.total_so_far()
    points_before = {(g.notebook, g.cell): g.points for g in before.grades}
    cells = {}
    for grade in after.grades:
        points = points_before.get((grade.notebook, grade.cell))
        if points != grade.points:
            cells[grade.cell] = points, grade.points
    if not cells and total_before == total:
        return None
    # These files cannot be read now, but could be before: they are the same files.
    is_unread = submission.has_unreadable_files and submission.reasons
    is_new = not is_unread and previous.handed_in != submission.fingerprint
    is_other_time = previous.late != after.late
    if is_new:
        reason = "submitted again"
    elif not submission.repaired:
        reason = " ".join(dict.fromkeys(submission.reasons.values()))
    elif is_other_time and before.penalty != after.penalty:
        reason = "submission time changed"
        if before.timestamp == after.timestamp:
            reason = "deadline changed"
    elif not cells:
        reason = f"the late penalty is now {after.penalty:g}, not {before.penalty:g}"
    elif previous.max_score != after.max_score:
        reason = f"the maximum is now {after.max_score:g}"
    else:
        reason = "graded again"
    is_only_later = is_other_time and after.earned >= before.earned
    may_fall = may_lower or is_new or is_only_later
    is_lower = total_before is not None and (total is None or total < total_before)
    return MarkChange(
        student=submission.student,
        before=total_before,
        after=total,
        reason=reason,
        is_kept=is_lower and not may_fall,
        cells=cells,
    )


def _status(submission: Submission, marks: StudentMarks) -> Status:
    if not submission.repaired:
        return "ungradable"
    all_repaired = submission.repaired.values()
    if (
        submission.reasons
        or not all(repaired.is_complete for repaired in all_repaired)
        or any(
            report.notes or not_run(report) for report in submission.reports.values()
        )
    ):
        return "partial"
    if any(repaired.notes for repaired in all_repaired):
        return "repaired"
    return "late" if marks.late else "graded"


def _result_in_gradebook(
    submission: Submission, marks: StudentMarks
) -> SubmissionResult | None:
    """Return the result that the gradebook has, if there is one.

    It is needed where ``autograded/`` has none: after a backup was restored, or if
    plain nbgrader has graded. Then files of the same time are the same files.
    """
    if marks.total_so_far() is None:
        return None
    is_same = submission_time(submission.folder) in (None, marks.timestamp)
    return SubmissionResult(
        student=submission.student,
        status="graded",
        reason="This mark is the gradebook's: its files in autograded/ are missing.",
        score=marks.total(),
        max_score=marks.max_score,
        handed_in=submission.fingerprint if is_same else "",
        late=marks.late,
    )


@dataclass
class Decisions:
    """Decides on the submissions of a run, one after the other, and writes.

    `on_result` is called with each result, new or unchanged.
    """

    run: Run
    book: SharedGradebook
    options: RunOptions
    on_result: Callable[[SubmissionResult], None]
    changes: list[MarkChange] = field(default_factory=list)

    def grade_and_decide(
        self, submission: Submission, write_scores: Callable[[], None]
    ) -> SubmissionResult | None:
        """Grade a submission; return its result, or None if an earlier one stays.

        The files of an earlier result are removed, unless it stays. All that
        `write_scores` and this method write into the gradebook is one transaction: all
        of it is written, or nothing. Results are reported only afterwards, because the
        receiver may write into the gradebook.
        """
        run = self.run
        student = submission.student
        with self.book.transaction() as commit:
            previous_marks = run.course.marks(student)[student]
            previous = SubmissionResult.read(
                run.graded_folder(student)
            ) or _result_in_gradebook(submission, previous_marks)
            write_scores()
            is_same = previous and previous.handed_in == submission.fingerprint
            self._annotate(submission, previous_marks.reviewed if is_same else ())
            marks = run.course.marks(student)[student]
            change = None
            since = {}
            if previous:
                since = self._since(
                    submission=submission,
                    previous=previous,
                    previous_marks=previous_marks,
                    marks=marks,
                )
                may_lower = self.options.allow_lower
                change = decide(submission, previous, previous_marks, marks, may_lower)
            if change:
                self.changes.append(change)
            is_kept = change and change.is_kept
            if not is_kept:
                commit()
                run.remove_graded(student)
                if not self.options.keep_pages:
                    # Feedback on an earlier submission must not be taken for this
                    # one's.
                    pages = run.course.folder("feedback", student)
                    remove_pages(pages, run.masters)
        if previous and is_kept:
            self.on_result(previous)
            return None
        return self._result(submission, marks, since)

    def _result(
        self,
        submission: Submission,
        marks: StudentMarks,
        since: dict[str, str],
    ) -> SubmissionResult:
        """Return the content of ``grading.json`` for a submission."""
        status = _status(submission, marks)
        notes = submission.notes()
        all_repaired = submission.repaired.values()
        if all_repaired and not any(repaired.answered for repaired in all_repaired):
            for sentences in notes.values():
                sentences.append(NOTHING_ANSWERED)
        reason = [sentence for sentences in notes.values() for sentence in sentences]
        if all_repaired:
            if marks.late:
                delay = f"{marks.late / 3600:.1f} hours"
                if marks.late < 3600:
                    delay = f"{max(round(marks.late / 60), 1)} min"
                reason.append(f"Submitted {delay} late.")
        elif by_hand := [grade.cell for grade in marks.grades if grade.by_hand]:
            reason.append(f"Marks given by hand stay: {', '.join(by_hand)}.")
        return SubmissionResult(
            student=submission.student,
            status=status,
            reason=" ".join(dict.fromkeys(reason)),
            score=None if STATUSES[status].is_failure else marks.total(),
            max_score=marks.max_score,
            notes=notes,
            verdicts={n: report.verdicts for n, report in submission.reports.items()},
            handed_in="" if submission.try_again else submission.fingerprint,
            graded_with=self.run.graded_with,
            late=marks.late,
            graded=datetime.now(UTC).replace(microsecond=0),
            since=since,
            untried={
                name: report.untried for name, report in submission.reports.items()
            },
        )

    def mark_ungradable(self, submission: Submission) -> None:
        """Withdraw the scores of an ungradable submission if this is allowed."""
        assignment = self.run.course.assignment
        student = submission.student

        def enter() -> None:
            self.book.update_or_create_student(student)
            timestamp = submission_time(submission.folder)
            self.book.update_or_create_submission(
                assignment, student, timestamp=timestamp
            )

        if result := self.grade_and_decide(submission, enter):
            self.write(submission, result)

    def write(self, submission: Submission, result: SubmissionResult) -> None:
        """Write ``grading.json``: only then is the submission done."""
        result.write(self.run.graded_folder(submission.student))
        for report in submission.reports.values():
            for note in report.notes:  # what was stopped, after how many seconds
                log.warning("%s: %s", submission.student, note)
        self.on_result(result)

    def _annotate(self, submission: Submission, reviewed: Collection[CellKey]) -> None:
        """Withdraw scores that say nothing, and write remarks next to the answers.

        `reviewed` are notebooks and cells with the same answers as before: no person
        has to look at them again, which nbgrader asks for.
        """
        book = self.book
        key = self.run.course.assignment, submission.student
        notes = submission.notes()
        for notebook in book.find_submission(*key).notebooks:
            name = notebook.name
            if name in submission.reasons:
                gradebook.withdraw(notebook, submission.reasons[name])
            elif report := submission.reports.get(name):
                for cell in not_run(report):
                    gradebook.unscore(book.find_grade(cell, name, *key))
                gradebook.write_comments(
                    notebook=notebook,
                    sentences=notes[name],
                    verdicts=report.verdicts,
                )
            repaired = submission.repaired.get(name)
            outline = self.run.course.outlines.get(name)
            if repaired and outline:
                for cell in answered_below(outline, repaired.notebook["cells"]):
                    gradebook.unscore(book.find_grade(cell, name, *key))
        for name, cell in reviewed:
            book.find_grade(cell, name, *key).needs_manual_grade = False

    def _since(
        self,
        submission: Submission,
        previous: SubmissionResult,
        previous_marks: StudentMarks,
        marks: StudentMarks,
    ) -> dict[str, str]:
        """Describe how each notebook has changed since the last submission."""
        if previous.handed_in == submission.fingerprint:
            return previous.since
        run = self.run
        folder = run.graded_folder(submission.student)
        sentences = {}
        for name, outline in run.course.outlines.items():
            path = folder / f"{name}.ipynb"  # the earlier one
            repaired = submission.repaired.get(name)
            if repaired and path.is_file():
                sentences[name] = describe_changes(
                    exercises=outline.exercises,
                    marks_before=previous_marks.marks(name),
                    marks=marks.marks(name),
                    cells_before=cells_of(path),
                    cells=repaired.notebook["cells"],
                )
        return sentences
