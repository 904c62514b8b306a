"""A process that has entered the sandbox has no right left but those of its policy.

Every promise is tried in a real fork.  `inside` is entered without bubblewrap, so these
are the promises of the standard level.
"""

from __future__ import annotations

import contextlib
import ctypes
import errno
import faulthandler
import mmap
import os
import pickle
import platform
import resource
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import pytest

if sys.platform != "linux":
    pytest.skip("the sandbox is Linux's", allow_module_level=True)

import pyseccomp

from nbproctor.sandbox import doctor, layers, libc, seccomp, usage, users
from nbproctor.sandbox.layers import Policy, SandboxError

pytestmark = pytest.mark.slow
PROJECT = Path(__file__).parents[2]
LIBC = ctypes.CDLL(None, use_errno=True)


@pytest.fixture(params=["own tmpfs", "plain folder"])
def kind(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """Both kinds of scratch folder, where this user can have both."""
    if request.param == "plain folder":

        def forbidden(*_: object) -> None:
            raise PermissionError(errno.EPERM, "no tmpfs in this test")

        monkeypatch.setattr(libc, "mount_private_tmpfs", forbidden)
    elif os.geteuid() != 0:
        pytest.skip(
            "an ordinary user mounts only inside bubblewrap (see test_forkserver)"
        )
    return str(request.param)


@pytest.fixture
def scratch(tmp_path: Path) -> Iterator[Path]:
    folder = tmp_path / "scratch"
    folder.mkdir()
    # Another user id must be able to pass, as through the fork server's folder.
    for above in (tmp_path, *tmp_path.parents[:2]):
        above.chmod(above.stat().st_mode | 0o001)
    yield folder
    shutil.rmtree(folder)


def fork(body: Callable[[], Any], policy: Policy, scratch: Path) -> tuple[Any, int]:
    """Run `body` in a sandboxed fork: what it returned or raised, and its wait code."""
    reading, writing = os.pipe()
    pid = os.fork()
    if pid == 0:
        result: Any = None
        try:
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
def inside(scratch: Path) -> Callable[..., Any]:
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
    inside: Callable[..., Any], tmp_path: Path
) -> None:
    secret = tmp_path / "gradebook.db"
    secret.write_text("marks")
    paths = [Path("/etc/passwd"), Path("/proc/self/environ"), secret]
    paths += [PROJECT / "pyproject.toml", Path(__file__)]
    folders = [Path("/"), Path("/proc"), Path("/home"), PROJECT, tmp_path]

    def look() -> list[Path]:
        seen = [path for path in paths if not refused(path.read_bytes)]
        return seen + [
            path for path in folders if not refused(partial(os.listdir, path))
        ]

    assert inside(look) == []
    assert inside(lambda: Path(os.__file__).read_text() != "")


def test_nothing_outside_the_scratch_can_be_written(
    inside: Callable[..., Any], tmp_path: Path, kind: str
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
    inside: Callable[..., Any], scratch: Path, tmp_path: Path, kind: str
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


def test_attributes_that_landlock_does_not_govern_are_refused(
    inside: Callable[..., Any],
) -> None:
    def change() -> list[bool]:
        Path("own").write_text("x")
        return [
            refused(lambda: Path("own").chmod(0o777)),
            refused(lambda: os.utime("own")),
            refused(lambda: os.setxattr("own", "user.x", b"1")),
            refused(lambda: os.chown("own", os.getuid(), os.getgid())),
        ]

    assert inside(change) == [True] * 4


def test_data_files_appear_by_name_and_are_read_only(
    inside: Callable[..., Any], tmp_path: Path, kind: str
) -> None:
    images = tmp_path / "images.gz"
    images.write_bytes(b"pixels")
    images.chmod(0o666)
    policy = Policy(files=(("data/mnist/images.gz", str(images)),))

    def use() -> tuple[bytes, bool]:
        name = Path("data/mnist/images.gz")
        return name.read_bytes(), refused(lambda: name.write_bytes(b"zeros"))

    assert inside(use, policy) == (b"pixels", True)


# --- disk and memory ------------------------------------------------------------------


def test_a_file_cannot_outgrow_the_scratch(
    inside: Callable[..., Any], kind: str
) -> None:
    def fill() -> str:
        with Path("big").open("wb") as file:
            for _ in range(64):
                file.write(bytes(1 << 20))
        return "written"

    with pytest.raises(OSError) as caught:
        inside(fill, Policy(scratch=4 << 20))
    assert caught.value.errno in (errno.EFBIG, errno.ENOSPC)


def test_a_tmpfs_bounds_bytes_and_files_together(
    scratch: Path, inside: Callable[..., Any]
) -> None:
    if os.geteuid() != 0:
        pytest.skip(
            "an ordinary user mounts only inside bubblewrap (see test_forkserver)"
        )

    def fill() -> tuple[int, int, int]:
        size = count = 0
        with contextlib.suppress(OSError):
            while size < 64 << 20:
                size += Path(f"part{size}").write_bytes(bytes(1 << 20))
        for path in Path().iterdir():
            path.unlink()
        with contextlib.suppress(OSError):
            while count < 10_000:
                Path(f"empty{count}").touch()
                count += 1
        return size, count, len([*scratch.iterdir()])

    size, count, seen = inside(fill, Policy(scratch=8 << 20, scratch_files=100))
    assert 4 << 20 <= size <= 8 << 20
    assert count == seen <= 100
    assert list(scratch.iterdir()) == []  # nobody outside ever saw it


def test_in_a_plain_folder_every_byte_stays_visible(
    inside: Callable[..., Any], monkeypatch: pytest.MonkeyPatch, scratch: Path
) -> None:
    def forbidden(*_: object) -> None:
        raise PermissionError(errno.EPERM, "no tmpfs in this test")

    monkeypatch.setattr(libc, "mount_private_tmpfs", forbidden)

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
    size, count = usage.scratch(scratch)
    assert count == 2
    assert 200_000 <= size < 220_000


@pytest.mark.parametrize("how", ["bytearray", "threads", "numpy"])
def test_a_memory_bomb_is_a_memory_error(inside: Callable[..., Any], how: str) -> None:
    def bomb() -> None:
        kept: list[Any] = []
        if how == "numpy":
            import numpy as np

            kept.append(np.ones(1 << 28))
        elif how == "threads":
            worker = threading.Thread(target=lambda: kept.append(bytearray(1 << 31)))
            worker.start()
            worker.join()
            raise MemoryError if not kept else AssertionError
        while len(kept) < 64:
            kept.append(bytearray(1 << 25))

    threading.excepthook = lambda *_: None
    with pytest.raises(MemoryError):
        inside(bomb, Policy(memory=256 << 20))
    threading.excepthook = threading.__excepthook__


def test_memory_that_no_limit_counts_is_refused(inside: Callable[..., Any]) -> None:
    assert inside(lambda: refused(lambda: mmap.mmap(-1, 1 << 20)))
    assert inside(lambda: refused(lambda: os.memfd_create("hidden")))
    assert inside(lambda: len(mmap.mmap(-1, 4096, flags=mmap.MAP_PRIVATE))) == 4096


def test_time_of_the_processor_is_limited(scratch: Path) -> None:
    def spin() -> None:
        signal.signal(signal.SIGXCPU, signal.SIG_IGN)
        while True:
            pass

    assert fork(spin, Policy(cpu_seconds=1), scratch) == (None, -signal.SIGKILL)


def test_limits_cannot_be_raised_again(inside: Callable[..., Any]) -> None:
    def raise_limit() -> bool:
        soft, hard = resource.prlimit(0, resource.RLIMIT_NOFILE)
        assert soft == hard == Policy().open_files
        return refused(
            lambda: resource.prlimit(0, resource.RLIMIT_NOFILE, (soft, hard + 1))
        )

    assert inside(raise_limit)


# --- processes, signals, network ------------------------------------------------------


def test_no_process_and_no_program_starts(inside: Callable[..., Any]) -> None:
    def start() -> list[bool]:
        program = [sys.executable, "-c", ""]
        return [
            refused(os.fork),
            refused(lambda: os.execv(program[0], program)),
            refused(lambda: subprocess.run(program)),
            refused(lambda: os.posix_spawn(program[0], program, {})),
            refused(os.forkpty),
        ]

    assert inside(start) == [True] * 5


def test_threads_work_but_not_without_end(inside: Callable[..., Any]) -> None:
    def start() -> int:
        threading.stack_size(1 << 16)
        stop, started = threading.Event(), 0
        with contextlib.suppress(RuntimeError):
            while started < 1000:
                threading.Thread(target=stop.wait, daemon=True).start()
                started += 1
        stop.set()
        return started

    uid = users.free_uid(Policy(), outer=False)
    started = inside(start, Policy(threads=20, uid=uid))
    assert started >= 10
    if os.geteuid() != 0 or uid is not None:
        assert started <= 20


def test_nobody_else_can_be_signalled(inside: Callable[..., Any]) -> None:
    parent = os.getpid()
    got: list[int] = []
    before = signal.signal(signal.SIGTERM, lambda number, _: got.append(number))

    def attack() -> list[bool]:
        return [
            refused(lambda: os.kill(parent, signal.SIGTERM)),
            refused(lambda: os.kill(parent, 0)),
            refused(lambda: os.kill(0, signal.SIGTERM)),
            refused(lambda: os.kill(-1, signal.SIGTERM)),
            refused(lambda: os.killpg(os.getpgid(0), signal.SIGTERM)),
            refused(lambda: os.pidfd_open(parent)),
        ]

    try:
        assert inside(attack) == [True] * 6
    finally:
        signal.signal(signal.SIGTERM, before)
    assert got == []


def test_it_can_still_abort_itself(scratch: Path) -> None:
    faulthandler.disable()  # pytest would print a stack
    try:
        assert fork(os.abort, Policy(), scratch) == (None, -signal.SIGABRT)
    finally:
        faulthandler.enable()


def test_no_socket_can_be_made(inside: Callable[..., Any]) -> None:
    def connect() -> list[bool]:
        families = [socket.AF_INET, socket.AF_INET6, socket.AF_UNIX, socket.AF_NETLINK]
        made = [refused(lambda f=family: socket.socket(f)) for family in families]
        datagrams = socket.SOCK_DGRAM
        return [*made, refused(lambda: socket.socketpair(socket.AF_UNIX, datagrams))]

    assert inside(connect) == [True] * 5


def test_a_socket_from_before_still_works(inside: Callable[..., Any]) -> None:
    ours, theirs = socket.socketpair()
    inside(lambda: theirs.sendall(b"hello"))
    assert ours.recv(10) == b"hello"
    ours.close()
    theirs.close()


FORBIDDEN = [
    "add_key",
    "bpf",
    "chroot",
    "clone",
    "fanotify_init",
    "fchmod",
    "fchmodat",
    "fchown",
    "finit_module",
    "fsetxattr",
    "fsopen",
    "futimesat",
    "inotify_init1",
    "io_uring_setup",
    "ioperm",
    "ioprio_set",
    "keyctl",
    "kexec_load",
    "landlock_create_ruleset",
    "memfd_create",
    "memfd_secret",
    "mknodat",
    "mlockall",
    "modify_ldt",
    "mount",
    "move_pages",
    "mq_open",
    "msgget",
    "name_to_handle_at",
    "open_by_handle_at",
    "open_tree",
    "perf_event_open",
    "personality",
    "pidfd_getfd",
    "pidfd_open",
    "pidfd_send_signal",
    "pivot_root",
    "process_madvise",
    "process_vm_readv",
    "process_vm_writev",
    "ptrace",
    "quotactl",
    "reboot",
    "request_key",
    "rt_sigqueueinfo",
    "rt_tgsigqueueinfo",
    "seccomp",
    "semget",
    "setdomainname",
    "sethostname",
    "setns",
    "setpriority",
    "setsid",
    "settimeofday",
    "setuid",
    "shmget",
    "swapon",
    "symlinkat",
    "syslog",
    "tkill",
    "truncate",
    "umount2",
    "unshare",
    "userfaultfd",
    "utimensat",
    "vfork",
    "vmsplice",
]


def test_every_call_that_is_not_needed_fails_with_eperm(
    inside: Callable[..., Any],
) -> None:
    numbers = {
        name: pyseccomp.resolve_syscall(pyseccomp.Arch.NATIVE, name)
        for name in FORBIDDEN
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


@pytest.mark.skipif(platform.machine() != "x86_64", reason="x32 exists on x86-64 only")
def test_calls_of_another_architecture_kill(scratch: Path) -> None:
    x32_getpid = 0x40000000 | 39
    result = fork(lambda: LIBC.syscall(x32_getpid), Policy(), scratch)
    assert result == (None, -signal.SIGSYS)


# --- what honest code needs -----------------------------------------------------------


def test_honest_code_runs(inside: Callable[..., Any]) -> None:
    def work() -> list[float]:
        import asyncio
        import statistics  # not imported before the sandbox was entered

        import numpy as np

        product = float((np.ones((300, 300)) @ np.ones((300, 300))).sum())
        np.save("a.npy", np.arange(3))
        saved = float(np.load("a.npy").sum())
        awaited = asyncio.run(asyncio.sleep(0, 5.0))
        return [product, saved, awaited, statistics.mean([1, 2])]

    assert inside(work) == [27_000_000.0, 3.0, 5.0, 1.5]


def test_privileges_are_gone(scratch: Path) -> None:
    uid = users.free_uid(Policy(), outer=False)
    ours, theirs = socket.socketpair()
    pid = os.fork()
    if pid == 0:
        layers.enter(Policy(uid=uid), scratch)
        theirs.send(b"in")
        theirs.recv(1)
        os._exit(0)
    assert ours.recv(2) == b"in"
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    status = {name: value.split() for name, value in (s.split(":", 1) for s in lines)}
    ours.send(b"x")
    os.waitpid(pid, 0)
    ours.close()
    theirs.close()
    for kind in ("CapPrm", "CapEff", "CapInh", "CapAmb"):
        assert int(status[kind][0], 16) == 0
    assert status["NoNewPrivs"] == ["1"]
    assert status["Seccomp"] == ["2"]
    assert status["Uid"] == [str(os.getuid() if uid is None else uid)] * 4
    if uid is not None:
        assert status["Gid"] == [str(uid)] * 4
        assert status["Groups"] == []


# --- failing closed -------------------------------------------------------------------


def broken(*_: object) -> None:
    raise OSError(errno.ENOSYS, "not in this kernel")


@pytest.mark.parametrize(
    ("where", "name", "layer"),
    [
        (seccomp, "confine", "seccomp"),
        (layers, "_landlock", "Landlock"),
        (layers, "_limit_resources", "resource limits"),
        (libc, "prctl", "no_new_privs"),
        (libc, "drop_capabilities", "no_new_privs"),
    ],
)
def test_a_missing_layer_stops_everything_unless_weak_is_asked_for(
    scratch: Path, monkeypatch: pytest.MonkeyPatch, where: Any, name: str, layer: str
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
    assert doctor.level() in ("full", "standard")
    monkeypatch.setattr(seccomp, "confine", broken)
    assert doctor.level() == "weak"
    ill = [layer for layer in doctor.report() if not layer.ok and layer.mandatory]
    assert ill and all(layer.remedy for layer in ill)


def test_time_and_sleep_work(inside: Callable[..., Any]) -> None:
    def rest() -> bool:
        start = time.monotonic()
        time.sleep(0.001)
        return time.monotonic() > start

    assert inside(rest)
