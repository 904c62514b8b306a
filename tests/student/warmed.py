"""Runs the cells of test_shell.py, in forks of a process that has imported this."""

import inspect
import os
import sys
import traceback
from collections.abc import Callable, Sequence
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

import matplotlib.backends.backend_agg
import matplotlib.figure  # noqa: F401 - half of what each figure waits for

from nbproctor.student.shell import get_shell, run_opening_cells

get_shell()


def run(cells: Sequence[str]) -> Any:
    """Run cells; return the outputs of each."""
    shell = get_shell()
    shell.install()
    return [shell.run(cell, f"c{n}") for n, cell in enumerate(cells)]


def rehearsed(cells: Sequence[str]) -> Any:
    """Rehearse cells; return those that count, all names, where modules are.

    And the modules whose files `inspect` has looked up.
    """
    sys.dont_write_bytecode = True  # as in a fork server
    sys.path[:] = [path for path in sys.path if path]
    run_opening_cells(cells)
    return (
        list(get_shell().opening_outputs),
        list(get_shell().user_ns),
        sys.path,
        list(inspect.modulesbyfile.values()),
    )


def send(
    function: Callable[..., Any],
    folder: Path,
    cells: Sequence[str],
    sender: Connection,
) -> None:
    """Send what a function makes of cells in a folder, or its exception as text."""
    try:
        os.chdir(folder)
        sender.send(function(cells))
    except BaseException:
        sender.send(traceback.format_exc())
    finally:
        os._exit(0)
