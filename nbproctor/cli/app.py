"""Command line, and what every verb needs: console, course, assignment."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer
from rich.console import Console
from rich.markup import escape
from rich.status import Status
from rich.text import Text
from typer import Argument, Option

from nbproctor import __version__
from nbproctor.errors import NbproctorError
from nbproctor.sanitize import plain_text

if TYPE_CHECKING:
    from nbproctor.nbgrader import Course

app = typer.Typer(
    add_completion=False,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode="markdown",  # it wraps paragraphs; others keep their line breaks
    help="A course of Jupyter notebooks: release it, grade it, look at it.",
)
# How `kit.py` was called, for lines that say what to type next; taken out, so that no
# program started here inherits it.
TYPED = os.environ.pop("NBPROCTOR_TYPED", "nbproctor")


class _Console(Console):
    """A console that no text can steer: names of files and kernels are students'."""

    def render_str(self, text: str, **options: Any) -> Text:
        """Return what is printed, without escape sequences and control characters."""
        return super().render_str(plain_text(text), **options)


console = _Console(highlight=False)
complaints = _Console(stderr=True, highlight=False, soft_wrap=True)


def say(*lines: object, to: Console = console) -> None:
    """Print lines as they are; a terminal may break them."""
    for line in lines:
        to.print(escape(str(line)), soft_wrap=True)


Assignment = Annotated[
    str | None, Argument(help="Folder below source/; needed only if there are several.")
]
Sandbox = Annotated[
    Literal["strict", "weak"],
    Option(help="weak: grade even where the sandbox has gaps."),
]


def _version(wanted: bool) -> None:
    if wanted:
        console.print(f"nbproctor {__version__}")
        raise typer.Exit


@app.callback()
def options(
    version: Annotated[
        bool,
        Option(
            "--version", help="Say which version.", callback=_version, is_eager=True
        ),
    ] = False,
    course: Annotated[
        Path | None,
        Option(help="Folder of the course; else the one around this folder."),
    ] = None,
) -> None:
    """Take the options that belong to no verb."""
    if course is None:
        return
    if not (course / "nbgrader_config.py").is_file():
        raise CommandError(f"{course} is no course: it has no nbgrader_config.py.")
    os.chdir(course)


class CommandError(NbproctorError):
    """A verb cannot do its work; the message says what to do."""


def find_course() -> Path:
    """Return the course around the working directory, as git finds its repository."""
    here = Path.cwd()
    for folder in (here, *here.parents):
        if (folder / "nbgrader_config.py").is_file():
            return folder
    return here  # the nbgrader room then says what is missing


def open_course(assignment: str | None) -> tuple[Course, str]:
    """Return the course around the working directory, and which assignment is meant."""
    from nbproctor.nbgrader import Course  # with nbgrader: it takes a second

    course = Course(find_course())
    return course, choose(course, assignment)


@contextmanager
def at_work(doing: str) -> Iterator[Status]:
    """Show that something goes on: a line that moves, or one where nobody watches."""
    if not console.is_terminal:
        say(f"{doing} …")
    with console.status(escape(doing)) as status:
        yield status


def choose(course: Course, assignment: str | None) -> str:
    """Return the assignment that is meant: the one named, or the only one there is."""
    if assignment is not None:
        return assignment
    names = course.assignments()
    if len(names) == 1:
        return names[0]
    if not names:
        source = course.folder("source", "*").parent
        raise CommandError(f"There is no assignment in {source}.")
    raise CommandError(f"Name the assignment, one of: {', '.join(names)}.")


def print_list(title: str, lines: Sequence[str]) -> None:
    """Print a title and lines below it; nothing if there are none."""
    if lines:
        console.print(title)
    say(*(f"  {line}" for line in lines))
