"""Forks of the fork server: slots, user ids, scratch folders, limits, and their end."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path

from nbproctor.sandbox import usage
from nbproctor.sandbox.child import Fork, fork, require_one_thread
from nbproctor.sandbox.layers import Policy
from nbproctor.sandbox.users import SLOTS

# How often memory and scratch folders are measured. Where scratch folders have no hard
# limit, a writer fills 2 GB a second: then more often, as long as a look takes less.
WATCH_SECONDS, CLOSE_WATCH_SECONDS = 0.1, 0.005


@dataclass
class Process:
    """A fork that runs, and what it may use."""

    pid: int
    slot: int
    scratch: Path
    policy: Policy
    memory: int  # in bytes, with what it shares with the server
    judge: int  # the judge that it belongs to; a judge belongs to itself


@dataclass
class Processes:
    """All forks of the server that have not been collected.

    Attributes
    ----------
    base : Path
        Folder of the scratch folders.
    hard_limits : bool
        Whether the kernel limits the size of a scratch folder.
    running : dict
        Process id → the fork.
    """

    base: Path
    hard_limits: bool
    running: dict[int, Process] = field(default_factory=dict)

    def fork(
        self,
        policy: Policy,
        judge: int | None,
        body: Callable[..., None],
        *kept: socket.socket,
    ) -> Fork:
        """Fork a judge (`judge` is None), or a student process of a judge.

        Raises
        ------
        OSError
            The kernel refuses another process, socket or folder.
        RuntimeError
            All slots are taken, or this process has threads.
        """
        taken = {process.slot for process in self.running.values()}
        free = set(range(SLOTS)) - taken
        if not free:
            raise RuntimeError(
                f"a judge keeps more than {SLOTS - 1} students at a time"
            )
        require_one_thread()
        slot = min(free)
        scratch = self.base / str(slot)
        scratch.mkdir(mode=0o700)
        if policy.uid is not None:
            policy = replace(policy, uid=policy.uid + slot)
        try:
            child = fork(body, policy, scratch, *kept)
        except OSError:
            scratch.rmdir()
            raise
        memory = usage.data() + policy.memory + usage.NOT_DATA
        owner = child.pid if judge is None else judge
        process = Process(child.pid, slot, scratch, policy, memory, owner)
        self.running[child.pid] = process
        return child

    def watch(self) -> float:
        """End processes that use too much; return the seconds until the next look."""
        start = time.monotonic()
        for process in list(self.running.values()):
            size, count = usage.scratch(process.scratch)
            if (
                size > process.policy.scratch
                or count > process.policy.scratch_files
                or usage.memory(process.pid) > process.memory
            ):
                self.end(process.pid)
        if self.hard_limits:
            return WATCH_SECONDS
        return max(CLOSE_WATCH_SECONDS, time.monotonic() - start)

    def end_all(self) -> None:
        """Kill and collect every fork."""
        for pid in list(self.running):
            self.end(pid)

    def end_students(self, judge: int) -> None:
        """Kill and collect the student processes of a judge."""
        for process in list(self.running.values()):
            if process.judge == judge != process.pid:
                self.end(process.pid)

    def end(self, pid: int) -> int | None:
        """Kill and collect a process (of a judge: its students too), wipe its scratch.

        Returns its wait status if it had ended by itself, else None.
        """
        process = self.running.pop(pid, None)
        if process is None:
            return None
        if process.judge == pid:
            self.end_students(pid)
        ended, status = os.waitpid(pid, os.WNOHANG)
        if ended == 0:
            os.kill(pid, signal.SIGKILL)
            os.waitpid(pid, 0)
        shutil.rmtree(process.scratch)
        return status if ended else None
