"""What executes submissions: the interface, and the pool of this computer."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Protocol

from nbproctor.engine.execution import execute
from nbproctor.engine.servers import Servers, Settings
from nbproctor.notebook import MasterNotebook
from nbproctor.results import Report, StudentCell
from nbproctor.sandbox.processors import processors


class Executor(Protocol):
    """Executes `width` submissions at once; a context manager ends its processes."""

    @property
    def width(self) -> int: ...  # noqa: D102 (see Attributes)

    def prepare(self, master: MasterNotebook, settings: Settings) -> None:
        """Get ready for an assignment; `EngineError` tells what is missing."""

    def execute(
        self,
        cells: Sequence[StudentCell],
        master: MasterNotebook,
        settings: Settings,
        files: Mapping[str, bytes],
    ) -> Future[Report]:
        """Grade one submission: see `engine.execute`."""

    def __enter__(self) -> Executor: ...

    def __exit__(self, *error: object) -> None: ...


class Pool(ThreadPoolExecutor):
    """An executor on this computer, with fork servers of its own.

    Its workers are threads, as many as there are processors if nobody says: all they do
    is wait for a fork server, which is a process.
    """

    def __init__(self, workers: int | None = None) -> None:
        self.width = workers or processors()
        super().__init__(self.width, "nbproctor")
        self._servers = Servers()

    def prepare(self, master: MasterNotebook, settings: Settings) -> None:
        """Start the first fork server; `EngineError` tells what is missing."""
        with self._servers.lend(master, settings):
            pass

    def execute(
        self,
        cells: Sequence[StudentCell],
        master: MasterNotebook,
        settings: Settings,
        files: Mapping[str, bytes],
    ) -> Future[Report]:
        """Grade one submission in a worker: see `engine.execute`."""
        return self.submit(execute, cells, master, settings, files, self._servers)

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:
        """End all workers and their fork servers."""
        super().shutdown(wait=False, cancel_futures=cancel_futures)
        if cancel_futures:
            self._servers.close()  # what still runs fails now: nobody waits for it
        super().shutdown(wait=wait)
        self._servers.close()

    def __exit__(self, *error: object) -> None:
        # After an exception (Ctrl-C is one) nobody waits for results.
        self.shutdown(wait=True, cancel_futures=error[0] is not None)
