"""Commands for authors: to begin, to make and check an assignment, in a container."""

from __future__ import annotations

import re
import shutil
import time
from itertools import count
from pathlib import Path
from typing import Annotated

import typer
from rich import box
from rich.markup import escape
from rich.table import Column, Table
from typer import Argument, Option

from nbproctor.cli.app import (
    PROGRAM,
    Assignment,
    CommandError,
    Container,
    app,
    command,
    console,
    echo,
    error_console,
    find_course,
    nbgrader,
    open_course,
    print_list,
    show_status,
)
from nbproctor.errors import NbproctorError
from nbproctor.platforms.gradescope import results
from nbproctor.platforms.platform import Visibility
from nbproctor.submission import border
from nbproctor.submission.files import MAX_SUBMISSION_BYTES
from nbproctor.writing import write_json

# In a container that a platform (Gradescope) runs: a course without students.
container = typer.Typer()
app.add_typer(container, name="container", hidden=True)
_DIFFERENCES = f"""\
The main differences from plain nbgrader, from now on:
  - a submission that cannot be graded gets a reason and no score, never a 0;
  - an exercise that failed is graded again with correct functions from the exercises
    before it (to switch this off: c.Nbproctor.follow_through = False);
  - text on stderr does not cost points;
  - an answer that would fail although its code is right, such as one in another
    cell, is repaired (to switch this off: c.Nbproctor.repair_answers = False).
All differences: docs/differences.md.
Next: {PROGRAM} grade ASSIGNMENT, or nbgrader autograde as before."""


@command("release", "release lab2 --browser")
def release(
    assignment: Assignment = "",
    change_cells: Annotated[
        bool,
        Option(
            "--change-cells",
            help="Accept that test cells were renamed, added or removed: save a copy "
            "of the gradebook, then change the gradebook.",
        ),
    ] = False,
    browser: Annotated[
        bool,
        Option(
            "--browser", help="Also make a website where the lab runs in a browser."
        ),
    ] = False,
    pyodide: Annotated[
        Path | None,
        Option(
            exists=True,
            file_okay=False,
            help="Folder of an unpacked Pyodide release. Implies --browser; the "
            "website then loads nothing from the internet.",
        ),
    ] = None,
    container: Container = False,
) -> None:
    """Check the source, make the student version, and pack the zip for students."""
    from nbproctor.kit import handout
    from nbproctor.kit.browser import make_site

    course = open_course(assignment)
    nbgrader.check_sources(course)
    if not change_cells:  # or it would be known after half a minute only
        nbgrader.check_cells(course)
    check_reference(course)
    copy, points = nbgrader.generate(
        course=course,
        assignment=course.assignment,
        change_cells=change_cells,
    )
    if copy:
        echo(f"Copy of the old gradebook: {copy}")
    echo(f"Student version: {course.folder('release')}")
    print_list("Points have changed since the last release:", points)
    if points:
        echo(
            "The notebooks that students already have show the earlier points. For "
            f"marks with the new ones: {PROGRAM} grade {course.assignment}"
        )
    archive = handout.pack(course)
    echo(f"For students:    {archive}")
    if browser or pyodide:
        with show_status("Making the website"):
            site = make_site(course, pyodide)
        echo(f"To put on a web server: {site}")


@command("lint", "lint lab2")
def lint(assignment: Assignment = "", container: Container = False) -> None:
    """Check that the reference solution earns every point in every test cell.

    Grades your solution, a blank notebook and notebooks with meaningless answers, each
    with nbgrader and with nbproctor. Lists every test in which the points differ.
    `nbproctor release` runs this check first.
    """
    check_reference(open_course(assignment))
    echo("The reference solution earns every point, in nbgrader and in nbproctor.")


@command("audit", "audit lab2")
def audit(
    assignment: Assignment = "",
    exercise: Annotated[
        str, Option(help="Audit only this exercise. Writes no report.")
    ] = "",
    container: Container = False,
) -> None:
    """Check the tests with correct solutions, incorrect solutions, and mutants.

    The solutions are in variants/. Mutants are copies of the reference solution, each
    with one small mistake. A correct solution must earn every point. An incorrect one
    must lose some. Writes a report to audit/. Exits with status 1 if the tests have a
    fault.
    """
    from nbproctor.audit import result as matrix
    from nbproctor.audit.audit import audit as try_tests

    course = open_course(assignment)
    with show_status("Trying solutions") as status:
        tried = count(1)
        checks = nbgrader.check_release(course)
        result = try_tests(
            course.masters,
            course.settings(),
            course.folder("source"),
            course.root / "variants" / course.assignment,
            checks,
            lambda trial: status.update(
                f"Trying solutions: {next(tried)}, {escape(trial.exercise)}"
            ),
            exercise,
        )
    echo(*matrix.lines(result))
    if not exercise:
        page, _ = matrix.write(result, course.root / "audit")
        echo(f"Full report: {page}")
    if result.faults:
        raise CommandError(f"The tests have faults: {len(result.faults)}. See above.")


def check_reference(course: nbgrader.Course) -> None:
    """Raise `CommandError` unless the reference solution earns every point."""
    if show_faults(course):
        raise CommandError("The reference solution fails tests. See above.")


def show_faults(course: nbgrader.Course) -> list[str]:
    """Print what grading the reference solution shows; return what it loses."""
    assignment = course.assignment
    with show_status(f"Grading the reference solution of {assignment}"):
        faults = nbgrader.lint(course, assignment)
        lines = nbgrader.describe_placement(course.masters)
        lines += nbgrader.differences(course)
    echo(
        *(f"{line}." for line in lines),
        *course.options.describe_permissions(assignment),
    )
    echo(*faults, to=error_console)
    return faults


@command("new lab2", "new short_lab --from lab2")
def new(
    name: Annotated[str, Argument(help="Name of the assignment.")],
    longer: Annotated[
        str,
        Option("--from", help="Make a shorter edition of this assignment instead."),
    ] = "",
    hours: Annotated[int, Option(min=1, help="Hours that the edition takes.")] = 2,
) -> None:
    """Make an assignment with one example exercise, for you to replace.

    If this folder is not a course yet, it becomes one. With --from, make a shorter
    edition of another assignment, without the cells that are tagged for longer editions
    (such as from-4-hours). Students get the solutions of the exercises that are left
    out.
    """
    from nbproctor.kit import starter
    from nbproctor.kit.edition import write_edition

    course = find_course()
    if longer:
        source = starter.new_source(course, name)
        points = write_edition(
            course=nbgrader.Course(course, longer),
            hours=hours,
            source=source,
        )
        echo(f"Made {source.relative_to(course)}: {points:g} points.")
    else:
        paths = starter.new_assignment(course, name)
        echo(*(f"Made {path.relative_to(course)}" for path in paths))
    echo(
        f"Edit the notebook in JupyterLab. Then run {PROGRAM} lint {name}, {PROGRAM} "
        f"audit {name} and {PROGRAM} release {name}."
    )


@command("adopt otter/lab01.ipynb", "adopt hw03.ipynb homework_3")
def adopt(
    file: Annotated[Path, Argument(help="Notebook with solutions and tests.")],
    name: Annotated[
        str,
        Argument(help="Name of the assignment. Default: the notebook's name."),
    ] = "",
    container: Container = False,
) -> None:
    """Turn a notebook with Otter-Grader, OkPy or assert tests into an assignment.

    Writes the assignment to source/, and shows what each cell has become. Then checks
    that your solutions earn every point. The original notebook is not changed.
    """
    from nbproctor.kit import adopt as adoption
    from nbproctor.kit import starter

    adopted = adoption.adopt(file)
    name = name or re.sub(r"\W+", "_", file.stem)
    folder = find_course()
    notebook = adoption.write(adopted, file, starter.new_source(folder, name))
    table = Table("cell", "became", "id", "points", box=box.SIMPLE_HEAD)
    for number, each in enumerate(adopted.cells, 1):
        if each.grade_id:
            points = "" if each.points is None else f"{each.points:g}"
            table.add_row(str(number), each.kind, each.grade_id, points)
    console.print(table)
    total = sum(each.points or 0 for each in adopted.cells)
    echo(f"{notebook}: {total:g} points.")
    print_list("Please decide:", adopted.questions)
    if adopted.unanswered:
        print_list("Without a solution:", adopted.unanswered)
        echo(f"Write your solutions into the notebook. Then: {PROGRAM} lint {name}")
        return
    course = nbgrader.Course(folder, name)
    nbgrader.check_sources(course)
    check_reference(course)
    echo(f"The reference solution earns every point. Next: {PROGRAM} release {name}")


@command("init", "--course ~/my_course init")
def init(container: Container = False) -> None:
    """Switch nbproctor on in an existing nbgrader course, and show what will differ.

    Grades your own solutions to every assignment, with nbgrader and with nbproctor.
    Exits with status 1 if a solution loses points only with nbproctor, or cannot be
    graded.
    """
    from nbproctor.kit import starter
    from nbproctor.sandbox.doctor import probe, verdict

    course = find_course()
    file = course / "nbgrader_config.py"
    missing = starter.switch_on(course)
    state = "is switched on at the end of" if missing else "is already switched on in"
    echo(f"nbproctor {state} {file}.", verdict(probe()))
    faulty = []
    for name in nbgrader.Course(course).assignments():
        try:
            faults = show_faults(nbgrader.Course(course, name))
        except NbproctorError as error:
            faults = [str(error)]
            echo(f"{name}: {error}", to=error_console)
        if any(fault.startswith(nbgrader.STOCK) for fault in faults):
            echo(
                f"{name}: the reference solution loses points in plain nbgrader, too. "
                f"After you have corrected the solution, run {PROGRAM} lint {name}."
            )
        elif faults:
            faulty.append(name)
        else:
            echo(f"{name}: the reference solution earns every point.")
    echo(_DIFFERENCES)
    if faulty:
        raise CommandError(
            "With nbproctor, the reference solution loses points or cannot be graded: "
            f"{', '.join(faulty)}. The reason is above."
        )


@command("off", "--course ~/my_course off")
def off() -> None:
    """Switch nbproctor off in a course: undo `init`. Marks are kept.

    Also deletes the files .nbproctor.* in the course, which only nbproctor uses.
    """
    from nbproctor.kit import starter

    course = find_course()
    starter.switch_off(course)
    echo(f"{course} is a plain nbgrader course again.")


@command("doctor")
def doctor(container: Container = False) -> None:
    """Check how well this computer isolates student code.

    Exits with status 1 if a mandatory protection is missing.
    """
    if not print_layers():
        raise CommandError(
            "The lines above say what to install. To grade only code that you would "
            "run yourself, use --sandbox=weak."
        )


def print_layers() -> bool:
    """Print the sandbox's layers; return whether no mandatory one is missing."""
    from nbproctor.sandbox.doctor import probe, verdict

    layers = probe()
    width = min(console.width, 80)
    console.print(escape(verdict(layers)), width=width)
    meaning = Column(overflow="fold")  # a long path is folded, not cut
    table = Table(
        "",
        "",
        meaning,
        box=None,
        show_header=False,
        padding=(0, 2, 0, 0),
    )
    for layer in layers:
        state = "yes" if layer.ok else "[red]no[/]" if layer.mandatory else "no"
        table.add_row(state, layer.name, escape(layer.meaning))
        if layer.remedy:
            table.add_row("", "", f"To get it: {escape(layer.remedy)}.")
    console.print(table, width=width)
    return all(layer.ok for layer in layers if layer.mandatory)


@container.command()
def prepare(assignment: str) -> None:
    """Make the release and its gradebook, and grade the reference solution."""
    course = nbgrader.Course(find_course(), assignment)
    nbgrader.generate(course, assignment)
    faults = nbgrader.lint(course, assignment)
    proved = "The reference solution earns every point in this container."
    echo(*(faults or [proved]))
    raise typer.Exit(bool(faults))


@container.command()
def run(
    assignment: str,
    root: Path,
    visibility: Visibility = "after_due_date",
) -> None:
    """Grade ``root/submission`` and write ``root/results/results.json``.

    A submission that could not be graded gets no score, never a 0, and the status is 1.
    """
    start = time.monotonic()
    echo("How this container isolates student code:")
    weak = not print_layers()
    if weak:
        echo(
            "Protections of the sandbox are missing here: student code may be able to "
            "reach the tests."
        )
    course = nbgrader.Course(find_course(), assignment)
    student = "student"
    submitted = course.folder("submitted", student)
    shutil.rmtree(submitted, ignore_errors=True)
    border.copy(root / "submission", submitted, MAX_SUBMISSION_BYTES)
    (result,) = nbgrader.grade(
        course,
        assignment,
        [student],
        force=True,
        weak_sandbox=weak,
    )
    content = results(
        result=result,
        masters=course.masters,
        visibility=visibility,
        seconds=time.monotonic() - start,
    )
    write_json(root / "results/results.json", content)
    echo(f"{result.status}. {result.reason}")
    if "tests" not in content:
        echo("There is no score (not even a 0). Grade this submission by hand.")
        raise typer.Exit(1)
