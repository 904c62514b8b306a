"""A Dask scheduler and workers in processes of their own, as a teacher starts them."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from threading import Event
from typing import Any

import pytest

# Imported before a test sets Dask's configuration: what is set may go, defaults stay.
pytest.importorskip("distributed")

from nbproctor.engine import cluster as engine_cluster
from nbproctor.engine import worker as engine_worker
from tests import PROJECT
from tests.notebooks import read_json

__all__ = ["RunningCluster", "engine_cluster", "engine_worker"]

# Loaded into each worker. No submission can end or hold up its worker from inside the
# sandbox. What does it in life is the computer: memory, power, a cloud that takes it.
PRELOAD = """
import os, re, signal, threading
from pathlib import Path
from nbproctor.engine import servers, worker

if not hasattr(worker, "untouched"):  # Dask loads this file twice
    worker.untouched = worker.Grader.run, servers._start
run, start = worker.untouched
folder = Path(FOLDER)  # this file is a copy

def dies(self, cells, files):
    submitted = "".join(cell.source for cell in cells)
    if "end this worker" in submitted:
        os.kill(os.getpid(), signal.SIGKILL)
    if held := re.search(r"held for (\\w+)", submitted):
        while not (folder / held[1]).exists():
            threading.Event().wait(0.05)
    return run(self, cells, files)

def refuses(*arguments):
    if (folder / "no-sandbox").exists():
        raise servers.EngineError("Landlock is missing.")
    return start(*arguments)

worker.Grader.run, servers._start = dies, refuses
"""


@dataclass
class RunningCluster:
    """A scheduler, and workers with one thread each.

    Parameters
    ----------
    folder
        For their files; what is put there is seen by workers (see `PRELOAD`).
    workers
        How many; a nanny starts each again when it has died. 0: one without a nanny.
    host
        Where they listen.
    env
        Variables of their environment.
    """

    folder: Path
    workers: int
    host: str = "tcp://127.0.0.1"
    env: Mapping[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        program = PRELOAD.replace("FOLDER", repr(str(self.folder)))
        (self.folder / "preload.py").write_text(program)
        self._file = self.folder / "scheduler.json"
        self._log = (self.folder / "log").open("wb")
        self._start(port=0)
        self.address = self._address()

    def _start(self, port: int) -> None:
        kind = [f"--nworkers={self.workers}"] if self.workers else ["--no-nanny"]
        preload = f"--preload={self.folder / 'preload.py'}"
        self._processes = [
            subprocess.Popen(
                [sys.executable, "-m", f"distributed.cli.dask_{program}", *options,
                 "--no-dashboard", f"--scheduler-file={self._file}",
                 f"--host={self.host}"],
                stderr=self._log,
                cwd=self.folder,
                env={**os.environ, "PYTHONPATH": str(PROJECT), **self.env},
            )
            for program, options in {
                "scheduler": [f"--port={port}"],
                "worker": [*kind, "--nthreads=1", preload,
                           f"--local-directory={self.folder}"],
            }.items()
        ]  # fmt: skip

    def _address(self) -> str:
        while not (self._file.is_file() and self._file.stat().st_size):
            assert self._processes[0].poll() is None, "the scheduler has ended"
            Event().wait(0.05)
        address: str = read_json(self._file)["address"]
        return address

    @cached_property
    def client(self) -> Any:
        from distributed import Client

        client = Client(self.address, set_as_default=False, timeout=30)
        client.wait_for_workers(self.workers, timeout=60)
        return client

    def pids(self) -> list[int]:
        return [*self.client.run(os.getpid).values()]

    def let(self, name: str) -> None:
        """Let workers go on with what is held for a name."""
        (self.folder / name).touch()

    def kill_scheduler(self) -> None:
        """End the scheduler as a power cut does."""
        self._processes[0].kill()

    def start_again(self) -> None:
        """Start all anew, at the same address."""
        for process in self._processes:
            # A worker without a scheduler ends by itself, once nothing is held in it.
            process.kill()
            process.wait(30)
        self._file.unlink()
        self._start(int(self.address.rpartition(":")[2]))

    def close(self) -> None:
        if "client" in self.__dict__:
            self.client.close()
        for process in reversed(self._processes):
            process.send_signal(signal.SIGINT)
            process.wait(30)
        self._log.close()
