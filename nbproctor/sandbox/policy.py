"""Policy of the sandbox, as data: what a process may use, and what it may read.

**User ids.** Only root can change its user id. It changes to `Policy.uid`, because
RLIMIT_NPROC does not limit root, and root owns too many files. If that user cannot read
the interpreter, and bubblewrap does not start, `Policy.uid` must be None. The process
then stays user 0 without any capability, and only memory limits its threads.
"""

from __future__ import annotations

import os
import stat
import sys
from dataclasses import dataclass
from functools import cache
from pathlib import Path

# Every process may read the system's libraries, this Python (see `interpreter_paths`)
# and this package.
_SYSTEM = """
    /usr/lib /usr/lib32 /usr/lib64 /usr/libx32 /lib /lib32 /lib64 /libx32
    /usr/share/fonts /usr/share/fontconfig /usr/share/zoneinfo /usr/local/share/fonts
    /etc/alternatives /etc/fonts /etc/ld.so.cache /etc/ld.so.conf /etc/ld.so.conf.d
    /etc/localtime /etc/mime.types /etc/timezone /sbin/ldconfig
    /sys/devices/system/cpu/online /sys/devices/system/cpu/possible
    /dev/null /dev/random /dev/urandom
"""
SYSTEM = _SYSTEM.split()
# Files that are used to look up names of computers, and certificates.
_NETWORK = """
    /etc/gai.conf /etc/host.conf /etc/hosts /etc/nsswitch.conf /etc/protocols
    /etc/pki/ca-trust/extracted /etc/pki/tls/cert.pem /etc/pki/tls/certs
    /etc/resolv.conf /etc/services /etc/ssl/certs /etc/ssl/openssl.cnf
    /run/systemd/resolve /usr/share/ca-certificates
"""
NETWORK = _NETWORK.split()
PACKAGE = Path(__file__).parents[1]
PYTHON = ("bin", "lib", "lib64", "pyvenv.cfg")  # of a prefix
# Ids that usually no account has: systemd's range for temporary services.
FIRST_UID = 61184
LAST_UID = 65519
# User ids of a fork server, one for each process that is alive at the same time.
SLOTS = 32


@dataclass(frozen=True)
class Policy:
    """What a sandboxed process may use.

    Sizes are in bytes, times in seconds of processor time. `memory` is added to what
    the process already uses when it enters the sandbox.
    """

    memory: int = 1 << 30
    cpu_seconds: int = 600
    threads: int = 64
    open_files: int = 256
    stack: int = 8 << 20
    scratch: int = 64 << 20  # also the largest file
    scratch_files: int = 4096
    readable: tuple[str, ...] = ()  # absolute paths, files or whole folders
    files: tuple[tuple[str, str], ...] = ()  # (name in the scratch folder, real path)
    environment: tuple[tuple[str, str], ...] = ()  # variables: (name, value)
    network: bool = False  # the computer's network, including its own services
    uid: int | None = None  # root becomes this user and group
    weak: bool = False  # accept that layers are missing


def readable_paths(policy: Policy) -> list[str]:
    """Return all that a process under `policy` may read besides its scratch folder."""
    paths = list(SYSTEM)
    if policy.network:
        paths += NETWORK
    paths += interpreter_paths()
    paths += policy.readable
    paths += [source for _, source in policy.files]
    return paths


@cache
def interpreter_paths() -> tuple[str, ...]:
    """Return what this Python needs to run, and to import more modules.

    These are single folders of a prefix: one such as /usr/local also contains other
    people's files (nbgrader's exchange, for example), and a virtual environment may be
    inside a course.
    """
    prefixes = {Path(sys.prefix), Path(sys.base_prefix)}
    # The executable may be a chain of links over several prefixes (venv, uv, pyenv).
    link = Path(sys.executable)
    prefixes.add(link.parent.parent)
    while link.is_symlink():
        link = link.parent / link.readlink()
        prefixes.add(link.parent.parent)
    # Of an editable installation, only this package, not the folder that contains it.
    folders = {PACKAGE}
    for prefix in prefixes:
        folders.update(prefix / part for part in PYTHON)
    folders.update(map(Path, site_packages()))
    existing = filter(Path.exists, folders)
    return tuple(sorted(map(str, existing)))


def site_packages() -> list[str]:
    """Return the folders of installed packages on this Python's path."""
    names = ("site-packages", "dist-packages")
    return [entry for entry in sys.path if Path(entry).name in names]


def free_uid(policy: Policy, in_bubblewrap: bool) -> int | None:
    """Return the first of `SLOTS` user ids that are free; None if this is not root.

    The result is also None if such a user could not read what the policy names. With
    `in_bubblewrap`, only the path itself must be readable, because bubblewrap makes the
    folders that contain it anew, readable for all.
    """
    is_root = os.name == "posix" and os.geteuid() == 0
    if not is_root:
        return None
    usable = LAST_UID - FIRST_UID - SLOTS
    first = FIRST_UID + os.getpid() * SLOTS % usable
    if not _mapped(first + SLOTS):
        return None
    for path in map(Path, readable_paths(policy)):
        if not path.exists():
            continue
        if not path.stat().st_mode & stat.S_IROTH:
            return None
        folders = [] if in_bubblewrap else path.resolve().parents
        for folder in folders:
            if not folder.stat().st_mode & stat.S_IXOTH:
                return None
    return first


def _mapped(uid: int) -> bool:
    """Whether this user namespace has a user id (rootless containers have few)."""
    for line in Path("/proc/self/uid_map").read_text().splitlines():
        first_id, _, count = map(int, line.split())
        if first_id <= uid < first_id + count:
            return True
    return False
