"""Kernel calls that Python lacks: prctl, capabilities, namespaces, mounts.

``os.unshare`` came with Python 3.12, ``capset``, ``mount`` and ``prctl`` never did. The
packages that wrap them (python-prctl, pyroute2) want a compiler or bring a network
stack, so these few lines of ctypes stand here.
"""

from __future__ import annotations

import ctypes
import gc
import os
import struct
import tempfile
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

PR_SET_PDEATHSIG = 1
PR_SET_DUMPABLE = 4
PR_SET_NO_NEW_PRIVS = 38

_CLONE_NEWNS = 0x00020000
_CLONE_NEWUSER = 0x10000000
_MS_RDONLY = 1
_MS_NOSUID = 2
_MS_NODEV = 4
_MS_NOEXEC = 8
_MS_NOATIME = 1024
_MS_REC = 0x4000
_MS_PRIVATE = 1 << 18
_MOUNT_SETATTR = 442  # on every architecture
_AT_FDCWD = -100
_AT_RECURSIVE = 0x8000
_MOUNT_ATTR_RDONLY = 1
_CAPABILITY_VERSION_3 = 0x20080522


def _call(name: str, *arguments: Any, description: str = "") -> int:
    """Call a function of the C library; `OSError` says what the kernel refuses."""
    function = getattr(ctypes.CDLL(None, use_errno=True), name)
    result: int = function(*arguments)
    if result < 0:
        number = ctypes.get_errno()
        raise OSError(number, f"{description or name}: {os.strerror(number)}")
    return result


def prctl(option: int, value: int = 0) -> int:
    """Call prctl(2) with one argument; raise `OSError` when the kernel refuses."""
    words = map(ctypes.c_ulong, (value, 0, 0, 0))
    return _call(
        "prctl",
        ctypes.c_int(option),
        *words,
        description=f"prctl({option})",
    )


def has_capabilities() -> bool:
    """Whether there is a capability that this thread has or could take."""
    header = (ctypes.c_uint32 * 2)(_CAPABILITY_VERSION_3, 0)
    words = (ctypes.c_uint32 * 6)()  # effective, permitted, inheritable; twice
    _call("capget", header, words)
    return any(words)


def drop_capabilities() -> None:
    """Give up every capability of this thread, for good under no_new_privs."""
    header = (ctypes.c_uint32 * 2)(_CAPABILITY_VERSION_3, 0)
    _call("capset", header, (ctypes.c_uint32 * 6)())


def enter_user_namespace() -> None:
    """Become the only user of a new user namespace, with every capability in it.

    The process keeps its user id.  Capabilities hold for what belongs to the
    namespace: mount views made in it, not files of others.
    `OSError`: namespaces are forbidden here, or the process has threads.
    """
    uid = os.geteuid()
    gid = os.getegid()
    _call("unshare", _CLONE_NEWUSER)
    # Files in /proc/self belong to the process only while it is dumpable.
    prctl(PR_SET_DUMPABLE, 1)
    Path("/proc/self/setgroups").write_text("deny")
    Path("/proc/self/uid_map").write_text(f"{uid} {uid} 1")
    Path("/proc/self/gid_map").write_text(f"{gid} {gid} 1")
    prctl(PR_SET_DUMPABLE, 0)


def mount_private_tmpfs(
    path: Path,
    size: int,
    inodes: int,
    uid: int,
    gid: int,
) -> None:
    """Mount a tmpfs that only this process sees and that dies with it.

    `size` (bytes) and `inodes` are hard limits; the user owns the new root folder (mode
    0700). All else becomes read-only for this process: reading then changes no time of
    access, which others could see. `OSError`: CAP_SYS_ADMIN is missing, or a security
    module forbids it.
    """
    _call("unshare", _CLONE_NEWNS)
    _call(
        "mount",
        b"none",
        b"/",
        None,
        ctypes.c_ulong(_MS_REC | _MS_PRIVATE),
        None,
        description="mount --make-rprivate",
    )
    attributes = struct.pack("=4Q", _MOUNT_ATTR_RDONLY, 0, 0, 0)
    _call(
        "syscall",
        _MOUNT_SETATTR,
        _AT_FDCWD,
        b"/",
        _AT_RECURSIVE,
        attributes,
        ctypes.c_size_t(len(attributes)),
        description="mount_setattr",
    )
    options = f"size={size},nr_inodes={inodes},mode=0700,uid={uid},gid={gid}"
    flags = _MS_NOSUID | _MS_NODEV | _MS_NOEXEC | _MS_NOATIME
    _call(
        "mount",
        b"tmpfs",
        os.fsencode(path),
        b"tmpfs",
        ctypes.c_ulong(flags),
        options.encode(),
        description="mount tmpfs",
    )


def hide(path: str) -> None:
    """Put an empty read-only folder over one, in the view of this process alone.

    `OSError`: `mount_private_tmpfs` has not made that view, or CAP_SYS_ADMIN is
    missing.
    """
    flags = _MS_RDONLY | _MS_NOSUID | _MS_NODEV | _MS_NOEXEC
    _call(
        "mount",
        b"none",
        os.fsencode(path),
        b"tmpfs",
        ctypes.c_ulong(flags),
        b"nr_inodes=1",
    )


def gain_mounts() -> bool:
    """Gain the right to mount scratch folders; say whether this process has it.

    Root can mount, and so can everybody inside bubblewrap. An ordinary user can in a
    user namespace, where the system lets users make them: Ubuntu 24.04 and Docker's
    default profile do not. It is tried in forks first, since a namespace without rights
    cannot be left again. The process needs to have one thread.
    """
    if not can_mount():
        return False
    if not _mounts(lambda: None):
        enter_user_namespace()
    return True


def can_mount() -> bool:
    """Say whether `gain_mounts` would work, without changing this process."""
    if _mounts(lambda: None):
        return True
    return os.geteuid() != 0 and _mounts(enter_user_namespace)


def give_back_memory() -> None:
    """Return unused memory to the system: a fork copies what its parent holds."""
    gc.collect()
    with suppress(AttributeError):  # only glibc has it
        ctypes.CDLL(None).malloc_trim(0)


def _mounts(first: Callable[[], None]) -> bool:
    """Try it in a fork, which does something first."""
    with tempfile.TemporaryDirectory(prefix="nbproctor-") as folder:
        pid = os.fork()
        if pid == 0:
            code = 1
            try:
                first()
                mount_private_tmpfs(
                    path=Path(folder),
                    size=1 << 20,
                    inodes=10,
                    uid=os.geteuid(),
                    gid=os.getegid(),
                )
                Path(folder, "file").write_bytes(b"written")
                code = 0
            finally:
                os._exit(code)
        _, status = os.waitpid(pid, 0)
        return status == 0
