"""Command line: the commands, and the only place that prints."""

# Importing a module of commands registers them. `--help` lists them in this order.
from nbproctor.cli import (  # noqa: I001
    grading,  # noqa: F401
    collecting,  # noqa: F401
    exporting,  # noqa: F401
    students,  # noqa: F401
    authoring,  # noqa: F401
)
from nbproctor.cli.app import app, main

__all__ = ["app", "main"]
