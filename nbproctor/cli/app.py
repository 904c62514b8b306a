"""Command line, and what every command needs: console, course, error messages."""

from __future__ import annotations

import atexit
import gc
import io
import logging
import os
import shutil
import signal
import sys
import tempfile
import traceback
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from importlib.util import LazyLoader, find_spec, module_from_spec
from pathlib import Path
from types import FrameType, ModuleType
from typing import TYPE_CHECKING, Annotated, Any, Literal, NoReturn, TypeVar

import typer
from rich.console import Console
from rich.markup import escape
from rich.status import Status
from rich.text import Text
from typer import Argument, Option

from nbproctor import __version__
from nbproctor.errors import NbproctorError
from nbproctor.sanitize import plain_text


def _import_lazily(name: str) -> ModuleType:
    """Return a module that is imported when something in it is first asked for."""
    if name in sys.modules:
        return sys.modules[name]
    spec = find_spec(name)
    assert spec and spec.loader
    spec.loader = LazyLoader(spec.loader)
    module = sys.modules[name] = module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


if TYPE_CHECKING:
    from nbproctor import nbgrader as nbgrader
else:  # importing nbgrader takes a second, and `--help` does not need it
    nbgrader = _import_lazily("nbproctor.nbgrader")

GARBAGE_THRESHOLD = 50_000  # objects made since the last collection; Python's is 700
app = typer.Typer(
    add_completion=False,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode="markdown",  # it wraps paragraphs; others keep their line breaks
    help="Release a course of Jupyter notebooks, collect the submissions, and grade "
    "them.",
)
_Command = TypeVar("_Command", bound=Callable[..., None])
# What the user typed before the command, such as `python kit.py`, for messages that
# name a command. It is removed from the environment, so that no subprocess inherits it.
PROGRAM = os.environ.pop("NBPROCTOR_TYPED", "nbproctor")


class _Console(Console):
    """A console without escape sequences: students choose names that are printed.

    Commands in messages, such as `nbproctor grade`, are shown as users type them.
    """

    def render_str(self, text: str, **options: Any) -> Text:
        """Return the text to print, without escape sequences and control characters."""
        text = plain_text(text).replace("`nbproctor ", f"`{PROGRAM} ")
        return super().render_str(text, **options)


console = _Console(highlight=False)
error_console = _Console(
    stderr=True,
    highlight=False,
    soft_wrap=True,
)


def echo(*lines: object, to: Console = console) -> None:
    """Print lines without markup; only the terminal wraps them."""
    for line in lines:
        to.print(escape(str(line)), soft_wrap=True)


class _LogPrinter(logging.Handler):
    """Prints log messages, for example that a plug-in was left out."""

    def emit(self, record: logging.LogRecord) -> None:
        """Print one message."""
        echo(record.getMessage(), to=error_console)


Assignment = Annotated[
    str,
    Argument(
        help="Name of a folder in source/. Default: "
        "c.Nbproctor.assignment in nbgrader_config.py."
    ),
]
Sandbox = Annotated[
    Literal["strict", "weak"],
    Option(help="weak: grade even if protections of the sandbox are missing."),
]


def _refuse_container(is_asked: bool) -> None:
    if is_asked:
        raise CommandError("--container works only with `python kit.py`.")


Container = Annotated[
    bool,
    Option(
        "--container",
        help="Run in a container (Podman or Docker). Only with kit.py: "
        "python kit.py COMMAND --container.",
        callback=_refuse_container,
        is_eager=True,
    ),
]


def _version(is_asked: bool) -> None:
    if is_asked:
        console.print(f"nbproctor {__version__}")
        raise typer.Exit


@app.callback()
def options(
    version: Annotated[
        bool,
        Option(
            "--version",
            help="Show the version and exit.",
            callback=_version,
            is_eager=True,
        ),
    ] = False,
    course: Annotated[
        Path | None,
        Option(
            help="Course folder. Default: this folder, or the nearest parent that "
            "has an nbgrader_config.py."
        ),
    ] = None,
) -> None:
    """Handle the options that come before the command."""
    if not course:
        return
    if not (course / "nbgrader_config.py").is_file():
        raise CommandError(f"{course} is not a course: it has no nbgrader_config.py.")
    os.chdir(course)


def command(*examples: str, **settings: Any) -> Callable[[_Command], _Command]:
    """Register a command of the course; its ``--help`` ends with the examples."""
    lines = [f"- `{PROGRAM} {example}`" for example in examples]
    return app.command(epilog="\n\n".join(["Examples:", *lines]), **settings)


class CommandError(NbproctorError):
    """A command cannot do its work; the message says what to do."""


def find_course() -> Path:
    """Return the course around the working directory, as git finds its repository."""
    current = Path.cwd()
    for folder in (current, *current.parents):
        if (folder / "nbgrader_config.py").is_file():
            return folder
    return current  # the nbgrader room then says what is missing


def open_course(assignment: str) -> nbgrader.Course:
    """Return the course around the working directory, opened at an assignment."""
    return choose(nbgrader.Course(find_course()), assignment)


@contextmanager
def show_status(doing: str) -> Iterator[Status]:
    """Show a spinner on a terminal; elsewhere print one line."""
    if not console.is_terminal:
        echo(f"{doing} …")
    with console.status(escape(doing)) as status:
        yield status


def choose(course: nbgrader.Course, assignment: str) -> nbgrader.Course:
    """Open the named assignment, or the configured one, or the only one."""
    names = course.assignments()
    assignment = assignment or course.options.assignment
    if not names:
        source = course.folder("source", assignment="*").parent
        raise CommandError(f"There is no assignment in {source}.")
    if not assignment and len(names) == 1:
        assignment = names[0]
    if assignment in names:
        course = course.for_assignment(assignment)
        course.sources()  # says what is wrong with its name
        return course
    problem = f"There is no assignment {assignment!r}. " if assignment else ""
    for word in sys.argv:
        if word in names:
            raise CommandError(f"{problem}The assignment comes last: … {word}")
    raise CommandError(f"{problem}Name the assignment, one of: {', '.join(names)}.")


def print_list(title: str, lines: Sequence[str]) -> None:
    """Print a title and lines below it; nothing if there are none."""
    if lines:
        console.print(title)
    echo(*(f"  {line}" for line in lines))


# Whatever goes wrong, the command ends with a sentence.
_SIGNALS = {
    "SIGINT": "Ctrl-C",
    "SIGTERM": "SIGTERM",
    "SIGHUP": "the terminal was closed",
}


class _Signalled(BaseException):
    """A signal ends the command; not an `Exception`, so that nothing catches it."""


def main() -> None:
    """Run a command; if it fails, print what is wrong and exit with status 1."""
    # nbformat imports jsonschema, which imports a grammar of IRIs if it can. That takes
    # one of the two seconds in which a command starts, for a check that no notebook
    # needs. The kit pins a jsonschema without it; other courses may have a later one.
    sys.modules.setdefault("rfc3987_syntax", None)  # type: ignore[arg-type]
    # Collections look at all that is imported, again and again: a sixth of the start.
    gc.set_threshold(GARBAGE_THRESHOLD)
    # nbgrader logs the traceback of what a database raises, and then raises it.
    logging.getLogger("tornado.application").disabled = True
    logging.getLogger("nbproctor.platforms").addHandler(_LogPrinter())
    for name in _SIGNALS:
        number = getattr(signal, name, None)
        # A signal that is ignored stays ignored, as under nohup.
        if number and signal.getsignal(number) is not signal.SIG_IGN:
            signal.signal(number, _end)
    try:
        _prepare_process()
        app(prog_name=PROGRAM)
    except _Signalled as signalled:
        name, status = signalled.args
        _stop(
            f"{name}. Finished work is saved. To continue, run the same command again.",
            status,
        )
    except NbproctorError as error:
        _stop(str(error))
    except Exception as error:
        _stop(_describe_error(error))


def _end(number: int, frame: FrameType | None) -> NoReturn:
    signal.signal(number, signal.SIG_DFL)  # the second one does not wait
    name = signal.Signals(number).name
    raise _Signalled(_SIGNALS[name], 128 + number)


def _prepare_process() -> None:
    """Provide standard streams and a home folder where they are missing."""
    # If a number below 3 is free, the next file gets it, and output goes into it.
    while (number := os.open(os.devnull, os.O_RDWR)) < 3:
        os.set_inheritable(number, True)
    os.close(number)
    for name in ("stdout", "stderr"):
        if getattr(sys, name) is None:
            setattr(sys, name, Path(os.devnull).open("w", encoding="utf-8"))  # noqa: SIM115
        # A terminal that cannot show a dash, or an ü, must not end a command.
        stream = getattr(sys, name)
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")
    try:
        Path.home()
    except RuntimeError:  # no variable HOME, and a user id without a name
        home = tempfile.mkdtemp(prefix="nbproctor-home-")
        os.environ["HOME"] = home
        atexit.register(shutil.rmtree, home, ignore_errors=True)


def _describe_error(error: BaseException) -> str:
    """Describe an error that is not an `NbproctorError`."""
    cause: BaseException | None = error
    while cause:
        if computer_error := nbgrader.as_computer_error(cause):
            return str(computer_error)
        cause = cause.__cause__ or cause.__context__
    if isinstance(error, OSError):
        return (
            f"{error}\n"
            "Check that the file exists and that you are allowed to write there."
        )
    lines = "".join(traceback.format_exception(error))
    return f"This is a bug in nbproctor. Please report it, with these lines:\n{lines}"


def _stop(reason: str, status: int = 1) -> NoReturn:
    error_console.print(f"[red]Stopped:[/] {escape(reason)}")
    sys.exit(status)
