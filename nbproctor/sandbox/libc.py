"""Kernel calls that Python lacks: prctl, capabilities, namespaces, mounts.

``os.unshare`` exists since Python 3.12; ``capset``, ``mount`` and ``prctl`` do not
exist. The packages that wrap them need a compiler (python-prctl) or contain a network
stack (pyroute2), so this module calls them by ctypes.
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


def _call(name: str, *arguments: Any) -> None:
    """Call a function of the C library; raise `OSError` if the kernel refuses."""
    function = getattr(ctypes.CDLL(None, use_errno=True), name)
    result: int = function(*arguments)
    if result < 0:
        number = ctypes.get_errno()
        reason = os.strerror(number)
        raise OSError(number, f"{name}: {reason}")


def prctl(option: int, value: int) -> None:
    """Call prctl(2) with one argument; raise `OSError` if the kernel refuses."""
    words = map(ctypes.c_ulong, (value, 0, 0, 0))
    _call("prctl", ctypes.c_int(option), *words)


def has_capabilities() -> bool:
    """Whether this thread has a capability, or could take one."""
    header = (ctypes.c_uint32 * 2)(_CAPABILITY_VERSION_3, 0)
    words = (ctypes.c_uint32 * 6)()  # effective, permitted, inheritable; twice
    _call("capget", header, words)
    return any(words)


def drop_capabilities() -> None:
    """Give up every capability of this thread; with no_new_privs, it gets none back."""
    header = (ctypes.c_uint32 * 2)(_CAPABILITY_VERSION_3, 0)
    _call("capset", header, (ctypes.c_uint32 * 6)())


def enter_user_namespace() -> None:
    """Become the only user of a new user namespace, with every capability in it.

    The process keeps its user id. The capabilities apply to what belongs to the
    namespace, such as mount namespaces made in it, but not to files of other users.
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
    """Mount a tmpfs that only this process sees, and that is gone when it ends.

    `size` (bytes) and `inodes` are hard limits. The user owns the folder (mode 0700).
    Everything else becomes read-only for this process, so that reading changes no time
    of access, which other processes could see. `OSError`: CAP_SYS_ADMIN is missing, or
    a security module forbids the mount.
    """
    _call("unshare", _CLONE_NEWNS)
    _call(
        "mount",
        b"none",
        b"/",
        None,
        ctypes.c_ulong(_MS_REC | _MS_PRIVATE),
        None,
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
    )
    options = f"size={size},nr_inodes={inodes},mode=0700,uid={uid},gid={gid}"
    _mount_tmpfs(path, _MS_NOATIME, options)


def hide(path: str) -> None:
    """Mount an empty read-only folder over another folder, for this process only.

    Call `mount_private_tmpfs` first. `OSError`: CAP_SYS_ADMIN is missing.
    """
    _mount_tmpfs(path, _MS_RDONLY, "nr_inodes=1")


def _mount_tmpfs(path: str | Path, flag: int, options: str) -> None:
    """Mount a tmpfs that has no programs, devices and changes of user."""
    flags = flag | _MS_NOSUID | _MS_NODEV | _MS_NOEXEC
    _call(
        "mount",
        b"tmpfs",
        os.fsencode(path),
        b"tmpfs",
        ctypes.c_ulong(flags),
        options.encode(),
    )


def gain_mounts() -> bool:
    """Gain the right to mount scratch folders; return whether this process has it.

    Root can mount, and so can every user inside bubblewrap. An ordinary user can mount
    in a user namespace if the system allows one (Ubuntu 24.04 and Docker's default
    profile do not). This is tried in forks first, because a process cannot leave a
    namespace without rights. The process must have only one thread.
    """
    if not can_mount():
        return False
    if not _mounts(lambda: None):
        enter_user_namespace()
    return True


def can_mount() -> bool:
    """Whether `gain_mounts` would work; this process is not changed."""
    if _mounts(lambda: None):
        return True
    return os.geteuid() != 0 and _mounts(enter_user_namespace)


def give_back_memory() -> None:
    """Return unused memory to the system, because a fork copies its parent's memory."""
    gc.collect()
    with suppress(AttributeError):  # only glibc has it
        ctypes.CDLL(None).malloc_trim(0)


def _mounts(first: Callable[[], None]) -> bool:
    """Whether a fork can mount a scratch folder after it has called `first`."""
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
