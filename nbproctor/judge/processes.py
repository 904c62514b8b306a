"""A notebook's cells, run in as many student processes as it takes.

What a student process does to itself, hang, die or lie, ends that process; a fresh one
runs the cells again without the one at fault.
"""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable
from dataclasses import astuple
from typing import Any

import msgspec

from nbproctor.judge import references
from nbproctor.judge.exports import builtin_name
from nbproctor.judge.namespace import MODULE
from nbproctor.judge.order import Step
from nbproctor.judge.session import Session
from nbproctor.judge.student_errors import StudentGone
from nbproctor.judge.verdicts import error_output, lacks_memory, what_happened
from nbproctor.results import FILES, Limits, Output
from nbproctor.sanitize import clean, one_line

MAX_OUTPUT_BYTES = 64 << 20  # of all cells of a notebook
MAX_SPAWNS = 30  # of one run through a notebook
Spawn = Callable[[], Any]  # a student process: `.sock`, `.close()`


class Processes:
    """The student processes of one run through a notebook, one after the other.

    Parameters
    ----------
    limits
        Times and output.
    spawn
        Starts a process.
    until
        When the time of the notebook is used up.
    mentioned
        The names that reference solutions may lend, which then run in a process beside
        it; None if none run.
    libraries
        Those whose values are sent whole.

    Attributes
    ----------
    outputs, notes
        As in `Report`.
    culprits
        Names of cells that hung or killed their process: not run again.
    played
        What has run in the process that lives.
    sources
        Texts of the student's own cells by our names for them.
    """

    def __init__(
        self,
        limits: Limits,
        spawn: Spawn,
        until: float,
        mentioned: list[str] | None = None,
        libraries: frozenset[str] = frozenset(),
    ) -> None:
        self.outputs: dict[int, list[Output]] = {}
        self.notes: list[str] = []
        self.culprits: set[str] = set()
        self.played: list[Step] = []
        self.sources: dict[str, str] = {}
        self.mentioned = mentioned
        self._libraries = libraries
        self._limits = limits
        self._spawn, self._until = spawn, until
        self._link: Session | None = None
        self._output_room = MAX_OUTPUT_BYTES
        self._spawned = 0
        self._watching = False  # what the cells leave of the memory

    def close(self) -> None:
        """End the process that lives, if one does."""
        if self._link is not None:
            self._link.close()

    def run(self, step: Step) -> None:
        """Run a cell, in a fresh process if it ends the one that there is."""
        if step.index is not None:
            self.sources[step.name] = step.source
        if step.name in self.culprits:
            return
        outputs: list[Output] = []
        gone = None
        for retry in (True, False):
            try:
                outputs, gone = self.send(self.living(), step), None
            except StudentGone as error:
                gone = error
            short = gone.reason == "died" if gone else lacks_memory(outputs)
            found = retry and short and self.find_hog()
            # To look for it took a fresh process, in which this cell has not run yet.
            if not (retry and short) or (gone and not found):
                break
        if gone is not None:
            outputs = []
            self._leave_out(step, gone)
        elif lacks_memory(outputs) and not self._has_room():
            self._leave_out(step)
        else:
            self.played.append(step)
        if step.name in self.culprits:
            outputs.append(error_output("CellStopped", self.notes[-1]))
        if step.index is not None:
            self.outputs[step.index] = self._within_room(outputs)

    def _within_room(self, outputs: list[Output]) -> list[Output]:
        """Return the outputs of a cell, or a word where the notebook has too many."""
        self._output_room -= len(msgspec.json.encode(outputs))
        if self._output_room >= 0:
            return outputs
        text = "[outputs left out: this notebook shows more than can be kept]\n"
        return [{"output_type": "stream", "name": "stderr", "text": text}]

    def _leave_out(self, step: Step, gone: StudentGone | None = None) -> None:
        """Do not run a cell again that ended its process, or filled the memory."""
        self.culprits.add(step.name)
        text = f"Cell `{step.name}` used up the memory, so it was left out of the rest."
        if gone is not None:
            text = self.what_happened(gone, f"Cell `{step.name}`", self._limits.cell)
        self.notes.append(text)
        if self._link is not None:
            self._link.close()

    def find_hog(self) -> bool:
        """Leave out the cell that filled the memory, if it was one that was run before.

        What fails for want of memory is rarely what took it: the cells are run once
        more, and after each it is tried how much is left.
        """
        before = set(self.culprits)
        if self.played and self._link is not None:
            self._link.close()
            self._watching = True
            with contextlib.suppress(StudentGone):
                self.living()
            self._watching = False
        return self.culprits != before

    def _has_room(self) -> bool:
        try:
            return self._link is not None and self._link.ask("room") is True
        except (Exception, StudentGone):
            return False

    def send(self, link: Session, step: Step) -> list[Output]:
        """Run a cell in a process, and return its outputs."""
        # An object that a test handed over is not for the cells after it.
        link.exports.clear()
        name = None if step.index == FILES else step.name
        run = [step.source, name, astuple(self._limits.output)]
        seconds = self._limits.cell
        try:
            if self.mentioned is not None:
                outputs = references.play(link, step, self.mentioned, run, seconds)
            else:
                outputs = link.ask("run", *run, seconds=seconds)
        except StudentGone:
            link.close()  # it may be the process of the references that has ended
            raise
        except Exception as error:
            # Running a cell raises nothing: this process has been tampered with.
            return [error_output(builtin_name(error), one_line(str(error)))]
        return clean(outputs)

    def living(self) -> Session:
        """Return the living student process, or a fresh one with all cells replayed."""
        while self._link is None or self._link.gone is not None:
            if self._spawned >= MAX_SPAWNS:
                raise StudentGone("died", "its process ended too often")
            if time.monotonic() > self._until:
                raise StudentGone("timeout", "there is no time left")
            self._spawned += 1
            link = self._link = self.fresh()
            link.share(self._libraries)
            if self.mentioned is not None:
                references.join(link, other := self.fresh())
                other.share(self._libraries)
            watching = self._watching and self._has_room()
            for step in list(self.played):
                try:
                    self.send(link, step)
                except StudentGone:
                    self.culprits.add(step.name)
                    self.played.remove(step)
                    break
                if watching and step.index is not None and not self._has_room():
                    self._leave_out(step)
                    self.played.remove(step)
                    break
        return self._link

    def fresh(self) -> Session:
        """Start a process in which nothing has run."""
        link = Session(self._spawn(), self._limits.call, MODULE)
        link.until = self._until
        return link

    def what_happened(self, gone: StudentGone, subject: str, limit: float) -> str:
        """Say why a process has ended, and what it was doing."""
        if time.monotonic() > self._until:
            return f"{subject} was stopped: the notebook's time is used up."
        return what_happened(gone, subject, limit)
