"""A notebook's cells, run in as many student processes as it takes.

What a student process does to itself, hang, die or lie, ends that process; a fresh one
runs the cells again without the one at fault.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import msgspec

from nbproctor.judge import verdicts
from nbproctor.judge.exports import Lent, builtin_name
from nbproctor.judge.order import References, Step
from nbproctor.judge.proxy import StudentGone
from nbproctor.judge.session import Session
from nbproctor.judge.testcell import MODULE
from nbproctor.judge.verdicts import Said
from nbproctor.protocol.frames import Interruption
from nbproctor.results import FILES, Limits, Output, error_output, stream_output
from nbproctor.sanitize import clean, one_line

MAX_OUTPUT_BYTES = 64 << 20  # of all cells of a notebook
MAX_SPAWNS = 30  # of one run through a notebook
# Starts a student process: `sock` is our end of a pair, `close` ends the process.
Spawn = Callable[[], Any]


@dataclass
class StudentProcesses:
    """The student processes of one run through a notebook, one after the other."""

    limits: Limits
    spawn: Spawn
    until: float
    # They run in a process beside the student's, which gets functions that call theirs,
    # and nothing of a reference itself.
    references: References | None
    outputs: dict[int, list[Output]] = field(default_factory=dict)  # as in `Report`
    notes: list[str] = field(default_factory=list)  # as in `Report`
    played: list[Step] = field(default_factory=list)  # in the process that lives
    # The student's own cells by our names.
    sources: dict[str, str] = field(default_factory=dict)
    # Cells and exercises that the sandbox has refused something, and their text.
    refused: dict[str, str] = field(default_factory=dict)
    # Exercises whose cell was not run, or not all of it, and what their tests say then.
    stops: dict[str, Said] = field(default_factory=dict)
    _culprits: set[str] = field(default_factory=set)  # cells that ended their process
    _hog: Step | None = None  # of those played, the last to use up the memory
    _lent: dict[str, Lent] = field(default_factory=dict)
    reference_calls: int = 0  # that the judge has seen
    _reference_link: Session | None = None
    _link: Session | None = None
    _output_room: int = field(default_factory=lambda: MAX_OUTPUT_BYTES)
    _spawned: int = 0

    def close(self) -> None:
        """End the process that lives, if one does."""
        for link in (self._link, self._reference_link):
            if link is not None:
                link.close()

    def run(self, step: Step) -> None:
        """Run a cell, in a fresh process if it ends the one that there is."""
        if step.index is not None:
            self.sources[step.name] = step.source
        if step.name in self._culprits:
            return
        outputs, filled, gone = self._try(step)
        short = gone.reason == "died" if gone else _lacks_memory(outputs)
        # In a fresh process, this cell may have the memory.
        if short and (self.leave_out_hog() or gone is None):
            outputs, filled, gone = self._try(step)
        if gone is not None:
            self._leave_out(step, gone)
        elif filled and _lacks_memory(outputs):
            self._leave_out(step)
        else:
            self.played.append(step)
            self._hog = step if filled and step.index is not None else self._hog
        if step.name in self._culprits:
            outputs.append(error_output("CellStopped", self.notes[-1], self.notes[-1:]))
        said = [(str(o["ename"]), str(o["evalue"])) for o in outputs if "ename" in o]
        if any(verdicts.is_forbidden(*error) for error in said):
            self.refused[step.exercise or step.name] = step.source
        stop = verdicts.describe_stop(step.name, step.source, outputs)
        if step.exercise and stop:
            self.stops[step.exercise] = stop
        if step.index is not None:
            self.outputs[step.index] = self._within_room(outputs)

    def _try(self, step: Step) -> tuple[list[Output], bool, StudentGone | None]:
        try:
            return *self.send(self.living(), step), None
        except StudentGone as gone:
            return [], False, gone

    def _within_room(self, outputs: list[Output]) -> list[Output]:
        """Return the outputs of a cell, or a word where the notebook has too many."""
        self._output_room -= len(msgspec.json.encode(outputs))
        if self._output_room >= 0:
            return outputs
        text = "[outputs left out: this notebook shows more than can be kept]\n"
        return [stream_output(text, "stderr")]

    def _leave_out(self, step: Step, gone: StudentGone | None = None) -> None:
        """Do not run a cell again that ended its process, or filled the memory."""
        self._culprits.add(step.name)
        text = f"Cell `{step.name}` used up the memory, so it was left out of the rest."
        if gone is not None:
            text = self.why_gone(gone, f"Cell `{step.name}`", self.limits.cell).words
        self.notes.append(text)
        self.end()

    def leave_out_hog(self) -> bool:
        """End the process; leave out the cell that filled the memory, if one did.

        What fails for want of memory is rarely what took it.
        """
        self.end()
        hog, self._hog = self._hog, None
        if hog not in self.played:
            return False
        self._leave_out(hog)
        self.played.remove(hog)
        return True

    def end(self) -> None:
        """End the process that lives, if one does: the next is a fresh one."""
        if self._link is not None:
            self._link.close()

    def send(self, link: Session, step: Step) -> tuple[list[Output], bool]:
        """Run a cell; return its outputs, and whether it has used up the memory."""
        # An object that a test handed over is not for the cells after it.
        link.exports.clear()
        name = None if step.index == FILES else step.name
        try:
            if step.lends:
                functions = {n: f for n, f in self._lent.items() if n in step.lends}
                link.ask("lend", functions)
            arguments = step.source, name, step.keeps_names
            said = link.ask("run", *arguments, seconds=self.limits.cell)
        except Interruption:
            raise
        except BaseException as error:
            # Running a cell raises nothing, unless no memory is left to say so: this
            # process has been tampered with.
            text = one_line(str(error))
            output = error_output(builtin_name(error), text, [text])
            return [output], isinstance(error, MemoryError)
        outputs, filled = (
            said if type(said) is tuple and len(said) == 2 else (said, False)
        )
        return clean(outputs), filled is True

    def living(self) -> Session:
        """Return the living student process, or a fresh one with all cells replayed."""
        while self._link is None or self._link.gone is not None:
            if self._spawned >= MAX_SPAWNS:
                raise StudentGone("died", "its process ended too often")
            if time.monotonic() > self.until:
                raise StudentGone("timeout", "there is no time left")
            self._spawned += 1
            link = self._link = self.fresh()
            if self.references is not None:
                link.alone = False
                self._lent = {**self.references.ready}
                if self.references.functions:
                    self._lent |= self._functions_of(self.references)
            for step in list(self.played):
                try:
                    self.send(link, step)
                except StudentGone:
                    self._culprits.add(step.name)
                    self.played.remove(step)
                    break
        return self._link

    def _functions_of(self, references: References) -> dict[str, Lent]:
        """Run the reference solutions in a process of their own."""
        if self._reference_link is not None:
            self._reference_link.close()
        link = self._reference_link = self.fresh()
        link.alone = False
        for source in references.cells:
            link.ask("run", source, None, False, seconds=self.limits.cell)
        known = link.begin(sorted(references.functions))
        return {name: Lent(f, self._note_call) for name, f in known.items()}

    def handed_over(self) -> list[Any]:
        """Return the objects that the last test has handed over."""
        return self._link.exports.handed_over() if self._link is not None else []

    def _note_call(self) -> None:
        self.reference_calls += 1

    def fresh(self) -> Session:
        """Start a process in which nothing has run."""
        link = Session(self.spawn(), self.limits.call, MODULE)
        link.until = self.until
        return link

    def why_gone(self, gone: StudentGone, subject: str, limit: float) -> Said:
        """Say why a process has ended, and what it was doing."""
        rows = {"timeout": verdicts.TIMEOUT, "died": verdicts.DIED}
        said = rows.get(gone.reason, verdicts.PROTOCOL)
        if time.monotonic() > self.until:
            said = verdicts.NO_TIME
        return said(subject=subject, limit=limit, gone=gone)


def _lacks_memory(outputs: Sequence[Output]) -> bool:
    """Whether a cell ended because there was no memory left."""
    return any(
        # Without memory, Python's own `compile` ends in a SystemError now and then.
        output["output_type"] == "error"
        and output["ename"].endswith(("MemoryError", "SystemError"))
        for output in outputs
    )
