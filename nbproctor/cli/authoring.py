"""The verbs for whoever writes an assignment: ``release``, ``lint`` and ``audit``."""

from __future__ import annotations

from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from rich.markup import escape
from typer import Option

from nbproctor.cli.app import (
    Assignment,
    CommandError,
    app,
    at_work,
    complaints,
    open_course,
    say,
)

if TYPE_CHECKING:
    from nbproctor.nbgrader import Course


@app.command()
def release(
    assignment: Assignment = None,
    change_cells: Annotated[
        bool,
        Option("--change-cells", help="Keep a copy of the gradebook, then adapt it."),
    ] = False,
    browser: Annotated[
        bool,
        Option("--browser", help="Make a site too, where the lab runs in a browser."),
    ] = False,
    pyodide: Annotated[
        Path | None,
        Option(
            exists=True, file_okay=False, help="A site with this Pyodide: no network."
        ),
    ] = None,
) -> None:
    """Check the source, make the student version, and pack the zip to hand out."""
    from nbproctor import nbgrader
    from nbproctor.kit import handout
    from nbproctor.kit.browser import make_site

    course, name = open_course(assignment)
    nbgrader.check_sources(course, name)
    if not change_cells:  # or it would be known after half a minute only
        nbgrader.check_cells(course, name)
    prove(course, name)
    if copy := nbgrader.generate(course, name, change_cells=change_cells):
        say(f"Gradebook of before: {copy}")
    say(f"Student version: {course.folder('release', name)}")
    archive = handout.pack(course, name)
    say(f"To hand out:     {archive}")
    if browser or pyodide:
        with at_work("Making the site"):
            site = make_site(course, name, pyodide)
        say(f"To put on a web server: {site}")


@app.command()
def lint(assignment: Assignment = None) -> None:
    """Prove that the reference solution earns every point, test cell by test cell.

    Both under stock nbgrader and through nbproctor; `release` does it by itself.
    """
    prove(*open_course(assignment))
    say("The reference solution earns every point, in both ways.")


@app.command()
def audit(
    assignment: Assignment = None,
    exercise: Annotated[
        str | None, Option(help="Try the tests of this one only; write no matrix.")
    ] = None,
) -> None:
    """Try the tests: right solutions must keep every point, wrong ones lose some.

    Ends with status 1 if one does not. Writes the matrix exercise × solution to audit/.
    """
    from nbproctor import nbgrader
    from nbproctor.audit import result as matrix
    from nbproctor.audit.audit import audit as try_tests

    course, name = open_course(assignment)
    with at_work("Trying solutions") as status:
        tried = count(1)
        checks = nbgrader.check_release(course, name)
        result = try_tests(
            course.masters(name),
            course.settings(name),
            course.folder("source", name),
            course.root / "variants" / name,
            checks,
            lambda trial: status.update(
                f"Trying solutions: {next(tried)}, {escape(trial.exercise)}"
            ),
            exercise,
        )
    say(*matrix.lines(result))
    if exercise is None:
        page, _ = matrix.write(result, course.root / "audit")
        say(f"The whole matrix: {page}")
    if result.faults:
        raise CommandError(f"faults in the tests: {len(result.faults)}, see above.")


def prove(course: Course, assignment: str) -> None:
    """Prove that the reference solution earns every point; `CommandError` if not."""
    from nbproctor import nbgrader

    with at_work(f"Grading the reference solution of {assignment}"):
        faults = nbgrader.lint(course, assignment)
        told = nbgrader.places_told(course.masters(assignment))
    say(*(f"{line}." for line in told), *course.options.surroundings(assignment))
    say(*faults, to=complaints)
    if faults:
        raise CommandError(f"faults in the tests: {len(faults)}, see above.")
