"""Collecting: what a learning platform gives, into ``submitted/``."""

from nbproctor.collect.plan import Download, plan
from nbproctor.collect.problems import CollectError, Problem
from nbproctor.collect.submission import Submission
from nbproctor.collect.write import Written, late, write

__all__ = [
    "CollectError",
    "Download",
    "Problem",
    "Submission",
    "Written",
    "late",
    "plan",
    "write",
]
