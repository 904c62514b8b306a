"""A notebook's cells, run in as many student processes as needed.

If a student process hangs, dies or lies, it is ended. A fresh one runs the cells again,
without the one at fault.
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

import msgspec

from nbproctor.expect import specification
from nbproctor.judge import verdicts
from nbproctor.judge.compiled import WORD
from nbproctor.judge.exports import ReferenceFunction, builtin_name
from nbproctor.judge.order import References, Step
from nbproctor.judge.proxy import ProcessEnded, StudentRaised
from nbproctor.judge.session import Session
from nbproctor.judge.verdicts import Message
from nbproctor.protocol.frames import Interruption
from nbproctor.results import Limits, Output, error_output, stream_output
from nbproctor.sanitize import clean, one_line

_CONSTANT = re.compile(r"^([^\W\d]\w*) *= *[\d.(][^\n]*", re.MULTILINE)
MAX_OUTPUT_BYTES = 64 << 20  # of all cells of a notebook
MAX_SPAWNS = 30  # of one run through a notebook
MAX_UNTRIED = 100  # branches that a report names
# Starts a student process: `sock` is our end of a pair, `close` ends the process.
Spawn = Callable[[], Any]


@dataclass
class StudentProcesses:
    """The student processes of one run through a notebook, one after the other."""

    limits: Limits
    spawn: Spawn
    deadline: float
    files: dict[bytes, bytes]  # beside the notebook
    # They run in a process of their own. The student's process gets functions that call
    # theirs, and nothing else of a reference.
    references: References | None

    def __post_init__(self) -> None:
        self.outputs: dict[int, list[Output]] = {}  # as in `Report`
        self.notes: list[str] = []  # as in `Report`
        self.executed_steps: list[Step] = []  # in the process that lives
        self.defined_by_tests = set[str]()  # public tests that have run in it
        self.sources: dict[str, str] = {}  # the student's own cells by our names
        # In each of them, the lines that give a number to a name.
        self._constants: dict[str, list[re.Match[str]]] = {}
        # Cells and exercises that the sandbox has refused something, and their text.
        self.refused: dict[str, str] = {}
        # Exercises whose cell was not run, or not all of it, and what their tests say
        # then.
        self.stops: dict[str, Message] = {}
        self._excluded_cells = set[str]()  # that ended their process
        # Of the cells played, the last to use up the memory.
        self._memory_hog: Step | None = None
        self._reference_functions: dict[str, ReferenceFunction] = {}
        # By the last cell, as its process reports it.
        self.raised: StudentRaised | None = None
        self._reference_session: Session | None = None
        self._session: Session | None = None
        self._output_room = MAX_OUTPUT_BYTES
        self._spawned = 0

    def close(self) -> None:
        """End the processes that live."""
        for session in self._sessions():
            session.close()

    def run(self, step: Step) -> None:
        """Run a cell, in a fresh process if it ends the one that there is."""
        name = step.name
        index = step.index
        source = step.source
        if index is not None:
            self.sources[name] = source
            self._constants[name] = [*_CONSTANT.finditer(source)]
        if name in self._excluded_cells:
            return
        if step.defines in self.defined_by_tests:
            self.executed_steps.append(step)  # for a fresh process
            return
        outputs, filled, end = self._try(step)
        lacked_memory = end.reason == "died" if end else _lacks_memory(outputs)
        if lacked_memory:
            has_excluded_hog = self.exclude_memory_hog()
            # In a fresh process, this cell may have the memory.
            if has_excluded_hog or not end:
                outputs, filled, end = self._try(step)
        if end or (filled and _lacks_memory(outputs)):
            note = self._exclude(step, end)
            output = error_output(
                name="CellStopped",
                text=note,
                lines=[note],
            )
            outputs.append(output)
        else:
            self.executed_steps.append(step)
            if filled and index is not None:
                self._memory_hog = step
        if any(map(verdicts.is_refusal, outputs)):
            self.refused[step.exercise or name] = source
        stop = verdicts.describe_stop(
            name=name,
            source=source,
            outputs=outputs,
        )
        if step.exercise and stop:
            self.stops[step.exercise] = stop
        if index is not None:
            self.outputs[index] = self._limit_outputs(outputs)

    def _try(self, step: Step) -> tuple[list[Output], bool, ProcessEnded | None]:
        try:
            return *self.send(self.ensure_session(), step), None
        except ProcessEnded as end:
            return [], False, end

    def _limit_outputs(self, outputs: list[Output]) -> list[Output]:
        """Return the outputs of a cell, or a note if the notebook has too many."""
        self._output_room -= len(msgspec.json.encode(outputs))
        if self._output_room >= 0:
            return outputs
        text = "[outputs left out: this notebook shows more than can be stored]\n"
        return [stream_output(text, "stderr")]

    def _exclude(self, step: Step, end: ProcessEnded | None) -> str:
        """Leave out a cell that ended its process or filled the memory; note why."""
        self._excluded_cells.add(step.name)
        subject = f"Cell `{step.name}`"
        note = (
            f"{subject} used too much memory, so it was left out of the remaining "
            "tests."
        )
        if end:
            note = self.describe_end(end, subject).text
        self.notes.append(note)
        self.end()
        return note

    def exclude_memory_hog(self) -> bool:
        """End the process; leave out the cell that filled the memory, if one did.

        The code that fails when memory is full is rarely the code that filled it.
        """
        self.end()
        hog = self._memory_hog
        self._memory_hog = None
        if hog not in self.executed_steps:
            return False
        self._exclude(hog, None)
        self.executed_steps.remove(hog)
        return True

    def end(self) -> None:
        """End the process that lives, if one does: the next is a fresh one."""
        if self._session:
            self._session.close()

    def send(
        self,
        session: Session,
        step: Step,
        seconds: float | None = None,
    ) -> tuple[list[Output], bool]:
        """Run a cell; return its outputs, and whether it has used up the memory."""
        self.raised = None
        # An object that a test passed on is not for the cells after it.
        session.exports.clear()
        try:
            if step.reference_functions:
                functions = {
                    n: f
                    for n, f in self._reference_functions.items()
                    if n in step.reference_functions
                }
                session.ask("lend", functions)
                session.reference_functions |= functions
            reply = session.ask(
                "run",
                step.source,
                step.name,
                step.keeps_names,
                seconds=seconds or self.limits.cell,
            )
            match reply:
                case (outputs, filled, description):
                    if description is not None:
                        self.raised = session.rebuild_student_error(description)
                case _:
                    return clean(reply), False
        except Interruption:
            raise
        except BaseException as error:
            # Running a cell raises nothing, unless no memory is left to report the
            # error. So student code has changed this process.
            text = one_line(str(error))
            output = error_output(
                name=builtin_name(error),
                text=text,
                lines=[text],
            )
            return [output], isinstance(error, MemoryError)
        return clean(outputs), filled is True

    def ensure_session(self) -> Session:
        """Return the living student process, or a fresh one with all cells replayed."""
        while not self._session or self._session.end:
            if self._spawned >= MAX_SPAWNS:
                raise ProcessEnded("died", "its process ended too often")
            if time.monotonic() > self.deadline:
                raise ProcessEnded("timeout", "there is no time left")
            self._spawned += 1
            previous = self._session
            session = self.start_session(self.files)
            self._session = session
            self.defined_by_tests.clear()
            if previous:
                # Earlier answers stay. Otherwise, student code could end its process on
                # purpose and give another answer. An exception may have been the fault
                # of the process, so that call is made again.
                for call, record in previous.recorded.items():
                    if record.failure is None:
                        session.recorded[call] = record
            if self.references:
                session.is_only_process = False
                self._reference_functions = {**self.references.judge_functions}
                if self.references.functions:
                    self._reference_functions |= self._functions_of(self.references)
                session.reference_session = self._reference_session
            for step in list(self.executed_steps):
                try:
                    self.send(session, step)
                except ProcessEnded:
                    self._excluded_cells.add(step.name)
                    self.executed_steps.remove(step)
                    break
        return self._session

    def _functions_of(self, references: References) -> dict[str, ReferenceFunction]:
        """Run the reference solutions in a process of their own."""
        if self._reference_session:
            self._reference_session.close()
        session = self._reference_session = self.start_session({})
        session.is_only_process = False
        for source in references.cells:
            session.ask(
                "run",
                source,
                None,
                False,
                seconds=self.limits.cell,
            )
        functions = session.begin(sorted(references.functions))
        return {
            name: ReferenceFunction(function) for name, function in functions.items()
        }

    def answer_with_constants(self, exercise: str) -> str:
        """Return an answer, and lines of other cells that give its names a number."""
        answer = self.sources.get(exercise, "")
        words = set(WORD.findall(answer))
        lines = [answer]
        for name, constants in self._constants.items():
            if name != exercise:
                lines += [line[0] for line in constants if line[1] in words]
        return "\n".join(lines)

    def untried(self, cells: Collection[str | None]) -> Iterator[str]:
        """Yield the branches of cells that no call has entered, a few at most.

        The student's process names them. It may name a million, or lines that do not
        exist.
        """
        branches = None
        with suppress(Exception, ProcessEnded):
            branches = self._session and self._session.ask("untried")
        if type(branches) is not list:
            return
        count = 0
        for branch in branches:
            match branch:
                case (str(cell), int(line)) if cell in cells and count < MAX_UNTRIED:
                    count += 1
                    code = verdicts.quote_line(self.sources.get(cell, ""), line)
                    if code is not None:
                        yield f"`{cell}`, line {line}: {code}"

    @property
    def records(self) -> specification.Records:
        """The answers so far."""
        return self._session.recorded if self._session else {}

    def processor_seconds(self) -> float:
        """Return what the living processes have used, that of the references too."""
        return sum(session.processor_seconds() for session in self._sessions())

    def _sessions(self) -> Iterator[Session]:
        """Yield the student's session and that of the references, if there are any."""
        for session in (self._session, self._reference_session):
            if session:
                yield session

    def passed_objects(self) -> list[Any]:
        """Return the objects that the last test has passed to student code."""
        return [*self._session.exports.objects.values()] if self._session else []

    def start_session(self, files: dict[bytes, bytes]) -> Session:
        """Start a process in which nothing has run, with files beside the notebook."""
        session = Session(self.spawn(), self.limits.call)
        session.deadline = self.deadline
        with suppress(Exception):  # cells then say what is missing
            session.ask("unpack", files, seconds=self.limits.cell)
        return session

    def describe_end(self, end: ProcessEnded, subject: str) -> Message:
        """Say why a process has ended, and what it was doing."""
        rows = {"timeout": verdicts.TIMEOUT, "died": verdicts.DIED}
        message = rows.get(end.reason, verdicts.PROTOCOL)
        if time.monotonic() > self.deadline:
            message = verdicts.OUT_OF_TIME._replace(outcome=message.outcome)
        return message(
            subject=subject,
            limit=end.limit,
            end=end,
        )


def _lacks_memory(outputs: Sequence[Output]) -> bool:
    """Whether a cell ended because there was no memory left."""
    return any(
        # Without memory, Python's own `compile` ends in a SystemError now and then.
        output["output_type"] == "error"
        and output["ename"].endswith(("MemoryError", "SystemError"))
        for output in outputs
    )
