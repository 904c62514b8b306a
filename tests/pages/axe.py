"""axe-core, fetched once by npm into pytest's cache."""

from __future__ import annotations

import shutil
import subprocess

import pytest


def axe_core(config: pytest.Config) -> str:
    """Return the text of axe-core; skip the test where it cannot be had."""
    if shutil.which("npm") is None:
        pytest.skip("there is no npm")
    assert config.cache is not None
    folder = config.cache.mkdir("axe")
    script = folder / "node_modules/axe-core/axe.min.js"
    if not script.exists():
        command = ["npm", "install", "--no-audit", "--no-fund", "axe-core@4"]
        done = subprocess.run(command, cwd=folder, capture_output=True, timeout=120)
        if done.returncode:
            pytest.skip("npm cannot get axe-core here")
    return script.read_text("utf-8")
