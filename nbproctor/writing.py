"""Files of a course, written so that each is complete at any moment, or not there."""

from __future__ import annotations

import json
import shutil
from pathlib import Path


def write_file(path: Path, data: bytes | str) -> None:
    """Write a file next to its place, and move it there when it is complete.

    A command that is killed leaves the old file or the new one. Permissions stay. Text
    is UTF-8, with a sign for what is no Unicode.
    """
    if isinstance(data, str):
        data = data.encode(errors="replace")
    path.parent.mkdir(parents=True, exist_ok=True)
    unfinished = path.with_name(f".{path.name}.new")
    unfinished.write_bytes(data)
    if path.exists():
        shutil.copymode(path, unfinished)
    unfinished.replace(path)


def write_json(path: Path, content: object) -> None:
    """Write a JSON file in the same way, for people to read, too."""
    text = json.dumps(content, indent=1, ensure_ascii=False)
    write_file(path, f"{text}\n")
