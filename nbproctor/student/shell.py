"""An IPython shell whose outputs are nbformat outputs: no kernel, no sockets.

Cells behave as in a notebook: magics, top-level ``await``, rich display, inline
figures at the end of a cell. Code that needs a person (``input``) or another process
(``!command``, ``%%bash``) does not work in grading, and a message says so.
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
from functools import cache
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
from nbproctor.student.outputs import Outputs, Stream, exception_text

_INLINE = "module://matplotlib_inline.backend_inline"
_SCRIPTS = ("bash", "sh", "script", "sx", "system", "perl", "ruby", "js", "pypy", "!")
# Commands that only show something, or install a package. If their output is not used,
# no test can depend on them.
_HARMLESS_COMMANDS = re.compile(
    r"((\S*python[\d.]* -m )?(pip3?|conda|mamba|apt|apt-get) (install|list|show|update)"
    r"|cat|clear|date|head|ls|nvidia-smi|pwd|python3? --version|sleep|tail|wc"
    r"|which|whoami)"
    r"\b[^|;&<>`$\n]*"
)
NOTHING_SHOWN = "Nothing is shown by other programs while a notebook is graded: "
_NO_INPUT = (
    "input() cannot be used while a notebook is graded: use a fixed value instead."
)


class Compiler(CachingCompiler):
    """Records the cell of each code name, and how many blank lines it starts with."""

    def __init__(self) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.cell: str | None = None
        # File name of a cell's code → the cell's name and number of blank lines at the
        # top.
        self.cells: dict[str, tuple[str, int]] = {}
        self.lines = ExecutedLines()

    def get_code_name(
        self,
        raw_code: str,
        transformed_code: str,
        number: int,
    ) -> str:
        """Name the code of a cell, as IPython does, and record the name."""
        name = super().get_code_name(raw_code, transformed_code, number)
        if self.cell is not None:
            # IPython removes blank lines at the top before it compiles the code.
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
        """Compile code; if it is a student's cell, record which lines run."""
        code = super().__call__(source, filename, symbol, **kwargs)
        if filename in self.cells:
            self.lines.watch(code)
        return code

    def untried(self) -> Iterator[tuple[str, int]]:
        """Yield the cell and the line of each branch that no call has entered."""
        for file, position in self.cells.items():
            cell, blank = position
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
    """A stand-in for ``get_ipython().kernel``, whose methods do nothing."""

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        return lambda *args, **kwargs: None


# Libraries recognise a notebook by the name of this class.
class ZMQInteractiveShell(InteractiveShell):
    """The shell of a notebook without its kernel; `get_shell` returns it."""

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
        # For the same text, both have the same result: see `prepare_cells`.
        self.transform_cell = cache(self.transform_cell)  # type: ignore[method-assign]
        self.should_run_async = cache(self.should_run_async)  # type: ignore[method-assign]
        self.stdout = Stream("stdout", self)
        self.stderr = Stream("stderr", self)
        for name in _SCRIPTS:
            self.magics_manager.register_function(self._no_magic, "line_cell", name)

    def run(self, source: str, cell: str | None = None) -> list[Output]:
        """Run one code cell, which may have magics, and return its outputs.

        If the cell raises an exception, one of them is an ``error``. `cell` is the
        cell's name in `Compiler.cells`.
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
        """Set the streams of this process, and what it refuses, for a notebook."""
        sys.stdout = self.stdout
        sys.stderr = self.stderr
        sys.stdin = io.StringIO()
        _refuse()

    def enable_matplotlib(self, gui: str | None = None) -> Any:
        """Draw inline with any `gui`, because there are no windows."""
        return super().enable_matplotlib("inline")  # type: ignore[no-untyped-call]

    def enable_gui(self, gui: str | None = None) -> None:
        """Do nothing, because there is no event loop."""

    def system(self, cmd: str) -> None:
        """Say on stderr that commands do not run; the cell goes on."""
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
        if self.compile.cell is None:  # a test has called it, and must fail
            _refuse_command(cmd)
        self.stderr.write(f"{NO_COMMANDS}{cmd.strip()}\n")
        return SList() if split else ""

    def ask_exit(self) -> None:
        """Say on stderr that ``exit`` has no effect."""
        self.stderr.write("exit has no effect while a notebook is graded.\n")

    def init_history(self) -> None:
        """Create a history that neither opens a file nor starts a thread."""
        self.config.HistoryManager.enabled = False
        super().init_history()  # type: ignore[no-untyped-call]

    def init_io(self) -> None:
        """Do not change the streams: `install` sets them."""

    def _no_magic(self, line: str, cell: str = "") -> None:
        self.system(f"{line}\n{cell}")

    def _showtraceback(
        self,
        etype: Any,
        evalue: Any,
        stb: Any,
    ) -> None:
        self.error = evalue
        lines = stb if isinstance(stb, list) else [stb]
        self.outputs.error(
            name=etype.__name__,
            value=exception_text(evalue),
            traceback=[str(line) for line in lines],
        )


def get_shell() -> ZMQInteractiveShell:
    """Return the shell of this process, and create it if there is none."""
    if ZMQInteractiveShell.initialized():
        return ZMQInteractiveShell.instance()
    # To count the threads of BLAS, scikit-learn reads a file in /proc, which is empty
    # in the sandbox. With this flag, it asks the process itself.
    with suppress(ImportError):
        import_module("threadpoolctl").__dict__["_HAS_PROCFS"] = False
    # Figures are drawn inline even if a notebook does not ask for it.
    os.environ["MPLBACKEND"] = _INLINE
    if "matplotlib" in sys.modules:
        sys.modules["matplotlib"].rcParams["backend"] = _INLINE
    config = Config()
    config.InteractiveShell.colors = "nocolor"
    shell = ZMQInteractiveShell.instance(config=config)
    # The first traceback imports modules, which takes about 50 ms.
    shell.run_cell("1/0")  # type: ignore[no-untyped-call]
    return shell


def _refuse() -> None:
    """Replace what grading forbids by an exception, or by something that it allows."""
    refused = [
        (builtins, "input", _refuse_input),
        (getpass, "getpass", _refuse_input),
        (os, "system", get_shell().system),
        (subprocess.Popen, "__init__", _refuse_process),
        # Processes are forbidden, so threads do the same work.
        *((multiprocessing, name, getattr(dummy, name)) for name in dummy.__all__),
        (BaseContext, "Lock", lambda self: Lock()),
        (concurrent.futures, "ProcessPoolExecutor", _threads),
        # `copy`, ``copy2`` and `copytree` call these, but rights and times cannot be
        # set.
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
    """Import modules as a cell does; a missing one raises when a cell imports it.

    Some look for a notebook then: pandas shows as many columns as fit into a terminal,
    or 20 in a notebook.
    """
    with get_shell().builtin_trap:
        for name in names:
            with suppress(ImportError):
                import_module(name)


def run_opening_cells(sources: Sequence[str]) -> None:
    """Run the first cells of every notebook once, in the process that is forked.

    Each fork then has their names, data and outputs at no cost. If a cell fails, each
    notebook runs this cell and the ones after it again. If they leave a file open, or
    write one, each notebook runs all of them again, because a fork has no such file.
    """
    shell = get_shell()
    before = _unforkable_state()
    sys.path.insert(0, "")  # as in a notebook, for modules in its folder
    with redirect_stdout(shell.stdout), redirect_stderr(shell.stderr):
        for source in sources:
            outputs = shell.run(source)
            kinds = [output["output_type"] for output in outputs]
            if "error" in kinds:
                break
            shell.opening_outputs[source] = outputs
    sys.path[:] = [path for path in sys.path if path]
    if _unforkable_state() != before:
        shell.opening_outputs.clear()
        shell.reset(new_session=False)  # type: ignore[no-untyped-call]
        gc.collect()  # a file that is still open could close a descriptor in a fork
    index_modules()


def prepare_cells(sources: Sequence[str]) -> None:
    """Find magics and ``await`` in cells, in the process that is forked.

    That takes as long as to run a short cell. No fork does it again for these texts.
    """
    shell = get_shell()
    for source in sources:
        with suppress(Exception):  # a cell that is not Python says so when it is run
            shell.should_run_async(
                source,
                transformed_cell=shell.transform_cell(source),  # type: ignore[no-untyped-call]
                preprocessing_exc_tuple=None,
            )


def index_modules() -> None:
    """Look up the file of every module, as the first traceback of a process does.

    This takes about 70 ms, and every fork then has the result.
    """
    with suppress(Exception):  # a module may import others when it is inspected
        inspect.getmodule(index_modules.__code__.replace(co_filename="<none>"))


def _unforkable_state() -> set[object]:
    """Return what a fork does not share: working folder, open descriptors, files."""
    folder = Path.cwd()
    files = {(path, path.lstat().st_mtime_ns) for path in (folder, *folder.rglob("*"))}
    return {*os.listdir("/dev/fd"), *files}  # noqa: PTH208
