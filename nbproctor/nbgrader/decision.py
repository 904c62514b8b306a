"""Decision on a submission: its status, and whether its marks are written at all.

A mark can change because the student handed in something else, and then it is simply
the mark of that. Where the same files earn less than before, because a test or a limit
was changed, the mark that a student may have seen is kept until somebody says that the
lower one is meant. What a person wrote into the gradebook is never touched.
"""

from __future__ import annotations

import contextlib
import logging
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime

from nbproctor.nbgrader import gradebook
from nbproctor.nbgrader.feedback import forget
from nbproctor.nbgrader.gradebook import SharedGradebook
from nbproctor.nbgrader.marks import StudentMarks, read_marks
from nbproctor.nbgrader.prefetch import Submission, submission_time
from nbproctor.nbgrader.run import Run
from nbproctor.pages.summary import cells_of, since
from nbproctor.results import FILE, Report, Status, SubmissionResult

log = logging.getLogger(__name__)

NOTHING_ANSWERED = "No exercise in it is answered: it may be the wrong file."


@dataclass(frozen=True)
class MarkChange:
    """A student whose mark is not what it was: total points; None is no mark."""

    student: str
    before: float | None
    after: float | None
    why: str  # in a few words
    kept: bool  # it would be lower for the same files, and the one before was kept
    # Test cell → points before and after, where they differ.
    cells: dict[str, tuple[float | None, float | None]] = field(
        default_factory=dict, compare=False
    )

    @property
    def lower(self) -> bool:
        """Whether something was lost."""
        return self.before is not None and (
            self.after is None or self.after < self.before
        )


class Decisions:
    """Decides on the submissions of a run, one after the other.

    Within `begin`, all that is written into the gradebook is one transaction: it stands
    as a whole if `stands` or `give_up` says so, or nothing of it does. `tell` is called
    with each result when it is written.
    """

    def __init__(
        self,
        run: Run,
        book: SharedGradebook,
        may_lower: bool,
        tell: Callable[[SubmissionResult], None],
    ) -> None:
        self.changes: list[MarkChange] = []
        self._run = run
        self._book = book
        self._may_lower = may_lower
        self._tell = tell

    @contextlib.contextmanager
    def begin(self, submission: Submission) -> Iterator[None]:
        """Hold back what is written; what was not committed is forgotten in the end.

        Only then is anything told: whoever is told may write into the gradebook.
        """
        graded = self._run.graded_folder(submission.student)
        self._kept: SubmissionResult | None = None
        with self._book.transaction() as self._commit:
            self._was = SubmissionResult.read(graded)
            self._before = self._marks(submission) if self._was else StudentMarks()
            yield
        if self._kept is not None:
            self._tell(self._kept)

    def stands(self, submission: Submission) -> SubmissionResult | None:
        """Return the result of what nbgrader has graded, if it is to be written."""
        row = self._book.find_submission(self._run.assignment, submission.student)
        notes, complete = submission.notes(), not submission.reasons
        gradebook.withdraw(row, submission.reasons)
        for notebook in row.notebooks:
            if report := submission.reports.get(notebook.name):
                told, not_run = notes[notebook.name], _not_run(report)
                if not_run:
                    gradebook.unscore(notebook, not_run)
                told += [f"{test}: {why}" for test, why in not_run.items()]
                gradebook.remark(notebook, told, report.verdicts)
                complete = complete and not (report.notes or not_run)
        marks = self._marks(submission)
        status: Status = "graded"
        if not complete:
            status = "partial"
        elif any(repaired.notes for repaired in submission.repaired.values()):
            status = "repaired"
        elif marks.late:
            status = "late"
        if not any(repaired.answered for repaired in submission.repaired.values()):
            for sentences in notes.values():
                sentences.append(NOTHING_ANSWERED)
        said = [*dict.fromkeys(s for sentences in notes.values() for s in sentences)]
        if marks.late:
            said.append(f"Handed in {marks.late / 3600:.1f} hours late.")
        if waiting := marks.waiting:
            said.append(f"To be graded by hand: {', '.join(waiting)}.")
        result = self._result(submission, status, said, marks, notes)
        return result if self._decide(submission, marks) else None

    def give_up(self, submission: Submission) -> None:
        """Take back the scores of what cannot be graded, if it may be, and say why."""
        with self.begin(submission):
            self._book.update_or_create_student(submission.student)
            row = self._book.update_or_create_submission(
                self._run.assignment, submission.student
            )
            row.timestamp = submission_time(submission.folder)
            gradebook.withdraw(row, submission.reasons)
            marks = self._marks(submission)
            stands = self._decide(submission, marks)
        if stands:
            said = [*dict.fromkeys(submission.reasons.values())]
            if by_hand := [g.cell for g in marks.grades if g.by_hand]:
                said.append(f"Marks given by hand stay: {', '.join(by_hand)}.")
            notes = submission.notes()
            result = self._result(submission, "ungradable", said, marks, notes)
            self._clear(submission.student)
            self.write(submission, result)

    def _marks(self, submission: Submission) -> StudentMarks:
        student = submission.student
        read = read_marks(self._book, self._run.assignment, student)
        return read.get(student, StudentMarks())

    def _decide(self, submission: Submission, marks: StudentMarks) -> bool:
        """Commit what was written, unless a mark would fall that may not."""
        was = self._was
        if was is not None and self._before.total() != marks.total():
            # What cannot be read now was read before: nobody handed in anything else.
            closed = submission.closed and bool(submission.reasons)
            handed_in_again = submission.fingerprint != was.handed_in and not closed
            change = self._change(submission, marks, handed_in_again)
            if change.lower and not handed_in_again and not self._may_lower:
                self.changes.append(replace(change, kept=True))
                self._kept = was
                return False
            self.changes.append(change)
        self._commit()
        # Feedback on an earlier submission must not stand for this one.
        run = self._run
        pages = run.course.folder("feedback", run.assignment, submission.student)
        forget(pages, [master.notebook for master in run.masters])
        return True

    def _change(
        self, submission: Submission, marks: StudentMarks, handed_in_again: bool
    ) -> MarkChange:
        before = {(g.notebook, g.cell): g.points for g in self._before.grades}
        cells = {
            g.cell: (before.get((g.notebook, g.cell)), g.points)
            for g in marks.grades
            if before.get((g.notebook, g.cell)) != g.points
        }
        why = "handed in again" if handed_in_again else "graded again"
        if submission.reasons and not handed_in_again:
            why = " ".join(dict.fromkeys(submission.reasons.values()))
        elif not cells:
            old, new = self._before.penalty, marks.penalty
            why = f"the late penalty is {new:g}, not {old:g}"
        totals = self._before.total(), marks.total()
        return MarkChange(submission.student, *totals, why, False, cells)

    def _result(
        self,
        submission: Submission,
        status: Status,
        said: list[str],
        marks: StudentMarks,
        notes: dict[str, list[str]],
    ) -> SubmissionResult:
        return SubmissionResult(
            submission.student,
            status,
            " ".join(said),
            None if status == "ungradable" else marks.total(),
            marks.max_score,
            notes=notes,
            verdicts={name: r.verdicts for name, r in submission.reports.items()},
            handed_in="" if submission.try_again else submission.fingerprint,
            graded_with=self._run.graded_with,
            seconds={name: r.seconds for name, r in submission.reports.items()},
            late=marks.late,
            graded=datetime.now(UTC).replace(microsecond=0),
            since=self._since(submission, marks),
        )

    def _since(self, submission: Submission, marks: StudentMarks) -> dict[str, str]:
        """Say what became of each notebook since its student handed in before."""
        was, run, told = self._was, self._run, dict[str, str]()
        if was is None or was.handed_in == submission.fingerprint:
            return was.since if was else told
        folder = run.graded_folder(submission.student)
        for name, outline in run.course.outlines(run.assignment).items():
            path, repaired = folder / f"{name}.ipynb", submission.repaired.get(name)
            if repaired and path.is_file():  # the one of before
                cells = cells_of(path), repaired.notebook["cells"]
                both = self._before.marks(name), marks.marks(name)
                told[name] = since(outline, *both, cells)
        return told

    def _clear(self, student: str) -> None:
        """Remove what an earlier, or an interrupted, run left."""
        folder = self._run.graded_folder(student)
        if self._run.all_notebooks:
            shutil.rmtree(folder, ignore_errors=True)
        for name in [FILE, *(f"{m.notebook}.ipynb" for m in self._run.masters)]:
            (folder / name).unlink(missing_ok=True)

    def write(self, submission: Submission, result: SubmissionResult) -> None:
        """Write ``grading.json``: only then is the submission done."""
        result.write(self._run.graded_folder(submission.student))
        for report in submission.reports.values():
            for note in report.notes:  # what was stopped, after how many seconds
                log.warning("%s: %s", submission.student, note)
        self._tell(result)


def _not_run(report: Report) -> dict[str, str]:
    """Return the tests that say nothing about the answer: test → why.

    A broken test, or one for which no time was left: nothing is graded with it.
    """
    return {
        verdict.cell_id: verdict.message
        for verdict in report.verdicts
        if verdict.outcome == "not run" and verdict.max_points
    }
