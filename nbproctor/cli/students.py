"""Commands for students: ``lab`` and ``submit``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from typer import Argument, Option

from nbproctor.cli.app import (
    PROGRAM,
    Assignment,
    CommandError,
    command,
    echo,
    nbgrader,
    open_course,
)
from nbproctor.kit import lab as kit_lab
from nbproctor.kit import submit as kit_submit


@command("lab", "lab lab2 --fresh", context_settings={"ignore_unknown_options": True})
def lab(
    arguments: Annotated[
        list[str] | None,
        Argument(
            metavar="ASSIGNMENT|OPTION",
            help="The assignment, if there are several. Options for JupyterLab can "
            "follow.",
        ),
    ] = None,
    fresh: Annotated[
        bool,
        Option(
            "--fresh",
            help="Start with a new notebook. Your old one stays in the folder.",
        ),
    ] = False,
) -> None:
    """Open the lab in JupyterLab, as students get it.

    You work on a copy in lab/. After a new release, files that you have not changed are
    updated. Your work is never overwritten. Other arguments go to JupyterLab, for
    example --no-browser.
    """
    options = arguments or []
    assignment = ""
    if options and not options[0].startswith("-"):
        assignment = options.pop(0)
    _, release, copy = _folders(assignment)
    echo(
        *kit_lab.renew(
            folder=copy,
            handed_out=release,
            fresh=fresh,
        )
    )
    raise typer.Exit(
        kit_lab.open_lab(
            folder=copy,
            handed_out=release,
            arguments=options,
        )
    )


@command("submit", "submit lab2 --file=my_notebook.ipynb")
def submit(
    assignment: Assignment = "",
    file: Annotated[
        Path | None, Option(help="Your notebook, if it has another name.")
    ] = None,
) -> None:
    """Check your notebook, and write the one file to submit.

    This does not run your code. It warns of problems that could cost points, and lists
    what grading would repair. The students' zip has the same command.
    """
    from nbproctor.submission.repair import Ungradable, repair

    course, release, copy = _folders(assignment)
    masters = {master.notebook: master for master in course.masters}
    try:
        for target, lines in kit_submit.submit(copy, release, file):
            echo(*lines)
            try:
                repairs = repair(target.parent, masters[target.stem]).notes
            except Ungradable as error:
                repairs = [str(error)]
            echo(*(f"Grading would note: {note}" for note in repairs))
            echo(f"Submit this one file: {target}")
    except kit_submit.SubmitError as error:
        raise CommandError(f"Nothing was written. {error}") from error
    echo(course.options.hand_in or kit_submit.NOWHERE)


def _folders(assignment: str) -> tuple[nbgrader.Course, Path, Path]:
    """Return the course, the student version of an assignment, and the copy."""
    course = open_course(assignment)
    name = course.assignment
    release = course.folder("release")
    if not release.is_dir():
        raise CommandError(
            f"There is no {release}. To make it: {PROGRAM} release {name}"
        )
    return course, release, course.root / "lab" / name
