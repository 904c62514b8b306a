"""Opens an assignment in JupyterLab, with what a student needs and nothing else.

Standard library only: students get this file too, as ``kit/lab.py`` of their folder.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
from datetime import datetime
from itertools import count
from pathlib import Path

HERE = Path(__file__).resolve().parent
# Hides nbgrader's menus for teachers, the exchange and the news; keeps Validate.
JUPYTER = HERE / "jupyter"
RECORD = ".handed_out.json"  # what each file was as it was handed out


def renew(
    folder: Path,
    handed_out: Path,
    fresh: bool = False,
) -> list[str]:
    """Bring a student's folder up to date, without losing what the student wrote.

    With `fresh`, it starts again from the files as they are handed out now; a file that
    the student changed is then renamed to a dated name, and otherwise left alone.
    Returns sentences on what was done and what the student may do.
    """
    folder.mkdir(parents=True, exist_ok=True)
    record = _read_record(folder)
    names = files(handed_out)
    first = not any((folder / name).exists() for name in names)
    sentences = []
    newer = []
    for name in names:
        source = handed_out / name
        target = folder / name
        previous = record.get(name)
        new = _hash(source)
        current = _hash(target) if target.is_file() else None
        if current not in (None, new):
            if fresh:
                backup = _dated(target)
                target.rename(backup)
                sentences.append(
                    f"Your {name} is now called '{backup.name}'. There is a new {name}."
                )
            elif current == previous:
                sentences.append(f"{name} was updated. You had not changed it.")
            else:  # the student's work
                if previous not in (None, new):
                    newer.append(name)
                continue
        if current != new:
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(source, target)
        record[name] = new
    (folder / RECORD).write_text(json.dumps(record, indent=1), "utf-8")
    if newer:
        sentences.append(
            f"There is a newer {' and '.join(newer)}. Your work was not changed. "
            "To start with the newer version, run the same command with --fresh. "
            "The old one then stays in the folder, with the date in its name."
        )
    if first:
        sentences.append(f"The assignment was copied to {folder}: work there.")
    return sentences


def open_lab(
    folder: Path,
    handed_out: Path,
    arguments: list[str],
) -> int:
    """Run JupyterLab on the notebook of a folder; return its exit status.

    `arguments` are passed on to it, as ``--no-browser``.
    """
    os.chdir(folder)  # started there, nbgrader does not ask for a course around it
    paths = filter(None, (str(JUPYTER), os.environ.get("JUPYTER_CONFIG_PATH")))
    environment = os.environ | {"JUPYTER_CONFIG_PATH": os.pathsep.join(paths)}
    command = [sys.executable, "-m", "jupyterlab", f"--ServerApp.root_dir={folder}"]
    # The address that is printed then opens the notebook, too.
    notebook = next((n for n in files(handed_out) if n.endswith(".ipynb")), "")
    command += [f"--LabApp.default_url=/lab/tree/{notebook}"]
    if getattr(os, "geteuid", lambda: 1)() == 0:  # as in a container or a Codespace
        command += ["--allow-root"]
    command += arguments
    sys.stdout.flush()
    if os.name == "nt":  # there, exec would give the prompt back at once
        return subprocess.call(command, env=environment)
    os.execve(command[0], command, environment)  # who ends this process ends JupyterLab


def files(folder: Path) -> list[str]:
    """Return the files below `folder`, as paths with slashes, without hidden ones."""
    paths = (path for path in folder.rglob("*") if path.is_file())
    names = (path.relative_to(folder).as_posix() for path in paths)
    return sorted(n for n in names if not re.search(r"(^|/)(\.|__pycache__/)", n))


def contents(folder: Path, prefix: str = "") -> dict[str, bytes]:
    """Return the content of these files, by their paths below `prefix`."""
    return {prefix + name: (folder / name).read_bytes() for name in files(folder)}


def main() -> int:
    """Open the notebook in the folder around ``kit/``, as a student has it."""
    parser = argparse.ArgumentParser(prog="kit.py lab", description="Open the lab.")
    fresh = "start with a new notebook; your old one gets a name with the date"
    parser.add_argument("--fresh", action="store_true", help=fresh)
    options, jupyter_options = parser.parse_known_args()
    folder = HERE.parent
    handed_out = HERE / "original"
    for sentence in renew(folder, handed_out, options.fresh):
        print(sentence)
    print("JupyterLab opens in your browser. Leave this window open while you work;")
    print("to stop JupyterLab, save there, then press Ctrl-C here.")
    return open_lab(
        folder, handed_out, ["--Application.log_level=WARN", *jupyter_options]
    )


def _hash(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def _dated(path: Path) -> Path:
    """Return a free name in the folder of `path` with the date of its last change."""
    changed = datetime.fromtimestamp(path.stat().st_mtime)
    stem = f"{path.stem} {changed:%Y-%m-%d %H.%M}"
    dated = path.with_name(stem + path.suffix)
    numbers = count(2)
    while dated.exists():
        dated = path.with_name(f"{stem} ({next(numbers)}){path.suffix}")
    return dated


def _read_record(folder: Path) -> dict[str, str]:
    try:
        record = json.loads((folder / RECORD).read_text("utf-8"))
    except (OSError, ValueError):
        return {}
    return record if isinstance(record, dict) else {}


if __name__ == "__main__":
    sys.exit(main())
