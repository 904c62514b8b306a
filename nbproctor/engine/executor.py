"""What executes submissions: the interface of `Pool`, `Cluster` and `Kept`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from concurrent.futures import Future
from typing import Protocol

from nbproctor.engine.servers import Settings
from nbproctor.notebook import MasterNotebook
from nbproctor.results import Report, StudentCell


class Executor(Protocol):
    """Executes many submissions at once; a context manager, which ends its processes.

    Attributes
    ----------
    width : int
        How many submissions it executes at the same time.
    """

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
