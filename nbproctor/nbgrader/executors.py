"""Where the submissions of a course are executed: here, in a cluster, or not at all."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from nbgrader.coursedir import CourseDirectory

from nbproctor.engine import Cache, EngineError, Kept, Pool
from nbproctor.nbgrader.options import Nbproctor
from nbproctor.nbgrader.source import CourseError

CACHE = ".nbproctor.cache"  # in the course's folder
SHOWN = 10


def executor(
    course: CourseDirectory, options: Nbproctor, again: bool, merging: bool = False
) -> Kept:
    """Return what executes a course's submissions, with the course's cache before it.

    With `again` it executes what the cache has, too; `merging`, nothing at all.
    `EngineError`: no scheduler answers, or Dask is not installed.
    """
    cache = Cache(Path(course.root, CACHE), options.cache_megabytes << 20)
    if merging:
        return Kept(cache, None)
    if not options.cluster:
        return Kept(cache, Pool(options.workers or None), again)
    try:
        from nbproctor.engine.cluster import Cluster
    except ImportError as error:
        raise EngineError(
            "Grading on a cluster needs the package distributed, in the version "
            "that requirements.lock names: pip install 'nbproctor[cluster]'."
        ) from error
    return Kept(cache, Cluster(options.cluster), again)


def check_complete(waiting: Sequence[str]) -> None:
    """End a merge with `CourseError` if shards have yet to grade somebody."""
    if waiting:
        names = ", ".join(waiting[:SHOWN])
        more = f" and {len(waiting) - SHOWN:,} more" if waiting[SHOWN:] else ""
        raise CourseError(
            f"No shard has graded {names}{more} as handed in now. Run the shards again "
            "(they execute only what is new), then merge. All others are merged."
        )
