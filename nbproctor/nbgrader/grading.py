"""Grading of a class: nbproctor switched on in nbgrader, and the same from Python."""

from __future__ import annotations

import fnmatch
from collections.abc import Callable, Collection, Sequence
from datetime import datetime
from operator import attrgetter
from pathlib import Path

import nbgrader.apps.api
import nbgrader.apps.autogradeapp
import nbgrader.apps.generatefeedbackapp
from nbgrader import utils
from nbgrader.exchange import ExchangeFactory
from traitlets.config import Config

from nbproctor.engine import Pool
from nbproctor.nbgrader.autograder import ProctoredAutograde
from nbproctor.nbgrader.course import Course
from nbproctor.nbgrader.decision import MarkChange
from nbproctor.nbgrader.exchange import ProctoredCollect, ProctoredReleaseFeedback
from nbproctor.nbgrader.export import Export, patch_export
from nbproctor.nbgrader.failures import run
from nbproctor.nbgrader.feedback import ProctoredFeedback
from nbproctor.nbgrader.options import RunOptions
from nbproctor.nbgrader.standings import participants
from nbproctor.nbgrader.submitted import submission_time
from nbproctor.results import SubmissionResult

Progress = Callable[[SubmissionResult], None]


def proctor(config: Config) -> None:
    """Switch nbproctor on: call it in ``nbgrader_config.py`` with ``c``.

    From then on, for this process only, ``Autograde`` is `ProctoredAutograde` and
    ``GenerateFeedback`` is `ProctoredFeedback` in nbgrader's own commands and behind
    formgrader's buttons; ``collect`` and ``release_feedback`` accept only students' own
    regular files, and continue if one student fails; ``nbgrader export`` writes no 0
    for a submission that was not graded, or lists it; and notebooks are not validated
    after every preprocessor. All other options of the configuration stay in force.

    If nbproctor is not installed, nbgrader would ignore the error and grade without a
    sandbox. So the lines that `nbproctor init` writes (`kit.starter.SWITCH`) make
    ``autograde`` refuse then.

    Parameters
    ----------
    config : Config
        The configuration that nbgrader is reading.
    """
    config.NotebookExporter.optimistic_validation = True
    config.ExportApp.setdefault("plugin_class", Export)
    patch_export()
    utils.is_ignored = _is_ignored
    config.Nbproctor.enabled = True


# This comes first, because nbgrader ignores an error in a configuration, and would then
# grade without a sandbox. Without ``enabled``, this class grades nothing.
nbgrader.apps.autogradeapp.Autograde = ProctoredAutograde
nbgrader.apps.api.Autograde = ProctoredAutograde
nbgrader.apps.generatefeedbackapp.GenerateFeedback = ProctoredFeedback
nbgrader.apps.api.GenerateFeedback = ProctoredFeedback
# Another kind of exchange may have no such folders.
ExchangeFactory.collect.default_value = ProctoredCollect
ExchangeFactory.release_feedback.default_value = ProctoredReleaseFeedback


def _get_submitted_timestamp(
    api: nbgrader.apps.NbGraderAPI,
    assignment: str,
    student: str,
) -> datetime | None:
    """Return when somebody submitted; formgrader would wait for a pipe of that name."""
    coursedir = api.coursedir
    return submission_time(
        Path(coursedir.format_path(coursedir.submitted_directory, student, assignment))
    )


nbgrader.apps.NbGraderAPI.get_submitted_timestamp = _get_submitted_timestamp


def _is_ignored(filename: str, ignore_globs: Sequence[str] | None = None) -> bool:
    """Whether the name of a file (not of its folders) matches one of the patterns.

    nbgrader's own function puts the whole path into a pattern, in which brackets have a
    meaning: for the student ``anna[1]``, it would leave out nothing.
    """
    name = Path(filename).name
    return any(
        fnmatch.fnmatch(name, pattern)
        # As with `glob`, only a pattern with a dot in front matches a hidden file.
        and (pattern.startswith(".") or not name.startswith("."))
        for pattern in ignore_globs or ()
    )


def grade(
    course: Path | Course,
    assignment: str,
    students: Collection[str] | None = None,
    progress: Progress | None = None,
    *,
    force: bool = False,
    weak_sandbox: bool = False,
    cluster: str = "",
) -> list[SubmissionResult]:
    """Grade what was submitted, each submission on its own.

    Submissions that are graded and have not changed are skipped, so after an
    interruption, the same call continues.

    Parameters
    ----------
    students : collection of str, optional
        Grade only these; by default everybody who submitted.
    progress : callable, optional
        Called with each result as soon as it is known.
    force, weak_sandbox, cluster
        As of `RunOptions`. Marks may become lower.

    Returns
    -------
    list of SubmissionResult
        One for each student, sorted by student id. A submission that cannot be graded
        is ``ungradable``, with a reason; the others are graded. Without `students`,
        students in the gradebook who submitted nothing are ``missing``.

    Raises
    ------
    CourseError
        The assignment is unknown, or its current source was not released; nothing was
        submitted; or nothing can be executed on this computer.
    """
    options = RunOptions(
        students=students,
        force=force,
        allow_lower=True,
        weak_sandbox=weak_sandbox,
        cluster=cluster,
    )
    return regrade(
        course=course,
        assignment=assignment,
        progress=progress,
        options=options,
    )[0]


def regrade(
    course: Path | Course,
    assignment: str,
    progress: Progress | None = None,
    options: RunOptions = RunOptions(),  # noqa: B008 - it is frozen
    *,
    pool: Pool | None = None,
) -> tuple[list[SubmissionResult], list[MarkChange]]:
    """Grade as `grade` does; return the results and the changed marks.

    Marks and comments by hand stay. Without `options`, no mark becomes lower for the
    same files: the earlier mark and result stay. `pool` executes and stays open.
    """
    course = Course.load(course, assignment)
    converter = course.converter(ProctoredAutograde)
    config = converter.config
    if options.weak_sandbox:
        config.Nbproctor.weak_sandbox = True
    if options.cluster:
        config.Nbproctor.cluster = options.cluster
    proctor(config)
    converter.force = options.force
    converter.course = course
    converter.options = options
    converter.pool = pool
    converter.on_result = progress
    run(converter, f"Grading {assignment!r}")
    only = None
    if options.students is not None:
        only = [result.student for result in converter.results]
    standings = participants(
        course=course,
        new_results=converter.results,
        students=only,
    ).values()
    results = [each.result for each in standings]
    return results, sorted(converter.changes, key=attrgetter("student"))
