"""Programs run as in a new Python, but forked where their imports are done already.

An interpreter with nbgrader's imports takes a second of computing to start, a kernel or
a process that makes pages a part of it. One process of each kind forks them, for all
workers of pytest. Programs start as outside of tests in tests/cli/test_documented.py
(commands), tests/submission/test_reading.py (readers), and where Jupyter's own programs
start kernels. `run_here` takes the fork server of the run before it, where tests.warm
keeps it.
"""

from __future__ import annotations

import atexit
import gc
import importlib
import inspect
import io
import json
import os
import runpy
import select
import shlex
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from contextlib import chdir, redirect_stderr, redirect_stdout, suppress
from pathlib import Path
from typing import IO, Any

import psutil
from filelock import FileLock

from tests import PROJECT
from tests.gradebooks import quicken

# Kind of process that forks → what it has imported.
IMPORTS = {
    # Nothing of nbproctor, or a course without it would not have stock nbgrader.
    "commands": """
        nbgrader.apps.nbgraderapp latex2mathml.converter markdown_it msgspec numpy
        pandas rich.console typer
    """,
    "nbproctor": "nbgrader.apps.nbgraderapp tests.preloaded",
    "workers": "nbproctor.pages.feedback_page nbproctor.submission.repair",
    "kernels": """
        ipykernel.kernelapp ipykernel.debugger IPython.core.completerlib
        IPython.core.oinspect IPython.extensions.storemagic tornado.platform.asyncio
    """,
}
# Modules that `ForkedPopen` forks → where.
FORKED = {
    "ipykernel_launcher": "kernels",
    "nbproctor.pages.making": "workers",
    "nbproctor.submission.reading": "workers",
}
SIGNALS = signal.SIGINT, signal.SIGTERM, signal.SIGHUP
STATUS: list[int] = []  # of a program that has come to its end
EXECUTE = inspect.signature(subprocess.Popen._execute_child)
# The process that runs the tests. What forks for it ends after it.
if __name__ == "__main__":
    MAIN = int(sys.argv[2])
else:
    MAIN = os.getppid() if "PYTEST_XDIST_WORKER" in os.environ else os.getpid()
FOLDER = Path(tempfile.gettempdir(), f"nbproctor-tests-{MAIN}")


class ForkedPopen(subprocess.Popen[Any]):
    """`Popen`, but modules of `FORKED` are forked where their imports are done."""

    _replies: IO[bytes] | None = None

    def _execute_child(self, *arguments: Any) -> None:
        options = EXECUTE.bind(self, *arguments).arguments
        words = [word for word in options["args"] if word != "-P"]
        if words[:2] != [sys.executable, "-m"] or words[2] not in FORKED:
            super()._execute_child(*arguments)  # type: ignore[misc]
            return
        names = ("p2cread", "p2cwrite", "c2pread", "c2pwrite", "errread", "errwrite")
        pipes = [options[name] for name in names]
        self._replies = _fork(
            FORKED[words[2]],
            words[2:],
            options["cwd"] or os.getcwd(),
            options["env"] or os.environ,
            pipes[::3] + pipes[5:],
            options["start_new_session"],
        )
        self.pid = int(self._replies.readline())
        self._child_created = True
        self._close_pipe_fds(*pipes)  # type: ignore[attr-defined]

    def wait(self, timeout: float | None = None) -> int:
        if self._replies is None:
            return super().wait(timeout)
        with self._waitpid_lock:  # type: ignore[attr-defined]
            if self.returncode is None:
                if not select.select([self._replies], [], [], timeout)[0]:
                    raise subprocess.TimeoutExpired(self.args, timeout or 0.0)
                self.returncode = int(self._replies.readline())
        return self.returncode

    def poll(self) -> int | None:
        if self._replies is None:
            return super().poll()
        with suppress(subprocess.TimeoutExpired):
            return self.wait(0.0)
        return None


def run_python(
    program: str,
    *arguments: str | Path,
    cwd: Path,
    env: Mapping[str, str] | None = None,
    kind: str = "commands",
) -> subprocess.CompletedProcess[str]:
    """Run a module by its name, or a program by its text, to its end.

    A `kind` of `IMPORTS` has imported more already.
    """
    argv = [program, *map(str, arguments)]
    with (
        tempfile.TemporaryFile("w+", encoding="utf-8") as out,
        tempfile.TemporaryFile("w+", encoding="utf-8") as err,
        open(os.devnull) as nothing,
    ):
        files = [file.fileno() for file in (nothing, out, err)]
        with _fork(kind, argv, cwd, env or os.environ, files) as replies:
            _, status = map(int, replies)
        texts = [file.seek(0) or file.read() for file in (out, err)]
    return subprocess.CompletedProcess(argv, status, *texts)


def start(
    *command: str | Path, cwd: Path, **variables: str
) -> subprocess.CompletedProcess[str]:
    """Start a program as a new process, and wait for its end."""
    return subprocess.run(
        command,
        cwd=cwd,
        env=os.environ | variables,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        errors="replace",
        preexec_fn=one_processor,
    )


def succeeded(
    done: subprocess.CompletedProcess[str],
) -> subprocess.CompletedProcess[str]:
    """Return what a command did, which had to end well."""
    assert done.returncode == 0, f"{done.args}\n{done.stdout}{done.stderr}"
    return done


def complaint_of(done: subprocess.CompletedProcess[str]) -> str:
    """Return what a command complains of, which had to end with 1 and a sentence."""
    assert done.returncode == 1, f"{done.args}\n{done.stdout}{done.stderr}"
    assert "Traceback" not in done.stderr
    return done.stderr


def run_here(*arguments: str | Path, cwd: Path) -> subprocess.CompletedProcess[str]:
    """Run a command of nbproctor in this process."""
    from nbproctor.cli import main

    out = io.StringIO()
    err = io.StringIO()
    status = 0
    before = {number: signal.getsignal(number) for number in SIGNALS}
    argv = sys.argv
    sys.argv = ["nbproctor", *map(str, arguments)]
    try:
        with chdir(cwd), redirect_stdout(out), redirect_stderr(err):
            main()
    except SystemExit as end:
        status = int(end.code or 0)
    finally:
        sys.argv = argv
        for number, handler in before.items():
            signal.signal(number, handler)
    outputs = out.getvalue(), err.getvalue()
    return subprocess.CompletedProcess(arguments, status, *outputs)


def run_line(line: str, cwd: Path, status: int = 0) -> str:
    """Run a command of nbproctor, given as one line; return the words that it prints.

    They are those of the output, then those of the errors.
    """
    done = run_here(*shlex.split(line), cwd=cwd)
    assert done.returncode == status, f"{line}\n{done.stdout}{done.stderr}"
    return " ".join(f"{done.stdout} {done.stderr}".split())


def one_processor() -> None:
    """Have this process start one of each helper, not one for each processor.

    To start them takes longer than the few submissions of a test.
    """
    if hasattr(os, "sched_setaffinity"):
        processors = sorted(os.sched_getaffinity(0))
        os.sched_setaffinity(0, {processors[os.getpid() % len(processors)]})


def _fork(
    kind: str,
    argv: list[str],
    cwd: str | Path,
    env: Mapping[str, str],
    files: list[int],
    in_new_session: bool = False,
) -> IO[bytes]:
    """Have a program forked; return where its process id and its status come from.

    A file that is -1 is that of this process.
    """
    FOLDER.mkdir(mode=0o700, exist_ok=True)
    connection = socket.socket(socket.AF_UNIX)
    with FileLock(FOLDER / f"{kind}.lock"), connection:
        try:
            connection.connect(str(FOLDER / kind))
        except FileNotFoundError:
            command = [sys.executable, "-m", "tests.programs", kind, str(MAIN)]
            # It is no child of this process: tests count these.
            subprocess.run(
                command,
                cwd=PROJECT,
                stdin=subprocess.DEVNULL,
                check=True,
            )
            connection.connect(str(FOLDER / kind))
        files = [n if file == -1 else file for n, file in enumerate(files)]
        socket.send_fds(connection, [b"."], files)
        order = argv, str(cwd), dict(env), in_new_session
        connection.sendall(json.dumps(order).encode() + b"\n")
        return connection.makefile("rb", buffering=0)


def _serve(kind: str) -> None:
    """Fork programs as long as the tests run; return in each fork, as that program."""
    atexit.register(_end)  # the first, so that all others come before it
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(str(FOLDER / kind))
    listener.listen()
    listener.settimeout(2.0)  # seconds, then it looks whether the tests still run
    if os.fork():
        os._exit(0)
    subprocess.Popen = ForkedPopen  # type: ignore[misc]
    # What kernels read when they are imported: with whom they end, and no warning.
    os.environ["JPY_PARENT_PID"] = str(os.getpid())
    os.environ["PYDEVD_DISABLE_FILE_VALIDATION"] = "1"
    for name in IMPORTS[kind].split():
        importlib.import_module(name)
    quicken()
    gc.freeze()  # or each that is forked would look through all of it at its end
    running: dict[int, socket.socket] = {}

    def report(*_: object) -> None:
        for pid in [*running]:
            with suppress(OSError):  # who started it has gone
                ended, status = os.waitpid(pid, os.WNOHANG)
                if ended:
                    with running.pop(pid) as connection:
                        connection.sendall(b"%d\n" % os.waitstatus_to_exitcode(status))

    signal.signal(signal.SIGCHLD, report)
    while psutil.pid_exists(MAIN):
        with suppress(TimeoutError):
            connection, _ = listener.accept()
            _, files, _, _ = socket.recv_fds(connection, 1, 3)
            order = json.loads(connection.makefile().readline())
            if not (pid := os.fork()):
                signal.signal(signal.SIGCHLD, signal.SIG_DFL)
                _become(connection, files, *order)
                return
            running[pid] = connection
            report()  # it may have ended already
            for file in files:
                os.close(file)
    shutil.rmtree(FOLDER, ignore_errors=True)
    os._exit(0)


def _become(
    connection: socket.socket,
    files: list[int],
    argv: list[str],
    cwd: str,
    env: dict[str, str],
    in_new_session: bool,
) -> None:
    """Let this fork be a process of its own."""
    if in_new_session:
        os.setsid()
    connection.sendall(b"%d\n" % os.getpid())
    for number, file in enumerate(files):
        os.dup2(file, number)
        os.close(file)
    os.environ.clear()
    os.environ.update(env)
    os.chdir(cwd)
    sys.argv = argv
    sys.path[0] = cwd
    signal.signal(signal.SIGINT, signal.default_int_handler)  # ignored in background


def _end() -> None:
    """Leave the interpreter as it is: to take it apart would copy all memory.

    A program that another exception ends, or that has a text for its status, ends as
    usual.
    """
    sys.stdout.flush()
    sys.stderr.flush()
    if STATUS:
        os._exit(STATUS[0])


if __name__ == "__main__":
    kind = sys.argv[1]
    _serve(kind)
    if kind in FORKED.values():
        del sys.path[0]  # as Python does with -P, and a kernel itself
    else:
        one_processor()
    program = sys.argv[0]
    try:
        if "\n" in program:
            exec(compile(program, "<program>", "exec"), {"__name__": "__main__"})
        else:
            runpy.run_module(program, run_name="__main__", alter_sys=True)
    except SystemExit as end:
        if isinstance(end.code, int):
            STATUS.append(end.code)
        raise
    else:
        STATUS.append(0)
