"""State of one grading run, made when the run starts; and where it executes."""

from __future__ import annotations

import logging
import shutil
from collections import defaultdict
from collections.abc import Collection, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from functools import cached_property
from pathlib import Path

from nbproctor.engine import Cache, CachingExecutor, EngineError, Executor, Pool
from nbproctor.nbgrader.course import Course
from nbproctor.nbgrader.marks import StudentMarks
from nbproctor.nbgrader.options import Nbproctor
from nbproctor.nbgrader.placement import apply_trust, describe_placement
from nbproctor.nbgrader.submitted import is_same_time
from nbproctor.results import FILE, SubmissionResult

CACHE = ".nbproctor.cache"  # in the course's folder
log = logging.getLogger(__name__)


class Run:
    """What one run grades, how it grades it, and how far it has come.

    `replaceable` names the assignment's own files that a student may replace.
    `CourseError`: the assignment cannot be graded as it stands.
    """

    def __init__(
        self,
        course: Course,
        options: Nbproctor,
        force: bool,
        replaceable: Collection[str],
    ) -> None:
        self.course = course
        self.options = options
        self.force = force
        masters = {master.notebook: master for master in course.masters}
        # The notebooks to grade, by name, and the names of all notebooks.
        self.masters = {name: masters[name] for name in course.outlines}
        self.notebooks = frozenset(masters)
        self.settings = course.settings(options, replaceable)
        self.folders: dict[str, Path] = {}  # student → submitted
        self.graded_with: list[str] = []  # conditions of `masters`

    @cached_property
    def marks(self) -> defaultdict[str, StudentMarks]:
        """The marks in the gradebook when the run began: student → marks."""
        return self.course.marks()

    def graded_folder(self, student: str) -> Path:
        """Return the folder of a student's graded notebooks."""
        return self.course.folder("autograded", student)

    def remove_graded(self, student: str) -> None:
        """Remove the results of earlier runs for the notebooks that are graded now.

        Without ``grading.json``, which goes first, they count as not graded.
        """
        folder = self.graded_folder(student)
        for name in [FILE, *(f"{name}.ipynb" for name in self.masters)]:
            (folder / name).unlink(missing_ok=True)
        if self.masters.keys() == self.notebooks:
            shutil.rmtree(folder, ignore_errors=True)

    @contextmanager
    def executor(self, pool: Pool | None) -> Iterator[CachingExecutor]:
        """Yield the executor of the submissions, with the course's cache.

        `pool` is used, and stays open, if given. `EngineError`: no scheduler answers,
        or Dask is not installed.
        """
        folder = Path(self.course.coursedir.root, CACHE)
        with nullcontext(pool) if pool else _opened(self.options) as running:
            yield CachingExecutor(
                cache=Cache(folder, self.options.cache_megabytes << 20),
                executor=running,
                force=self.force,
            )

    def place_tests(self, pool: CachingExecutor) -> None:
        """Determine where each test cell is judged, if that is not recorded."""
        settings = self.course.settings(self.options)
        for master in self.course.place_tests(settings, pool):
            if master.notebook in self.masters:
                self.masters[master.notebook] = apply_trust(master, self.options.trust)
        masters = self.masters.values()
        for line in describe_placement(masters):
            log.warning("%s", line)
        self.graded_with = [pool.conditions_digest(m, self.settings) for m in masters]

    def reusable_result(self, student: str) -> SubmissionResult | None:
        """Return the earlier result, if it is valid for the same files.

        Its marks must still be in the gradebook, and its files in the student's folder.
        """
        graded = self.graded_folder(student)
        earlier = None if self.force else SubmissionResult.read(graded)
        marks = self.marks[student]
        if (
            earlier
            and earlier.graded_with == self.graded_with
            and is_same_time(earlier, marks, self.folders[student])
            and earlier.scores() <= {(g.notebook, g.cell, g.auto) for g in marks.grades}
            and all((graded / f"{name}.ipynb").exists() for name in earlier.verdicts)
        ):
            return earlier
        return None


def _opened(options: Nbproctor) -> AbstractContextManager[Executor]:
    if not options.cluster:
        return Pool(options.workers)
    try:
        from nbproctor.engine.cluster import Cluster
    except ImportError as error:
        raise EngineError(
            "Grading on a cluster needs the package distributed, in the version given "
            "in requirements.lock: pip install 'nbproctor[cluster]'."
        ) from error
    return Cluster(options.cluster)
