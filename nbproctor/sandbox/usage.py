"""How much memory and disk a sandboxed process uses, seen from outside."""

from __future__ import annotations

import os
import resource
from pathlib import Path

# Memory that is not data by the kernel's count and still honest: what libraries wrote
# once and made read-only, and the main stack.
NOT_DATA = 64 << 20


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
        _, resident, of_files, *_ = _pages(pid)
    except (FileNotFoundError, ProcessLookupError):
        return 0
    return (resident - of_files) * resource.getpagesize()


def _pages(pid: int | str) -> list[int]:
    return [int(field) for field in Path(f"/proc/{pid}/statm").read_text().split()]
