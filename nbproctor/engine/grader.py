"""An assignment on a worker of a cluster, and what the coordinator has done there."""

from __future__ import annotations

import tempfile
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from distributed import get_worker
from distributed.diagnostics.plugin import WorkerPlugin

from nbproctor.engine.cache import OWN, versions
from nbproctor.engine.execution import Execution, execute
from nbproctor.engine.servers import EngineError, ExecutionError, Servers, Settings
from nbproctor.notebook import MasterNotebook
from nbproctor.results import Report, StudentCell

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
        self._files = {p: path.read_bytes() for p, path in settings.own_files()}
        self._folder: tempfile.TemporaryDirectory[str] | None = None

    def setup(self, worker: Any) -> None:
        """Write the files and start a fork server, or note why that cannot be.

        Nothing is raised: Dask would let the worker in all the same.
        """
        self.refusal = self._unlike(versions())
        if (threads := worker.state.nthreads) > 1:
            self.refusal = (
                f"it has {threads} threads, so that nobody knows which submission ends "
                f"it: start it with --nworkers {threads} --nthreads 1"
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
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            (folder / name).write_bytes(content)
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
            cells=cells, master=self._master, settings=self._settings, files=files
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

    def _unlike(self, worker_versions: Mapping[str, str]) -> str:
        """Return what a worker has in other versions, in words, or nothing."""
        client_versions = self._versions
        if worker_versions[OWN] != client_versions[OWN]:
            return "its nbproctor is another version than the coordinator's"
        other = [
            f"{name} {worker_versions[name]} (the coordinator has {version})"
            for name, version in client_versions.items()
            if name in worker_versions and worker_versions[name] != version
        ]
        return f"it has {', '.join(other[:3])}" if other else ""


def run(name: str, cells: Sequence[StudentCell], files: Mapping[str, bytes]) -> Answer:
    """Execute a submission on a worker that has the plugin of that name."""
    grader: Any = get_worker().plugins.get(name)
    answer: Answer = grader.run(cells, files) if grader else (None, "")
    return answer


def refusal(names: Sequence[str], dask_worker: Any) -> str | None:
    """Return why a worker executes nothing, or ""; None if it has yet to get ready."""
    if not dask_worker.plugins.keys() >= {*names}:
        return None
    return next(filter(None, (dask_worker.plugins[n].refusal for n in names)), "")


def describe_refusal(address: str, answer: object) -> str:
    """Say in a sentence what a worker answered; of an error, what it says."""
    reason = answer if isinstance(answer, str) else repr(answer)
    if isinstance(answer, ModuleNotFoundError | AttributeError):
        reason = f"it has no nbproctor, or another version of it ({answer})"
    return f"The worker {address} refuses: {reason}"
