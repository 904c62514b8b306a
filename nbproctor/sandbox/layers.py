"""Layers of the sandbox: `enter` puts a policy in force in the calling process.

This cannot be undone. Each layer protects even if another one has a hole:

- resource limits, no_new_privs, no core dumps, no capabilities, and for root another
  user id;
- Landlock (by landlockpy): the process reads only the interpreter, the system's
  libraries and what the policy names, and writes only to the scratch folder;
- seccomp: no new process or program, no socket, no signal to others, and nothing that
  Landlock does not control (chmod, utime, xattr): see `seccomp`;
- bubblewrap's namespaces around the whole fork server, if bubblewrap starts.

**Scratch folder.** With CAP_SYS_ADMIN in its namespace (from bubblewrap, or from
`libc.gain_mounts`), a process mounts its own tmpfs. The tmpfs has a hard limit, is
invisible to others, and is gone when the process dies; everything else is read-only.
Otherwise the scratch folder is an ordinary folder, in which files can be created, but
neither removed nor put into new subfolders, so that `server.measure_folder` sees every
byte.
"""

from __future__ import annotations

import os
import shutil
import signal
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

from nbproctor.errors import NbproctorError
from nbproctor.sandbox import libc, seccomp
from nbproctor.sandbox.policy import Policy, interpreter_paths, readable_paths

if sys.platform != "win32":
    import resource

SIGNALS = 256  # that may wait to be handled; the kernel counts them for the user
# Bytes of an assignment's files that are copied for each process, which may also write
# to the copies. Other files are only linked.
COPIED = 4 << 20


# The map of the first user namespace, in which user 0 is the computer's root.
FULL_ID_MAP = ["0", "0", "4294967295"]


class SandboxError(NbproctorError, RuntimeError):
    """A mandatory layer could not be put in force; nothing untrusted may run."""


def prepare(*policies: Policy) -> None:
    """Do the slow parts of `enter` once for all forks; by default, for `Policy()`.

    `SandboxError`: a mandatory layer is missing, so `enter` would fail.
    """
    try:
        import landlockpy

        landlockpy.abi_version()
        for policy in policies or (Policy(),):
            seccomp.prepare(policy)
    except (OSError, RuntimeError, ImportError) as error:
        raise SandboxError(f"{error}. For details, run `nbproctor doctor`.") from error
    interpreter_paths()


def enter(policy: Policy, scratch: Path) -> None:
    """Give up all rights that `policy` does not name. This cannot be undone.

    Call it in a fresh fork with one thread, after closing every descriptor that must
    not remain open. `scratch` is an empty folder that only this process uses. It
    becomes the working folder, HOME and TMPDIR. `SandboxError`: a mandatory layer is
    missing, and `policy.weak` does not accept that. End the process then: only some of
    its rights are gone.
    """
    for layer, put in _layers(policy, scratch):
        try:
            put()
        except (OSError, RuntimeError, ImportError, ValueError) as error:
            if not policy.weak:
                raise SandboxError(
                    f"the sandbox has no {layer} here ({error}). Nothing was run. Run "
                    "`nbproctor doctor` to see what is missing and how to get it."
                ) from error


def place_files(
    policy: Policy,
    folder: Path,
    max_copied_bytes: float,
) -> list[Path]:
    """Put the policy's files into a folder; return the copies and folders made there.

    Files that fit into `max_copied_bytes` together are copied; the others are linked.
    """
    created = []
    for name, source in policy.files:
        target = folder / name
        file = Path(source)
        created += [parent for parent in target.parents if not parent.exists()]
        target.parent.mkdir(parents=True, exist_ok=True)
        is_small = file.is_file() and file.stat().st_size <= max_copied_bytes
        if is_small:
            max_copied_bytes -= file.stat().st_size
            shutil.copyfile(file, target)
            created.append(target)
        else:
            target.symlink_to(file)
    return created


def _layers(policy: Policy, scratch: Path) -> Iterator[tuple[str, Callable[[], None]]]:
    """Yield name and action of each layer, while the process has the rights for it."""
    uid = os.geteuid()
    gid = os.getegid()
    if policy.uid is not None:
        uid = policy.uid
        gid = policy.uid
    is_other_user = uid != os.geteuid()
    own_tmpfs = False

    def make_scratch() -> None:
        nonlocal own_tmpfs
        try:
            libc.mount_private_tmpfs(
                scratch,
                policy.scratch,
                policy.scratch_files,
                uid,
                gid,
            )
            own_tmpfs = True
        except (OSError, AttributeError):
            if is_other_user:
                os.chown(scratch, uid, gid)
        for path in place_files(policy, scratch, COPIED):
            if is_other_user:  # otherwise this user could not change it
                os.chown(path, uid, gid)
        os.chdir(scratch)
        folder = str(scratch)
        tempfile.tempdir = folder
        os.environ["HOME"] = folder
        os.environ["TMPDIR"] = folder

    def change_user() -> None:
        if policy.uid is not None:
            os.setgroups([])
            os.setresgid(gid, gid, gid)
            os.setresuid(uid, uid, uid)

    def give_up_privileges() -> None:
        libc.prctl(libc.PR_SET_NO_NEW_PRIVS, 1)
        libc.drop_capabilities()
        # Not dumpable: no other process of this user may read its memory. The death
        # signal is set only now, because the change of user clears it.
        libc.prctl(libc.PR_SET_DUMPABLE, 0)
        libc.prctl(libc.PR_SET_PDEATHSIG, signal.SIGKILL)
        if libc.has_capabilities():
            raise SandboxError("capabilities are left")

    yield "scratch folder", make_scratch
    yield "thread limit", lambda: limit_threads(policy)
    yield "resource limits", lambda: limit_resources(policy)
    if own_tmpfs:
        # Under Landlock, no process can read in it, but it shows which processes exist.
        yield "empty /proc", lambda: libc.hide("/proc")
    yield "change of user", change_user
    yield "no_new_privs", give_up_privileges
    yield "Landlock", lambda: _landlock(policy, scratch, own_tmpfs)
    yield "seccomp", lambda: seccomp.confine(policy)


def _landlock(
    policy: Policy,
    scratch: Path,
    own_tmpfs: bool,
) -> None:
    from landlockpy import AccessFS as Right
    from landlockpy import AccessNet, Ruleset, Scope

    read = Right.READ_FILE | Right.READ_DIR
    in_file = Right.READ_FILE
    write = read | Right.WRITE_FILE | Right.TRUNCATE | Right.MAKE_REG
    if own_tmpfs:
        write |= Right.MAKE_DIR | Right.REMOVE_FILE | Right.REMOVE_DIR | Right.REFER
    # Everything that is handled is forbidden, except what the rules allow. Without a
    # network, this includes all ports.
    ports = AccessNet.NONE if policy.network else None
    scoped = Scope.SIGNAL | Scope.ABSTRACT_UNIX_SOCKET
    with Ruleset(handled_net=ports, scoped=scoped) as rules:
        for path in map(Path, readable_paths(policy)):
            if path.exists():
                rules.allow_path(path, read if path.is_dir() else in_file)
        rules.allow_path("/dev/null", in_file | Right.WRITE_FILE)
        rules.allow_path(scratch, write)
        rules.restrict()
    try:
        os.listdir("/")  # noqa: PTH208
    except PermissionError:
        return
    raise SandboxError("the rules are not in force")


# ---- limits that the kernel counts for a process -------------------------------------


def limit_resources(policy: Policy) -> None:
    """Put the limits in force that the kernel counts for a process."""
    # A wider limit for memory that is not data: mapped files, page tables, and pages
    # that were written and then made read-only (see `server.anonymous_memory`). Threads
    # reserve address space.
    room = 4 * policy.memory + policy.threads * policy.stack
    space, data = memory_in_use()
    limits = {
        resource.RLIMIT_CPU: policy.cpu_seconds,
        resource.RLIMIT_FSIZE: policy.scratch,
        resource.RLIMIT_NOFILE: policy.open_files,
        resource.RLIMIT_STACK: policy.stack,
        resource.RLIMIT_CORE: 0,
        resource.RLIMIT_SIGPENDING: SIGNALS,
        resource.RLIMIT_DATA: data + policy.memory,
        resource.RLIMIT_AS: space + room,
    }
    for resource_kind, most in limits.items():
        _limit(resource_kind, most)
    # Writing past RLIMIT_FSIZE then raises OSError and does not end the process.
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)


def limit_threads(policy: Policy) -> None:
    """Limit the threads by RLIMIT_NPROC, which counts all threads of the user.

    The threads that run already are added. The computer's root has no such limit.
    """
    running = _count_threads() if policy.uid is None else 0
    _limit(resource.RLIMIT_NPROC, running + policy.threads)


def _count_threads() -> int:
    """Return how many threads of this user run; 0 for the computer's root."""
    uid = os.getuid()
    namespace = Path("/proc/self/uid_map").read_text()  # each has its own count
    if uid == 0 and namespace.split() == FULL_ID_MAP:
        return 0
    count = 0
    for process in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):  # the process has just ended
            status = (process / "status").read_text(errors="replace")
            if f"\nUid:\t{uid}\t" not in status:
                continue
            if (process / "uid_map").read_text() == namespace:
                _, _, threads = status.partition("\nThreads:\t")
                count += int(threads.split()[0])
    return count


def _limit(purpose: int, most: int) -> None:
    _, hard = resource.getrlimit(purpose)
    if hard != resource.RLIM_INFINITY:
        most = min(most, hard)
    resource.setrlimit(purpose, (most, most))


def memory_in_use() -> tuple[int, int]:
    """Return the bytes of this process that RLIMIT_AS and RLIMIT_DATA count."""
    space, _, _, _, _, data, *_ = pages("self")
    page = resource.getpagesize()
    return space * page, data * page


def pages(pid: int | str) -> list[int]:
    """Return the fields of ``/proc/<pid>/statm``, in pages."""
    fields = Path(f"/proc/{pid}/statm").read_text().split()
    return [int(field) for field in fields]
