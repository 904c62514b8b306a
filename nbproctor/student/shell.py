"""An IPython shell whose outputs are nbformat outputs: no kernel, no sockets.

Cells behave as in a notebook: magics, top-level ``await``, rich display, inline
figures at the end of a cell. What needs a person (``input``) or another process
(``!command``, ``%%bash``) does not work while grading, and says so.
"""

from __future__ import annotations

import builtins
import concurrent.futures
import gc
import getpass
import inspect
import io
import linecache
import multiprocessing
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import redirect_stderr, redirect_stdout, suppress
from importlib import import_module
from multiprocessing import dummy
from multiprocessing.context import BaseContext
from pathlib import Path
from threading import Lock
from typing import Any, NoReturn

from IPython.core.compilerop import CachingCompiler
from IPython.core.displayhook import DisplayHook
from IPython.core.displaypub import DisplayPublisher
from IPython.core.error import StdinNotImplementedError
from IPython.core.interactiveshell import InteractiveShell
from IPython.utils.text import SList
from traitlets import Type
from traitlets.config import Config

from nbproctor.results import NO_COMMANDS, Output
from nbproctor.student.branches import ExecutedLines
from nbproctor.student.outputs import Outputs, Stream

_INLINE = "module://matplotlib_inline.backend_inline"
_SCRIPTS = ("bash", "sh", "script", "sx", "system", "perl", "ruby", "js", "pypy", "!")
# Commands that only show something, or install what is here or not: no test can depend
# on such a line, whose output nobody takes.
_HARMLESS_COMMANDS = re.compile(
    r"((\S*python[\d.]* -m )?(pip3?|conda|mamba|apt|apt-get) (install|list|show|update)"
    r"|cat|clear|date|head|ls|nvidia-smi|pwd|python3? --version|tail|wc|which|whoami)"
    r"\b[^|;&<>`$\n]*"
)
NOTHING_SHOWN = "Nothing is shown by other programs while a notebook is graded: "
_NO_INPUT = (
    "input() cannot be used while a notebook is graded: use a fixed value instead."
)


class Compiler(CachingCompiler):
    """Remembers which of our cells a code name belongs to, and where that starts."""

    def __init__(self) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.cell: str | None = None
        # File name of its code → our name, and how many lines at its top are blank.
        self.cells: dict[str, tuple[str, int]] = {}
        self.lines = ExecutedLines()

    def get_code_name(
        self,
        raw_code: str,
        transformed_code: str,
        number: int,
    ) -> str:
        """Name the code of a cell, as IPython does, and remember the name."""
        name = super().get_code_name(raw_code, transformed_code, number)
        if self.cell is not None:
            # IPython drops the empty lines at the top before it compiles.
            blank = raw_code.count("\n") - raw_code.lstrip().count("\n")
            self.cells[name] = self.cell, blank
        return name

    def __call__(
        self,
        source: Any,
        filename: str,
        symbol: str,
        **kwargs: Any,
    ) -> Any:
        """Compile code; of a student's cell, note which lines run."""
        code = super().__call__(source, filename, symbol, **kwargs)
        if filename in self.cells:
            self.lines.watch(code)
        return code

    def untried(self) -> Iterator[tuple[str, int]]:
        """Yield our name and the line of each branch of a cell that nothing entered."""
        for file, (cell, blank) in self.cells.items():
            source = "".join(linecache.getlines(file))
            for line in self.lines.untried(file, source):
                yield cell, line + blank


class _Display(DisplayPublisher):
    shell: ZMQInteractiveShell

    def publish(
        self,
        data: dict[str, Any],
        metadata: dict[str, Any] | None = None,
        source: str | None = None,
        *,
        transient: dict[str, Any] | None = None,
        update: bool = False,
        **_: Any,
    ) -> None:
        self.shell.outputs.show(
            kind="display_data",
            data=data,
            metadata=metadata,
            display_id=(transient or {}).get("display_id"),
            update=update,
        )

    def clear_output(self, wait: bool = False) -> None:
        self.shell.outputs.clear(wait)


class _Result(DisplayHook):
    shell: ZMQInteractiveShell

    def start_displayhook(self) -> None: ...

    def write_output_prompt(self) -> None: ...

    def write_format_data(
        self, format_dict: dict[str, Any], md_dict: dict[str, Any] | None = None
    ) -> None:
        self.shell.outputs.show(
            kind="execute_result",
            data=format_dict,
            metadata=md_dict,
            execution_count=self.prompt_count,
        )

    def finish_displayhook(self) -> None: ...


class _Kernel:
    """Stands for ``get_ipython().kernel``: whatever is called on it does nothing."""

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        return lambda *args, **kwargs: None


# Libraries look at the name of this class to tell a notebook from a terminal.
class ZMQInteractiveShell(InteractiveShell):
    """The shell of a notebook without its kernel.

    Make it with `get_shell` in a process that forks, or let `InteractiveShell.instance`
    find it.
    """

    compile: Compiler
    compiler_class = Type(Compiler)
    display_pub_class = Type(_Display)
    displayhook_class = Type(_Result)

    def __init__(self, **kwargs: Any) -> None:
        self.opening_outputs: dict[str, list[Output]] = {}
        self.error: BaseException | None = None  # of the last cell that failed
        self.start_outputs()
        super().__init__(**kwargs)  # type: ignore[no-untyped-call]
        self.kernel = _Kernel()
        self.stdout = Stream("stdout", self)
        self.stderr = Stream("stderr", self)
        for name in _SCRIPTS:
            self.magics_manager.register_function(self._no_magic, "line_cell", name)

    def run(self, source: str, cell: str | None = None) -> list[Output]:
        """Run one code cell, magics included, and return its outputs.

        An exception of the cell is an ``error`` among them. `cell` is our name for it,
        found again in `Compiler.cells`.
        """
        outputs = self.start_outputs()
        self.compile.cell = cell
        try:
            self.run_cell(source, store_history=True)  # type: ignore[no-untyped-call]
        finally:
            self.compile.cell = None
        return outputs.finish()

    def start_outputs(self) -> Outputs:
        """Start a new collection of outputs and return it."""
        self.outputs = Outputs()
        return self.outputs

    def install(self) -> None:
        """Make this process a notebook's: its streams, and what it refuses."""
        sys.stdout = self.stdout
        sys.stderr = self.stderr
        sys.stdin = io.StringIO()
        _refuse()

    def enable_matplotlib(self, gui: str | None = None) -> Any:
        """Draw inline whatever was asked for: there is no window here."""
        return super().enable_matplotlib("inline")  # type: ignore[no-untyped-call]

    def enable_gui(self, gui: str | None = None) -> None:
        """There is no event loop to join."""

    def system(self, cmd: str) -> None:
        """Say on stderr that commands do not run, as the rest of the cell may."""
        if _HARMLESS_COMMANDS.fullmatch(cmd.strip()):
            self.stderr.write(f"{NOTHING_SHOWN}{cmd.strip()}\n")
        else:
            self.getoutput(cmd)
        self.user_ns["_exit_code"] = 1

    system_piped = system_raw = system

    def getoutput(
        self,
        cmd: str,
        split: bool = True,
        depth: int = 0,
    ) -> Any:
        """Say on stderr that commands do not run; the output is empty."""
        if self.compile.cell is None:  # called by a test, which has to know
            _refuse_command(cmd)
        self.stderr.write(f"{NO_COMMANDS}{cmd.strip()}\n")
        return SList() if split else ""

    def ask_exit(self) -> None:
        """``exit`` in a notebook ends nothing here."""
        self.stderr.write("exit has no effect while a notebook is graded.\n")

    def init_history(self) -> None:
        """Make a history that neither opens a file nor starts a thread."""
        self.config.HistoryManager.enabled = False
        super().init_history()  # type: ignore[no-untyped-call]

    def init_io(self) -> None:
        """Leave the streams alone: `install` sets them."""

    def _no_magic(self, line: str, cell: str = "") -> None:
        self.system(f"{line}\n{cell}")

    def _showtraceback(
        self,
        etype: Any,
        evalue: Any,
        stb: Any,
    ) -> None:
        self.error = evalue
        lines = stb if isinstance(stb, list) else [str(stb)]
        try:
            text = str(evalue)
        except Exception:
            text = "<the exception has no text>"
        self.outputs.error(etype.__name__, text, [str(line) for line in lines])


def get_shell() -> ZMQInteractiveShell:
    """Make the shell of this process, or return the one it has."""
    if ZMQInteractiveShell.initialized():
        return ZMQInteractiveShell.instance()
    # To count the threads of BLAS, scikit-learn reads a file of /proc; where there is
    # none, as in the sandbox, it asks the process itself.
    with suppress(ImportError):
        import_module("threadpoolctl").__dict__["_HAS_PROCFS"] = False
    # Figures are drawn inline even where a notebook forgets to say so.
    os.environ["MPLBACKEND"] = _INLINE
    if "matplotlib" in sys.modules:
        sys.modules["matplotlib"].rcParams["backend"] = _INLINE
    config = Config()
    config.InteractiveShell.colors = "nocolor"
    shell = ZMQInteractiveShell.instance(config=config)
    # The first traceback imports what it needs, for some 50 ms.
    shell.run_cell("1/0")  # type: ignore[no-untyped-call]
    return shell


def _refuse() -> None:
    """Put what grading allows, or an exception, in the place of what it forbids."""
    refused = [
        (builtins, "input", _refuse_input),
        (getpass, "getpass", _refuse_input),
        (os, "system", get_shell().system),
        (subprocess.Popen, "__init__", _refuse_process),
        # Processes are forbidden and threads are not: these do the same work.
        *((multiprocessing, name, getattr(dummy, name)) for name in dummy.__all__),
        (BaseContext, "Lock", lambda self: Lock()),
        (concurrent.futures, "ProcessPoolExecutor", _threads),
        # Rights and times cannot be copied; `copy`, ``copy2`` and `copytree` want to.
        (shutil, "copymode", lambda *_, **__: None),
        (shutil, "copystat", lambda *_, **__: None),
    ]
    for owner, name, refusal in refused:
        setattr(owner, name, refusal)


def _threads(max_workers: int | None = None, **_: Any) -> Any:
    return concurrent.futures.ThreadPoolExecutor(max_workers)


def _refuse_input(*args: Any, **kwargs: Any) -> NoReturn:
    raise StdinNotImplementedError(_NO_INPUT)


def _refuse_command(command: Any, *args: Any, **kwargs: Any) -> NoReturn:
    raise PermissionError(f"{NO_COMMANDS}{command}")


def _refuse_process(self: Any, command: Any = "", *args: Any, **kwargs: Any) -> None:
    # Popen.__del__ looks for these.
    self.returncode = 0
    self._child_created = False
    _refuse_command(command)


def import_modules(names: Sequence[str]) -> None:
    """Import what notebooks import; what is not installed fails in its cell."""
    for name in names:
        with suppress(ImportError):
            import_module(name)


def run_opening_cells(sources: Sequence[str]) -> None:
    """Run the cells that open every notebook once, in the process that is forked.

    Their names, data and outputs are then there in each fork, at no cost. A cell that
    fails is not counted as run, nor is any after it: each notebook runs it itself. None
    is counted if they leave a file written or open: a fork has neither.
    """
    shell = get_shell()
    before = _unforkable_state()
    sys.path.insert(0, "")  # as in a notebook, for modules that lie next to it
    with redirect_stdout(shell.stdout), redirect_stderr(shell.stderr):
        for source in sources:
            outputs = shell.run(source)
            if any(output["output_type"] == "error" for output in outputs):
                break
            shell.opening_outputs[source] = outputs
    sys.path[:] = [path for path in sys.path if path]
    if _unforkable_state() != before:
        shell.opening_outputs.clear()
        shell.reset(new_session=False)  # type: ignore[no-untyped-call]
        gc.collect()  # what is still open would later close a file of the fork's
    index_modules()


def index_modules() -> None:
    """Look up the file of every module, as the first traceback of a process does.

    That takes some 70 ms, and what is looked up here is known in every fork.
    """
    with suppress(Exception):  # a module may import others when it is looked at
        inspect.getmodule(index_modules.__code__.replace(co_filename="<none>"))


def _unforkable_state() -> set[object]:
    """Return what a fork does not have: working folder, open descriptors, files."""
    folder = Path.cwd()
    files = {(path, path.lstat().st_mtime_ns) for path in (folder, *folder.rglob("*"))}
    return files.union(os.listdir("/dev/fd"))  # noqa: PTH208
