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
from nbproctor.nbgrader.people import participants
from nbproctor.nbgrader.submitted import submission_time
from nbproctor.results import SubmissionResult

Progress = Callable[[SubmissionResult], None]


def proctor(config: Config) -> None:
    """Switch nbproctor on: call it in ``nbgrader_config.py`` with ``c``.

    From then on, for this process only, ``Autograde`` is `ProctoredAutograde` and
    ``GenerateFeedback`` is `ProctoredFeedback` in nbgrader's own commands and behind
    formgrader's buttons; ``collect`` and ``release_feedback`` let in only students' own
    regular files, and stop for no single student; ``nbgrader export`` writes no 0 for
    what was not graded, or names whose work it is; and notebooks are not validated
    after every preprocessor.
    All else that the configuration says stays in force, before this call or after it.

    Where nbproctor is not installed, nbgrader would pass over the error and grade
    without a sandbox. What `nbproctor init` writes (`kit.starter.SWITCH`) has
    ``autograde`` refuse then, and nothing else.

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


# As soon as a course asks for it: nbgrader passes over an error in a configuration, and
# would then grade without a sandbox. Without ``enabled``, this class grades nothing.
nbgrader.apps.autogradeapp.Autograde = ProctoredAutograde
nbgrader.apps.api.Autograde = ProctoredAutograde
nbgrader.apps.generatefeedbackapp.GenerateFeedback = ProctoredFeedback
nbgrader.apps.api.GenerateFeedback = ProctoredFeedback
# A course may have an exchange of another kind, which has no such folders.
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

    nbgrader's own takes whole paths for patterns, in which brackets mean something
    else: of the student ``anna[1]`` it would leave out nothing.
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

    What is graded already, and has not changed since, is not graded again; so the
    same call finishes a class after an interruption.

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
        One a student, sorted by student id; what cannot be graded is ``ungradable``
        with a reason, and never ends the class. Without `students`, those whom the
        gradebook knows and who submitted nothing are ``missing``.

    Raises
    ------
    CourseError
        The assignment is unknown, or not released as it stands; nothing was handed
        in; or nothing can be executed on this computer.
    """
    options = RunOptions(
        students,
        force=force,
        allow_lower=True,
        weak_sandbox=weak_sandbox,
        cluster=cluster,
    )
    return regrade(course, assignment, progress, options)[0]


def regrade(
    course: Path | Course,
    assignment: str,
    progress: Progress | None = None,
    options: RunOptions | None = None,
    *,
    pool: Pool | None = None,
) -> tuple[list[SubmissionResult], list[MarkChange]]:
    """Grade as `grade` does; return its results, and whose mark has changed.

    Marks and comments given by hand stay, whatever the tests say now. Without
    `options`, no mark becomes lower for the same files: it is kept, with the result
    from before. `pool` executes and stays open.
    """
    options = options or RunOptions()
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
    standings = participants(course, converter.results, only).values()
    results = [each.result for each in standings]
    return results, sorted(converter.changes, key=attrgetter("student"))
