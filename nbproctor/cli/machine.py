"""The verb about this computer: ``doctor``."""

from __future__ import annotations

from rich.markup import escape
from rich.table import Table

from nbproctor.cli.app import CommandError, app, console


@app.command()
def doctor() -> None:
    """Say what protects this computer from the code that it grades."""
    from nbproctor.sandbox.doctor import probe, verdict

    layers = probe()
    width = min(console.width, 80)
    console.print(escape(verdict(layers)), width=width)
    table = Table(box=None, show_header=False, padding=(0, 2, 0, 0))
    table.add_column()
    table.add_column()
    table.add_column(overflow="fold")  # a long path is folded, not cut
    for layer in layers:
        here = "yes" if layer.ok else "[red]no[/]" if layer.mandatory else "no"
        table.add_row(here, layer.name, escape(layer.meaning))
        if layer.remedy:
            table.add_row("", "", f"To get it: {escape(layer.remedy)}.")
    console.print(table, width=width)
    if not all(layer.ok for layer in layers if layer.mandatory):
        raise CommandError("Grading needs --sandbox=weak here: see above.")
