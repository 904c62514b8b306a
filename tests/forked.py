"""Student processes without a sandbox, for tests of what does not depend on one."""

import faulthandler
import gc
import socket
import warnings

from nbproctor.sandbox.fork import Fork, confirm, fork
from nbproctor.student import process
from nbproctor.student.shell import warm


def spawn() -> Fork:
    """Fork a student process that serves the other end of a socket pair."""
    warm()
    gc.freeze()  # or forks copy what garbage collection looks at
    student = fork(serve, None)
    confirm(student.sock)
    return student


def serve(sock: socket.socket) -> None:
    """Serve as a student process does."""
    faulthandler.disable()  # some of these processes are meant to crash
    warnings.resetwarnings()  # in tests, they are errors
    process.main(sock)
