"""A process that has entered the sandbox has no right left but those of its policy.

Every promise is tried in a real fork.  `inside` is entered without bubblewrap, so these
are the promises of the standard level.
"""

from __future__ import annotations

import contextlib
import ctypes
import errno
import mmap
import os
import pickle
import resource
import shutil
import signal
import socket
import sqlite3
import sys
import threading
from collections.abc import Callable, Iterator
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
from tests import PROJECT

pytestmark = pytest.mark.slow
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


def refused(action: Callable[..., object], *arguments: Any, **options: Any) -> bool:
    """Say whether the kernel refused for lack of rights; anything else is raised."""
    try:
        action(*arguments, **options)
    except OSError as error:
        # Another file system answers EXDEV before anybody asks for rights.
        if error.errno not in (errno.EPERM, errno.EACCES, errno.EROFS, errno.EXDEV):
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
    paths = [secret, tmp_path, PROJECT, PROJECT / "pyproject.toml", Path(__file__)]
    paths += map(Path, ("/etc/passwd", "/proc/self/environ", "/", "/proc", "/home"))

    def look() -> list[Path]:
        readable = []
        for path in paths:
            with contextlib.suppress(PermissionError, FileNotFoundError):
                os.open(path, os.O_RDONLY)
                readable.append(path)
        return readable

    assert inside(look) == []
    assert inside(lambda: Path(os.__file__).read_text() != "")


def test_nothing_outside_the_scratch_can_be_written_and_links_lead_nowhere(
    inside: Inside,
    tmp_path: Path,
    scratch: Path,
    kind: str,
) -> None:
    target = tmp_path / "target"
    secret = tmp_path / "secret"
    for path in (target, secret):
        path.write_text("whole")
        path.chmod(0o666)
    tmp_path.chmod(0o777)
    (scratch / "link").symlink_to(secret)
    folder = os.open(scratch, os.O_RDONLY)  # even where a tmpfs covers the folder
    readable = Policy(readable=(str(target),))

    def attack() -> list[bool]:
        Path("mine").write_text("x")
        return [
            refused(target.write_text, "broken"),
            refused(os.open, target, os.O_RDONLY | os.O_TRUNC),
            refused(os.truncate, target, 0),
            refused((tmp_path / "new").write_text, "x"),
            refused(Path("mine").rename, tmp_path / "mine"),
            refused(os.link, "mine", tmp_path / "new"),
            refused(target.unlink),
            refused(os.open, "link", os.O_RDONLY, dir_fd=folder),
            refused(os.open, "link", os.O_WRONLY, dir_fd=folder),
            refused(Path("second").symlink_to, "/etc/passwd"),
        ]

    assert all(inside(attack, readable))
    os.close(folder)
    assert target.read_text() == secret.read_text() == "whole"
    assert {path.name for path in tmp_path.iterdir()} == {"scratch", "target", "secret"}


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
        return len(name.read_bytes()), refused(name.write_bytes, b"ones")

    # A small one is a copy of the process's own.
    assert inside(use, policy) == (size, size > COPIED)
    assert images.read_bytes() == bytes(size)


# --- disk and memory ------------------------------------------------------------------


def test_a_file_cannot_outgrow_the_scratch(inside: Inside, kind: str) -> None:
    with pytest.raises(OSError) as caught:
        inside(
            lambda: Path("big").write_bytes(bytes(64 << 20)), Policy(scratch=4 << 20)
        )
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
            refused(Path("one").unlink),
            refused(Path("one").rename, "two"),
            refused(Path("folder").mkdir),
            refused(os.open, ".", os.O_TMPFILE | os.O_RDWR),
        ]

    assert all(inside(hide))
    size, count = measure_folder(scratch)
    assert count == 2
    assert 200_000 <= size < 220_000


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
    names = existing(FORBIDDEN)
    assert len(names) > 50

    def let_through() -> list[str]:
        return [name for name in names if call(name, *NOTHING) != errno.EPERM]

    assert inside(let_through) == []


# --- messages between processes, and ways past a limit --------------------------------


def number(name: str) -> int:
    """Return the number of a system call; it is negative where there is none."""
    return int(pyseccomp.resolve_syscall(pyseccomp.Arch.NATIVE, name))


def existing(names: str) -> list[str]:
    """Return those of these system calls that this computer has."""
    return [name for name in names.split() if number(name) >= 0]


def call(name: str, *arguments: Any) -> int:
    """Make a system call; return the error number, 0 where it was done."""
    words = [
        ctypes.c_long(word) if isinstance(word, int) else word for word in arguments
    ]
    ctypes.set_errno(0)
    return ctypes.get_errno() if LIBC.syscall(number(name), *words) < 0 else 0


NOTHING = (0,) * 6
PAGE = mmap.PAGESIZE
PRIVATE = mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS
RW = mmap.PROT_READ | mmap.PROT_WRITE
GROWSDOWN = 0x100
DROPPABLE = 0x08
HUGETLB = 0x40000
THREAD = 0x10000
NEWUTS = 0x04000000
BUFFER = ctypes.create_string_buffer(1 << 12)
FEWER_FILES = (ctypes.c_long * 2)(100, 100)  # more, the kernel refuses anyway
NO_TIME = (ctypes.c_long * 2)(0, 1 << 31)  # more nanoseconds than a second has
PARENT = os.getpid()
CLOCK = ~PARENT << 3 | 2
# What a sandboxed process must not get done, though it may make the same call with
# other arguments. Outside of the sandbox each of them works, or fails for a reason of
# its own.
REFUSED_IN_PART: dict[str, tuple[Any, ...]] = {
    "map that grows down": ("mmap", 0, PAGE, RW, PRIVATE | GROWSDOWN, -1, 0),
    "map of huge pages": ("mmap", 0, PAGE, RW, PRIVATE | HUGETLB, -1, 0),
    "map that is dropped": ("mmap", 0, PAGE, RW, 0x20 | DROPPABLE, -1, 0),
    "map that is locked": ("mmap", 0, PAGE, RW, PRIVATE | 0x2000, -1, 0),
    "map that is shared": ("mmap", 0, PAGE, RW, 0x21, -1, 0),
    "read without waiting": ("preadv2", -1, 0, 0, 0, 0, 8),
    "write with a flag": ("pwritev2", -1, 0, 0, 0, 0, 2),
    "group of another": ("getpgid", PARENT),
    "session of another": ("getsid", PARENT),
    "priority of another": ("getpriority", 0, PARENT),
    "priority of a user": ("getpriority", 2, 65534),
    "scheduler of another": ("sched_getscheduler", PARENT),
    "parameters of another": ("sched_getparam", PARENT, BUFFER),
    "clock of another": ("clock_gettime", CLOCK, BUFFER),
    "its precision": ("clock_getres", CLOCK, BUFFER),
    "sleep by it": ("clock_nanosleep", CLOCK, 0, NO_TIME, 0),
    "limits of another": ("prlimit64", PARENT, 7, 0, BUFFER),
    "datagrams": ("socketpair", 1, 2, 0, BUFFER),
    "thread in a namespace": ("clone", THREAD | NEWUTS, 0, 0, 0, 0),
    "another limit": ("prlimit64", 0, 7, FEWER_FILES, 0),
}


def test_calls_that_are_let_through_in_part_are_not_let_through_in_whole(
    inside: Inside,
    scratch: Path,
) -> None:
    def answers() -> dict[str, int]:
        return {name: call(*way) for name, way in REFUSED_IN_PART.items()}

    outside, _ = fork(answers, None, scratch)
    assert not {errno.EPERM, errno.EFAULT} & {*outside.values()}
    assert inside(answers) == dict.fromkeys(REFUSED_IN_PART, errno.EPERM)


# The only options of a call that are let through, and what stands before the option.
# Not among them: advice to merge, or on pages of others; leases, notices and hints; who
# gets a signal of a file; pipes and buffers of another size; who the peer of a socket
# is; characters typed at a terminal; a process that others read, or that survives.
OPTIONS: dict[str, tuple[tuple[int, ...], set[int]]] = {
    "madvise": ((0, 0), {0, 1, 2, 3, 4, 8, 10, 11, *range(14, 18), 102, 103}),
    "fcntl": ((-1,), {*range(8), *range(36, 39), 1030, 1032}),
    "ioctl": ((-1,), {0x5401, 0x5413, 0x541B, 0x5421, 0x5450, 0x5451}),
    "getsockopt": ((-1, socket.SOL_SOCKET), {3, 4, 30, 38, 39}),
    "setsockopt": ((-1, socket.SOL_SOCKET), {20, 21}),
    "prctl": ((), {15, 16, 0x53564D41}),
}


@pytest.mark.parametrize("name", OPTIONS)
def test_a_call_has_few_options(inside: Inside, name: str) -> None:
    before, allowed = OPTIONS[name]
    options = {*range(1100), *range(0x5400, 0x5500), *allowed}

    def refused_options() -> set[int]:
        return {n for n in options if call(name, *before, n, *NOTHING) == errno.EPERM}

    assert options - inside(refused_options) == allowed


# Answered, and not done: advice and locks, which would be a message, as if they were;
# space at once, and what is newer than the filter, as if there were no such call. If
# they were done, each would fail without a file, in another way.
ANSWERED: dict[int, list[tuple[Any, ...]]] = {
    0: [("fadvise64",), ("flock",), *(("fcntl", lock) for lock in (6, 7, 37, 38))],
    errno.EOPNOTSUPP: [("fallocate",)],
    errno.ENOSYS: [(name,) for name in existing(seccomp.ABSENT)],
}


@pytest.mark.parametrize("answer", ANSWERED)
def test_some_calls_are_answered_and_not_done(inside: Inside, answer: int) -> None:
    def answers() -> set[int]:
        calls = ANSWERED[answer]
        return {call(name, -1, *arguments, BUFFER) for name, *arguments in calls}

    assert inside(answers) == {answer}


def test_a_tmpfs_of_its_own_leaves_no_trace_and_hides_processes(
    inside: Inside,
    kind: str,
    tmp_path: Path,
    scratch: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Without it, docs/security.md says what can be seen."""
    file = tmp_path / "read"
    file.write_text("by all")
    processes = [Path("/proc/self"), Path(f"/proc/{os.getppid()}")]
    policy = Policy(readable=(str(file),))
    monkeypatch.chdir(scratch)

    def look() -> list[bool]:
        file.read_text()
        flags = [os.statvfs(path).f_flag for path in ("/", os.__file__, ".")]
        read_only = [bool(flag & os.ST_RDONLY) for flag in flags]
        return [path.exists() for path in processes] + read_only

    def observe(view: Callable[[], list[bool]]) -> list[bool]:
        """Return what it sees, and whether it has changed the time of access."""
        os.utime(file, ns=(0, 0))
        return [*view(), file.stat().st_atime_ns != 0]

    outside = observe(look)
    hidden = [False, False, True, True, False, False]
    expected = hidden if kind == "own tmpfs" else outside
    assert observe(lambda: inside(look, policy)) == expected


def test_limits_are_those_of_the_policy(inside: Inside) -> None:
    policy = Policy(
        memory=100 << 20,
        threads=10,
        stack=1 << 20,
        scratch=5 << 20,
    )
    exact = {
        resource.RLIMIT_STACK: 1 << 20,
        resource.RLIMIT_FSIZE: 5 << 20,
        resource.RLIMIT_CORE: 0,
        resource.RLIMIT_SIGPENDING: layers.SIGNALS,
        resource.RLIMIT_CPU: policy.cpu_seconds,
        resource.RLIMIT_NOFILE: policy.open_files,
    }

    def ask() -> dict[int, tuple[int, int]]:
        kinds = (*exact, resource.RLIMIT_AS, resource.RLIMIT_DATA)
        return {kind: resource.getrlimit(kind) for kind in kinds}

    limits = inside(ask, policy)
    assert all(soft == hard for soft, hard in limits.values())
    hard_limits = {kind: hard for kind, (_, hard) in limits.items()}
    assert hard_limits.items() >= exact.items()
    space, data = layers.memory_in_use()
    assert space < hard_limits[resource.RLIMIT_AS] < space + (700 << 20)
    assert data < hard_limits[resource.RLIMIT_DATA] < data + (200 << 20)


@pytest.mark.parametrize("layer", ["seccomp", "Landlock"])
def test_signals_and_sockets_of_others_are_refused_by_each_layer_alone(
    inside: Inside,
    monkeypatch: pytest.MonkeyPatch,
    layer: str,
) -> None:
    if layer == "seccomp":
        monkeypatch.setattr(layers, "_landlock", lambda *_: None)
    elif landlockpy.abi_version() < 6:
        pytest.skip("Landlock knows signals and sockets since its interface 6")
    else:
        monkeypatch.setattr(seccomp, "confine", lambda _: None)
    parent = os.getpid()
    name = f"\0nbproctor test {parent}"

    def connect() -> None:
        with socket.socket(socket.AF_UNIX) as client:
            client.connect(name)

    def reach() -> list[bool]:
        return [
            refused(os.kill, parent, 0),
            refused(os.kill, -1, 0),
            refused(os.kill, os.getpid(), 0),
            refused(connect),
        ]

    with socket.socket(socket.AF_UNIX) as server:
        server.bind(name)
        server.listen()
        connect()
        # To everybody: Landlock leaves who is inside, the process itself.
        assert inside(reach) == [True, layer == "seccomp", False, True]


def test_privileges_are_gone_and_a_process_dies_with_its_parent(
    inside: Inside, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(seccomp, "confine", lambda _: None)  # it lets nobody ask
    uid = free_uid(Policy(), in_bubblewrap=False)
    get_pdeathsig = 2
    get_dumpable = 3  # or others of this user could trace it
    get_no_new_privs = 39

    def ask() -> dict[str, Any]:
        death_signal = ctypes.c_int()
        LIBC.prctl(get_pdeathsig, ctypes.byref(death_signal))
        return {
            "users": {*os.getresuid()},
            "groups": {*os.getresgid(), *os.getgroups()},
            "capabilities": libc.has_capabilities(),
            "dumpable": LIBC.prctl(get_dumpable),
            "no new privileges": LIBC.prctl(get_no_new_privs, *NOTHING[:4]),
            "death signal": death_signal.value,
        }

    assert inside(ask, Policy(uid=uid)) == {
        "users": {os.getuid() if uid is None else uid},
        "groups": {os.getgid(), *os.getgroups()} if uid is None else {uid},
        "capabilities": False,
        "dumpable": 0,
        "no new privileges": 1,
        "death signal": signal.SIGKILL,
    }


# --- what honest code needs -----------------------------------------------------------


SQLITE = """
import sqlite3
first, second = (sqlite3.connect("marks.db", timeout=0) for _ in range(2))
mode = first.execute("pragma journal_mode={}").fetchone()
first.execute("create table marks (points)")
first.execute("insert into marks values (3)")
first.commit()
first.execute("insert into marks values (4)")
try:
    second.execute("insert into marks values (5)")
except sqlite3.OperationalError as error:
    refusal = str(error)
first.rollback()
total = second.execute("select sum(points) from marks").fetchone()
intact = second.execute("pragma integrity_check").fetchone()
answer = [*mode, refusal, *total, *intact]
"""
# What students and libraries do, and what comes of it.
HONEST: dict[str, tuple[str, Any]] = {
    "a module that is imported late": (
        "import statistics; answer = statistics.mean([1, 2])",
        1.5,
    ),
    "matrices": (
        """
import numpy as np
ones = np.ones((300, 300))
answer = (ones @ ones).sum()
""",
        27_000_000,
    ),
    "files of arrays": (
        """
import numpy as np
np.save("a.npy", range(3))
answer = np.load("a.npy").sum()
""",
        3,
    ),
    "maps of files": (
        """
import numpy as np
np.full(100, 2.0).tofile("numbers")
written = np.memmap("numbers", dtype=float)
written[0] = 1
written.flush()
copied = np.memmap("numbers", dtype=float, mode="c")
copied[0] = 0
answer = [np.fromfile("numbers").sum(), copied.sum()]
""",
        [199, 198],
    ),
    "a private map": (
        "import mmap; answer = len(mmap.mmap(-1, 4096, flags=mmap.MAP_PRIVATE))",
        4096,
    ),
    "a loop of events": (
        "import asyncio; answer = asyncio.run(asyncio.sleep(0.001, 5.0))",
        5.0,
    ),
    "sleep": ("import time; time.sleep(0.001); answer = None", None),
    "threads": (
        """
from concurrent.futures import ThreadPoolExecutor
with ThreadPoolExecutor(8) as pool:
    answer = sum(pool.map(lambda n: n * n, range(100)))
""",
        328_350,
    ),
    "a locked file, as HDF5 has it": (
        """
import fcntl, os
with open("data.h5", "wb+") as file:
    fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    os.pwrite(file.fileno(), b"header", 0)
    fcntl.flock(file, fcntl.LOCK_UN)
    answer = os.pread(file.fileno(), 6, 0)
""",
        b"header",
    ),
    "space that is reserved": (
        """
import os
with open("own", "wb") as file:
    os.posix_fallocate(file.fileno(), 0, 40960)
answer = os.stat("own").st_blocks * 512
""",
        40960,
    ),
    "a temporary file": (
        """
import tempfile
with tempfile.NamedTemporaryFile(delete=False) as file:
    file.write(b"named")
answer = open(file.name).read()
""",
        "named",
    ),
    "temporary files that go": (
        """
import pathlib, tempfile
with tempfile.TemporaryFile() as file:
    file.write(b"spooled")
    file.seek(0)
    spooled = file.read()
with tempfile.TemporaryDirectory() as folder:
    pathlib.Path(folder, "deep").write_bytes(b"deep")
    answer = [spooled, pathlib.Path(folder, "deep").read_bytes()]
""",
        [b"spooled", b"deep"],
    ),
    **{
        f"sqlite, {journal}": (
            SQLITE.format(journal),
            [journal, "database is locked", 3, "ok"],
        )
        for journal in ("memory", "wal", "delete")
    },
}
# They say so where no file can be removed.
REMOVING = "temporary files that go", "sqlite, wal", "sqlite, delete"


@pytest.mark.parametrize("name", HONEST)
def test_honest_code_runs(inside: Inside, kind: str, name: str) -> None:
    code, expected = HONEST[name]

    def run() -> Any:
        names: dict[str, Any] = {}
        exec(code, names)
        return names["answer"]

    if kind == "plain folder" and name in REMOVING:
        with pytest.raises((OSError, sqlite3.OperationalError)):
            inside(run)
    else:
        assert inside(run) == expected


# --- failing closed -------------------------------------------------------------------


def broken(*arguments: object) -> None:
    if arguments[:1] == (libc.PR_SET_DUMPABLE,):
        return  # what the user namespace before it needs of prctl
    raise OSError(errno.ENOSYS, "not in this kernel")


def without_effect(*_: object) -> None:
    """Stand for a call that the kernel answers and does not do."""


SANDBOX = "nbproctor.sandbox"


@pytest.mark.parametrize(
    ("function", "fault", "layer"),
    [
        (f"{SANDBOX}.seccomp.confine", broken, "seccomp"),
        ("pyseccomp.SyscallFilter.load", without_effect, "seccomp"),
        (f"{SANDBOX}.layers._landlock", broken, "Landlock"),
        ("landlockpy.Ruleset.restrict", without_effect, "Landlock"),
        (f"{SANDBOX}.layers.limit_resources", broken, "resource limits"),
        (f"{SANDBOX}.libc.prctl", broken, "no_new_privs"),
        (f"{SANDBOX}.libc.drop_capabilities", broken, "no_new_privs"),
        (f"{SANDBOX}.libc.drop_capabilities", without_effect, "no_new_privs"),
    ],
)
def test_a_missing_layer_ends_it_unless_weak(
    scratch: Path,
    monkeypatch: pytest.MonkeyPatch,
    function: str,
    fault: Callable[..., None],
    layer: str,
) -> None:
    monkeypatch.setattr(function, fault)
    ran = scratch.parent / "ran"
    result, _ = fork(ran.touch, Policy(), scratch)
    assert isinstance(result, SandboxError)
    assert layer in str(result)
    assert "nbproctor doctor" in str(result)
    assert not ran.exists()

    shutil.rmtree(scratch)
    scratch.mkdir()
    assert fork(lambda: "ran", Policy(weak=True), scratch) == ("ran", 0)


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
