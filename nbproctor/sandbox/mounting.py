"""Right to mount scratch folders: whether forks have it, and how to gain it.

Root can, and so can everybody inside bubblewrap.  An ordinary user can in a user
namespace, where the system lets users make them: Ubuntu 24.04 and Docker's default
profile do not.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable
from pathlib import Path

from nbproctor.sandbox import libc


def gain() -> bool:
    """Enter a user namespace if that is what it takes to mount; say whether it works.

    It is tried in forks first, since a namespace without rights cannot be left again.
    Call it in a process with one thread, whose forks shall mount.
    """
    if _works(lambda: None):
        return True
    if os.geteuid() == 0 or not _works(libc.own_user_namespace):
        return False
    libc.own_user_namespace()
    return True


def possible() -> bool:
    """Say whether `gain` would work, without changing this process."""
    return _works(lambda: None) or (
        os.geteuid() != 0 and _works(libc.own_user_namespace)
    )


def _works(first: Callable[[], None]) -> bool:
    with tempfile.TemporaryDirectory(prefix="nbproctor-") as folder:
        pid = os.fork()
        if pid == 0:
            code = 1
            try:
                first()
                libc.mount_private_tmpfs(
                    Path(folder), 1 << 20, 10, os.geteuid(), os.getegid()
                )
                Path(folder, "file").write_bytes(b"written")
                code = 0
            finally:
                os._exit(code)
        return os.waitpid(pid, 0)[1] == 0
