"""Submissions run by the workers of a Dask scheduler, on any number of computers.

One task of Dask's is one submission: Dask finds a worker for it, another one if that
ends, and gives up after `DEATHS` of them, which its `KilledWorker` says. No worker is
given a second submission, so that Dask blames the one that ends workers. A worker
plugin (`Grader`) holds the assignment on each worker, also on those that come later.

Coordinator and workers trust each other, and Dask carries Python objects between them.
What a student wrote crosses only as text and numbers, in both directions: code to run,
and the report, which the judge made of plain data.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import threading
import time
from collections.abc import Iterator
from concurrent.futures import CancelledError, Future, ThreadPoolExecutor
from itertools import islice

from distributed import KilledWorker

from nbproctor.engine.execution import Execution
from nbproctor.engine.grader import (
    Answer,
    Grader,
    describe_refusal,
    refusal,
    run,
)
from nbproctor.engine.scheduler import allow_failures, connect
from nbproctor.engine.servers import EngineError, ExecutionError, Settings, StoppedError
from nbproctor.notebook import MasterNotebook
from nbproctor.results import Report

log = logging.getLogger(__name__)

CONNECT_SECONDS = 10
LOOK_SECONDS = 2.0  # between two looks at who has come and gone
PAUSE_SECONDS = 0.5  # where nobody is there to look at
PATIENCE_SECONDS = 120.0  # without any worker
DEATHS = 3  # of workers, one of them perhaps by another submission's fault
ENDED = (
    "Its execution ended {} workers of the cluster. Grade it on this computer with "
    "--force --student, or by hand."
)
THREADS = 1000  # at most: each waits for a submission, and there are two a worker


class Cluster(ThreadPoolExecutor):
    """An executor whose workers belong to a Dask scheduler, ``tcp://scheduler:8786``.

    ``tls://…`` takes the keys that Dask's own configuration names. `EngineError`: no
    scheduler answers.
    """

    def __init__(self, address: str) -> None:
        super().__init__(THREADS, "nbproctor")
        self._address = address
        self._client = connect(address, CONNECT_SECONDS)
        self._scheduler = ""  # its id
        self._graders: dict[tuple[str, Settings], Grader] = {}
        self._registered: set[str] = set()  # names of graders that the scheduler has
        self._ready: set[str] = set()  # addresses of workers that execute
        self._refusals: dict[str, str] = {}  # by address of a worker
        self._looking = threading.RLock()
        self._looked = time.monotonic()
        self._alive = time.monotonic()  # the last time that there was a worker
        self._free = threading.Condition()  # a worker is
        self._running = 0
        self._ended = False

    @property
    def width(self) -> int:
        """How many submissions workers have."""
        return max(len(self._ready), 1)

    def prepare(self, master: MasterNotebook, settings: Settings) -> None:
        """Send an assignment to every worker, and wait for one that can execute it.

        `EngineError` says of each why it cannot.
        """
        if settings.policy.network and not self._address.startswith("tls://"):
            raise EngineError(
                "Answers in this assignment may use the network, so they could make "
                "the scheduler run any program. Use tls://, or grade this assignment "
                "on this computer."
            )
        until = time.monotonic() + PATIENCE_SECONDS
        try:
            self._introduce(master, settings)
            self._ask_workers()
            while not (self._ready or self._refusals):
                if time.monotonic() > until:
                    raise EngineError(f"There are no workers at {self._address}.")
                time.sleep(PAUSE_SECONDS)
                self._ask_workers()
        except (OSError, RuntimeError) as error:
            raise EngineError(
                f"The workers at {self._address} cannot be reached ({error!r})."
            ) from error
        if not self._ready:
            raise EngineError("\n".join(islice(self._refusals.values(), 5)))
        self._alive = time.monotonic()

    def execute(self, execution: Execution) -> Future[Report]:
        """Execute a submission on a worker; `EngineError` if all of them have gone."""
        return self.submit(self._execute, execution)

    def _execute(self, execution: Execution) -> Report:
        """Have a submission executed, again where no worker has answered."""
        grader = self._introduce(execution.master, execution.settings)
        while True:
            with self._turn():
                report, failure = self._attempt(grader, execution)
            if report:
                return report
            if failure:
                raise ExecutionError(failure)
            self._ready.clear()  # each worker is asked again

    @contextlib.contextmanager
    def _turn(self) -> Iterator[None]:
        """Wait until a worker is free."""
        self._look()
        with self._free:
            while self._running >= len(self._ready):
                self._free.wait(PAUSE_SECONDS)
                self._look()
            self._running += 1
        try:
            yield
        finally:
            with self._free:
                self._running -= 1
                self._free.notify()

    def _attempt(self, grader: str, execution: Execution) -> Answer:
        """Return what a worker answers: nothing, if it refuses or has gone."""
        scheduler = self._scheduler
        sent = (execution.cells, execution.files)
        try:
            future = self._client.submit(run, grader, *sent, pure=False)
            while self._scheduler == scheduler:
                with contextlib.suppress(TimeoutError):
                    answer: Answer = future.result(timeout=LOOK_SECONDS)
                    return answer
                self._look()
        except KilledWorker:
            return None, ENDED.format(DEATHS)
        except (CancelledError, asyncio.CancelledError):
            pass
        # The last two: of a worker that has no nbproctor.
        except (OSError, RuntimeError, ImportError, AttributeError) as error:
            log.warning("A worker gave no answer: %r", error)
        return None, ""

    def _introduce(self, master: MasterNotebook, settings: Settings) -> str:
        """Let all workers have an assignment, the ones to come included."""
        key = (master.digest, settings)
        with self._looking:
            if key not in self._graders:
                self._graders[key] = Grader(master, settings)
                self._ready.clear()  # no worker has it yet
        return self._graders[key].name

    def _look(self) -> None:
        """See from time to time who has come and gone.

        `EngineError`: there has been no worker for long; `StoppedError`: the run ended.
        """
        with self._looking:
            if self._ended:
                raise StoppedError("The run was stopped.")
            pause = LOOK_SECONDS if self._ready else PAUSE_SECONDS
            if time.monotonic() - self._looked < pause:
                return
            try:
                self._ask_workers()
            # Dask also raises asyncio's error, which is not an Exception.
            except (Exception, asyncio.CancelledError) as error:
                # The client goes on trying to reach its scheduler.
                log.warning("The scheduler at %s: %r", self._address, error)
            self._looked = time.monotonic()
            if self._ready:
                self._alive = self._looked
            elif self._looked - self._alive > PATIENCE_SECONDS:
                reasons = " ".join(islice(self._refusals.values(), 5))
                raise EngineError(
                    f"No worker is left at {self._address}. Run the same command when "
                    f"there are some: it goes on where it stopped. {reasons}"
                )

    def _ask_workers(self) -> None:
        """Ask the workers that have come; send away those that refuse."""
        with self._looking:
            if self._client.status == "closed":  # it tries for some seconds alone
                self._client = connect(self._address, CONNECT_SECONDS)
            if self._client.status != "running":
                self._ready.clear()
                return
            info = self._client.scheduler_info(n_workers=-1)
            if info["id"] != self._scheduler:  # it was started anew, and knows nothing
                self._client.run_on_scheduler(allow_failures, most=DEATHS - 1)
                self._scheduler = info["id"]
                self._registered.clear()
            graders = {grader.name: grader for grader in self._graders.values()}
            for name in graders.keys() - self._registered:
                # A worker that has no such class is asked below, and then sent away.
                with contextlib.suppress(ImportError, AttributeError):
                    self._client.register_plugin(graders[name], name=name)
                self._registered.add(name)
                self._ready.clear()
            self._ready &= info["workers"].keys()
            new = [*(info["workers"].keys() - self._ready)]
            if not new:
                return
            names = [*graders]
            answers = self._client.run(refusal, names, workers=new, on_error="return")
            self._ready |= {address for address in new if answers[address] == ""}
            for address, reason in answers.items():
                # One that has just come, or could not be reached, is asked again.
                if reason and not isinstance(reason, OSError):
                    self._refusals[address] = describe_refusal(address, reason)
                    log.warning("%s", self._refusals[address])
                    if self._ready:
                        self._client.retire_workers([address])

    def __exit__(self, *error: object) -> None:
        self._ended = True
        for grader in self._graders.values():
            with contextlib.suppress(Exception):  # the scheduler may have gone
                self._client.unregister_worker_plugin(grader.name)
        with contextlib.suppress(Exception):
            self._client.close(timeout=5)
        self.shutdown()
