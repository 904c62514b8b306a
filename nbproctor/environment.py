"""The environment variables of processes that we start, and where they keep files."""

from __future__ import annotations

import os
from pathlib import Path

# One BLAS thread, set before NumPy is imported: forking is safe with one thread only,
# and submissions run side by side instead.
ONE_THREAD = [
    f"{library}_NUM_THREADS"
    for library in ("BLIS", "MKL", "NUMEXPR", "OMP", "OPENBLAS", "VECLIB_MAXIMUM")
]


def cache_folder(base: Path) -> Path:
    """Return where matplotlib keeps its font list, which takes seconds to make."""
    caches = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    folder = caches / "nbproctor" / "matplotlib"
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError:
        return base / "matplotlib"
    return folder


def of_server(base: Path, cache: Path) -> dict[str, str]:
    """Return an environment without anything of the parent's, secrets included."""
    return {
        "HOME": str(base),
        "IPYTHONDIR": str(base / "ipython"),
        "LANG": "C.UTF-8",
        "MPLCONFIGDIR": str(cache),
        "PATH": "/usr/bin:/bin",
        # The same submission prints its sets in the same order each time.
        "PYTHONHASHSEED": "0",
        "PYTHONDONTWRITEBYTECODE": "1",
        "TMPDIR": str(base),
        **dict.fromkeys(ONE_THREAD, "1"),
    }
