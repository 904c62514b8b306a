"""Where the submissions of a course are executed: here, in a cluster, or not at all."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from nbgrader.coursedir import CourseDirectory

from nbproctor.engine import Cache, Cluster, Executor, Kept, Pool
from nbproctor.nbgrader.options import Nbproctor
from nbproctor.nbgrader.source import CourseError

CACHE = ".nbproctor.cache"  # in the course's folder
SHOWN = 10


def executor(
    course: CourseDirectory, options: Nbproctor, again: bool, merging: bool = False
) -> Kept:
    """Return what executes a course's submissions, with the course's cache before it.

    Parameters
    ----------
    course, options
        The course, and what it configures.
    again
        Execute what the cache has, too.
    merging
        Execute nothing: only what the cache has.
    """
    cache = Cache(Path(course.root, CACHE), options.cache_megabytes << 20)
    if merging:
        return Kept(cache, None)
    inner: Executor
    if options.cluster:
        inner = Cluster(options.cluster)
    else:
        inner = Pool(options.workers or None)
    return Kept(cache, inner, again)


def check_complete(waiting: Sequence[str]) -> None:
    """End a merge with `CourseError` if shards have yet to grade somebody."""
    if waiting:
        names = ", ".join(waiting[:SHOWN])
        more = f" and {len(waiting) - SHOWN:,} more" if waiting[SHOWN:] else ""
        raise CourseError(
            f"No shard has graded {names}{more} as handed in now. Run the shards again "
            "(they execute only what is new), then merge. All others are merged."
        )
