"""Layers of the sandbox, and the policy that they put in force.

Policy is data (`Policy`); `enter` puts it in force in the calling process, for good,
or raises.  Layers, each of which stands when another has a hole:

- resource limits, no_new_privs, no core dumps, no capabilities, and for root another
  user id;
- Landlock: reads only the interpreter, the system's libraries and what the policy
  names, writes only the scratch folder;
- seccomp: no new process or program, no socket, no signal to others, nothing that
  Landlock does not govern (chmod, utime, xattr) (see `seccomp`);
- around the whole fork server, where it starts: bubblewrap's namespaces (see
  `bubblewrap`).

landlockpy reaches Landlock: typed, without dependencies, it knows the newest interface
and drops what an older kernel lacks.  (py-landlock stops at an older one, `landlock`
has been a development release for years.)

**User ids.**  An ordinary user keeps its id: only root can have another.  Root takes
`Policy.uid`, because RLIMIT_NPROC does not bind root and root owns too much.  If the
interpreter lies where that id may not look (a folder of root) and bubblewrap, which
shows it elsewhere, does not start, `Policy.uid` must be None: the process then stays
user 0 without any capability.  Landlock and seccomp hold it just the same, but its
number of threads is bounded only by memory.

**Scratch.**  With CAP_SYS_ADMIN in its namespace (bubblewrap grants it, and see
`mounting`) a process mounts its own tmpfs: a hard limit, invisible to others, gone when
it dies; everything else is then mounted read-only.  Otherwise the scratch is an
ordinary folder, in which files can be made but neither removed nor put into new
subfolders, so that whoever watches it sees every byte (`usage.scratch`); a fast writer
passes the limit for as long as one look is away from the next.
"""

from __future__ import annotations

import os
import resource
import signal
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from nbproctor.errors import NbproctorError
from nbproctor.sandbox import libc, paths, seccomp, usage

SIGNALS = 256  # that may wait to be handled; the kernel counts them for the user


@dataclass(frozen=True)
class Policy:
    """What a sandboxed process may use.

    Sizes are bytes, times seconds of CPU.  `memory` counts from what the process
    already holds when it enters.
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
    uid: int | None = None  # root becomes this user and group
    weak: bool = False  # explicitly accept that layers are missing


class SandboxError(NbproctorError, RuntimeError):
    """A mandatory layer could not be put in force; nothing untrusted may run."""


def prepare() -> None:
    """Do the slow parts of `enter` beforehand, once for all forks.

    Raises
    ------
    SandboxError
        A mandatory layer is missing, so that `enter` would fail.
    """
    try:
        import landlockpy

        landlockpy.abi_version()
        seccomp.prepare()
    except (OSError, RuntimeError, ImportError) as error:
        raise SandboxError(f"{error}. `nbproctor doctor` says more.") from error
    paths.interpreter()


def visible(policy: Policy) -> tuple[str, ...]:
    """Return everything that a process under `policy` may read, its scratch aside."""
    sources = tuple(source for _, source in policy.files)
    return (*paths.SYSTEM, *paths.interpreter(), *policy.readable, *sources)


def enter(policy: Policy, scratch: Path) -> tuple[str, ...]:
    """Give up the rights that `policy` does not name, for good.

    Call it in a fresh fork with one thread, after closing every descriptor that must
    not stay.  The process dies with the thread that forked it.

    Parameters
    ----------
    policy : Policy
        The limits.
    scratch : Path
        An existing empty folder of this process alone; it becomes the working folder,
        HOME and TMPDIR.

    Returns
    -------
    tuple of str
        The layers that are missing: none, unless `policy.weak` accepts it.

    Raises
    ------
    SandboxError
        A mandatory layer is missing and `policy.weak` does not accept that.  The
        process may be half restricted: end it.
    """
    missing = []
    for layer, put in _layers(policy, scratch):
        try:
            put()
        except (OSError, RuntimeError, ImportError, ValueError) as error:
            if not policy.weak:
                raise SandboxError(
                    f"the sandbox has no {layer} here ({error}). Nothing was run. "
                    "`nbproctor doctor` says what is missing and how to get it."
                ) from error
            missing.append(layer)
    return tuple(missing)


def _layers(policy: Policy, scratch: Path) -> Iterator[tuple[str, Callable[[], None]]]:
    """Yield the layers in an order in which each still has the rights it needs."""
    uid, gid = policy.uid, policy.uid
    if uid is None or gid is None:
        uid, gid = os.geteuid(), os.getegid()
    own_tmpfs = False

    def make_scratch() -> None:
        nonlocal own_tmpfs
        try:
            libc.mount_private_tmpfs(
                scratch, policy.scratch, policy.scratch_files, uid, gid
            )
            own_tmpfs = True
        except (OSError, AttributeError):
            if uid != os.geteuid():
                os.chown(scratch, uid, gid)
        for name, source in policy.files:
            link = scratch / name
            for folder in reversed(link.relative_to(scratch).parents[:-1]):
                if not (scratch / folder).exists():
                    (scratch / folder).mkdir()
                    if uid != os.geteuid():  # or nothing new could be put into it
                        os.chown(scratch / folder, uid, gid)
            link.symlink_to(source)
        os.chdir(scratch)
        tempfile.tempdir = os.environ["HOME"] = os.environ["TMPDIR"] = str(scratch)

    def change_user() -> None:
        if policy.uid is not None:
            os.setgroups([])
            os.setresgid(gid, gid, gid)
            os.setresuid(uid, uid, uid)

    def give_up_privileges() -> None:
        libc.prctl(libc.PR_SET_NO_NEW_PRIVS, 1)
        libc.drop_capabilities()
        # Not dumpable: no other process of this user reads its memory.  The change of
        # user has cleared the death signal, so it is set only now.
        libc.prctl(libc.PR_SET_DUMPABLE, 0)
        libc.prctl(libc.PR_SET_PDEATHSIG, signal.SIGKILL)
        if libc.capabilities() != 0:
            raise SandboxError("capabilities are left")

    yield "scratch folder", make_scratch
    yield "thread limit", lambda: _limit_threads(policy)
    yield "resource limits", lambda: _limit_resources(policy)
    if own_tmpfs:
        # Landlock lets nobody read in it, but anybody ask whether a process is there.
        yield "empty /proc", lambda: libc.hide("/proc")
    yield "change of user", change_user
    yield "no_new_privs", give_up_privileges
    yield "Landlock", lambda: _landlock(policy, scratch, own_tmpfs)
    yield "seccomp", seccomp.confine


def _limit(what: int, most: int) -> None:
    hard = resource.getrlimit(what)[1]
    most = most if hard == resource.RLIM_INFINITY else min(most, hard)
    resource.setrlimit(what, (most, most))


def _limit_threads(policy: Policy) -> None:
    """RLIMIT_NPROC counts every thread of the user, so start from those that run."""
    running = 0
    if policy.uid is None:
        own = f"\nUid:\t{os.getuid()}\t"
        namespace = Path("/proc/self/uid_map").read_text()  # each has its own count
        for process in Path("/proc").glob("[0-9]*"):
            try:
                status = (process / "status").read_text()
                if own not in status or (process / "uid_map").read_text() != namespace:
                    continue
            except OSError:
                continue  # it has just ended
            running += int(status.split("\nThreads:\t", 1)[1].split("\n", 1)[0])
    _limit(resource.RLIMIT_NPROC, running + policy.threads)


def _limit_resources(policy: Policy) -> None:
    _limit(resource.RLIMIT_CPU, policy.cpu_seconds)
    _limit(resource.RLIMIT_FSIZE, policy.scratch)
    _limit(resource.RLIMIT_NOFILE, policy.open_files)
    _limit(resource.RLIMIT_STACK, policy.stack)
    _limit(resource.RLIMIT_CORE, 0)
    _limit(resource.RLIMIT_SIGPENDING, SIGNALS)
    # Writing past RLIMIT_FSIZE is then an OSError instead of a death.
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    _limit(resource.RLIMIT_DATA, usage.data() + policy.memory)
    # The farther fence for what is not data: mapped files, page tables, and what was
    # written and then made read-only (see `usage.memory`).  Threads reserve space.
    room = 4 * policy.memory + policy.threads * policy.stack
    _limit(resource.RLIMIT_AS, usage.address_space() + room)


def _landlock(policy: Policy, scratch: Path, own_tmpfs: bool) -> None:
    from landlockpy import AccessFS as Right
    from landlockpy import Ruleset, Scope

    read, in_file = Right.READ_FILE | Right.READ_DIR, Right.READ_FILE
    write = read | Right.WRITE_FILE | Right.TRUNCATE | Right.MAKE_REG
    if own_tmpfs:
        write |= Right.MAKE_DIR | Right.REMOVE_FILE | Right.REMOVE_DIR | Right.REFER
    # Everything is handled, so forbidden, but for the rules; no port is ever allowed.
    with Ruleset(scoped=Scope.SIGNAL | Scope.ABSTRACT_UNIX_SOCKET) as rules:
        for path in map(Path, visible(policy)):
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
