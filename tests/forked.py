"""Student processes without a sandbox, for tests of what does not depend on one.

A small process forks them. To fork this one, with all that tests import, takes longer
than most of the tests.
"""

from __future__ import annotations

import contextlib
import faulthandler
import functools
import gc
import os
import socket
import subprocess
import sys
import warnings
from importlib import import_module
from pathlib import Path

from nbproctor.protocol import objects, table
from nbproctor.sandbox import layers
from nbproctor.sandbox.fork import Fork, fork, receive, send, wait_until_sandboxed
from nbproctor.sandbox.policy import Policy
from nbproctor.sandbox.server import Child
from nbproctor.student import process
from nbproctor.student.shell import get_shell
from tests import PROJECT


class StudentProcess(Child):
    """A student process; its `pid` is 0 once it has been ended."""

    def close(self) -> None:
        super().close()
        self.pid = 0


def spawn(*preload: str) -> StudentProcess:
    """Fork a student process in this folder, where modules to `preload` are imported.

    It serves the other end of a socket pair.
    """
    server, _ = _server(*preload)
    send(server, {"folder": os.getcwd(), "path": sys.path})
    answer, descriptors = receive(server)
    sock = socket.socket(fileno=descriptors[0])
    student = StudentProcess(
        pid=answer["pid"],
        sock=sock,
        _server=server,
    )
    wait_until_sandboxed(student.sock)
    return student


@functools.cache
def _server(*preload: str) -> tuple[socket.socket, subprocess.Popen[bytes]]:
    """Start the process that forks; it ends when this one does."""
    near, far = socket.socketpair()
    with far:
        command = [sys.executable, "-m", __name__, str(far.fileno()), *preload]
        return near, subprocess.Popen(command, pass_fds=[far.fileno()], cwd=PROJECT)


def serve(
    folder: str,
    path: list[str],
    sock: socket.socket,
) -> None:
    """Serve as a student process does."""
    os.chdir(folder)
    sys.path[:] = path
    process.main(sock)


def _stay_outside(policy: Policy, scratch: Path) -> None:
    """Stand in for `layers.enter` in this process and its forks."""


def main(descriptor: str, *preload: str) -> None:
    """Fork student processes, and end them, until the other side has gone."""
    faulthandler.disable()  # some of these processes are meant to crash
    warnings.resetwarnings()
    for name in preload:
        import_module(name)
    objects.list_library_classes()
    table.load_rows()
    get_shell()
    layers.enter = _stay_outside
    gc.freeze()  # or forks copy what garbage collection looks at
    server = socket.socket(fileno=int(descriptor))
    students: dict[int, Fork] = {}
    with contextlib.suppress(EOFError):
        while True:
            request, _ = receive(server)
            if "kill" in request:
                students.pop(request["kill"]).close()
                send(server, {})
            elif "seconds" in request:
                seconds = students[request["seconds"]].processor_seconds()
                send(server, {"seconds": seconds})
            else:
                body = functools.partial(serve, request["folder"], request["path"])
                student = fork(body, Policy(), Path(request["folder"], "no scratch"))
                students[student.pid] = student
                with student.sock:
                    send(server, {"pid": student.pid}, student.sock.fileno())
    for student in students.values():
        student.close()


if __name__ == "__main__":
    main(*sys.argv[1:])
