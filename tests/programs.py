"""Commands run as in a new Python, but forked where their imports are done already.

An interpreter with nbgrader's imports takes a second of computing to start, and so do
fork server and readers of each run: `run_here` takes those of the run before it, where
tests.warm keeps them. tests/cli/test_documented.py starts commands as a teacher does.
"""

from __future__ import annotations

import functools
import gc
import importlib
import io
import json
import os
import runpy
import signal
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from contextlib import chdir, redirect_stderr, redirect_stdout
from pathlib import Path
from typing import Any

from tests.gradebooks import quicken

# What the commands import. Nothing of nbproctor, or a course without it would not have
# stock nbgrader.
LIBRARIES = (
    "nbgrader.apps.nbgraderapp",
    "latex2mathml.converter",
    "markdown_it",
    "msgspec",
    "numpy",
    "pandas",
    "rich.console",
    "typer",
)
SIGNALS = signal.SIGINT, signal.SIGTERM, signal.SIGHUP


def run_python(
    program: str,
    *arguments: str | Path,
    cwd: Path,
    env: Mapping[str, str] | None = None,
    preload: tuple[str, ...] = (),
) -> subprocess.CompletedProcess[str]:
    """Run a module by its name, or a program by its text, to its end.

    Modules to `preload` are imported already when it starts.
    """
    argv = [program, *map(str, arguments)]
    connection = _process(*preload)
    assert connection.stdin and connection.stdout
    with tempfile.TemporaryDirectory() as folder:
        outputs = [f"{folder}/stdout", f"{folder}/stderr"]
        order = argv, str(cwd), dict(env or os.environ), outputs
        print(json.dumps(order), file=connection.stdin, flush=True)
        status = int(connection.stdout.readline())
        out, err = (Path(path).read_text("utf-8") for path in outputs)
    return subprocess.CompletedProcess(argv, status, out, err)


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


@functools.cache
def _process(*preload: str) -> subprocess.Popen[str]:
    """Start the process that is forked. It ends with this one, but is no child of it.

    Tests count the children of theirs.
    """
    command = [sys.executable, "-m", __name__, *preload]
    pipe = subprocess.PIPE
    project = Path(__file__).parents[1]
    started = subprocess.Popen(command, cwd=project, stdin=pipe, stdout=pipe, text=True)
    started.wait()
    return started


def one_processor() -> None:
    """Have this process start one of each helper, not one for each processor.

    To start them takes longer than the few submissions of a test.
    """
    if hasattr(os, "sched_setaffinity"):
        processors = sorted(os.sched_getaffinity(0))
        os.sched_setaffinity(0, {processors[os.getpid() % len(processors)]})


def _run(argv: list[str], cwd: str, env: dict[str, str], outputs: list[str]) -> None:
    one_processor()
    write = os.O_WRONLY | os.O_CREAT
    files = (
        os.open(os.devnull, os.O_RDONLY),
        *(os.open(path, write) for path in outputs),
    )
    for descriptor, file in enumerate(files):
        os.dup2(file, descriptor)
    os.environ.clear()
    os.environ.update(env)
    os.chdir(cwd)
    sys.argv = argv
    sys.path[0] = cwd
    signal.signal(signal.SIGINT, signal.default_int_handler)  # ignored in background
    if "\n" in argv[0]:
        exec(compile(argv[0], "<program>", "exec"), {"__name__": "__main__"})
    else:
        runpy.run_module(argv[0], run_name="__main__", alter_sys=True)


def _serve() -> None:
    if os.fork():
        return
    for name in (*LIBRARIES, *sys.argv[1:]):
        importlib.import_module(name)
    quicken()
    gc.freeze()  # or each that is forked would look through all of it at its end
    for line in sys.stdin:
        order: Any = json.loads(line)
        if not (pid := os.fork()):
            return _run(*order)
        status = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
        print(status, flush=True)


if __name__ == "__main__":
    _serve()
