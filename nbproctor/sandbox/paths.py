"""Paths that every process may read: this Python and the system's libraries."""

from __future__ import annotations

import sys
from functools import cache
from pathlib import Path

_LISTED = """
    /usr/lib /usr/lib32 /usr/lib64 /usr/libx32 /lib /lib32 /lib64 /libx32
    /usr/share/fonts /usr/share/fontconfig /usr/share/zoneinfo /usr/local/share/fonts
    /etc/alternatives /etc/fonts /etc/ld.so.cache /etc/ld.so.conf /etc/ld.so.conf.d
    /etc/localtime /etc/mime.types /etc/timezone /sbin/ldconfig
    /sys/devices/system/cpu/online /sys/devices/system/cpu/possible
    /dev/null /dev/random /dev/urandom
"""
PACKAGE = Path(__file__).parents[1]  # what every process may import
SYSTEM = tuple(_LISTED.split())
# Parts of a prefix that are a Python's.
_PARTS = ("bin", "lib", "lib64", "pyvenv.cfg")


def site_packages() -> list[str]:
    """Return the folders of installed packages that this Python looks into."""
    names = ("site-packages", "dist-packages")
    return [entry for entry in sys.path if Path(entry).name in names]


@cache
def interpreter() -> tuple[str, ...]:
    """Return what this Python needs to run and to import what it has not yet.

    Named piece by piece: a prefix such as /usr/local also holds other people's files
    (nbgrader's exchange among them), and a virtual environment may lie inside a
    course.
    """
    prefixes = {Path(sys.prefix), Path(sys.base_prefix)}
    # The executable may be a chain of links over several prefixes (venv, uv, pyenv).
    link = Path(sys.executable)
    prefixes.add(link.parent.parent)
    while link.is_symlink():
        link = link.parent / link.readlink()
        prefixes.add(link.parent.parent)
    wanted = {prefix / part for prefix in prefixes for part in _PARTS}
    wanted.update(map(Path, site_packages()))
    # Of an editable installation this package alone, not the folder around it.
    wanted.add(PACKAGE)
    return tuple(sorted(str(path) for path in wanted if path.exists()))
