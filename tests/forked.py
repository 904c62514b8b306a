"""Student processes without a sandbox, for tests of what does not depend on one."""

import faulthandler
import os
import signal
import socket
import sys

from nbproctor.student import process
from nbproctor.student.shell import warm


class Child:
    """A forked student process."""

    def __init__(self, pid: int, sock: socket.socket) -> None:
        self.pid, self.sock = pid, sock

    def kill(self) -> None:
        """End and collect it."""
        if self.pid:
            os.kill(self.pid, signal.SIGKILL)
            os.waitpid(self.pid, 0)
            self.pid = 0

    def close(self) -> None:
        """End it and close our end."""
        self.kill()
        self.sock.close()


def spawn() -> Child:
    """Fork a student process that serves the other end of a socket pair."""
    warm()
    sys.stdout.flush()
    ours, theirs = socket.socketpair()
    pid = os.fork()
    if pid == 0:
        try:
            faulthandler.disable()  # some of these processes are meant to crash
            ours.close()
            quiet = os.open(os.devnull, os.O_RDWR)
            for descriptor in (0, 1, 2):
                os.dup2(quiet, descriptor)
            process.main(theirs)
        finally:
            os._exit(0)
    theirs.close()
    return Child(pid, ours)
