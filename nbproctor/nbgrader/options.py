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
    """What is asked of one grading run, beside what the course configures."""

    students: Collection[str] | None = None  # all who handed in if None
    force: bool = False  # grade again what is graded already
    lower: bool = False  # let a mark become lower though the files are the same
    # As the course configures it, if None.
    weak_sandbox: bool | None = None  # grade where layers of the sandbox are missing
    cluster: str | None = None  # address of the Dask scheduler whose workers execute

    def configured(self) -> dict[str, object]:
        """Return the options that stand in the place of those of the course."""
        options = {"weak_sandbox": self.weak_sandbox, "cluster": self.cluster}
        return {name: value for name, value in options.items() if value is not None}


class Nbproctor(Configurable):
    """The options of nbproctor; all others are nbgrader's own."""

    enabled = Bool(
        False, help="Whether proctor(c) has run to its end: nothing else sets it."
    ).tag(config=True)
    follow_through = Bool(
        True, help="Grade a failed exercise again among correct others."
    ).tag(config=True)
    repair_answers = Bool(
        True, help="Repair an answer that would fail as it stands, and say so."
    ).tag(config=True)
    stderr_fails_tests = Bool(
        False,
        help="Any text on stderr, a warning above all, costs a test cell its points, "
        "as under plain nbgrader.",
    ).tag(config=True)
    trust = Enum(
        ("found", "judge"),
        "found",
        help="judge: no test cell is judged beside the answer, where the answer's code "
        "could forge the result. What cannot be judged elsewhere is then not graded.",
    ).tag(config=True)
    call_seconds = Float(
        None, allow_none=True, help="Time for a call of a function; None: as a cell's."
    ).tag(config=True)
    cell_seconds = Float(
        None,
        allow_none=True,
        help="Time for a cell; None: ExecutePreprocessor.timeout, or else 60.",
    ).tag(config=True)
    submission_seconds = Float(
        None, allow_none=True, help="Time for a notebook; None: 300, or five cells'."
    ).tag(config=True)
    weak_sandbox = Bool(
        False, help="Grade even where layers of the sandbox are missing."
    ).tag(config=True)
    readable = List(
        Unicode(), help="Folders that answers may read beside the assignment's files."
    ).tag(config=True)
    memory_megabytes = Integer(
        Policy.memory >> 20, help="Memory that a student's process may use."
    ).tag(config=True)
    environment = Dict(
        key_trait=Unicode(),
        value_trait=Unicode(),
        help="Environment variables that answers and tests see, name to value.",
    ).tag(config=True)
    network = List(
        Unicode(),
        help="Assignments, by name, whose answers may use the network: whatever this "
        "computer reaches, and its own services.",
    ).tag(config=True)
    hand_in = Unicode(
        "",
        help="Where students hand in, as a sentence: START.html of the zip says it, "
        "and `kit.py submit`.",
    ).tag(config=True)
    early_feedback = Enum(
        ("nothing", "passed", "page"),
        "passed",
        help="What `watch` gives back before the deadline: nothing; which exercises "
        "pass; or the whole feedback page.",
    ).tag(config=True)
    early_tries = Integer(
        3, help="How many submissions of a student a day `watch` gives feedback on."
    ).tag(config=True)
    workers = Integer(
        0, help="Submissions executed at once; 0: as many as there are processors."
    ).tag(config=True)
    cluster = Unicode(
        "", help="Address of a Dask scheduler, as tcp://scheduler:8786; empty: here."
    ).tag(config=True)
    cache_megabytes = Integer(
        4_000, help="How much .nbproctor.cache, with results of executions, may take."
    ).tag(config=True)

    def limits(self) -> Limits:
        """Return the times of a submission, from these options and nbgrader's own."""
        cell = self.cell_seconds or _timeout(self.config) or 60.0
        return Limits(
            call=self.call_seconds or cell,
            cell=cell,
            submission=self.submission_seconds or max(300.0, 5 * cell),
        )

    def surroundings(self, assignment: str) -> list[str]:
        """Say what the course lets answers of an assignment use, in sentences."""
        names = ", ".join(sorted(self.environment))
        readable = [
            p for p in self.readable if Path(p).is_absolute() and Path(p).exists()
        ]
        unreadable = ", ".join(path for path in self.readable if path not in readable)
        sentences = {
            f"may read {', '.join(readable)}": readable,
            f"cannot read {unreadable}: c.Nbproctor.readable names it, and there is no "
            "such absolute path": unreadable,
            f"see the environment variables {names}": names,
            "may use the network: they can fetch what they return, and send away what "
            "hidden tests ask them": assignment in self.network,
        }
        return [
            f"Answers {sentence}." for sentence, holds in sentences.items() if holds
        ]


def _timeout(config: Config) -> float | None:
    """Return nbgrader's time limit for a cell, if the course sets one."""
    for name in ("Execute", "ExecutePreprocessor"):
        try:  # a text, where it is given on the command line
            seconds = float(config[name].get("timeout"))
        except (TypeError, ValueError):  # none: nbgrader lets a cell run for ever
            continue
        if seconds > 0:
            return seconds
    return None
