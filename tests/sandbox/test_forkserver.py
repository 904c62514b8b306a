"""The fork server: quick forks that see nothing of each other and leave nothing behind.

Each promise is tried at every level that this user can have here: inside bubblewrap and
without it.
"""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

if sys.platform != "linux":
    pytest.skip("the fork server is tested on Linux", allow_module_level=True)

import psutil

from nbproctor.sandbox import bubblewrap, libc
from nbproctor.sandbox.forkserver import (
    ForkServer,
    ForkServerError,
    JudgeError,
    python_command,
)
from nbproctor.sandbox.layers import SandboxError
from nbproctor.sandbox.policy import PACKAGE, Policy
from tests import PROJECT
from tests.timing import patience
from tests.users import memory_of

pytestmark = pytest.mark.slow
PROBES = str(PROJECT / "tests" / "probes")
POLICY = Policy(scratch=4 << 20, scratch_files=200)
LEVELS = ["full", "standard"]
ASK = "child = spawn()\nask(child, 'answer = 1')"


@contextlib.contextmanager
def at(level: str) -> Iterator[None]:
    """Make the machine look as if it had this level and no better one."""
    with pytest.MonkeyPatch.context() as patch:
        if level == "standard":
            patch.setattr(bubblewrap, "failure", lambda: "not in this test")
        elif problem := bubblewrap.failure():
            pytest.skip(f"bubblewrap does not start here: {problem}")
        yield


def start(
    level: str,
    policy: Policy = POLICY,
    *preload: Any,
    path: Sequence[str] = (PROBES,),
    probe: str = "probe",
) -> ForkServer:
    policy = replace(policy, readable=(*policy.readable, *path))
    with at(level):
        return ForkServer.start(
            policy,
            [("sys:path.extend", path), *preload],
            student_main=f"{probe}:student",
            judge_main=f"{probe}:judge",
        )


@pytest.fixture(scope="module", params=LEVELS)
def fork_server(request: pytest.FixtureRequest) -> Iterator[ForkServer]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("NBPROCTOR_TEST_SECRET", "of the parent")
        with start(request.param, POLICY, "numpy") as server:
            assert server.level == request.param
            yield server


def judged(
    fork_server: ForkServer,
    code: str,
    timeout: float = 30,
) -> Any:
    return json.loads(fork_server.run(code.encode(), timeout))


def student(fork_server: ForkServer, code: str) -> str:
    return str(judged(fork_server, f"result = ask(spawn(), {code!r})"))


def family(fork_server: ForkServer) -> list[psutil.Process]:
    top = psutil.Process(fork_server.pid)
    return [top, *top.children(recursive=True)]


def survivors(processes: list[psutil.Process]) -> list[psutil.Process]:
    """Wait for processes to end; those of a namespace end shortly after its first."""
    deadline = time.monotonic() + 10 * patience()
    while (alive := [*filter(is_alive, processes)]) and time.monotonic() < deadline:
        time.sleep(0.01)
    return alive


def is_alive(process: psutil.Process) -> bool:
    """Whether it has not ended, be there nobody who asks how, as in some containers."""
    with contextlib.suppress(psutil.NoSuchProcess):
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    return False


def forks(fork_server: ForkServer) -> tuple[psutil.Process, list[psutil.Process]]:
    """Wait until judge and student run; return the server and its two forks."""
    deadline = time.monotonic() + 20 * patience()
    while time.monotonic() < deadline:
        for server in family(fork_server):
            with contextlib.suppress(psutil.NoSuchProcess):
                if len(processes := server.children()) == 2:
                    return server, sorted(processes, key=lambda fork: fork.pid)
    raise AssertionError("no judge with a student in time")


# --- one job --------------------------------------------------------------------------


def test_fork_servers_work_side_by_side_not_on_the_same_processor() -> None:
    code = (
        "child = spawn(); result = [sorted(os.sched_getaffinity(0)), "
        "ask(child, 'import os; answer = sorted(os.sched_getaffinity(0))')]"
    )
    allowed = sorted(os.sched_getaffinity(0))
    with start("standard") as one, start("standard") as other:
        for fork_server in (one, other):
            number = fork_server.processor.number
            where = allowed if number is None else [number]  # others may have them all
            assert judged(fork_server, code) == [where, str(where)]
    assert one.processor.number != other.processor.number or number is None
    assert sorted(os.sched_getaffinity(0)) == allowed


def test_the_kernel_ends_a_fork_before_who_grades(fork_server: ForkServer) -> None:
    scores = [
        int(Path(f"/proc/{process.pid}/oom_score_adj").read_text())
        for process in family(fork_server)
        if process.name() != "bwrap"
    ]
    own_score = int(Path("/proc/self/oom_score_adj").read_text())
    assert scores and min(scores) >= max(own_score, 500)


def test_a_fork_has_one_socket_and_no_other_descriptor(fork_server: ForkServer) -> None:
    code = """
import os, stat
found = []
for number in range(1024):
    try:
        mode = os.fstat(number).st_mode
    except OSError:
        continue
    found.append((number == sock.fileno(), stat.S_ISSOCK(mode), stat.S_ISCHR(mode)))
answer = sorted(found)
"""
    null = (False, False, True)
    assert student(fork_server, code) == repr([null, null, null, (True, True, False)])


def test_nothing_of_the_parent_is_in_the_environment(fork_server: ForkServer) -> None:
    code = """
import os
answer = [
    [value for value in os.environ.values() if "parent" in value],
    os.environ["HOME"] == os.getcwd() == os.environ["TMPDIR"],
    # pandas imports pyarrow where that is installed, whose allocator has a thread.
    os.environ["JE_ARROW_MALLOC_CONF"],
]
"""
    assert student(fork_server, code) == "[[], True, 'background_thread:false']"


def test_inside_bubblewrap_the_course_does_not_even_exist() -> None:
    paths = [str(PROJECT / name) for name in ("source", "nbproctor")]
    with start("full") as fork_server:
        # The judge reads the folder: its mount view is the student's.
        code = f"result = [os.path.exists(path) for path in {paths}]"
        assert judged(fork_server, code) == [False, True]


def test_memory_and_disk_bombs_harm_nobody_else(fork_server: ForkServer) -> None:
    code = """
victim, bomber, writer = spawn(), spawn(), spawn()
memory = ask(bomber, "answer = len(bytearray(1 << 33))")
disk = ask(writer, '''
for i in range(2000):
    with open(f"f{i}", "wb") as file:
        file.write(bytes(1 << 20))
''')
result = [memory, disk, ask(victim, "answer = 'well'")]
"""
    memory, disk, victim = judged(fork_server, code)
    assert memory.startswith("MemoryError")
    if fork_server.level == "full" or libc.can_mount():
        assert "No space left" in disk  # a hard limit
    else:
        assert disk == "it died"  # the watch ends it
    assert victim == "'well'"


def test_memory_that_was_made_read_only_counts_as_well() -> None:
    """RLIMIT_DATA no longer counts it; the fork server does."""
    code = """
child = spawn()
child.sock.sendall(b'''
import ctypes, mmap, time
libc = ctypes.CDLL(None)
kept = []
for _ in range(8):
    block = mmap.mmap(-1, 48 << 20, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)
    for at in range(0, 48 << 20, 4096):
        block[at] = 1
    start = ctypes.addressof(ctypes.c_char.from_buffer(block))
    libc.mprotect(ctypes.c_void_p(start), ctypes.c_size_t(48 << 20), mmap.PROT_READ)
    kept.append(block)
    sock.send(b"x")
time.sleep(20)
''')
blocks = 0
while got := child.sock.recv(1):
    blocks += 1
result = blocks
"""
    with start("standard", Policy(memory=64 << 20)) as fork_server:
        assert 1 <= judged(fork_server, code) < 8


NO_MOUNTS = """
from nbproctor.sandbox import libc
def forbidden(*_):
    raise PermissionError(1, "no mount in this test")
libc.mount_private_tmpfs = forbidden
"""
WRITE = """
for n in range(1000):
    with open(f"f{n}", "wb", 0) as file:
        file.write(bytes(1 << 20))
    sock.send(b"x")
"""
# Through a map no size changes; so the size counts, not what was written.
WRITE_MAPS = """
import mmap
for n in range(1000):
    with open(f"f{n}", "w+b") as file:
        file.truncate(4 << 20)
        with mmap.mmap(file.fileno(), 4 << 20) as pages:
            for at in range(0, 4 << 20, 4096):
                pages[at] = 1
    sock.send(b"xxxx")
"""


@pytest.mark.parametrize("how", [WRITE, WRITE_MAPS], ids=["files", "maps"])
def test_where_nothing_can_be_mounted_a_writer_is_ended_soon(
    tmp_path: Path, how: str
) -> None:
    code = f"""
child, size = spawn(), 0
child.sock.sendall({how.encode()!r})
while got := child.sock.recv(100):
    size += len(got)
result = size
"""
    with sabotaged(tmp_path, NO_MOUNTS) as fork_server:
        # Megabytes, of 4 allowed; as a rule 6. Looks ten times a second: 150.
        assert min(judged(fork_server, code) for _ in range(3)) < 50


def test_students_see_nothing_of_each_other(fork_server: ForkServer) -> None:
    code = """
one, other = spawn(), spawn()
home = ask(one, "import os; open('mine', 'w').write('solution'); answer = os.getcwd()")
path = home.strip("'") + "/mine"
kept = ask(one, f"answer = open({path!r}).read()")
stolen = ask(other, f"answer = open({path!r}).read()")
listed = ask(other, f"import os; answer = os.listdir({home} + '/..')")
shot = ask(other, f"import os; answer = os.kill({one.pid}, 9)")
result = [kept, stolen, listed, shot, ask(one, "answer = 'alive'")]
"""
    stored, stolen, listed, shot, alive = judged(fork_server, code)
    assert stored == "'solution'"
    assert "Error" in stolen
    assert "PermissionError" in listed
    assert "PermissionError" in shot
    assert alive == "'alive'"


NAMED = "import ctypes; ctypes.CDLL(None).prctl(15, bytes([255]), 0, 0, 0); answer = 1"


def test_the_name_of_a_process_stops_nobody(fork_server: ForkServer) -> None:
    code = f"child = spawn(); result = ask(child, {NAMED!r}), ask(spawn(), 'answer=1')"
    assert judged(fork_server, code) == ["1", "1"]
    assert student(fork_server, "answer = 1") == "1"


# --- what an assignment may ask for ---------------------------------------------------


FILL = """
import os, socket
total = 0
for make, write in (socket.socketpair, socket.socket.send), (os.pipe, os.write):
    ends = []
    try:
        while True:
            ends += make()
            for end in ends[-2:] if make is socket.socketpair else ends[-1:]:
                os.set_blocking(end if make is os.pipe else end.fileno(), False)
                try:
                    while True:
                        total += write(end, bytes(4096))
                except BlockingIOError:
                    pass
    except OSError:  # as many as may be open
        for end in ends:
            os.close(end if make is os.pipe else end.detach())
answer = total
"""


def test_sockets_and_pipes_of_a_student_hold_little_memory(
    fork_server: ForkServer,
) -> None:
    assert 1e6 < int(student(fork_server, FILL)) < 60e6


NOT_OF_A_NETWORK = (
    "socket.AF_UNIX",
    "socket.AF_NETLINK, socket.SOCK_RAW",
    "socket.AF_INET, socket.SOCK_RAW",
    "socket.AF_INET, 1, 262",  # MPTCP
    ").listen(",
    ").bind(('127.0.0.1', 0)",
    # Whoever closes it would wait: the judge, if it was sent there.
    ").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, bytes(8)",
)


@pytest.mark.parametrize("level", LEVELS)
def test_a_network_is_there_for_students_where_it_is_asked_for(level: str) -> None:
    with (
        socket.create_server(("127.0.0.1", 0)) as listening,
        start(level, replace(POLICY, network=True)) as fork_server,
    ):
        address = listening.getsockname()
        code = f"import socket; answer = socket.create_connection({address})"
        assert str(address) in student(fork_server, code)
        names = "import socket; answer = len(socket.getaddrinfo('localhost', 80)) > 0"
        assert student(fork_server, names) == "True"
        for refused in NOT_OF_A_NETWORK:
            answer = student(fork_server, f"import socket; socket.socket({refused})")
            assert "PermissionError" in answer
        with pytest.raises(JudgeError, match="PermissionError"):
            judged(fork_server, "import socket; socket.socket()")


# --- ends -----------------------------------------------------------------------------


def test_a_busy_student_that_ignores_signals_is_gone_after_close(
    fork_server: ForkServer,
) -> None:
    code = """
child = spawn()
busy = '''
import signal
for number in set(signal.Signals) - {signal.SIGKILL, signal.SIGSTOP}:
    signal.signal(number, signal.SIG_IGN)
sock.send(b"busy")
while True:
    pass
'''
said = ask(child, busy)
line = child.sock.dup()
child.close()
end = line.recv(1)
child.close()
result = [said, end.decode(), ask(spawn(), "answer = 'next'")]
"""
    assert judged(fork_server, code) == ["busy", "", "'next'"]


# What is said of a judge, and its code.
FAILURES = r"""
exit status 3 | children = [spawn(), spawn()] ¶ os._exit(3)
SIGABRT | children = [spawn(), spawn()] ¶ os.abort()
more than 31 students | children = [spawn() for _ in range(40)]
within 0\.3 seconds | child = spawn() ¶ while True: pass
ZeroDivisionError | 1 / 0
PermissionError | import socket; socket.socket()
PermissionError | os.fork()
"""


@pytest.mark.parametrize("row", FAILURES.strip().splitlines())
def test_a_judge_that_fails_is_an_error_and_leaves_no_process(
    fork_server: ForkServer, row: str
) -> None:
    error, code = row.split(" | ")
    before = family(fork_server)
    with pytest.raises(JudgeError, match=error):
        judged(
            fork_server, code.replace(" ¶ ", "\n"), 0.3 if "seconds" in error else 30
        )
    assert family(fork_server) == before
    assert student(fork_server, "answer = 1") == "1"


@pytest.mark.parametrize("level", LEVELS)
def test_closing_leaves_no_process_and_no_folder(level: str, tmp_path: Path) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("tempfile.tempdir", str(tmp_path))
        fork_server = start(level)
        processes = family(fork_server)
        fork_server.close()
        with pytest.raises(ForkServerError, match="No module named 'nonesuch'"):
            start(level, POLICY, "nonesuch")
    assert survivors(processes) == []
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("level", LEVELS)
def test_when_the_fork_server_is_killed_everything_dies(level: str) -> None:
    fork_server = start(level)
    with ThreadPoolExecutor(1) as background:
        job = background.submit(judged, fork_server, f"{ASK}\nwhile True: pass")
        server, processes = forks(fork_server)
        server.kill()
        with pytest.raises((ForkServerError, JudgeError)):
            job.result()
    assert survivors([server, *processes]) == []
    with pytest.raises(ForkServerError):
        judged(fork_server, "result = 1")
    fork_server.close()


@pytest.mark.parametrize("level", LEVELS)
def test_when_the_parent_is_killed_everything_dies(level: str, tmp_path: Path) -> None:
    code = f"""
import sys
sys.path.insert(0, {str(PROJECT)!r})
from tests.sandbox import test_forkserver as t
fork_server = t.start({level!r})
print(" ".join(str(process.pid) for process in t.family(fork_server)), flush=True)
fork_server.run(b"child = spawn()\\nwhile True: pass", 1000)
"""
    tmp_path.chmod(0o755)
    with at(level):  # skips here: the process below is no test, and could not
        parent = subprocess.Popen(
            [sys.executable, "-c", code],
            stdout=subprocess.PIPE,
            env={**os.environ, "TMPDIR": str(tmp_path)},
        )
    assert parent.stdout is not None
    line = parent.stdout.readline()
    processes = [psutil.Process(int(number)) for number in line.split()]
    assert processes
    parent.kill()
    parent.wait()
    parent.stdout.close()
    assert survivors(processes) == []
    assert list(tmp_path.iterdir()) == []


# --- what the server itself holds and refuses -----------------------------------------


@pytest.mark.skipif(os.geteuid() != 0, reason="only root reads foreign memory")
def test_the_fork_server_never_holds_a_job() -> None:
    with start("standard") as fork_server, ThreadPoolExecutor(1) as background:
        secret = "hidden" + "-" + "test" * 3
        code = f"secret = {secret!r}\n{ASK}\nwhile True: pass"
        job = background.submit(judged, fork_server, code)
        server, (judge, student) = forks(fork_server)
        holders = [server.pid, judge.pid, student.pid]
        holds = [secret.encode() in memory_of(pid) for pid in holders]
        judge.kill()
        with pytest.raises(JudgeError):
            job.result()
    assert holds == [False, True, False]


def test_a_preload_that_starts_threads_is_refused() -> None:
    with pytest.raises(ForkServerError, match="2 threads"):
        start("standard", POLICY, ("probe:start_threads", [1]))


def test_modules_in_the_working_folder_do_not_shadow(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "numpy.py").write_text("raise SystemExit('shadowed')")
    (tmp_path / "json.py").write_text("raise SystemExit('shadowed')")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    with start("standard", POLICY, "numpy") as fork_server:
        code = "import numpy; answer = numpy.__version__ > '1'"
        assert student(fork_server, code) == "True"


# A landlockpy that finds no Landlock stands for a kernel without it.
NO_LANDLOCK = """
import landlockpy
def missing(*_, **__):
    raise landlockpy.UnsupportedError(95, "no Landlock")
landlockpy.Ruleset = missing
"""


def sabotaged(
    folder: Path,
    code: str,
    policy: Policy = POLICY,
) -> ForkServer:
    """Start a server that imports code which breaks a part of it."""
    folder.mkdir(exist_ok=True)
    (folder / "sabotage.py").write_text(code)
    folder.chmod(0o755)
    return start("standard", policy, "sabotage", path=(PROBES, str(folder)))


def test_without_a_mandatory_layer_nothing_runs(tmp_path: Path) -> None:
    code = NO_LANDLOCK + "landlockpy.abi_version = missing\n"
    with pytest.raises(ForkServerError, match="nbproctor doctor"):
        sabotaged(tmp_path, code)
    with sabotaged(tmp_path, code, Policy(weak=True)) as fork_server:
        assert fork_server.level == "weak"
        assert student(fork_server, "answer = 1") == "1"
    with (
        sabotaged(tmp_path / "late", NO_LANDLOCK) as fork_server,
        pytest.raises(SandboxError, match="no Landlock"),
    ):
        judged(fork_server, "result = 1")


def test_a_process_has_the_code_of_the_one_that_started_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Not that of another nbproctor, which is installed beside it."""
    package = tmp_path / "nbproctor"
    shutil.copytree(PACKAGE, package, ignore=shutil.ignore_patterns("__pycache__"))
    program = "import nbproctor\ndef main(descriptor): print(nbproctor.__file__)"
    (package / "program.py").write_text(program)
    monkeypatch.setattr("nbproctor.sandbox.forkserver.PACKAGE", package)
    command = python_command("nbproctor.program", 0)
    assert subprocess.check_output(command, text=True).strip() == str(
        package / "__init__.py"
    )
