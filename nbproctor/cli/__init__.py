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

# `--help` lists the commands in these groups, in the order of use.
GROUPS = {
    "To try it": ["doctor", "lab", "submit"],
    "Before the term": ["new", "adopt", "lint", "audit", "release", "roster"],
    "During the term": ["due", "extend", "watch", "collect", "late", "grade", "export"],
    "In an existing nbgrader course": ["init", "off"],
}
_group_of = {name: group for group, names in GROUPS.items() for name in names}
_order = [*_group_of]


def _name(command: CommandInfo) -> str:
    assert command.callback
    return command.callback.__name__


app.registered_commands.sort(key=lambda command: _order.index(_name(command)))
for command in app.registered_commands:
    command.rich_help_panel = _group_of[_name(command)]

__all__ = ["app", "main"]
