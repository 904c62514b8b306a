"""Entry of every verb: whatever goes wrong, on every computer, ends in a sentence."""

from __future__ import annotations

import atexit
import io
import logging
import os
import shutil
import signal
import sys
import tempfile
import traceback
from pathlib import Path
from types import FrameType
from typing import NoReturn

from rich.markup import escape

from nbproctor.cli.app import TYPED, app, complaints
from nbproctor.errors import NbproctorError

_SIGNALS = {
    "SIGINT": "Ctrl-C",
    "SIGTERM": "SIGTERM",
    "SIGHUP": "the terminal was closed",
}


class _Signalled(BaseException):
    """Somebody wants the verb to end; no `Exception`, so nothing goes on after it."""


def main() -> None:
    """Run a verb; say what is wrong in words, and end with status 1, if it fails."""
    # nbformat imports jsonschema, and that a grammar of IRIs if it can: a second of
    # the two that a verb takes to start, for a check that no notebook is given. The kit
    # pins a jsonschema that does not; other courses may have a later one.
    sys.modules.setdefault("rfc3987_syntax", None)  # type: ignore[arg-type]
    # nbgrader logs the traceback of what a database raises, and then raises it.
    logging.getLogger("tornado.application").disabled = True
    for name in _SIGNALS:
        number = getattr(signal, name, None)
        # What is ignored stays so, as under nohup.
        if number is not None and signal.getsignal(number) is not signal.SIG_IGN:
            signal.signal(number, _end)
    try:
        _furnish()
        app(prog_name=TYPED)
    except _Signalled as signalled:
        name, status = signalled.args
        _stop(f"{name}. What was finished stands; the same command goes on.", status)
    except NbproctorError as error:
        _stop(str(error))
    except Exception as error:
        _stop(_sentence(error))


def _end(number: int, frame: FrameType | None) -> NoReturn:
    signal.signal(number, signal.SIG_DFL)  # the second one does not wait
    name = signal.Signals(number).name
    raise _Signalled(_SIGNALS[name], 128 + number)


def _furnish() -> None:
    """Make up for what a verb, and what it starts, expect to be there."""
    # A number that is free would be given to the next file, and be printed into.
    while (number := os.open(os.devnull, os.O_RDWR)) < 3:
        os.set_inheritable(number, True)
    os.close(number)
    for name in ("stdout", "stderr"):
        if getattr(sys, name) is None:
            setattr(sys, name, Path(os.devnull).open("w", encoding="utf-8"))  # noqa: SIM115
        # A terminal that has no dash, or no ü, is no reason to end.
        if isinstance(stream := getattr(sys, name), io.TextIOWrapper):
            stream.reconfigure(errors="replace")
    try:
        Path.home()
    except RuntimeError:  # no variable HOME, and a user id without a name
        os.environ["HOME"] = tempfile.mkdtemp(prefix="nbproctor-home-")
        atexit.register(shutil.rmtree, os.environ["HOME"], ignore_errors=True)


def _sentence(error: BaseException) -> str:
    """Return what an error means that no room below has put into words."""
    from nbproctor.nbgrader.failures import of_the_computer

    cause: BaseException | None = error
    while cause is not None:
        if known := of_the_computer(cause):
            return str(known)
        cause = cause.__cause__ or cause.__context__
    if isinstance(error, OSError):
        return f"{error}\nCheck that the file is there and that you may write."
    lines = "".join(traceback.format_exception(error))
    return f"This is a fault of nbproctor. Please report it, with these lines:\n{lines}"


def _stop(reason: str, status: int = 1) -> NoReturn:
    complaints.print(f"[red]Stopped:[/] {escape(reason)}")
    sys.exit(status)
