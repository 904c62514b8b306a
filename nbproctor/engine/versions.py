"""Version of everything that a report depends on beside submission and assignment."""

from __future__ import annotations

import hashlib
import platform
from pathlib import Path

from nbproctor.sandbox.policy import PACKAGE, site_packages

OWN = "nbproctor's source"
# No report depends on what installs packages, and of nbproctor the source counts.
LEFT_OUT = {"pip", "nbproctor"}


def versions() -> dict[str, str]:
    """Return the versions of nbproctor, of Python and of the installed packages.

    That of nbproctor is the SHA-256 of its modules: a number in a file would stay the
    same while somebody works on them.
    """
    source = hashlib.sha256()
    for path in sorted(PACKAGE.rglob("*.py")):
        source.update(path.relative_to(PACKAGE).as_posix().encode() + b"\0")
        source.update(path.read_bytes() + b"\0")
    found = {OWN: source.hexdigest(), "Python": platform.python_version()}
    for folder in site_packages():
        # Names of folders alone: reading the metadata of all takes 0.2 seconds.
        for path in sorted(Path(folder).glob("*.dist-info")):
            name, _, version = path.stem.partition("-")
            if name.lower() not in LEFT_OUT:
                found.setdefault(name.lower(), version)
    return found
