"""Command, variables and folders of a Python process that the package starts."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from pathlib import Path

from nbproctor.sandbox import paths

# One BLAS thread, set before NumPy is imported: forking is safe with one thread only,
# and submissions run side by side instead.
ONE_THREAD = [
    f"{library}_NUM_THREADS"
    for library in ("BLIS", "MKL", "NUMEXPR", "OMP", "OPENBLAS", "VECLIB_MAXIMUM")
]


def command(module: str, descriptor: int, path: Sequence[str] = ()) -> list[str]:
    """Return the command that starts Python and runs ``module.main(descriptor)``.

    Not ``-m``: the folder around an editable package comes last, so that nothing in it
    can stand before an installed module.

    Parameters
    ----------
    module : str
        Dotted name of a module of this package.
    descriptor : int
        An open socket that the process inherits.
    path : sequence of str
        Folders to import from besides the installed packages.
    """
    code = (
        "import sys; sys.path += sys.argv[2:]; "
        f"from {module} import main; main(int(sys.argv[1]))"
    )
    folders = [*paths.site_packages(), *path, str(paths.PACKAGE.parent)]
    return [sys.executable, "-s", "-P", "-c", code, str(descriptor), *folders]


def cache_folder(base: Path) -> Path:
    """Return where matplotlib keeps its font list, which takes seconds to make."""
    caches = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    folder = caches / "nbproctor" / "matplotlib"
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError:
        return base / "matplotlib"
    return folder


def environment(base: Path, cache: Path) -> dict[str, str]:
    """Return an environment that has nothing of the parent's, no secret above all."""
    return {
        "HOME": str(base),
        "IPYTHONDIR": str(base / "ipython"),
        # pandas imports pyarrow where that is installed, whose allocator starts a
        # thread of its own: with one, the fork server must not fork.
        "JE_ARROW_MALLOC_CONF": "background_thread:false",
        "LANG": "C.UTF-8",
        # Each arena reserves 64 MiB of address space, which is limited.
        "MALLOC_ARENA_MAX": "2",
        "MPLCONFIGDIR": str(cache),
        "PATH": "/usr/bin:/bin",
        # The same submission prints its sets in the same order each time.
        "PYTHONHASHSEED": "0",
        "PYTHONDONTWRITEBYTECODE": "1",
        "TMPDIR": str(base),
        **dict.fromkeys(ONE_THREAD, "1"),
    }
