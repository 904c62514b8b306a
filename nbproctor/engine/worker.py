"""Run submissions on a worker of a Dask cluster.

This is the other side of `nbproctor.engine.cluster`: a plugin that holds an assignment,
and functions that Dask calls by name on each worker.
"""

import tempfile
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from distributed import get_worker
from distributed.diagnostics.plugin import WorkerPlugin

from nbproctor.engine.cache import SOURCE_KEY, versions
from nbproctor.engine.execution import Execution, execute
from nbproctor.engine.servers import EngineError, ExecutionError, Servers, Settings
from nbproctor.errors import NbproctorError
from nbproctor.notebook import MasterNotebook
from nbproctor.results import Report, StudentCell
from nbproctor.writing import write_file

# One fork server for all coordinators, because a worker has one thread.
_servers = Servers()


class UnusableWorkerError(NbproctorError):
    """A worker executes nothing; the message says why."""


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
        self.refusal = ""  # why this worker cannot execute it

    def setup(self, worker: Any) -> None:
        """Write the files and start a fork server, or store the reason why it cannot.

        Nothing is raised: Dask would accept the worker anyway.
        """
        try:
            self._check(worker.state.nthreads, versions())
            self._settings = self._unpacked()
            with _servers.acquire(self._master, self._settings):
                pass
        except (EngineError, OSError) as error:
            self.refusal = str(error)

    def _check(self, threads: int, worker_versions: Mapping[str, str]) -> None:
        """Raise `EngineError` if a worker may not execute submissions."""
        if threads > 1:
            raise EngineError(
                f"it has {threads} threads, so a submission that ends it could not be "
                f"identified: start it with --nworkers {threads} --nthreads 1"
            )
        if worker_versions[SOURCE_KEY] != self._versions[SOURCE_KEY]:
            raise EngineError("its nbproctor is not the coordinator's version")
        differences = []
        for name, version in self._versions.items():
            worker_version = worker_versions.get(name, version)
            if worker_version != version:
                differences.append(
                    f"{name} {worker_version} (the coordinator has {version})"
                )
        if differences:
            raise EngineError(f"it has {', '.join(differences[:3])}")

    def _unpacked(self) -> Settings:
        """Write the assignment's files; return settings that name them there."""
        self._folder = tempfile.TemporaryDirectory(prefix="nbproctor-assignment-")
        folder = Path(self._folder.name)
        folder.chmod(0o755)  # student processes may have a user id of their own
        for name, content in self._files.items():
            write_file(folder / name, content)
        policy = self._settings.policy
        files = [(name, str(folder / name)) for name, _ in policy.files]
        return replace(self._settings, policy=replace(policy, files=tuple(files)))

    def teardown(self, worker: Any) -> None:
        """Forget the assignment: the coordinator is done."""
        _servers.retire()
        if self._folder:
            self._folder.cleanup()

    def run(self, cells: Sequence[StudentCell], files: Mapping[str, bytes]) -> Report:
        """Execute a submission."""
        if self.refusal:
            raise UnusableWorkerError(self.refusal)
        execution = Execution(
            cells=cells,
            master=self._master,
            settings=self._settings,
            files=files,
        )
        try:
            return execute(execution, _servers)
        except EngineError as error:
            self.refusal = str(error)
            raise UnusableWorkerError(self.refusal) from error
        except ExecutionError:
            raise
        except Exception as error:  # Dask cannot carry every exception
            raise ExecutionError(f"It could not be executed ({error!r}).") from None


def run(
    name: str,
    cells: Sequence[StudentCell],
    files: Mapping[str, bytes],
) -> Report:
    """Execute a submission on a worker that has the plugin of that name."""
    grader: Any = get_worker().plugins.get(name)
    if grader is None:
        raise UnusableWorkerError("it has no such assignment")
    report: Report = grader.run(cells, files)
    return report


def find_refusal(name: str, dask_worker: Any) -> str:
    """Return why a worker does not execute an assignment, or nothing."""
    grader = dask_worker.plugins.get(name)
    return grader.refusal if grader else ""
