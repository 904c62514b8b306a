"""Command line: the commands, and the only place that prints."""

from typer.models import CommandInfo

# Importing a module of commands registers them.
from nbproctor.cli import (
    authoring,  # noqa: F401
    collecting,  # noqa: F401
    exporting,  # noqa: F401
    grading,  # noqa: F401
    students,  # noqa: F401
)
from nbproctor.cli.app import app, main

# `--help` lists them in the order of use.
ORDER = """
    doctor lab submit new adopt lint audit release
    roster due watch extend collect late grade export
    init off
"""


def _position(command: CommandInfo) -> int:
    assert command.callback
    return ORDER.split().index(command.callback.__name__)


app.registered_commands.sort(key=_position)

__all__ = ["app", "main"]
