"""Limits of a sandboxed process: rlimits, and what it uses, seen from outside."""

from __future__ import annotations

import os
import signal
import sys
from pathlib import Path

from nbproctor.sandbox.policy import Policy

if sys.platform != "win32":
    import resource

SIGNALS = 256  # that may wait to be handled; the kernel counts them for the user
# Memory that is not data by the kernel's count and still honest: what libraries wrote
# once and made read-only, and the main stack.
NOT_DATA = 64 << 20


def limit_resources(policy: Policy) -> None:
    """Put the limits in force that the kernel counts for a process."""
    # The farther fence for what is not data: mapped files, page tables, and what was
    # written and then made read-only (see `memory`).  Threads reserve space.
    room = 4 * policy.memory + policy.threads * policy.stack
    limits = {
        resource.RLIMIT_CPU: policy.cpu_seconds,
        resource.RLIMIT_FSIZE: policy.scratch,
        resource.RLIMIT_NOFILE: policy.open_files,
        resource.RLIMIT_STACK: policy.stack,
        resource.RLIMIT_CORE: 0,
        resource.RLIMIT_SIGPENDING: SIGNALS,
        resource.RLIMIT_DATA: data() + policy.memory,
        resource.RLIMIT_AS: address_space() + room,
    }
    for what, most in limits.items():
        _limit(what, most)
    # Writing past RLIMIT_FSIZE is then an OSError instead of a death.
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)


def limit_threads(policy: Policy) -> None:
    """RLIMIT_NPROC counts every thread of the user, so start from those that run."""
    running = 0
    if policy.uid is None:
        own = f"\nUid:\t{os.getuid()}\t"
        namespace = Path("/proc/self/uid_map").read_text()  # each has its own count
        for process in Path("/proc").glob("[0-9]*"):
            try:
                status = (process / "status").read_text(errors="replace")
                if own not in status or (process / "uid_map").read_text() != namespace:
                    continue
            except OSError:
                continue  # it has just ended
            running += int(status.split("\nThreads:\t", 1)[1].split("\n", 1)[0])
    _limit(resource.RLIMIT_NPROC, running + policy.threads)


def _limit(what: int, most: int) -> None:
    hard = resource.getrlimit(what)[1]
    most = most if hard == resource.RLIM_INFINITY else min(most, hard)
    resource.setrlimit(what, (most, most))


def scratch(folder: Path) -> tuple[int, int]:
    """Return bytes and number of files of a scratch folder (0, 0 if it is gone).

    A file counts with its size or its blocks, whichever is more: a hole can be filled
    through a memory map faster than anybody looks.
    """
    size = count = 0
    for above, _, names in os.walk(folder):
        for name in names:
            try:
                status = Path(above, name).lstat()
            except FileNotFoundError:
                continue
            size += max(status.st_size, status.st_blocks * 512)
            count += 1
    return size, count


def data() -> int:
    """Return the bytes of this process that RLIMIT_DATA counts."""
    return _pages("self")[5] * resource.getpagesize()


def address_space() -> int:
    """Return the bytes of this process that RLIMIT_AS counts."""
    return _pages("self")[0] * resource.getpagesize()


def memory(pid: int) -> int:
    """Return the bytes of anonymous memory in use (0 if the process is gone).

    RLIMIT_DATA counts what may be written; what was written and then made read-only
    stays in memory uncounted.
    """
    try:
        # Of the process there is none, once its first thread has ended.
        threads = list(Path(f"/proc/{pid}/task").iterdir())
        pages = [_pages(f"{pid}/task/{thread.name}") for thread in threads]
    except (FileNotFoundError, ProcessLookupError):
        return 0
    return max((p[1] - p[2] for p in pages), default=0) * resource.getpagesize()


def _pages(pid: int | str) -> list[int]:
    return [int(field) for field in Path(f"/proc/{pid}/statm").read_text().split()]
