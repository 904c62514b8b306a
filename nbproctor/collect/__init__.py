"""Collecting: what a learning platform gives, into ``submitted/``."""

from nbproctor.collect.feedback import HOW, FeedbackNames, feedback_names
from nbproctor.collect.plan import Download, plan
from nbproctor.collect.problems import CollectError, Problem
from nbproctor.collect.submission import Submission
from nbproctor.collect.write import Written, late, read_record, write

__all__ = [
    "HOW",
    "CollectError",
    "Download",
    "FeedbackNames",
    "Problem",
    "Submission",
    "Written",
    "feedback_names",
    "late",
    "plan",
    "read_record",
    "write",
]
