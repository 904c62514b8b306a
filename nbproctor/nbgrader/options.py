"""Options of a course in ``nbgrader_config.py``, as ``c.Nbproctor.<name>``."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path

from traitlets import Bool, Dict, Enum, Float, Integer, List, Unicode
from traitlets.config import Config, Configurable

from nbproctor.results import Limits
from nbproctor.sandbox.policy import Policy


@dataclass(frozen=True)
class RunOptions:
    """Options of one grading run, in addition to the course's configuration."""

    students: Collection[str] | None = None  # None: everybody who submitted
    force: bool = False  # also grade what is already graded
    allow_lower: bool = False  # let a mark become lower though the files are the same
    keep_pages: bool = False  # do not remove the feedback on an earlier submission
    # As the course configures it, if false or empty: see `grading.regrade`.
    weak_sandbox: bool = False  # grade where layers of the sandbox are missing
    cluster: str = ""  # address of the Dask scheduler whose workers execute


class Nbproctor(Configurable):
    """The options of nbproctor; all others are nbgrader's own."""

    enabled = Bool(False, help="Whether proctor(c) has run. Only proctor(c) sets it.")
    assignment = Unicode(
        "", help="The assignment for commands that name none. Empty: the only one."
    )
    follow_through = Bool(
        True,
        help="Grade a failed exercise a second time, with correct functions from the "
        "exercises before it.",
    )
    repair_answers = Bool(
        True,
        help="Repair an answer that would fail although its code is right, such as one "
        "in another cell, and report the repair.",
    )
    stderr_fails_tests = Bool(
        False,
        help="Text on stderr (such as a warning) costs a test cell its points, as "
        "under plain nbgrader.",
    )
    trust = Enum(
        ("found", "judge"),
        "found",
        help="found: a test cell that cannot run in the judge runs in the student's "
        "process, where student code could forge its result. judge: such a cell is "
        "not run, and waits for you.",
    )
    call_seconds = Float(
        None,
        allow_none=True,
        help="Seconds for one call of a function. None: the same as for a cell.",
    )
    cell_seconds = Float(
        None,
        allow_none=True,
        help="Seconds for one cell. None: ExecutePreprocessor.timeout, or 60 if that "
        "is not set.",
    )
    submission_seconds = Float(
        None,
        allow_none=True,
        help="Seconds for one notebook. None: 300, or five "
        "times the limit for a cell, whichever is more.",
    )
    weak_sandbox = Bool(
        False, help="Grade even if protections of the sandbox are missing."
    )
    readable = List(
        Unicode(),
        help="Folders that answers may read in addition to the assignment's files.",
    )
    memory_megabytes = Integer(
        Policy.memory >> 20,
        help="Megabytes of memory that a student's process may use.",
    )
    environment = Dict(
        key_trait=Unicode(),
        value_trait=Unicode(),
        help="Environment variables for answers and tests: name and value.",
    )
    network = List(
        Unicode(),
        help="Names of assignments whose answers may use the network. They can then "
        "reach everything that this computer can reach, including its own "
        "services.",
    )
    hand_in = Unicode(
        "",
        help="One sentence that tells students where to submit. It appears in "
        "START.html of the zip and in `kit.py submit`.",
    )
    early_feedback = Enum(
        ("nothing", "passed", "page"),
        "passed",
        help="What `watch` shows before the deadline. nothing: no feedback. passed: "
        "which exercises pass. page: the whole feedback page.",
    )
    early_tries = Integer(
        3, help="For how many submissions per student and day `watch` gives feedback."
    )
    workers = Integer(
        0, help="How many submissions run at the same time. 0: one for each processor."
    )
    cluster = Unicode(
        "",
        help="Address of a Dask scheduler, for example tcp://scheduler:8786. "
        "Empty: grade on this computer.",
    )
    cache_megabytes = Integer(
        4_000, help="Megabytes that the cached results in .nbproctor.cache may take."
    )

    def limits(self) -> Limits:
        """Return the times of a submission, from these options and nbgrader's own."""
        cell = self.cell_seconds or _timeout(self.config) or 60.0
        return Limits(
            call=self.call_seconds or cell,
            cell=cell,
            submission=self.submission_seconds or max(300.0, 5 * cell),
        )

    def describe_permissions(self, assignment: str) -> list[str]:
        """Return sentences that say what answers of an assignment may use."""
        names = ", ".join(sorted(self.environment))
        readable = [
            p for p in self.readable if Path(p).is_absolute() and Path(p).exists()
        ]
        unreadable = ", ".join(path for path in self.readable if path not in readable)
        sentences = {
            f"may read {', '.join(readable)}": readable,
            f"cannot read {unreadable}: c.Nbproctor.readable lists it, but it is not "
            "an existing absolute path": unreadable,
            f"see the environment variables {names}": names,
            "may use the network: they can download an answer, and send away what "
            "hidden tests ask them": assignment in self.network,
        }
        return [
            f"Answers {sentence}." for sentence, holds in sentences.items() if holds
        ]


for trait in Nbproctor.class_own_traits().values():  # the options that a course may set
    trait.tag(config=True)


def _timeout(config: Config) -> float | None:
    """Return nbgrader's time limit for a cell, if the course sets one."""
    for name in ("Execute", "ExecutePreprocessor"):
        try:  # it is a text if given on the command line
            seconds = float(config[name].get("timeout"))
        except (TypeError, ValueError):  # none: nbgrader lets a cell run for ever
            continue
        if seconds > 0:
            return seconds
    return None
