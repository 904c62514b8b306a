"""Submissions run by the workers of a Dask scheduler, on any number of computers.

One Dask task is one submission. A worker plugin (`Grader`) holds the assignment on each
worker, also on those that come later. Dask's ``KilledWorker`` names what a worker had
when it died: the submission that it ran, and one that waited there. Until these have
ended, no worker gets a second one, so that the next ``KilledWorker`` names the
submission that ends workers.

Coordinator and workers trust each other, and Dask carries Python objects between them.
What a student wrote crosses only as text and numbers, in both directions: code to run,
and the report, which the judge made of plain data.
"""

from __future__ import annotations

import asyncio
import logging
import tempfile
import time
import uuid
import warnings
from collections import deque
from collections.abc import Mapping, Sequence
from concurrent.futures import CancelledError, Future
from contextlib import AbstractContextManager, suppress
from dataclasses import dataclass, field, replace
from itertools import islice
from pathlib import Path
from threading import Event, RLock, Thread
from typing import Any

from distributed import Client, get_worker
from distributed.diagnostics.plugin import WorkerPlugin

from nbproctor.engine.cache import SOURCE_KEY, versions
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
POLL_INTERVAL = 2.0  # between two looks at who has come and gone
IDLE_POLL_INTERVAL = 0.5  # where nobody is there to look at
NO_WORKER_TIMEOUT = 120.0  # without any worker
DEATHS = 3  # of workers, one of them perhaps by another submission's fault


@dataclass(eq=False)
class Task:
    """A submission for the plugin of a name, and how many workers died with it."""

    grader: str
    execution: Execution
    report: Future[Report] = field(default_factory=Future)
    deaths: int = 0


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
        self._poll_lock = RLock()
        self._waiting: deque[Task] = deque()
        self._running: dict[Any, Task] = {}  # by Dask's future
        self._wake_up = Event()
        self._ended = False
        self._failure = ""
        self._thread = Thread(target=self._dispatch, daemon=True)

    @property
    def concurrency(self) -> int:
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
        until = time.monotonic() + NO_WORKER_TIMEOUT
        try:
            self._add_assignment(master, settings)
            while not (refused := self._poll_workers()) and not self._ready:
                if time.monotonic() > until:
                    raise EngineError(
                        f"The scheduler at {self._address} has no workers."
                    )
                self._wake_up.wait(IDLE_POLL_INTERVAL)
        except (OSError, RuntimeError) as error:
            raise EngineError(
                f"The workers at {self._address} cannot be reached ({error!r})."
            ) from error
        if not self._ready:
            raise EngineError("\n".join(islice(refused.values(), 5)))

    def execute(self, execution: Execution) -> Future[Report]:
        """Execute a submission on a worker; `EngineError` if all of them have gone."""
        grader = self._add_assignment(execution.master, execution.settings)
        task = Task(grader, execution)
        self._waiting.append(task)
        self._wake_up.set()
        if self._failure:
            raise EngineError(self._failure)
        if not self._thread.ident:
            self._thread.start()
        return task.report

    def _add_assignment(self, master: MasterNotebook, settings: Settings) -> str:
        """Let all workers have an assignment, the ones to come included."""
        key = (master.digest, settings)
        with self._poll_lock:
            if key not in self._graders:
                self._graders[key] = Grader(master, settings)
                if self._scheduler:  # else it is yet to be looked at
                    self._register(self._graders[key])
        return self._graders[key].name

    def _register(self, grader: Grader) -> None:
        # A worker that has no such class is asked below, and then sent away.
        with suppress(ImportError, AttributeError):
            self._client.register_plugin(grader, name=grader.name)
        self._ready.clear()

    def _poll_workers(self) -> dict[str, str]:
        """Ask new workers whether they can grade; return why some cannot."""
        with self._poll_lock:
            if self._client.status == "closed":  # it tries for some seconds alone
                self._client = _connect(self._address)
                self._scheduler = ""
            if self._client.status != "running":
                self._ready.clear()
                return {}
            info = self._client.scheduler_info(n_workers=-1)
            if info["id"] != self._scheduler:  # it was started again, and knows nothing
                # Dask would try again by itself, beside others.
                self._client.run_on_scheduler(
                    lambda dask_scheduler: setattr(
                        dask_scheduler, "allowed_failures", 0
                    )
                )
                for grader in self._graders.values():
                    self._register(grader)
                self._scheduler = info["id"]
                # Dask cancels what the former one had, but not all of it.
                self._waiting.extendleft(reversed(self._running.values()))
                self._running.clear()
            workers = info["workers"].keys()
            self._ready &= workers
            new = [*(workers - self._ready)]
            if not new:
                return {}
            names = [grader.name for grader in self._graders.values()]
            refusals = self._client.run(
                find_refusal,
                names,
                workers=new,
                on_error="return",
            )
            refused = {}
            for address, reason in refusals.items():
                if reason == "":
                    self._ready.add(address)
                # One that has just come, or could not be reached, is asked again.
                elif reason and not isinstance(reason, OSError):
                    text = _describe_refusal(reason)
                    refused[address] = f"The worker {address} cannot be used: {text}"
            return refused

    def _dispatch(self) -> None:
        """Keep every worker busy, until the end."""
        running = self._running
        looked = time.monotonic()
        alive = looked
        refused: dict[str, str] = {}
        while not self._ended:
            self._wake_up.wait(IDLE_POLL_INTERVAL)
            self._wake_up.clear()
            try:
                # The last first, so that those that are tried again keep their order.
                finished = [future for future in reversed(running) if future.done()]
                for future in finished:
                    self._handle_answer(future, running.pop(future))
                if not self._ready or time.monotonic() - looked > POLL_INTERVAL:
                    refusing = self._poll_workers()
                    refused |= refusing
                    for address, reason in refusing.items():
                        log.warning("%s", reason)
                        self._client.retire_workers([address])
                    looked = time.monotonic()
                tasks = (*running.values(), *self._waiting)
                have_died = any(task.deaths for task in tasks)
                most = len(self._ready) if have_died else 2 * len(self._ready)
                while self._waiting and len(running) < most:
                    future = self._send(self._waiting[0])
                    running[future] = self._waiting.popleft()
            # Dask also raises asyncio's error, which is not an Exception.
            except (Exception, asyncio.CancelledError) as error:
                # The client goes on trying to reach its scheduler.
                log.warning("The scheduler at %s: %r", self._address, error)
            if self._ready:
                alive = time.monotonic()
            elif time.monotonic() - alive > NO_WORKER_TIMEOUT:
                sentences = [f" {reason}" for reason in refused.values()]
                self._failure = (
                    f"No worker is left at {self._address}. When there are some "
                    "again, run the same command: it continues where it "
                    f"stopped.{''.join(sentences[:5])}"
                )
                break
        for task in [*running.values(), *self._waiting]:
            failure = EngineError(self._failure) if self._failure else None
            stopped = StoppedError("The run was stopped.")
            task.report.set_exception(failure or stopped)

    def _send(self, task: Task) -> Any:
        with warnings.catch_warnings():
            # Dask advises against large arguments; a student's files may be large.
            warnings.simplefilter("ignore", UserWarning)
            future = self._client.submit(
                run,
                task.grader,
                task.execution.cells,
                task.execution.files,
                pure=False,
            )
        future.add_done_callback(lambda _: self._wake_up.set())
        return future

    def _handle_answer(self, future: Any, task: Task) -> None:
        """Take a worker's answer; without one, let another worker try."""
        report = None
        failure = ""
        try:
            report, failure = future.result(timeout=ANSWER_SECONDS)
        except (CancelledError, asyncio.CancelledError):
            pass  # the scheduler has gone: no worker is at fault
        except Exception as error:
            log.warning("A worker gave no answer: %r", error)
            if self._client.status == "running":
                task.deaths += 1
            if task.deaths >= DEATHS:
                failure = (
                    f"It made {task.deaths} workers of the cluster end. Grade it on "
                    "this computer with --force --student, or by hand."
                )
        if report:
            task.report.set_result(report)
        elif failure:
            task.report.set_exception(ExecutionError(failure))
        else:
            self._waiting.appendleft(task)
            self._ready.clear()  # each worker is asked again

    def __exit__(self, *error: object) -> None:
        self._ended = True
        self._wake_up.set()
        if self._thread.ident:
            self._thread.join()
        for grader in self._graders.values():
            with suppress(Exception):  # the scheduler may have gone
                self._client.unregister_worker_plugin(grader.name)
        with suppress(Exception):
            self._client.close(timeout=5)


class _Closing(Client):
    """Dask leaves open what it could not start, and waits for it at the end."""

    def start(self, **options: Any) -> None:
        try:
            super().start(**options)  # type: ignore[no-untyped-call]
        except BaseException:
            self.close(timeout=CONNECT_SECONDS)  # type: ignore[no-untyped-call]
            raise


def _connect(address: str) -> Any:
    """Return a client of a scheduler, by the keys that Dask's configuration names."""
    try:
        return _Closing(  # type: ignore[no-untyped-call]
            address,
            timeout=CONNECT_SECONDS,
            set_as_default=False,
            name="nbproctor",
        )
    except (OSError, RuntimeError, TypeError, ValueError) as error:
        raise EngineError(
            f"No Dask scheduler answers at {address} ({error}). If it uses TLS, its "
            "address begins with tls://, and Dask's configuration "
            "(distributed.comm.tls) on this computer, the scheduler and the workers "
            "must name certificates from the same authority."
        ) from error


def _describe_refusal(answer: object) -> str:
    """Return a worker's answer, or the text of its error."""
    if isinstance(answer, ModuleNotFoundError | AttributeError):
        return f"it has no nbproctor, or a different version ({answer})"
    return answer if isinstance(answer, str) else repr(answer)


# ---- on a worker ---------------------------------------------------------------------

# A report, or why there is none; neither: this worker refuses.
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
        self._files = {
            target: path.read_bytes() for target, path in settings.own_files()
        }
        self._folder: tempfile.TemporaryDirectory[str] | None = None

    def setup(self, worker: Any) -> None:
        """Write the files and start a fork server, or note why that cannot be.

        Nothing is raised: Dask would let the worker in all the same.
        """
        self.refusal = self._find_version_mismatch(versions())
        threads = worker.state.nthreads
        if threads > 1:
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
            return None, ""
        execution = Execution(
            cells=cells,
            master=self._master,
            settings=self._settings,
            files=files,
        )
        try:
            return execute(execution, _servers), ""
        except EngineError as error:
            self.refusal = str(error)
            return None, ""
        except ExecutionError as error:
            return None, str(error)
        except Exception as error:  # Dask cannot carry every exception
            return None, f"It could not be executed ({error!r})."

    def _find_version_mismatch(self, worker_versions: Mapping[str, str]) -> str:
        """Return what a worker has in other versions, in words, or nothing."""
        if worker_versions[SOURCE_KEY] != self._versions[SOURCE_KEY]:
            return "its nbproctor is not the coordinator's version"
        other = []
        for name, version in self._versions.items():
            worker_version = worker_versions.get(name, version)
            if worker_version != version:
                other.append(f"{name} {worker_version} (the coordinator has {version})")
        return f"it has {', '.join(other[:3])}" if other else ""


def run(
    name: str,
    cells: Sequence[StudentCell],
    files: Mapping[str, bytes],
) -> Answer:
    """Execute a submission on a worker that has the plugin of that name."""
    grader: Any = get_worker().plugins.get(name)
    if grader is None:
        return None, ""
    answer: Answer = grader.run(cells, files)
    return answer


def find_refusal(names: Sequence[str], dask_worker: Any) -> str | None:
    """Return why a worker executes nothing, or ""; None if it has yet to get ready."""
    if not dask_worker.plugins.keys() >= {*names}:
        return None
    for name in names:
        refusal: str = dask_worker.plugins[name].refusal
        if refusal:
            return refusal
    return ""
