"""Commands run as in a new Python, but forked where their imports are done already.

An interpreter with nbgrader's imports takes a second of computing to start.
tests/cli/test_documented.py starts each command as a teacher does.
"""

from __future__ import annotations

import multiprocessing
import os
import runpy
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path

_forks = multiprocessing.get_context("forkserver")
_forks.set_forkserver_preload(
    ["nbgrader.apps.nbgraderapp", "nbproctor.cli", "nbproctor.nbgrader.autograder"]
)


def run_python(
    program: str | Path,
    *arguments: str | Path,
    cwd: Path,
    env: Mapping[str, str] | None = None,
) -> subprocess.CompletedProcess[str]:
    """Run a module by its name, or a program by its text, to its end."""
    argv = [str(program), *map(str, arguments)]
    with tempfile.TemporaryDirectory() as folder:
        said = [Path(folder, name) for name in ("stdout", "stderr")]
        process = _forks.Process(
            target=_run, args=(argv, cwd, dict(env or os.environ), said)
        )
        process.start()
        process.join(600)
        if process.exitcode is None:
            process.kill()
            raise TimeoutError(argv)
        out, err = (path.read_text("utf-8") for path in said)
    return subprocess.CompletedProcess(argv, process.exitcode, out, err)


def _run(
    argv: Sequence[str], cwd: Path, env: Mapping[str, str], said: Sequence[Path]
) -> None:
    for descriptor, path in enumerate(said, 1):
        os.dup2(os.open(path, os.O_WRONLY | os.O_CREAT), descriptor)
    os.environ.clear()
    os.environ.update(env)
    os.chdir(cwd)
    sys.argv = [*argv]
    if "\n" in argv[0]:
        sys.argv[0] = "-c"
        exec(compile(argv[0], "<program>", "exec"), {"__name__": "__main__"})
    else:
        runpy.run_module(argv[0], run_name="__main__", alter_sys=True)
