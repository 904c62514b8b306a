"""The verbs ``new`` (assignment), ``init`` and ``off`` (in a course), ``doctor``."""

from __future__ import annotations

from typing import Annotated

from rich.markup import escape
from rich.table import Column, Table
from typer import Argument

from nbproctor.cli.app import (
    TYPED,
    CommandError,
    app,
    complaints,
    console,
    find_course,
    say,
)
from nbproctor.cli.authoring import prove
from nbproctor.errors import NbproctorError

_DIFFERENCES = f"""\
What differs from plain nbgrader, for every submission:
  - what could not be graded has a reason and no score, never a 0;
  - an exercise that failed is graded again among correct others
    (off: c.Nbproctor.follow_through = False);
  - text on stderr costs a test cell nothing.
Next: {TYPED} grade, or nbgrader autograde as before."""


@app.command()
def new(name: Annotated[str, Argument(help="Name of the assignment.")]) -> None:
    """Make an assignment with one exercise to change, and a course if there is none."""
    from nbproctor.kit import starter

    course = find_course()
    made = starter.new_assignment(course, name)
    say(*(f"Made {path.relative_to(course)}" for path in made))
    say(
        f"Change the notebook in JupyterLab, then try it: {TYPED} lint {name}, "
        f"{TYPED} audit {name}, {TYPED} release {name}."
    )


@app.command()
def init() -> None:
    """Switch nbproctor on in an existing nbgrader course, and say what will differ.

    Grades the reference solution of every assignment in both ways. Ends with status 1
    if it loses points in one, or cannot be graded.
    """
    from nbproctor.kit import starter
    from nbproctor.nbgrader import Course
    from nbproctor.sandbox.doctor import probe, verdict

    course = find_course()
    file = course / "nbgrader_config.py"
    missing = starter.switch_on(course)
    said = "is switched on at the end of" if missing else "was switched on already in"
    say(f"nbproctor {said} {file}.", verdict(probe()))
    faulty = []
    for name in Course(course).assignments():
        try:
            prove(Course(course), name)
        except NbproctorError as error:
            say(f"{name}: {error}", to=complaints)
            faulty.append(name)
        else:
            say(f"{name}: the reference solution earns every point.")
    say(_DIFFERENCES)
    if faulty:
        raise CommandError(
            f"the reference solution does not earn everything in {', '.join(faulty)}: "
            "see above."
        )


@app.command()
def off() -> None:
    """Switch nbproctor off: `init` taken back, .nbproctor.* removed; marks stay."""
    from nbproctor.kit import starter

    course = find_course()
    starter.switch_off(course)
    say(f"{course} is a course of plain nbgrader again.")


@app.command()
def doctor() -> None:
    """Say what protects this computer from the code that it grades."""
    if not print_layers():
        raise CommandError("Grading needs --sandbox=weak here: see above.")


def print_layers() -> bool:
    """Print the sandbox's layers; return whether all that must be there are."""
    from nbproctor.sandbox.doctor import probe, verdict

    layers = probe()
    width = min(console.width, 80)
    console.print(escape(verdict(layers)), width=width)
    meaning = Column(overflow="fold")  # a long path is folded, not cut
    table = Table("", "", meaning, box=None, show_header=False, padding=(0, 2, 0, 0))
    for layer in layers:
        here = "yes" if layer.ok else "[red]no[/]" if layer.mandatory else "no"
        table.add_row(here, layer.name, escape(layer.meaning))
        if layer.remedy:
            table.add_row("", "", f"To get it: {escape(layer.remedy)}.")
    console.print(table, width=width)
    return all(layer.ok for layer in layers if layer.mandatory)
