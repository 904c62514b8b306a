"""Submissions run by the workers of a Dask scheduler, on any number of computers.

One Dask task is one submission, and Dask runs it again if its worker has ended. A
worker plugin (`Grader`) holds the assignment on each worker, also on those that come
later. Only one task at a time is on a worker, so that `KilledWorker` names the
submission that ends workers.

Coordinator and workers trust each other, and Dask carries Python objects between them.
What a student wrote crosses only as text and numbers, in both directions: code to run,
and the report, which the judge made of plain data.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import tempfile
import threading
import time
import uuid
import warnings
from collections.abc import Mapping, Sequence
from concurrent.futures import CancelledError, Future
from contextlib import AbstractContextManager
from dataclasses import dataclass, field, replace
from functools import partial
from itertools import islice
from pathlib import Path
from typing import Any

from dask.task_spec import Task as DaskTask
from distributed import Client, KilledWorker, Reschedule, get_worker
from distributed.diagnostics.plugin import WorkerPlugin

from nbproctor.engine.cache import OWN, versions
from nbproctor.engine.execution import Execution, execute
from nbproctor.engine.servers import (
    EngineError,
    ExecutionError,
    Servers,
    Settings,
    StoppedError,
)
from nbproctor.notebook import MasterNotebook
from nbproctor.results import Report, StudentCell
from nbproctor.writing import write_file

log = logging.getLogger(__name__)

CONNECT_SECONDS = 10
ANSWER_SECONDS = 120.0  # a worker that is asked may be dying
LOOK_SECONDS = 1.0  # between two looks at who has come and gone
PATIENCE_SECONDS = 120.0  # without any worker
DEATHS = 3  # of workers; their submission is given up


@dataclass(eq=False)
class Task:
    """A submission for the plugin of a name."""

    grader: str
    execution: Execution
    report: Future[Report] = field(default_factory=Future)
    future: Any = None  # Dask's; None: it has to be sent, perhaps again
    deaths: int = 0  # of workers, or answers that were lost


class Cluster(AbstractContextManager["Cluster"]):
    """An executor whose workers belong to a Dask scheduler, ``tcp://scheduler:8786``.

    ``tls://…`` takes the keys that Dask's own configuration names. `EngineError`: no
    scheduler answers.
    """

    def __init__(self, address: str) -> None:
        self._address = address
        self._client = _connect(address)
        self._scheduler = ""  # its id
        self._graders: dict[tuple[str, Settings], Grader] = {}
        self._ready: set[str] = set()  # addresses of workers that execute
        self._tasks: dict[Task, None] = {}  # without a report, in their order
        self._lock = threading.RLock()
        self._ended = threading.Event()
        self._broken = ""
        self._thread = threading.Thread(target=self._watch, daemon=True)

    @property
    def width(self) -> int:
        """How many submissions workers have, and have waiting for them."""
        return 2 * max(len(self._ready), 1)

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
            while not (refused := self._look()) and not self._ready:
                if time.monotonic() > until:
                    raise EngineError(
                        f"The scheduler at {self._address} has no workers."
                    )
                time.sleep(LOOK_SECONDS)
        except (OSError, RuntimeError) as error:
            raise EngineError(
                f"The workers at {self._address} cannot be reached ({error!r})."
            ) from error
        if not self._ready:
            raise EngineError("\n".join(islice(refused.values(), 5)))

    def execute(self, execution: Execution) -> Future[Report]:
        """Execute a submission on a worker; `EngineError` if all of them have gone."""
        task = Task(self._introduce(execution.master, execution.settings), execution)
        with self._lock:
            self._tasks[task] = None
        if self._broken:
            raise EngineError(self._broken)
        with contextlib.suppress(Exception):  # else it is sent after the next look
            self._send(task)
        if not self._thread.ident:
            self._thread.start()
        return task.report

    def _introduce(self, master: MasterNotebook, settings: Settings) -> str:
        """Let all workers have an assignment, the ones to come included."""
        key = (master.digest, settings)
        with self._lock:
            if key not in self._graders:
                self._graders[key] = Grader(master, settings)
                if self._scheduler:  # else it is yet to be looked at
                    self._register(self._graders[key])
        return self._graders[key].name

    def _register(self, grader: Grader) -> None:
        # A worker that has no such class is asked below, and then sent away.
        with contextlib.suppress(ImportError, AttributeError):
            self._client.register_plugin(grader, name=grader.name)
        self._ready.clear()

    def _look(self) -> dict[str, str]:
        """Ask workers whether they can grade; return why some cannot."""
        with self._lock:
            if self._client.status == "closed":  # it tries for some seconds alone
                self._client = _connect(self._address)
                self._scheduler = ""
            if self._client.status != "running":
                self._ready.clear()
                return {}
            id = self._client.scheduler_info(n_workers=0)["id"]
            if id != self._scheduler:  # it was started again, and knows nothing
                self._client.run_on_scheduler(_set_up, DEATHS - 1)
                for grader in self._graders.values():
                    self._register(grader)
                self._scheduler = id
                for task in self._tasks:  # Dask cancels not all that the former had
                    task.future = None
        names = [grader.name for grader in [*self._graders.values()]]
        answers = self._client.run(refusal, names, on_error="return")
        self._ready = {address for address, reason in answers.items() if reason == ""}
        # One that has just come, or could not be reached, is asked again.
        return {
            address: f"The worker {address} cannot be used: {_words(reason)}"
            for address, reason in answers.items()
            if reason and not isinstance(reason, OSError)
        }

    def _watch(self) -> None:
        """Look after workers, and send submissions again, until the end."""
        alive = time.monotonic()
        refused: dict[str, str] = {}
        while not self._ended.wait(LOOK_SECONDS) and not self._broken:
            try:
                refusing = self._look()
                for address, reason in refusing.items():
                    log.warning("%s", reason)
                    self._client.retire_workers([address])
                refused |= refusing
                for task in [*self._tasks]:
                    if task.future is None:
                        self._send(task)
            # Dask also raises asyncio's error, which is not an Exception.
            except (Exception, asyncio.CancelledError) as error:
                # The client goes on trying to reach its scheduler.
                log.warning("The scheduler at %s: %r", self._address, error)
            if self._ready:
                alive = time.monotonic()
            elif time.monotonic() - alive > PATIENCE_SECONDS:
                sentences = [f" {reason}" for reason in refused.values()]
                self._broken = (
                    f"No worker is left at {self._address}. When there are some "
                    "again, run the same command: it continues where it "
                    f"stopped.{''.join(sentences[:5])}"
                )
        broken = EngineError(self._broken) if self._broken else None
        with self._lock:
            for task in self._tasks:
                task.future = None  # an answer that still comes is nobody's
                stopped = StoppedError("The run was stopped.")
                task.report.set_exception(broken or stopped)

    def _send(self, task: Task) -> None:
        key = f"nbproctor-{uuid.uuid4()}"
        arguments = task.grader, task.execution.cells, task.execution.files
        # As a producer of data it waits in the scheduler until a worker is free.
        sent = DaskTask(
            key,
            run,
            *arguments,
            _data_producer=True,
        )
        with self._lock, warnings.catch_warnings():
            # Dask advises against large arguments; a student's files may be large.
            warnings.simplefilter("ignore", UserWarning)
            task.future = self._client.get(
                {key: sent},
                key,
                sync=False,
                fifo_timeout=0,  # submissions run in their order
            )
            task.future.add_done_callback(partial(self._take, task))

    def _take(self, task: Task, future: Any) -> None:
        """Take a worker's answer; one that is lost with the scheduler comes again."""
        report = None
        failure = ""
        try:
            report, failure = future.result(timeout=ANSWER_SECONDS)
        except (CancelledError, asyncio.CancelledError):
            pass  # the scheduler has gone: no worker is at fault
        except Exception as error:
            log.warning("A worker gave no answer: %r", error)
            if isinstance(error, KilledWorker):
                task.deaths = DEATHS
            elif self._client.status == "running":
                task.deaths += 1
            if task.deaths >= DEATHS:
                failure = (
                    f"It made {task.deaths} workers of the cluster end. Grade it on "
                    "this computer with --force --student, or by hand."
                )
        with self._lock:
            if task.future is not future:  # it was sent again
                return
            task.future = None
            if report or failure:
                self._tasks.pop(task, None)
        if report:
            task.report.set_result(report)
        elif failure:
            task.report.set_exception(ExecutionError(failure))

    def __exit__(self, *error: object) -> None:
        self._ended.set()
        if self._thread.ident:
            self._thread.join()
        for grader in self._graders.values():
            with contextlib.suppress(Exception):  # the scheduler may have gone
                self._client.unregister_worker_plugin(grader.name)
        with contextlib.suppress(Exception):
            self._client.close(timeout=5)


def _set_up(allowed_failures: int, dask_scheduler: Any) -> None:
    """Let a scheduler try again what ends workers, with nothing else on the worker."""
    dask_scheduler.allowed_failures = allowed_failures
    dask_scheduler.WORKER_SATURATION = 1.0


def _connect(address: str) -> Any:
    """Return a client of a scheduler, by the keys that Dask's configuration names."""
    try:
        return Client(
            address, timeout=CONNECT_SECONDS, set_as_default=False, name="nbproctor"
        )
    except (OSError, RuntimeError, TypeError, ValueError) as error:
        raise EngineError(
            f"No Dask scheduler answers at {address} ({error}). If it uses TLS, its "
            "address begins with tls://, and Dask's configuration "
            "(distributed.comm.tls) on this computer, the scheduler and the workers "
            "must name certificates from the same authority."
        ) from error


def _words(answer: object) -> str:
    """Return a worker's answer, or the text of its error."""
    if isinstance(answer, ModuleNotFoundError | AttributeError):
        return f"it has no nbproctor, or a different version ({answer})"
    return answer if isinstance(answer, str) else repr(answer)


# ---- on a worker ---------------------------------------------------------------------

# A report, or why there is none.
Answer = tuple[Report | None, str]

# One fork server, whatever coordinators come and go: a worker has one thread.
_servers = Servers()


class Grader(WorkerPlugin):
    """An assignment on a worker, with everything that its submissions need.

    Its own files are read here, since a worker may not have them.
    """

    def __init__(self, master: MasterNotebook, settings: Settings) -> None:
        self.name = f"nbproctor-{uuid.uuid4()}"
        self._master = replace(master, data=None)
        self._settings = settings
        self._versions = versions()  # of the coordinator
        self._files = {p: path.read_bytes() for p, path in settings.own_files()}
        self._folder: tempfile.TemporaryDirectory[str] | None = None

    def setup(self, worker: Any) -> None:
        """Write the files and start a fork server, or note why that cannot be.

        Nothing is raised: Dask would let the worker in all the same.
        """
        self.refusal = self._unlike(versions())
        if (threads := worker.state.nthreads) > 1:
            self.refusal = (
                f"it has {threads} threads, so a submission that ends it could not be "
                f"identified: start it with --nworkers {threads} --nthreads 1"
            )
        try:
            if not self.refusal:
                self._settings = self._unpacked()
                with _servers.acquire(self._master, self._settings):
                    pass
        except (EngineError, OSError) as error:
            self.refusal = str(error)

    def _unpacked(self) -> Settings:
        """Write the assignment's files; return settings that name them there."""
        self._folder = tempfile.TemporaryDirectory(prefix="nbproctor-assignment-")
        folder = Path(self._folder.name)
        folder.chmod(0o755)  # student processes may have a user id of their own
        for name, content in self._files.items():
            write_file(folder / name, content)
        policy = self._settings.policy
        files = tuple((name, str(folder / name)) for name, _ in policy.files)
        return replace(self._settings, policy=replace(policy, files=files))

    def teardown(self, worker: Any) -> None:
        """Forget the assignment: the coordinator is done."""
        _servers.retire()
        if self._folder:
            self._folder.cleanup()

    def run(self, cells: Sequence[StudentCell], files: Mapping[str, bytes]) -> Answer:
        """Execute a submission."""
        if self.refusal:
            raise Reschedule
        execution = Execution(
            cells=cells, master=self._master, settings=self._settings, files=files
        )
        try:
            return execute(execution, _servers), ""
        except EngineError as error:
            self.refusal = str(error)
            raise Reschedule from error
        except ExecutionError as error:
            return None, str(error)
        except Exception as error:  # Dask cannot carry every exception
            return None, f"It could not be executed ({error!r})."

    def _unlike(self, worker_versions: Mapping[str, str]) -> str:
        """Return what a worker has in other versions, in words, or nothing."""
        client_versions = self._versions
        if worker_versions[OWN] != client_versions[OWN]:
            return "its nbproctor is not the coordinator's version"
        other = [
            f"{name} {worker_versions[name]} (the coordinator has {version})"
            for name, version in client_versions.items()
            if name in worker_versions and worker_versions[name] != version
        ]
        return f"it has {', '.join(other[:3])}" if other else ""


def run(name: str, cells: Sequence[StudentCell], files: Mapping[str, bytes]) -> Answer:
    """Execute a submission on a worker that has the plugin of that name."""
    grader: Any = get_worker().plugins.get(name)
    if grader is None:
        raise Reschedule
    answer: Answer = grader.run(cells, files)
    return answer


def refusal(names: Sequence[str], dask_worker: Any) -> str | None:
    """Return why a worker executes nothing, or ""; None if it has yet to get ready."""
    if not dask_worker.plugins.keys() >= {*names}:
        return None
    return next(filter(None, (dask_worker.plugins[n].refusal for n in names)), "")
