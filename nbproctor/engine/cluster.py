"""Submissions executed by the workers of a Dask scheduler, on any number of computers.

Dask starts, finds and replaces workers, and carries the data. Which worker executes
what is decided here (see `dispatch`), because only then is it known which submission a
worker had when it died.
"""

from __future__ import annotations

import logging
import threading
import time
from asyncio import CancelledError  # not an Exception; Dask may raise it
from collections.abc import Mapping, Sequence
from concurrent.futures import Future
from typing import Any

from msgspec import msgpack

from nbproctor.engine import remote
from nbproctor.engine.dispatch import Dispatch, Job, Worker
from nbproctor.engine.execution import ExecutionError, StoppedError
from nbproctor.engine.scheduler import PartedError, Scheduler
from nbproctor.engine.servers import EngineError, Settings
from nbproctor.notebook import MasterNotebook
from nbproctor.results import Report, StudentCell

log = logging.getLogger(__name__)

LOOK_SECONDS = 0.5  # between two looks at who has come and gone
PATIENCE_SECONDS = 120.0  # without any worker


class Cluster:
    """An executor whose workers belong to a Dask scheduler.

    Parameters
    ----------
    address : str
        Of the scheduler: ``tcp://scheduler:8786``; ``tls://…`` with the keys that
        Dask's own configuration names.

    Raises
    ------
    EngineError
        `distributed` is not installed, or no scheduler answers.
    """

    def __init__(self, address: str) -> None:
        self._address = address
        self._scheduler = Scheduler(address)
        self._dispatch = Dispatch(self._send)
        self._running: dict[Any, Worker] = {}
        self._assignments: dict[str, remote.Assignment] = {}
        self._refused: dict[str, str] = {}
        self._known_as = ""
        self._busy = False  # whether a worker has yet to answer
        self._looking = threading.Lock()
        self._ended = threading.Event()
        self._watching = threading.Thread(target=self._watch, daemon=True)
        self._broken = ""

    @property
    def width(self) -> int:
        """How many submissions workers have, and have waiting for them."""
        return 2 * max(self._dispatch.threads, 1)

    def prepare(self, master: MasterNotebook, settings: Settings) -> None:
        """Send an assignment to every worker, and wait for one that can execute it.

        Raises
        ------
        EngineError
            There is none; each one's own reason is in the message.
        """
        self._introduce(master, settings)
        until = time.monotonic() + PATIENCE_SECONDS
        while not self._dispatch.threads:
            if self._refused and not self._busy:
                raise EngineError(self._refusals())
            if time.monotonic() > until:
                what = "only workers that are busy" if self._busy else "no workers"
                raise EngineError(f"The scheduler at {self._address} has {what}.")
            self._ended.wait(LOOK_SECONDS)

    def execute(
        self,
        cells: Sequence[StudentCell],
        master: MasterNotebook,
        settings: Settings,
        files: Mapping[str, bytes],
    ) -> Future[Report]:
        """Execute one submission on a worker: see `engine.execute`.

        Raises
        ------
        EngineError
            All workers have gone.
        """
        if self._broken:
            raise EngineError(self._broken)
        key = self._introduce(master, settings)
        job = Job(key, remote.packed(cells, files))
        self._dispatch.add(job)
        return job.future

    # Who is there -------------------------------------------------------------------

    def _introduce(self, master: MasterNotebook, settings: Settings) -> str:
        """Let all workers have an assignment, the ones to come included."""
        key = f"{master.digest} {settings!r}"
        if key not in self._assignments:
            self._assignments[key] = remote.Assignment.pack(key, master, settings)
            try:
                self._look()
            except TimeoutError as error:
                log.warning("Workers do not answer yet: %r", error)
            except (OSError, RuntimeError) as error:
                raise EngineError(
                    f"The workers at {self._address} cannot be reached ({error!r})."
                ) from error
            if not self._watching.is_alive():
                self._watching.start()
        return key

    def _watch(self) -> None:
        alive = time.monotonic()
        while not self._ended.wait(LOOK_SECONDS):
            try:
                self._look()
            except (Exception, CancelledError) as error:
                # The client goes on trying to reach its scheduler.
                log.warning("The scheduler at %s: %r", self._address, error)
            if self._dispatch.threads:
                alive = time.monotonic()
            elif time.monotonic() - alive > PATIENCE_SECONDS:
                self._broken = (
                    f"No worker is left at {self._address}. Run the same command when "
                    "there are some: it goes on where it stopped."
                )
                self._dispatch.fail(EngineError(self._broken))
                return

    def _look(self) -> None:
        """Notice which workers have come and gone."""
        with self._looking:  # so that each is sent an assignment once
            there = self._there()
            known = self._dispatch.workers()
            for address in known.keys() - there.keys():
                self._lost(known.pop(address))
            holds: list[tuple[str, str]] = []
            busy = False
            for assignment in [*self._assignments.values()]:
                key = assignment.key
                lacking = [
                    address
                    for address in there.keys() - self._refused.keys()
                    if address not in known or key not in known[address].keys
                ]
                if lacking:
                    said = self._scheduler.ask(assignment, lacking)
                    busy = busy or len(said) < len(lacking)
                    for address, why in said.items():
                        if why:
                            self._refuse(address, why)
                        else:
                            holds.append((address, key))
            self._busy = busy
            # Only now: what it executes keeps a worker from answering.
            for address, key in holds:
                if address not in self._refused:
                    self._dispatch.join(address, there[address], key)

    def _there(self) -> Mapping[str, int]:
        """Return the scheduler's workers; none as long as it is away.

        Workers end with their scheduler, and who starts it again starts new ones.
        """
        name, there = self._scheduler.workers()
        if name != self._known_as:
            self._dispatch.leave(*self._dispatch.workers().values())
            self._refused.clear()
            self._known_as = name
        return there

    def _refuse(self, address: str, reason: str) -> None:
        self._refused[address] = reason
        log.warning("The worker %s executes nothing: %s", address, reason)

    def _refusals(self) -> str:
        told = [f"The worker {a} refuses: {why}" for a, why in self._refused.items()]
        return "\n".join(told[:5])

    def _lost(self, worker: Worker) -> None:
        self._dispatch.lost(worker)
        futures = [f for f, where in [*self._running.items()] if where is worker]
        self._scheduler.cancel(futures)

    # What they execute --------------------------------------------------------------

    def _send(self, worker: Worker, batch: Sequence[Job]) -> None:
        submitted = [job.submitted for job in batch]
        future = self._scheduler.send(worker.address, batch[0].key, submitted)
        self._running[future] = worker
        future.add_done_callback(lambda done: self._done(worker, batch, done))

    def _done(self, worker: Worker, batch: Sequence[Job], future: Any) -> None:
        """Take the answers of a batch."""
        try:
            # They are fetched only now. If the worker dies before that, Dask waits for
            # it to come back; `_lost` ends that, for what is listed as running.
            answers = self._scheduler.answers(future)
        except PartedError:
            self._dispatch.leave(worker)
            return
        except RuntimeError as error:
            if batch in worker.running:
                log.warning("The worker %s failed: %s", worker.address, error)
                self._lost(worker)
            return
        finally:
            self._running.pop(future, None)
        refused = next((told for *_, told in answers if told), "")
        if refused:
            self._refuse(worker.address, refused)
            self._dispatch.leave(worker)
        elif self._dispatch.answered(worker, batch):
            for job, (report, failure, _) in zip(batch, answers, strict=True):
                if failure:
                    job.future.set_exception(ExecutionError(failure))
                else:
                    job.future.set_result(msgpack.decode(report, type=Report))

    def __enter__(self) -> Cluster:
        return self

    def __exit__(self, *error: object) -> None:
        self._ended.set()
        if self._watching.is_alive():
            self._watching.join()
        self._dispatch.fail(StoppedError("The run was stopped."))
        self._scheduler.close([*self._assignments])
