"""The command line: the verbs, and the only place that prints."""

# Importing a module of verbs registers them, in this order, which `--help` keeps.
from nbproctor.cli import grading, platforms, students, authoring, starting, machine  # noqa: F401, I001
from nbproctor.cli.app import app, main

__all__ = ["app", "main"]
