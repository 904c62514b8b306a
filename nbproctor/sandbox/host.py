"""Python processes that the package starts: command, variables, folders, log, end."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import tempfile
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from nbproctor.sandbox import paths

# One BLAS thread, set before NumPy is imported: forking is safe with one thread only,
# and submissions run side by side instead.
ONE_THREAD = [
    f"{library}_NUM_THREADS"
    for library in ("BLIS", "MKL", "NUMEXPR", "OMP", "OPENBLAS", "VECLIB_MAXIMUM")
]


class PythonProcess:
    """A Python process that this one started and talks to over a pair of sockets.

    Attributes
    ----------
    sock : socket.socket
        This process's end; the other process has inherited the other end.
    """

    def __init__(
        self,
        command: Callable[[int], list[str]],
        variables: Mapping[str, str],
        **options: Any,
    ) -> None:
        """Start the process.

        Parameters
        ----------
        command : callable
            Returns the command, given the descriptor of the process's end.
        variables : mapping
            The whole environment of the process.
        **options
            More options of `subprocess.Popen`.
        """
        self.sock, other = socket.socketpair()
        self._log = tempfile.TemporaryFile()  # noqa: SIM115 (closed by `end`)
        with other:
            self._process = subprocess.Popen(
                command(other.fileno()),
                stdin=subprocess.DEVNULL,
                stdout=self._log,
                stderr=self._log,
                env=variables,
                pass_fds=[other.fileno()],
                **options,
            )

    @property
    def pid(self) -> int:
        """Its process id."""
        return self._process.pid

    def printed(self, most: int) -> str:
        """Return the end of what the process printed, at most so many bytes."""
        if self._log.closed:  # by `end`, from another thread
            return ""
        self._log.seek(0)
        return self._log.read()[-most:].decode(errors="replace").strip()

    def end(self, patience: float) -> None:
        """Close the socket; kill the process if it runs on for `patience` seconds."""
        self.sock.close()
        try:
            self._process.wait(timeout=patience)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._log.close()


def command(module: str, descriptor: int, path: Sequence[str] = ()) -> list[str]:
    """Return the command that starts Python and runs ``module.main(descriptor)``.

    Not ``-m``: the folder around an editable package comes last, so that nothing in it
    can stand before an installed module.

    Parameters
    ----------
    module : str
        Dotted name of a module of this package.
    descriptor : int
        An open socket that the process inherits.
    path : sequence of str
        Folders to import from besides the installed packages.
    """
    code = (
        "import sys; sys.path += sys.argv[2:]; "
        f"from {module} import main; main(int(sys.argv[1]))"
    )
    folders = [*paths.site_packages(), *path, str(paths.PACKAGE.parent)]
    return [sys.executable, "-s", "-P", "-c", code, str(descriptor), *folders]


def cache_folder(base: Path) -> Path:
    """Return where matplotlib keeps its font list, which takes seconds to make."""
    caches = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    folder = caches / "nbproctor" / "matplotlib"
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError:
        return base / "matplotlib"
    return folder


def environment(base: Path, cache: Path) -> dict[str, str]:
    """Return an environment that has nothing of the parent's, no secret above all."""
    return {
        "HOME": str(base),
        "IPYTHONDIR": str(base / "ipython"),
        # pandas imports pyarrow where that is installed, whose allocator starts a
        # thread of its own: with one, the fork server must not fork.
        "JE_ARROW_MALLOC_CONF": "background_thread:false",
        "LANG": "C.UTF-8",
        # Each arena reserves 64 MiB of address space, which is limited.
        "MALLOC_ARENA_MAX": "2",
        # To give memory back to the system and get it again takes longer than to use
        # it. A kernel that has freed a large array keeps as much.
        "MALLOC_MMAP_THRESHOLD_": str(32 << 20),
        "MALLOC_TRIM_THRESHOLD_": str(64 << 20),
        "MPLCONFIGDIR": str(cache),
        "NBGRADER_EXECUTION": "autograde",  # nbgrader's: cells may ask for it
        "PATH": "/usr/bin:/bin",
        # The same submission prints its sets in the same order each time.
        "PYTHONHASHSEED": "0",
        "PYTHONDONTWRITEBYTECODE": "1",
        "TMPDIR": str(base),
        **dict.fromkeys(ONE_THREAD, "1"),
    }
