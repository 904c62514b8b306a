"""The command line, and the only place that prints.

The nbgrader room is imported by the verbs that need it: nbgrader and pandas take a
second, and a verb should answer at once.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Mapping
from enum import StrEnum
from itertools import count
from pathlib import Path
from typing import Annotated

import typer
from rich import box
from rich.console import Console
from rich.markup import escape
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    ProgressColumn,
    Task,
    TimeRemainingColumn,
)
from rich.table import Table
from rich.text import Text

from nbproctor.cli.table import score_table
from nbproctor.notebook import MasterNotebook, MasterNotebookError

app = typer.Typer(
    add_completion=False,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    help="The neural-network lab: release it, grade it, look at it.",
)
console = Console(highlight=False)
complaints = Console(stderr=True, highlight=False)

Assignment = Annotated[str, typer.Argument(help="Folder below source/.")]
LAB = "neural_network"


class Sandbox(StrEnum):
    """What to do where the sandbox is not whole."""

    STRICT = "strict"
    WEAK = "weak"


class _Rate(ProgressColumn):
    """Submissions a minute."""

    def render(self, task: Task) -> Text:
        return Text(f"{60 * task.speed:.0f} a minute" if task.speed else "")


class CommandError(Exception):
    """A verb cannot do its work; the message says what to do."""


@app.command()
def demo() -> None:
    """Grade a sample class and show the table of scores.

    Everything happens in the folder demo/, which each run makes anew; your own
    submissions and gradebook are not touched.
    """
    console.print("Making a sample class in demo/. It hands in:")
    from nbproctor import nbgrader
    from nbproctor.kit import sample

    project = _course()
    course = sample.new_course(project, LAB)
    master = _master(course, LAB)
    nbgrader.generate(course, LAB)
    students = sample.read_class(project / "examples" / "sample_class.toml")
    sample.write_class(students, course, master, project / "variants" / LAB)
    for student in students:
        console.print(f"  {student.name:20} {student.story}")
    names = {student.id: student.name for student in students}
    nbgrader.enrol(course, names)
    # Weak, because this code is our own: the demo is to run on any computer.
    _grade(course, LAB, names, weak_sandbox=True)


@app.command(
    context_settings={"allow_extra_args": True, "ignore_unknown_options": True}
)
def lab(context: typer.Context) -> None:
    """Open the lab in JupyterLab, as a student gets it.

    You work on a copy in lab/, made on first use and never overwritten. More
    arguments go to JupyterLab, for example --no-browser.
    """
    course = _course()
    release, copy = course / "release" / LAB, course / "lab" / LAB
    if not release.is_dir():
        raise CommandError(f"There is no {release}. Make it: python kit.py release")
    if not copy.exists():
        shutil.copytree(release, copy)
        console.print(f"Copied the release to {copy}: work there.")
    command = [sys.executable, "-m", "jupyterlab", f"--ServerApp.root_dir={copy}"]
    command += context.args
    os.chdir(copy)  # started there, nbgrader does not ask for the course around it
    if os.name == "nt":  # there, exec would give the prompt back at once
        raise typer.Exit(subprocess.call(command))
    os.execv(command[0], command)  # who ends this process ends JupyterLab


@app.command()
def release(assignment: Assignment = LAB) -> None:
    """Check the source, make the student version, and pack the zip to hand out."""
    from nbproctor import nbgrader
    from nbproctor.kit import handout
    from nbproctor.nbgrader.course import load_config

    course = _course()
    total = load_config(course).Nbproctor.get("points", {}).get(assignment)
    for notebook in (course / "source" / assignment).glob("*.ipynb"):
        nbgrader.check_source(notebook, total)
    _lint(course, assignment)
    nbgrader.generate(course, assignment)
    archive = handout.pack(course, assignment)
    console.print(f"Student version: {course / 'release' / assignment}")
    console.print(f"To hand out:     {archive}")


@app.command()
def grade(
    assignment: Assignment = LAB,
    force: Annotated[
        bool, typer.Option("--force", help="Grade again what is graded already.")
    ] = False,
    sandbox: Annotated[
        Sandbox, typer.Option(help="weak: grade even where the sandbox has gaps.")
    ] = Sandbox.STRICT,
) -> None:
    """Grade what is in submitted/, write feedback, and show the table of scores.

    What is graded already and has not changed is left as it is.
    """
    _grade(_course(), assignment, {}, force=force, weak_sandbox=sandbox == Sandbox.WEAK)


@app.command()
def lint(assignment: Assignment = LAB) -> None:
    """Prove that the reference solution earns every point, test cell by test cell.

    Both under stock nbgrader and through nbproctor; `release` does it by itself.
    """
    _lint(_course(), assignment)
    console.print("The reference solution earns every point, in both ways.")


@app.command()
def audit(assignment: Assignment = LAB) -> None:
    """Try the tests: right solutions must keep every point, wrong ones lose some.

    Ends with status 1 if one does not. Writes the matrix exercise × solution to audit/.
    """
    from nbproctor.audit import matrix
    from nbproctor.audit.audit import audit as try_tests

    course = _course()
    with console.status("Trying solutions") as status:
        tried = count(1)
        result = try_tests(
            course,
            assignment,
            progress=lambda result: status.update(
                f"Trying solutions: {next(tried)}, {escape(result.trial.exercise)}"
            ),
        )
    for line in matrix.lines(result):
        console.print(escape(line), soft_wrap=True)
    page, _ = matrix.write(result, course / "audit")
    console.print(f"The whole matrix: {page}", soft_wrap=True)
    if result.faults:
        raise CommandError(f"faults in the tests: {len(result.faults)}, see above.")


@app.command()
def doctor() -> None:
    """Say what protects this computer from the code that it grades."""
    from nbproctor.sandbox.doctor import report

    layers = report()
    table = Table(box=box.SIMPLE_HEAD)
    for heading in ("layer", "here", "what it means", "how to get it"):
        table.add_column(heading)
    for layer in layers:
        here = "yes" if layer.ok else "[red]no[/]" if layer.mandatory else "no"
        table.add_row(layer.name, here, escape(layer.meaning), escape(layer.remedy))
    console.print(table)
    if not all(layer.ok for layer in layers if layer.mandatory):
        raise CommandError("Grading needs --sandbox=weak here: see above.")


def main() -> None:
    """Run a verb; say what is wrong in words, and end with status 1, if it fails."""
    try:
        app(prog_name="nbproctor")
    except Exception as error:
        complaints.print(f"[red]Stopped:[/] {escape(_in_words(error))}", soft_wrap=True)
        sys.exit(1)


def _in_words(error: Exception) -> str:
    """Return the message of an error that is meant for people; raise any other."""
    from nbproctor.audit.audit import AuditError
    from nbproctor.kit.handout import HandoutError
    from nbproctor.kit.sample import SampleError
    from nbproctor.nbgrader import CourseError

    if isinstance(error, OSError):
        return f"{error}\nCheck that the file is there and that you may write."
    ours = (
        CommandError,
        CourseError,
        MasterNotebookError,
        SampleError,
        HandoutError,
        AuditError,
    )
    if isinstance(error, ours):
        return str(error)
    raise error


def _course() -> Path:
    """Return the course around the working directory, as git finds its repository."""
    here = Path.cwd()
    for folder in (here, *here.parents):
        if (folder / "nbgrader_config.py").is_file():
            return folder
    return here  # the nbgrader room then says what is missing


def _lint(course: Path, assignment: str) -> None:
    from nbproctor import nbgrader
    from nbproctor.engine import EngineError

    with console.status("Grading the reference solution"):
        try:
            faults = nbgrader.lint(course, assignment)
        except EngineError as error:
            raise CommandError(f"The engine does not run here: {error}") from error
    for fault in faults:
        complaints.print(escape(fault), soft_wrap=True)
    if faults:
        raise CommandError(f"faults in the tests: {len(faults)}, see above.")


def _master(course: Path, assignment: str) -> MasterNotebook:
    return MasterNotebook.read(course / "source" / assignment / f"{assignment}.ipynb")


def _grade(
    course: Path,
    assignment: str,
    names: Mapping[str, str],
    *,
    force: bool = False,
    weak_sandbox: bool,
) -> None:
    """Grade, write the feedback, and print the table."""
    from nbproctor import nbgrader

    with Progress(
        "{task.description}",
        BarColumn(),
        MofNCompleteColumn(),
        _Rate(),
        TimeRemainingColumn(),
        console=console,
        transient=True,
    ) as bar:
        waiting = len(list(course.glob(f"submitted/*/{assignment}")))
        task = bar.add_task("Grading", total=waiting)
        results = nbgrader.grade(
            course,
            assignment,
            progress=lambda result: bar.advance(task),
            force=force,
            weak_sandbox=weak_sandbox,
        )
        bar.update(task, description="Writing feedback")
        pages = nbgrader.feedback(course, assignment)
    scores = nbgrader.scores(course, assignment)
    console.print(score_table(scores, results, _master(course, assignment), names))
    for result in results:
        if result.reason:
            name = names.get(result.student, result.student)
            console.print(f"{escape(name)}: {escape(result.reason)}", soft_wrap=True)
    for each in nbgrader.unread(course, assignment):
        complaints.print(f"[yellow]Not graded:[/] {escape(str(each))}", soft_wrap=True)
    console.print(f"\nFeedback pages: {pages}", soft_wrap=True)
