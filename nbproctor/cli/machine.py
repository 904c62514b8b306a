"""The verb about this computer: ``doctor``."""

from __future__ import annotations

from rich import box
from rich.markup import escape
from rich.table import Table

from nbproctor.cli.app import CommandError, app, console


@app.command()
def doctor() -> None:
    """Say what protects this computer from the code that it grades."""
    from nbproctor.sandbox.doctor import probe

    layers = probe()
    table = Table(box=box.SIMPLE_HEAD)
    for heading in ("layer", "here", "what it means", "how to get it"):
        table.add_column(heading)
    for layer in layers:
        here = "yes" if layer.ok else "[red]no[/]" if layer.mandatory else "no"
        table.add_row(layer.name, here, escape(layer.meaning), escape(layer.remedy))
    console.print(table)
    if not all(layer.ok for layer in layers if layer.mandatory):
        raise CommandError("Grading needs --sandbox=weak here: see above.")
