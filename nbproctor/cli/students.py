"""The verb for students: ``lab``."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys

import typer
from rich.markup import escape

from nbproctor.cli.app import CommandError, app, choose, console, find_course


@app.command(
    context_settings={"allow_extra_args": True, "ignore_unknown_options": True}
)
def lab(context: typer.Context) -> None:
    """Open the lab in JupyterLab, as a student gets it.

    You work on a copy in lab/, made on first use and never overwritten. More
    arguments go to JupyterLab, for example --no-browser.
    """
    course = find_course()
    assignment = choose(course, None)
    release, copy = course / "release" / assignment, course / "lab" / assignment
    if not release.is_dir():
        raise CommandError(f"There is no {release}. Make it: python kit.py release")
    if not copy.exists():
        shutil.copytree(release, copy)
        console.print(f"Copied the release to {escape(str(copy))}: work there.")
    command = [sys.executable, "-m", "jupyterlab", f"--ServerApp.root_dir={copy}"]
    command += context.args
    os.chdir(copy)  # started there, nbgrader does not ask for the course around it
    if os.name == "nt":  # there, exec would give the prompt back at once
        raise typer.Exit(subprocess.call(command))
    os.execv(command[0], command)  # who ends this process ends JupyterLab
