"""Copies of large folders, as fast as the file system allows."""

import os
import shutil


def link(source: str, target: str) -> None:
    """Stand for `shutil.copy2` in a copy of files that nobody changes."""
    try:
        os.link(source, target)
    except OSError:  # another file system
        shutil.copy2(source, target)
