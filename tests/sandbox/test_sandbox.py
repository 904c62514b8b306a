"""A process that has entered the sandbox has no right left but those of its policy.

Every promise is tried in a real fork.  `inside` is entered without bubblewrap, so these
are the promises of the standard level.
"""

from __future__ import annotations

import contextlib
import ctypes
import errno
import fcntl
import mmap
import os
import pickle
import resource
import shutil
import signal
import socket
import sqlite3
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import Any

import pytest

if sys.platform != "linux":
    pytest.skip("the sandbox is Linux's", allow_module_level=True)

import landlockpy
import pyseccomp

from nbproctor.sandbox import doctor, layers, libc, seccomp
from nbproctor.sandbox.layers import COPIED, SandboxError
from nbproctor.sandbox.policy import Policy, free_uid
from nbproctor.sandbox.server import measure_folder

pytestmark = pytest.mark.slow
PROJECT = Path(__file__).parents[2]
LIBC = ctypes.CDLL(None, use_errno=True)
MOUNTS = libc.can_mount()
Inside = Callable[..., Any]  # runs a function in the sandbox: its result, or its error
NO_MOUNTS = "this user can mount nothing here, not even in a namespace of its own"


@pytest.fixture
def plain_folder(monkeypatch: pytest.MonkeyPatch) -> None:
    """A scratch folder without a tmpfs of its own."""

    def forbidden(*_: object) -> None:
        raise PermissionError(errno.EPERM, "no tmpfs in this test")

    monkeypatch.setattr(libc, "mount_private_tmpfs", forbidden)


@pytest.fixture(params=["own tmpfs", "plain folder"])
def kind(request: pytest.FixtureRequest) -> str:
    """Both kinds of scratch folder, where this user can have both."""
    if request.param == "plain folder":
        request.getfixturevalue("plain_folder")
    elif not MOUNTS:
        pytest.skip(NO_MOUNTS)
    return str(request.param)


@pytest.fixture
def scratch(tmp_path: Path) -> Iterator[Path]:
    folder = tmp_path / "scratch"
    folder.mkdir()
    # Another user id must be able to pass, as through the fork server's folder.
    tmp_path.chmod(tmp_path.stat().st_mode | 0o001)
    yield folder
    shutil.rmtree(folder)


def fork(
    body: Callable[[], Any],
    policy: Policy | None,
    scratch: Path,
) -> tuple[Any, int]:
    """Run `body` in a sandboxed fork: what it returned or raised, and its wait code."""
    reading, writing = os.pipe()
    pid = os.fork()
    if pid == 0:
        result: Any = None
        try:
            if policy is not None:
                if MOUNTS and os.geteuid() != 0:
                    libc.enter_user_namespace()  # as the fork server does
                layers.enter(policy, scratch)
            result = body()
        except BaseException as error:
            result = error
        os.write(writing, pickle.dumps(result))
        os._exit(0)
    os.close(writing)
    with os.fdopen(reading, "rb") as pipe:
        data = pipe.read()
    code = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
    return (pickle.loads(data) if data else None), code


@pytest.fixture
def inside(scratch: Path) -> Inside:
    def run(body: Callable[[], Any], policy: Policy | None = None) -> Any:
        result, code = fork(body, policy or Policy(), scratch)
        assert code == 0, f"the fork died with {code}"
        if isinstance(result, BaseException):
            raise result
        return result

    return run


def refused(action: Callable[[], object]) -> bool:
    """Say whether the kernel refused for lack of rights; anything else is raised."""
    try:
        action()
    except OSError as error:
        if error.errno not in (errno.EPERM, errno.EACCES, errno.EROFS):
            raise
        return True
    return False


# --- files ----------------------------------------------------------------------------


def test_nothing_but_the_interpreter_and_the_scratch_can_be_read(
    inside: Inside,
    tmp_path: Path,
    kind: str,
) -> None:
    secret = tmp_path / "gradebook.db"
    secret.write_text("marks")
    paths = [Path("/etc/passwd"), Path("/proc/self/environ"), secret]
    paths += [PROJECT / "pyproject.toml", Path(__file__)]
    folders = [Path("/"), Path("/proc"), Path("/home"), PROJECT, tmp_path]

    def look() -> list[Path]:
        readable = []
        for path in [*paths, *folders]:
            read = path.read_bytes if path in paths else partial(os.listdir, path)
            with contextlib.suppress(FileNotFoundError):  # where /proc is hidden
                readable += [] if refused(read) else [path]
        return readable

    assert inside(look) == []
    assert inside(lambda: Path(os.__file__).read_text() != "")


def test_nothing_outside_the_scratch_can_be_written(
    inside: Inside,
    tmp_path: Path,
    kind: str,
) -> None:
    target = tmp_path / "target"
    target.write_text("whole")
    target.chmod(0o666)
    tmp_path.chmod(0o777)
    readable = Policy(readable=(str(target),))

    def attack() -> list[bool]:
        Path("mine").write_text("x")
        return [
            refused(lambda: target.write_text("broken")),
            refused(lambda: os.open(target, os.O_RDONLY | os.O_TRUNC)),
            refused(lambda: os.truncate(target, 0)),
            refused(lambda: (tmp_path / "new").write_text("x")),
            refused(lambda: Path("mine").rename(tmp_path / "mine")),
            refused(lambda: os.link("mine", tmp_path / "link")),
            refused(lambda: target.unlink()),
        ]

    def outcome() -> list[bool]:
        # Another file system answers EXDEV before anybody asks for rights.
        try:
            return attack()
        except OSError as error:
            assert error.errno == errno.EXDEV
            return [True]

    assert all(inside(outcome, readable))
    assert target.read_text() == "whole"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["scratch", "target"]


def test_symbolic_links_lead_nowhere(
    inside: Inside,
    scratch: Path,
    tmp_path: Path,
    kind: str,
) -> None:
    secret = tmp_path / "secret"
    secret.write_text("hidden test")
    secret.chmod(0o666)
    link = tmp_path / "scratch" / "link"
    link.symlink_to(secret)
    folder = os.open(scratch, os.O_RDONLY)  # even where a tmpfs covers the folder

    def follow() -> list[bool]:
        return [
            refused(lambda: os.open("link", os.O_RDONLY, dir_fd=folder)),
            refused(lambda: os.open("link", os.O_WRONLY, dir_fd=folder)),
            refused(lambda: Path("mine").symlink_to("/etc/passwd")),
        ]

    assert inside(follow) == [True, True, True]
    os.close(folder)
    assert secret.read_text() == "hidden test"


@pytest.mark.parametrize("size", [6, COPIED + 1])
def test_data_files_appear_by_name_and_are_never_changed(
    inside: Inside,
    tmp_path: Path,
    kind: str,
    size: int,
) -> None:
    images = tmp_path / "images.gz"
    images.write_bytes(bytes(size))
    images.chmod(0o666)
    policy = Policy(files=(("data/mnist/images.gz", str(images)),))

    def use() -> tuple[int, bool]:
        name = Path("data/mnist/images.gz")
        return len(name.read_bytes()), refused(lambda: name.write_bytes(b"ones"))

    # A small one is a copy of the process's own.
    assert inside(use, policy) == (size, size > COPIED)
    assert images.read_bytes() == bytes(size)


# --- disk and memory ------------------------------------------------------------------


def test_a_file_cannot_outgrow_the_scratch(inside: Inside, kind: str) -> None:
    def fill() -> str:
        with Path("big").open("wb") as file:
            for _ in range(64):
                file.write(bytes(1 << 20))
        return "written"

    with pytest.raises(OSError) as caught:
        inside(fill, Policy(scratch=4 << 20))
    assert caught.value.errno in (errno.EFBIG, errno.ENOSPC)


def test_in_a_plain_folder_every_byte_stays_visible(
    inside: Inside,
    plain_folder: None,
    scratch: Path,
) -> None:
    def hide() -> list[bool]:
        Path("one").write_bytes(bytes(100_000))
        Path("two").write_bytes(bytes(100_000))
        return [
            refused(lambda: Path("one").unlink()),
            refused(lambda: Path("one").rename("two")),
            refused(lambda: Path("folder").mkdir()),
            refused(lambda: os.open(".", os.O_TMPFILE | os.O_RDWR)),
        ]

    assert inside(hide) == [True] * 4
    size, count = measure_folder(scratch)
    assert count == 2
    assert 200_000 <= size < 220_000
    # A hole counts with its size: a map fills it faster than anybody looks.
    with (scratch / "one").open("wb") as file:
        file.truncate(1 << 20)
    assert measure_folder(scratch)[0] >= (1 << 20) + 100_000
    assert measure_folder(scratch / "gone") == (0, 0)


# --- processes, signals, network ------------------------------------------------------


def test_threads_work_but_not_without_end(inside: Inside) -> None:
    def start() -> int:
        threading.stack_size(1 << 16)
        stop = threading.Event()
        started = 0
        with contextlib.suppress(RuntimeError):
            while started < 1000:
                threading.Thread(target=stop.wait, daemon=True).start()
                started += 1
        stop.set()
        return started

    uid = free_uid(Policy(), in_bubblewrap=False)
    started = inside(start, Policy(threads=20, uid=uid))
    assert started >= 10
    if uid is not None:
        assert started <= 20
    elif os.geteuid() != 0:  # others of this user start and end threads meanwhile
        assert started < 1000


FORBIDDEN = """
    accept add_key bind bpf cachestat chmod chown chroot clone connect execve execveat
    fanotify_init fchmod fchmodat fchown finit_module fork fsetxattr fsopen futimesat
    inotify_init1 io_uring_setup ioperm ioprio_set kexec_load keyctl
    landlock_create_ruleset lchown link linkat listen lremovexattr lsetxattr membarrier
    memfd_create memfd_secret mincore mknodat mlockall modify_ldt mount move_pages
    mq_open msgget name_to_handle_at open_by_handle_at open_tree perf_event_open
    personality pidfd_getfd pidfd_open pidfd_send_signal pivot_root process_madvise
    process_mrelease process_vm_readv process_vm_writev ptrace quotactl readahead reboot
    request_key rt_sigqueueinfo rt_tgsigqueueinfo sched_setaffinity seccomp semget
    sendmsg setdomainname sethostname setns setpriority setsid settimeofday setuid
    setxattr shmget socket swapon symlink symlinkat sync sync_file_range syncfs syslog
    timer_create tkill truncate umount2 unshare userfaultfd utime utimensat utimes vfork
    vmsplice
"""


def test_every_call_that_is_not_needed_fails_with_eperm(inside: Inside) -> None:
    numbers = {
        name: pyseccomp.resolve_syscall(pyseccomp.Arch.NATIVE, name)
        for name in FORBIDDEN.split()
    }

    def call() -> list[str]:
        wrong = []
        for name, number in numbers.items():
            ctypes.set_errno(0)
            result = LIBC.syscall(number, 0, 0, 0, 0, 0, 0) if number >= 0 else -1
            if number >= 0 and (result, ctypes.get_errno()) != (-1, errno.EPERM):
                wrong.append(name)
        return wrong

    assert sum(number >= 0 for number in numbers.values()) > 50
    assert inside(call) == []


# --- messages between processes, and ways past a limit --------------------------------


def number(name: str) -> int:
    """Return the number of a system call."""
    return int(pyseccomp.resolve_syscall(pyseccomp.Arch.NATIVE, name))


def call(name: str, *arguments: Any) -> int:
    """Make a system call; return the error number, 0 where it was done."""
    words = [
        ctypes.c_long(word) if isinstance(word, int) else word for word in arguments
    ]
    ctypes.set_errno(0)
    return ctypes.get_errno() if LIBC.syscall(number(name), *words) < 0 else 0


PAGE = mmap.PAGESIZE
PRIVATE = mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS
RW = mmap.PROT_READ | mmap.PROT_WRITE
PEERCRED = 17
SNDBUF = 7
RCVBUF = 8
COOKIE = 57
PEERPIDFD = 77
GROWSDOWN = 0x100
DROPPABLE = 0x08
HUGETLB = 0x40000
MERGEABLE = 12
COLD = 20
PAGEOUT = 21
THREAD = 0x10000
NEWUTS = 0x04000000
BUFFER = ctypes.create_string_buffer(1 << 12)
FEWER_FILES = (ctypes.c_long * 2)(100, 100)  # more, the kernel refuses anyway
NO_TIME = (ctypes.c_long * 2)(0, 1 << 31)  # more nanoseconds than a second has


def word(value: int) -> Any:
    """Return a place in memory that holds a number."""
    return ctypes.byref(ctypes.c_long(value))


def on_a_map(advice: int) -> int:
    """Give advice about two fresh pages."""
    with mmap.mmap(-1, 2 * PAGE, flags=PRIVATE) as pages:
        start = ctypes.addressof(ctypes.c_char.from_buffer(pages))
        return call("madvise", start, PAGE, advice)


def on_a_file(name: str, *arguments: Any) -> int:
    """Make a call about an open file of this Python's."""
    with open(os.__file__, "rb") as file:
        return call(name, file.fileno(), *arguments)


def on_a_new_file(name: str, *arguments: Any) -> int:
    with open("own", "wb") as file:
        return call(name, file.fileno(), *arguments)


def on_a_folder(name: str, *arguments: Any) -> int:
    return call(name, os.open(".", os.O_RDONLY), *arguments)


def on_a_pipe(name: str, *arguments: Any) -> int:
    reading, writing = os.pipe()
    try:
        return call(name, writing, *arguments)
    finally:
        os.close(reading)
        os.close(writing)


def on_a_socket(name: str, *arguments: Any) -> int:
    one, other = socket.socketpair()
    with one, other:
        return call(name, one.fileno(), *arguments)


def vector() -> Any:
    """Return an iovec of a few bytes."""
    return (ctypes.c_size_t * 2)(ctypes.addressof(BUFFER), 8)


PARENT = os.getpid()
CLOCK = ~PARENT << 3 | 2
# What a sandboxed process must not get done, though it may make the same call with
# other arguments: on what it is tried, its name, and its arguments. Outside of the
# sandbox each of them works, or fails for a reason of its own.
REFUSED_IN_PART: dict[str, tuple[Any, ...]] = {
    "map that grows down": (call, "mmap", 0, PAGE, RW, PRIVATE | GROWSDOWN, -1, 0),
    "map of huge pages": (call, "mmap", 0, PAGE, RW, PRIVATE | HUGETLB, -1, 0),
    "map that is dropped": (call, "mmap", 0, PAGE, RW, 0x20 | DROPPABLE, -1, 0),
    "map that is locked": (call, "mmap", 0, PAGE, RW, PRIVATE | 0x2000, -1, 0),
    "map that is shared": (call, "mmap", 0, PAGE, RW, 0x21, -1, 0),
    "advice to merge": (on_a_map, MERGEABLE),
    "advice of cold": (on_a_map, COLD),
    "advice to page out": (on_a_map, PAGEOUT),
    "read without waiting": (on_a_file, "preadv2", vector(), 1, 0, 0, 8),
    "write with a flag": (on_a_new_file, "pwritev2", vector(), 1, 0, 0, 2),
    "lease": (on_a_file, "fcntl", 1024, 0),
    "notice": (on_a_folder, "fcntl", 1026, 1),
    "hint about an inode": (on_a_new_file, "fcntl", 1036, word(2)),
    "signal of another's choice": (on_a_socket, "fcntl", 10, 9),
    "owner of signals": (on_a_socket, "fcntl", 8, PARENT),
    "large pipe": (on_a_pipe, "fcntl", 1031, 1 << 19),
    "who the peer is": (on_a_socket, "getsockopt", 1, PEERCRED, BUFFER, word(12)),
    "process of the peer": (on_a_socket, "getsockopt", 1, PEERPIDFD, BUFFER, word(4)),
    "number of a socket": (on_a_socket, "getsockopt", 1, COOKIE, BUFFER, word(8)),
    "large buffer": (on_a_socket, "setsockopt", 1, SNDBUF, word(1 << 20), 4),
    "large buffer to read": (on_a_socket, "setsockopt", 1, RCVBUF, word(1 << 20), 4),
    "group of another": (call, "getpgid", PARENT),
    "session of another": (call, "getsid", PARENT),
    "priority of another": (call, "getpriority", 0, PARENT),
    "priority of a user": (call, "getpriority", 2, 65534),
    "scheduler of another": (call, "sched_getscheduler", PARENT),
    "parameters of another": (call, "sched_getparam", PARENT, BUFFER),
    "clock of another": (call, "clock_gettime", CLOCK, BUFFER),
    "its precision": (call, "clock_getres", CLOCK, BUFFER),
    "sleep by it": (call, "clock_nanosleep", CLOCK, 0, NO_TIME, 0),
    "limits of another": (call, "prlimit64", PARENT, 7, 0, BUFFER),
    "characters typed": (on_a_pipe, "ioctl", 0x5412, BUFFER),
    "signals from a file": (on_a_socket, "ioctl", 0x5452, word(1)),
    "readable by others": (call, "prctl", 4, 1, 0, 0, 0),
    "death signal": (call, "prctl", 1, 0, 0, 0, 0),
    "datagrams": (call, "socketpair", 1, 2, 0, BUFFER),
    "thread in a namespace": (call, "clone", THREAD | NEWUTS, 0, 0, 0, 0),
    "another limit": (call, "prlimit64", 0, 7, FEWER_FILES, 0),
}


def test_calls_that_are_let_through_in_part_are_not_let_through_in_whole(
    inside: Inside,
    scratch: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def answers() -> dict[str, int]:
        return {name: on(*way) for name, (on, *way) in REFUSED_IN_PART.items()}

    monkeypatch.chdir(scratch)
    outside, _ = fork(answers, None, scratch)
    assert not {errno.EPERM, errno.EFAULT} & {*outside.values()}
    assert inside(answers) == dict.fromkeys(REFUSED_IN_PART, errno.EPERM)


def test_calls_that_are_said_to_be_absent_are(inside: Inside) -> None:
    def ask() -> dict[str, int]:
        names = seccomp.ABSENT.split()
        return {name: call(name, 0, 0, 0) for name in names if number(name) >= 0}

    assert set(inside(ask).values()) == {errno.ENOSYS}


# Advice and locks are said to be done and are not, or they would be a message: without
# a file each of them fails, if it is done.
SAID_TO_BE_DONE: dict[str, tuple[Any, ...]] = {
    "advice": ("fadvise64", -1, 0, 0, os.POSIX_FADV_DONTNEED),
    "lock": ("flock", -1, fcntl.LOCK_EX),
    "lock of a process": ("fcntl", -1, fcntl.F_SETLK, BUFFER),
    "the same, waiting": ("fcntl", -1, fcntl.F_SETLKW, BUFFER),
    "lock of an open file": ("fcntl", -1, 37, BUFFER),
    "the same, waiting for it": ("fcntl", -1, 38, BUFFER),
}


def test_advice_and_locks_are_no_messages(inside: Inside) -> None:
    def answers() -> set[int]:
        return {call(*way) for way in SAID_TO_BE_DONE.values()}

    assert answers() == {errno.EBADF}
    assert inside(answers) == {0}


def test_reading_changes_no_time_of_access(
    inside: Inside,
    kind: str,
    tmp_path: Path,
) -> None:
    read = tmp_path / "read"
    read.write_text("by all")
    old = time.time_ns() - 10**15

    def accessed(look: Callable[[], object]) -> bool:
        os.utime(read, ns=(old, old))
        look()
        return read.stat().st_atime_ns != old

    if not accessed(read.read_text):
        pytest.skip("this file system keeps no times of access")
    policy = Policy(readable=(str(read),))
    times = accessed(lambda: inside(read.read_text, policy))
    assert times == (kind == "plain folder")  # what docs/security.md says of it


def test_the_file_system_is_read_only_but_for_the_scratch(
    inside: Inside, kind: str
) -> None:
    def look() -> list[bool]:
        flags = [os.statvfs(path).f_flag for path in ("/", os.__file__, ".")]
        return [bool(flag & os.ST_RDONLY) for flag in flags]

    before = look()  # read-only already, if this runs in a sandbox itself
    writable = [True, True, False] if kind == "own tmpfs" else [*before[:2], False]
    assert inside(look) == writable


def test_nobody_can_tell_which_processes_run(inside: Inside, kind: str) -> None:
    processes = [Path("/proc/self"), Path(f"/proc/{os.getppid()}")]
    visible = inside(lambda: [path.exists() for path in processes])
    assert visible == [kind == "plain folder"] * 2  # what docs/security.md says of it


def test_space_at_once_is_refused(inside: Inside) -> None:
    def reserve() -> list[int]:
        codes = [on_a_new_file("fallocate", 0, 0, PAGE)]
        with Path("own").open("wb") as file:
            os.posix_fallocate(file.fileno(), 0, 10 * PAGE)  # glibc writes instead
        return [*codes, Path("own").stat().st_blocks * 512]

    assert inside(reserve) == [errno.EOPNOTSUPP, 10 * PAGE]


def test_limits_are_those_of_the_policy(inside: Inside) -> None:
    policy = Policy(
        memory=100 << 20,
        threads=10,
        stack=1 << 20,
        scratch=5 << 20,
    )
    expected = {
        resource.RLIMIT_STACK: 1 << 20,
        resource.RLIMIT_FSIZE: 5 << 20,
        resource.RLIMIT_CORE: 0,
        resource.RLIMIT_SIGPENDING: layers.SIGNALS,
        resource.RLIMIT_CPU: policy.cpu_seconds,
        resource.RLIMIT_NOFILE: policy.open_files,
    }
    room = {resource.RLIMIT_AS: 700 << 20, resource.RLIMIT_DATA: 200 << 20}

    def ask() -> dict[int, tuple[int, int]]:
        return {limit: resource.getrlimit(limit) for limit in (*expected, *room)}

    limits = inside(ask, policy)
    for limit, most in expected.items():
        assert limits[limit] == (most, most)
    for (limit, most), before in zip(room.items(), layers.memory_in_use(), strict=True):
        soft, hard = limits[limit]
        assert soft == hard and 0 < hard - before < most


@pytest.mark.parametrize("layer", ["seccomp", "Landlock"])
def test_signals_to_others_are_refused_by_each_layer_alone(
    inside: Inside,
    monkeypatch: pytest.MonkeyPatch,
    layer: str,
) -> None:
    if layer == "seccomp":
        monkeypatch.setattr(layers, "_landlock", lambda *_: None)
    elif landlockpy.abi_version() < 6:
        pytest.skip("Landlock knows signals since its interface 6")
    else:
        monkeypatch.setattr(seccomp, "confine", lambda _: None)
    parent = os.getpid()

    def signal_them() -> list[bool]:
        return [
            refused(lambda: os.kill(parent, 0)),
            refused(lambda: os.kill(-1, 0)),
            refused(lambda: os.kill(os.getpid(), 0)),
        ]

    # To everybody: Landlock leaves who is inside, the process itself.
    assert inside(signal_them) == [True, layer == "seccomp", False]


def test_landlock_alone_keeps_abstract_sockets_away(
    inside: Inside, monkeypatch: pytest.MonkeyPatch
) -> None:
    if landlockpy.abi_version() < 6:
        pytest.skip("Landlock knows abstract sockets since its interface 6")
    monkeypatch.setattr(seccomp, "confine", lambda _: None)
    name = f"\0nbproctor test {os.getpid()}"
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(name)
        server.listen()
        with socket.socket(socket.AF_UNIX) as client:
            client.connect(name)
        assert inside(
            lambda: refused(lambda: socket.socket(socket.AF_UNIX).connect(name))
        )


def test_a_process_cannot_be_traced_and_dies_with_its_parent(
    inside: Inside, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(seccomp, "confine", lambda _: None)  # it lets nobody ask
    get_dumpable = 3
    get_pdeathsig = 2

    def ask() -> tuple[int, int, int]:
        number = ctypes.c_int()
        LIBC.prctl(get_pdeathsig, ctypes.byref(number))
        return LIBC.prctl(get_dumpable), number.value, libc.capabilities()

    assert inside(ask) == (0, signal.SIGKILL, 0)


# --- what honest code needs -----------------------------------------------------------


@pytest.mark.parametrize("journal", ["delete", "wal", "memory"])
def test_sqlite_works_in_the_scratch(inside: Inside, journal: str) -> None:
    if not MOUNTS and journal != "memory":
        pytest.skip(NO_MOUNTS)  # and where nothing is removed, sqlite says so

    def work() -> list[Any]:
        first, second = (sqlite3.connect("marks.db", timeout=0) for _ in range(2))
        mode = first.execute(f"pragma journal_mode={journal}").fetchone()[0]
        first.execute("create table marks (student, points)")
        first.executemany("insert into marks values (?, ?)", [("a", 1), ("b", 2)])
        first.commit()
        total = second.execute("select sum(points) from marks").fetchone()[0]
        first.execute("insert into marks values ('c', 3)")
        with pytest.raises(sqlite3.OperationalError, match="locked"):
            second.execute("insert into marks values ('d', 4)")
        first.rollback()
        again = second.execute("select count(*) from marks").fetchone()[0]
        for connection in (first, second):
            connection.close()
        third = sqlite3.connect("marks.db")
        return [mode, total, again, third.execute("pragma integrity_check").fetchone()]

    assert inside(work) == [journal, 3, 2, ("ok",)]


def test_memory_mapped_arrays_work(inside: Inside, kind: str) -> None:
    def work() -> list[float]:
        import numpy as np

        written = np.memmap(
            "numbers",
            dtype=float,
            mode="w+",
            shape=100,
        )
        written[:] = 2
        written.flush()
        read = np.memmap("numbers", dtype=float, mode="r")
        changed = np.memmap("numbers", dtype=float, mode="c")
        changed[0] = 0
        return [read.sum(), changed.sum()]

    assert inside(work) == [200.0, 198.0]


def test_temporary_files_work(inside: Inside, kind: str) -> None:
    def work() -> list[bytes]:
        number, name = tempfile.mkstemp()
        os.write(number, b"kept")
        os.close(number)
        content = Path(name).read_bytes()
        if kind == "plain folder":  # where nothing is removed
            return [content, b"spooled", b"deep"]
        with tempfile.TemporaryFile() as file:
            file.write(b"spooled")
            file.seek(0)
            spooled = file.read()
        with tempfile.TemporaryDirectory() as folder:
            Path(folder, "deep").write_bytes(b"deep")
            return [content, spooled, Path(folder, "deep").read_bytes()]

    assert inside(work) == [b"kept", b"spooled", b"deep"]


def test_honest_code_runs(inside: Inside) -> None:
    def work() -> list[float]:
        import asyncio
        import statistics  # not imported before the sandbox was entered

        import numpy as np

        product = float((np.ones((300, 300)) @ np.ones((300, 300))).sum())
        np.save("a.npy", np.arange(3))
        saved = float(np.load("a.npy").sum())
        awaited = asyncio.run(asyncio.sleep(0, 5.0))
        with Path("data.h5").open("wb+") as file:  # as HDF5 does it
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            os.pwrite(file.fileno(), b"header", 0)
            fcntl.flock(file, fcntl.LOCK_UN)
            read = len(os.pread(file.fileno(), 6, 0))
        with ThreadPoolExecutor(8) as pool:
            squares = sum(pool.map(lambda n: n * n, range(100)))
        start = time.monotonic()
        time.sleep(0.001)
        slept = time.monotonic() > start
        private = len(mmap.mmap(-1, 4096, flags=mmap.MAP_PRIVATE))
        mean = statistics.mean([1, 2])
        return [product, saved, awaited, mean, read, squares, slept, private]

    expected = [27_000_000.0, 3.0, 5.0, 1.5, 6, 328_350, True, 4096]
    assert inside(work) == expected


def test_privileges_are_gone(scratch: Path) -> None:
    uid = free_uid(Policy(), in_bubblewrap=False)
    near, far = socket.socketpair()
    pid = os.fork()
    if pid == 0:
        layers.enter(Policy(uid=uid), scratch)
        far.send(b"in")
        far.recv(1)
        os._exit(0)
    assert near.recv(2) == b"in"
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    status = {name: value.split() for name, value in (s.split(":", 1) for s in lines)}
    near.send(b"x")
    os.waitpid(pid, 0)
    near.close()
    far.close()
    none = {f"Cap{kind}": [16 * "0"] for kind in ("Prm", "Eff", "Inh", "Amb")}
    expected = none | {"NoNewPrivs": ["1"], "Seccomp": ["2"]}
    expected["Uid"] = [str(os.getuid() if uid is None else uid)] * 4
    if uid is not None:
        expected |= {"Gid": [str(uid)] * 4, "Groups": []}
    assert {name: status[name] for name in expected} == expected


# --- failing closed -------------------------------------------------------------------


def broken(*arguments: object) -> None:
    if arguments[:1] == (libc.PR_SET_DUMPABLE,):
        return  # what the user namespace before it needs of prctl
    raise OSError(errno.ENOSYS, "not in this kernel")


@pytest.mark.parametrize(
    ("where", "name", "layer"),
    [
        (seccomp, "confine", "seccomp"),
        (layers, "_landlock", "Landlock"),
        (layers, "limit_resources", "resource limits"),
        (libc, "prctl", "no_new_privs"),
        (libc, "drop_capabilities", "no_new_privs"),
    ],
)
def test_a_missing_layer_ends_it_unless_weak(
    scratch: Path,
    monkeypatch: pytest.MonkeyPatch,
    where: Any,
    name: str,
    layer: str,
) -> None:
    monkeypatch.setattr(where, name, broken)
    ran = scratch.parent / "ran"
    result, _ = fork(ran.touch, Policy(), scratch)
    assert isinstance(result, SandboxError)
    assert layer in str(result)
    assert "nbproctor doctor" in str(result)
    assert not ran.exists()

    shutil.rmtree(scratch)
    scratch.mkdir()
    assert fork(lambda: "ran", Policy(weak=True), scratch) == ("ran", 0)


def test_a_filter_that_is_not_in_force_is_noticed(
    scratch: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pyseccomp.SyscallFilter, "load", lambda self: None)
    result, _ = fork(lambda: "ran", Policy(), scratch)
    assert isinstance(result, SandboxError)


def test_the_doctor_agrees_with_what_the_sandbox_does(
    scratch: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert fork(lambda: "ran", Policy(), scratch) == ("ran", 0)
    assert all(layer.ok for layer in doctor.probe() if layer.mandatory)
    monkeypatch.setattr(seccomp, "confine", broken)
    report = doctor.probe()
    ill = [layer for layer in report if not layer.ok and layer.mandatory]
    assert ill and all(layer.remedy for layer in ill)
    assert "must not grade" in doctor.verdict(report)
