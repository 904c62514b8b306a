"""Submissions executed by the workers of a Dask scheduler, on any number of computers.

Dask starts, finds and replaces workers, and carries the data. Which worker executes
what is decided here (see `dispatch`), because only then is it known which submission a
worker had when it died.
"""

from __future__ import annotations

import contextlib
import logging
import threading
import time
import warnings
from asyncio import CancelledError  # not an Exception; Dask may raise it
from collections.abc import Mapping, Sequence
from concurrent.futures import Future
from typing import Any

from msgspec import msgpack

from nbproctor.engine import remote
from nbproctor.engine.dispatch import Dispatch, Job, Worker
from nbproctor.engine.execution import ExecutionError, StoppedError
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
        try:
            from distributed import Client
        except ImportError as error:
            raise EngineError(
                "Grading on a cluster needs the package distributed, in the version "
                "that requirements.lock names: pip install 'nbproctor[cluster]'."
            ) from error
        self._address = address
        try:
            self._client: Any = Client(
                address, timeout=10, set_as_default=False, name="nbproctor"
            )
        except (OSError, ValueError, TypeError) as error:
            raise EngineError(
                f"No Dask scheduler answers at {address} ({error})."
            ) from error
        self._dispatch = Dispatch(self._send)
        self._running: dict[Any, Worker] = {}
        self._assignments: dict[str, remote.Assignment] = {}
        self._refused: dict[str, str] = {}
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
            if self._refused:
                raise EngineError(self._refusals())
            if time.monotonic() > until:
                raise EngineError(f"The scheduler at {self._address} has no workers.")
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
                self._broken = f"No worker is left at {self._address}."
                self._dispatch.fail(EngineError(self._broken))
                return

    def _look(self) -> None:
        """Notice which workers have come and gone."""
        with self._looking:  # so that each is sent an assignment once
            there = self._client.scheduler_info()["workers"]
            known = self._dispatch.workers()
            for address in known.keys() - there.keys():
                self._lost(known.pop(address))
            for assignment in [*self._assignments.values()]:
                lacking = [
                    address
                    for address in there.keys() - self._refused.keys()
                    if address not in known or assignment.key not in known[address].keys
                ]
                if lacking:
                    said = self._ask(assignment, lacking)
                    for address, why in said.items():
                        if why:
                            self._refuse(address, why)
                        else:
                            threads = there[address]["nthreads"]
                            self._dispatch.join(address, threads, assignment.key)

    def _ask(
        self, assignment: remote.Assignment, addresses: list[str]
    ) -> dict[str, str]:
        """Send an assignment to workers; return why each refuses it, or nothing."""
        received = self._client.run(
            remote.receive,
            assignment,
            workers=addresses,
            on_error="return",
            callback_timeout=PATIENCE_SECONDS,  # one of them may be dying
        )
        said = {address: _words(answer) for address, answer in received.items()}
        warming = {
            address: self._client.submit(
                remote.warm_up,
                assignment.key,
                workers=[address],
                pure=False,
                priority=1,
            )
            for address, why in said.items()
            if not why
        }
        for address, future in warming.items():
            try:
                said[address] = future.result(timeout=PATIENCE_SECONDS)
            except (Exception, CancelledError) as error:  # it has died since
                said[address] = _words(error)
        return said

    def _refuse(self, address: str, reason: str) -> None:
        self._refused[address] = reason
        log.warning("The worker %s executes nothing: %s", address, reason)

    def _refusals(self) -> str:
        told = [f"The worker {a} refuses: {why}" for a, why in self._refused.items()]
        return "\n".join(told[:5])

    def _lost(self, worker: Worker) -> None:
        self._dispatch.lost(worker)
        futures = [f for f, where in [*self._running.items()] if where is worker]
        # Or Dask gives them to whoever comes at the same address.
        self._client.cancel(futures, force=True)

    # What they execute --------------------------------------------------------------

    def _send(self, worker: Worker, batch: Sequence[Job]) -> None:
        with warnings.catch_warnings():
            # Dask advises against large arguments; a student's files may be large.
            warnings.simplefilter("ignore", UserWarning)
            future = self._client.submit(
                remote.run,
                batch[0].key,
                [job.submitted for job in batch],
                workers=[worker.address],
                pure=False,
            )
        self._running[future] = worker
        future.add_done_callback(lambda done: self._done(worker, batch, done))

    def _done(self, worker: Worker, batch: Sequence[Job], future: Any) -> None:
        """Take the answers of a batch."""
        answers, why = None, "it has lost what it was given"
        try:
            # They are fetched only now. If the worker dies before that, Dask waits for
            # it to come back; `_lost` ends that, for what is listed as running.
            answers = future.result(timeout=PATIENCE_SECONDS)
        except (Exception, CancelledError) as error:
            why = repr(error)
        self._running.pop(future, None)
        if answers is None:
            if batch in worker.running:
                log.warning("The worker %s failed: %s", worker.address, why)
                self._lost(worker)
            return
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
        with contextlib.suppress(Exception):  # a scheduler that has gone
            self._client.run(
                remote.forget,
                [*self._assignments],
                on_error="ignore",
                callback_timeout=5,
            )
        with contextlib.suppress(Exception):
            self._client.close(timeout=5)


def _words(answer: object) -> str:
    """Return what a worker answered; of an error, what it says."""
    if isinstance(answer, ModuleNotFoundError | AttributeError):
        return f"it has no nbproctor, or another version of it ({answer})"
    return answer if isinstance(answer, str) else repr(answer)
