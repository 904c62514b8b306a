"""Submissions run by the workers of a Dask scheduler, on any number of computers.

One Dask task is one submission. Dask keeps it until a worker is free, and gives it to
another worker if that one ends. Only one task at a time is on a worker, so that
`KilledWorker` names the submission that ends workers. `worker.py` is the workers' side.

Coordinator and workers trust each other, and Dask carries Python objects between them.
What a student wrote crosses only as text and numbers, in both directions: code to run,
and the report, which the judge made of plain data.
"""

from __future__ import annotations

import asyncio
import logging
import time
import uuid
import warnings
from collections.abc import Mapping
from concurrent.futures import Future
from contextlib import AbstractContextManager, suppress
from functools import cache
from itertools import islice
from typing import Any

from dask.task_spec import Task
from distributed import Client, KilledWorker
from distributed.client import FutureCancelledError
from distributed.exceptions import WorkerStartTimeoutError
from distributed.scheduler import NoWorkerError
from distributed.utils import LoopRunner

from nbproctor.engine.execution import Execution
from nbproctor.engine.servers import EngineError, ExecutionError, Settings
from nbproctor.engine.worker import Grader, UnusableWorkerError, find_refusal, run
from nbproctor.notebook import MasterNotebook
from nbproctor.results import Report

log = logging.getLogger(__name__)

CONNECT_SECONDS = 10
CLOSE_SECONDS = 5
POLL_INTERVAL = 0.5  # of a broken connection
NO_WORKER_TIMEOUT = 120.0  # without any worker, or without the scheduler
DEATHS = 3  # of workers, until their submission is given up


class Cluster(AbstractContextManager["Cluster"]):
    """An executor whose workers belong to a Dask scheduler, ``tcp://scheduler:8786``.

    ``tls://…`` takes the keys that Dask's own configuration names. `EngineError`: no
    scheduler answers.
    """

    def __init__(self, address: str) -> None:
        self._address = address
        self._lock = asyncio.Lock()
        self._grader = cache(Grader)  # one for each assignment
        self._registered: set[tuple[str, str]] = set()  # scheduler, plugin
        self._reports: set[Future[Report]] = set()  # still to come
        self._refusals: dict[str, str] = {}  # by address of a worker that was removed
        # Dask advises against large arguments; a student's files may be large.
        warnings.filterwarnings("ignore", message="Sending large graph")
        self._runner: Any = LoopRunner()
        self._runner.start()
        try:
            self._client = self._runner.run_sync(_connect, address)
        except EngineError:
            self._runner.stop()
            raise

    @property
    def concurrency(self) -> int:
        """How many submissions run on workers or wait for them."""
        return 2 * max(int(self._client.scheduler_info()["total_threads"]), 1)

    def prepare(
        self, master: MasterNotebook, settings: Settings, expected: int = 0
    ) -> None:
        """Send an assignment to every worker; wait until there is one.

        `EngineError` says of each why it cannot execute the assignment, if none can.
        """
        if settings.policy.network and not self._address.startswith("tls://"):
            raise EngineError(
                "Answers in this assignment may use the network, so they could make "
                "the scheduler run any program. Use tls://, or grade this assignment "
                "on this computer."
            )
        grader = self._grader(master, settings)
        try:
            self._runner.run_sync(self._prepare, grader)
        except WorkerStartTimeoutError as error:
            raise EngineError(
                f"The scheduler at {self._address} has no workers."
            ) from error
        except (OSError, RuntimeError, ImportError, AttributeError) as error:
            raise EngineError(
                f"The workers at {self._address} cannot be reached ({error!r})."
            ) from error

    def execute(self, execution: Execution) -> Future[Report]:
        """Execute a submission on a worker; `EngineError` if all of them have gone."""
        grader = self._grader(execution.master, execution.settings)
        report = asyncio.run_coroutine_threadsafe(
            self._execute(grader, execution), self._runner.loop.asyncio_loop
        )
        self._reports.add(report)
        report.add_done_callback(self._reports.discard)
        return report

    async def _prepare(self, grader: Grader) -> None:
        await self._client.wait_for_workers(1, NO_WORKER_TIMEOUT)
        await self._register(grader)
        refusals = await self._find_refusals(grader)
        if len(refusals) >= self._client.scheduler_info()["n_workers"]:
            raise EngineError("\n".join(islice(refusals.values(), 5)))
        await self._retire(refusals)

    async def _execute(self, grader: Grader, execution: Execution) -> Report:
        """Execute a submission; try again if no worker could answer."""
        while True:
            try:
                await self._register(grader)
                report: Report = await self._send(grader, execution)
                return report
            except UnusableWorkerError:
                with suppress(OSError):  # otherwise its next submission finds this
                    await self._retire(await self._find_refusals(grader))
            except (FutureCancelledError, OSError) as error:
                log.info("Connection lost, so no worker is at fault: %r", error)
            except KilledWorker as error:
                raise ExecutionError(
                    f"It made {DEATHS} workers of the cluster end. Grade it on "
                    "this computer with --force --student, or by hand."
                ) from error
            except NoWorkerError as error:
                raise self._no_worker_is_left() from error

    def _send(self, grader: Grader, execution: Execution) -> Any:
        """Send a submission to the scheduler; return Dask's future of its report."""
        key = f"nbproctor-{uuid.uuid4()}"
        task = Task(
            key,
            run,
            grader.name,
            execution.cells,
            execution.files,
            _data_producer=True,  # it waits in the scheduler until a worker is free
        )
        # Without the timeout, what is sent first is executed first.
        return self._client.get(
            {key: task},
            key,
            sync=False,
            fifo_timeout=0,
        )

    async def _register(self, grader: Grader) -> None:
        """Give an assignment to all workers, including those that start later.

        A scheduler that was restarted has lost it.
        """
        async with self._lock:
            await self._wait_for_scheduler()
            registration = (self._client.scheduler_info()["id"], grader.name)
            if registration in self._registered:
                return
            await self._client.run_on_scheduler(configure, DEATHS - 1)
            try:
                await self._client.register_plugin(grader)
            except OSError:
                raise
            except Exception as error:  # of a worker that has no such class
                log.info("A worker cannot be used: %r", error)
            self._registered.add(registration)

    async def _wait_for_scheduler(self) -> None:
        """Wait until the client is connected; it retries for some seconds."""
        until = time.monotonic() + NO_WORKER_TIMEOUT
        while self._client.status != "running":
            if time.monotonic() > until:
                raise self._no_worker_is_left()
            await asyncio.sleep(POLL_INTERVAL)
            if self._client.status == "closed":
                log.warning("The scheduler at %s does not answer.", self._address)
                with suppress(EngineError):
                    self._client = await _connect(self._address)

    async def _find_refusals(self, grader: Grader) -> dict[str, str]:
        """Ask every worker why it does not execute an assignment, if it does not."""
        answers = await self._client.run(find_refusal, grader.name, on_error="return")
        refusals = {}
        for address, answer in answers.items():
            if isinstance(answer, OSError):
                continue  # it may be ending
            if isinstance(answer, Exception):
                answer = f"it has no nbproctor, or a different version ({answer})"
            if answer:
                refusals[address] = f"The worker {address} cannot be used: {answer}"
        return refusals

    async def _retire(self, refusals: Mapping[str, str]) -> None:
        """Send away workers that refuse."""
        for address, sentence in refusals.items():
            if address not in self._refusals:
                log.warning("%s", sentence)
                self._refusals[address] = sentence
            await self._client.retire_workers([address])

    def _no_worker_is_left(self) -> EngineError:
        sentences = [
            f"No worker is left at {self._address}. When there are some again, run the "
            "same command: it continues where it stopped.",
            *islice(self._refusals.values(), 5),
        ]
        return EngineError(" ".join(sentences))

    def __exit__(self, *error: object) -> None:
        for report in [*self._reports]:
            report.cancel()
        for _, name in self._registered:
            with suppress(Exception):  # the scheduler may have gone
                self._client.unregister_worker_plugin(name)
        with suppress(Exception):
            self._client.close(timeout=CLOSE_SECONDS)
        self._runner.stop()


async def _connect(address: str) -> Any:
    """Return a client of a scheduler, by the keys that Dask's configuration names."""
    client = None
    try:
        client = Client(
            address,
            asynchronous=True,
            timeout=CONNECT_SECONDS,
            set_as_default=False,
            name="nbproctor",
        )
        return await client
    except (OSError, RuntimeError, TypeError, ValueError) as error:
        if client:
            await client.close()
        raise EngineError(
            f"No Dask scheduler answers at {address} ({error}). If it uses TLS, its "
            "address begins with tls://, and Dask's configuration "
            "(distributed.comm.tls) on this computer, the scheduler and the workers "
            "must name certificates from the same authority."
        ) from error


def configure(allowed_failures: int, dask_scheduler: Any) -> None:
    """Let a scheduler run again what ends workers, with nothing else on the worker."""
    dask_scheduler.allowed_failures = allowed_failures
    dask_scheduler.WORKER_SATURATION = 1.0
    dask_scheduler.no_workers_timeout = NO_WORKER_TIMEOUT
