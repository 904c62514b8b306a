"""Kernels for tests that look at marks: long tracebacks take longer than the code."""

import asyncio
from pathlib import Path
from typing import Any

import nbclient
from nbformat import NotebookNode

from nbproctor.nbgrader.proof import kernel_config


def brief(folder: Path) -> dict[str, str]:
    """Return variables under which kernels say one line of an error."""
    profile = folder / "ipython/profile_default"
    profile.mkdir(parents=True)
    settings = 'c.InteractiveShell.xmode = "Minimal"\n'
    (profile / "ipython_kernel_config.py").write_text(settings)
    return {"IPYTHONDIR": str(profile.parent)}


def run_in_kernel(
    notebook: NotebookNode, folder: Path | str = "", **options: Any
) -> None:
    """Run a notebook there, in a kernel that is reached by files; nbclient's options.

    What is printed at once may come in pieces, which are put together.
    """
    with kernel_config() as config:
        client = nbclient.NotebookClient(
            notebook,
            resources={"metadata": {"path": str(folder)}},
            config=config,
            timeout=120,
            coalesce_streams=True,
            **options,
        )
        asyncio.run(client.async_execute())
