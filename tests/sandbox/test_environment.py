"""The environment of a fork server."""

from __future__ import annotations

import importlib.util
import subprocess
import sys
from pathlib import Path

import pytest

from nbproctor.sandbox import forkserver


@pytest.mark.slow
@pytest.mark.parametrize("library", ["numpy", "pandas", "pyarrow"])
def test_a_library_that_is_imported_starts_no_thread(
    library: str, tmp_path: Path
) -> None:
    # pandas imports pyarrow where that is installed, whose allocator has a thread.
    if importlib.util.find_spec(library) is None:
        assert forkserver.environment(tmp_path, tmp_path)["JE_ARROW_MALLOC_CONF"]
        return
    code = f"import os, {library}; print(len(os.listdir('/proc/self/task')))"
    done = subprocess.run(
        [sys.executable, "-c", code],
        env=forkserver.environment(tmp_path, tmp_path),
        capture_output=True,
        text=True,
        check=True,
    )
    if sys.platform == "linux":
        assert done.stdout.strip() == "1"
