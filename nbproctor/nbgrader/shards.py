"""A share of a class, graded without a gradebook: for many computers at once.

A shard reads ``source/``, ``release/`` and ``submitted/``, and leaves its results in
the course's cache. `grade` with ``merging`` then writes those of all shards into the
gradebook, by the same steps as ever, and executes nothing. Shards that share no disk
come together by copying their caches into one folder.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from nbproctor.engine import EngineError, ExecutionError
from nbproctor.nbgrader.autograder import ProctoredAutograde
from nbproctor.nbgrader.course import Course
from nbproctor.nbgrader.failures import CourseError, Log, of_the_computer
from nbproctor.nbgrader.grading import configured
from nbproctor.nbgrader.options import Nbproctor, RunOptions
from nbproctor.nbgrader.prefetch import Prefetch, Submission
from nbproctor.nbgrader.run import Run, executor
from nbproctor.nbgrader.submitted import handed_in
from nbproctor.sandbox.workers import WorkerError


@dataclass(frozen=True)
class Shard:
    """The `number`-th share of a class, from 1, of `count`: together they are all."""

    number: int
    count: int

    @classmethod
    def parse(cls, text: str) -> Shard:
        """Read ``3/16``; `CourseError` if that is not a shard."""
        found = re.fullmatch(r"(\d+)/(\d+)", text, re.ASCII)
        number, count = map(int, found.groups()) if found else (0, 0)
        if not 1 <= number <= count:
            raise CourseError(
                f"{text!r} is no shard: write 3/16 for the third of sixteen, from 1/16 "
                "to 16/16."
            )
        return cls(number, count)

    def has(self, student: str) -> bool:
        """Whether a student is in this share: by the name's hash, so on any disk."""
        digest = hashlib.blake2b(student.encode(), digest_size=8).digest()
        return int.from_bytes(digest, "big") % self.count == self.number - 1


def grade_shard(
    course: Path | Course,
    assignment: str,
    shard: Shard,
    progress: Callable[[str, str], None] | None = None,
    options: RunOptions | None = None,
) -> dict[str, str]:
    """Execute the submissions of a shard, and leave the results for a merge.

    What has a result already is not executed again. Several shards of a course may
    run at the same time, on one disk or on many. `progress` is called with each student
    and what is returned for it: why the submission, or a notebook of it, cannot be
    graded, or an empty text. `CourseError` as `grade` raises it.
    """
    course = Course.at(course)
    options = options or RunOptions()
    view = configured(course, assignment, options, Log().logger)
    settings = Nbproctor(config=view.config)
    keep = ProctoredAutograde(coursedir=view, config=view.config).exclude_overwriting
    ended: dict[str, str] = {}
    try:
        run = Run.begin(course, assignment, settings, True, keep.get(assignment, []))
        run.folders = handed_in(course, assignment)
        mine = [student for student in sorted(run.folders) if shard.has(student)]
        with executor(view, settings, options.force) as engine:
            run.place_tests(engine)
            with Prefetch(run, mine, engine) as prefetch:
                for student in mine:
                    ended[student] = _why_not(prefetch.take(student))
                    if progress:
                        progress(student, ended[student])
    except (EngineError, WorkerError, OSError, MemoryError) as error:
        raise CourseError(str(of_the_computer(error) or error)) from error
    return ended


def _why_not(submission: Submission) -> str:
    """Wait for the results of a submission; return why there is none, or empty."""
    reasons = [*submission.reasons.values()]
    for _, future in submission.running.values():
        try:
            future.result()
        except ExecutionError as error:
            reasons.append(str(error))
    return " ".join(dict.fromkeys(reasons))
