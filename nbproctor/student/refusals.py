"""What a notebook cannot have while it is graded: a person to ask, another program."""

from __future__ import annotations

import builtins
import getpass
import os
import subprocess
from typing import Any, NoReturn

from IPython.core.error import StdinNotImplementedError

NO_COMMANDS = (
    "Other programs cannot be started while a notebook is graded"
    " (shell commands, %pip, %%bash, os.system, subprocess): "
)
_NO_INPUT = "input() has nobody to ask while a notebook is graded: use a value instead."


def refuse() -> None:
    """Make input and commands raise an exception that says so, in this process."""
    refused: list[tuple[Any, str, Any]] = [
        (builtins, "input", _refuse_input),
        (getpass, "getpass", _refuse_input),
        (os, "system", _refuse_command),
        (os, "popen", _refuse_command),
        (subprocess.Popen, "__init__", _refuse_process),
    ]
    for owner, name, refusal in refused:
        setattr(owner, name, refusal)


def _refuse_input(*args: Any, **kwargs: Any) -> NoReturn:
    raise StdinNotImplementedError(_NO_INPUT)


def _refuse_command(command: Any, *args: Any, **kwargs: Any) -> NoReturn:
    raise PermissionError(f"{NO_COMMANDS}{command}")


def _refuse_process(self: Any, command: Any = "", *args: Any, **kwargs: Any) -> None:
    # Popen.__del__ looks for these.
    self.returncode, self._child_created = 0, False
    _refuse_command(command)
