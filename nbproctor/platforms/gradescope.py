"""Gradescope: its export of submissions, and grading there.

The archive that it takes and the results that it reads are those of
gradescope-autograders.readthedocs.io: *Autograder Specifications*. The archive is the
course without its students, and the package; in the container runs what runs here.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime
from itertools import chain
from pathlib import Path, PurePosixPath
from typing import Any

from msgspec import MsgspecError, Struct, yaml

from nbproctor import __version__
from nbproctor.notebook import MasterNotebook
from nbproctor.platforms.archive import ArchiveEntry, CollectError, write_zip
from nbproctor.platforms.person import Identifier, Identity, Kind
from nbproctor.platforms.platform import (
    ExportError,
    FileName,
    Names,
    Platform,
    Visibility,
)
from nbproctor.results import SubmissionResult
from nbproctor.templates import render

_SCRIPTS = {"setup.sh": "gradescope_setup.sh", "run_autograder": "gradescope_run.sh"}
_TEMPLATES = _SCRIPTS | {"pyproject.toml": "gradescope_project.toml"}
_PACKAGE = Path(__file__).parents[1]
_LEFT_OUT = {"__pycache__", ".ipynb_checkpoints"}


class _Submitter(Struct, rename=lambda name: f":{name}"):
    name: str | None = None
    sid: str | None = None
    email: str | None = None


class _Submission(Struct, rename=lambda name: f":{name}"):
    submitters: list[_Submitter]
    created_at: datetime | None = None


class Gradescope(Platform):
    """Gradescope, which runs our container for each submission."""

    name = "Gradescope"
    listing = "submission_metadata.yml"

    def parse_all(self, entries: Sequence[ArchiveEntry]) -> Names:
        """Read who submitted ``submission_4711/`` from the list next to the folders.

        A student's own file of that name lies deeper.
        """
        lists = [entry for entry in entries if entry.path.name == self.listing]
        if not lists:
            return {}
        top = min(lists, key=lambda entry: len(entry.path.parts))
        try:
            submissions = yaml.decode(top.read(), type=dict[str, _Submission])
        except (MsgspecError, CollectError):
            return {}
        parsed = {}
        for entry in entries:
            path = entry.path
            if not path.is_relative_to(top.path.parent):
                continue
            key, *path_inside = path.relative_to(top.path.parent).parts
            submission = submissions.get(key)
            if path_inside and submission and submission.submitters:
                first, *others = map(_identity, submission.submitters)
                parsed[path] = FileName(
                    key=key,
                    file=PurePosixPath(*path_inside),
                    name=first.name,
                    identifiers=first.identifiers,
                    submitted=submission.created_at,
                    others=others,
                )
        return parsed


def _identity(submitter: _Submitter) -> Identity:
    pairs = ((Kind.STUDENT, submitter.sid), (Kind.EMAIL, submitter.email))
    identifiers = (Identifier(kind, value) for kind, value in pairs if value)
    return Identity(submitter.name or "", tuple(identifiers))


def write_autograder(
    course: Path,
    source: Path,
    to: Path | None,
    visibility: Visibility,
) -> str:
    """Pack one assignment of the course, without students and gradebook, and nbproctor.

    The same course gives the same bytes. `ExportError`: it has no
    ``requirements.txt``.
    """
    pins = course / "requirements.txt"
    if not pins.is_file():
        raise ExportError(
            f"{pins} is missing. The container needs the exact versions of the "
            "packages that you grade with."
        )
    content: dict[str, bytes | Path] = {}
    for name, template in _TEMPLATES.items():
        text = render(
            template,
            assignment=source.name,
            visibility=visibility,
            version=__version__,
        )
        content[name] = text.encode()
    packed = [course / "nbgrader_config.py", pins]
    packed += [*_below(source), *_below(course / "data")]
    for path in packed:
        content[path.relative_to(course).as_posix()] = path
    for path in _below(_PACKAGE):
        content[path.relative_to(_PACKAGE.parent).as_posix()] = path
    target = to or course / f"exported/{source.name}_gradescope.zip"
    write_zip(target, content, lambda name: 0o755 if name in _SCRIPTS else 0o644)
    return (
        f"Autograder: {target}, {target.stat().st_size >> 20} MB\n"
        "On Gradescope: Configure Autograder, Zip file upload, base image Ubuntu. "
        "Its build log ends with "
        '"The reference solution earns every point in this container."'
    )


def _below(folder: Path) -> Iterator[Path]:
    for path in folder.rglob("*"):
        if path.is_file() and _LEFT_OUT.isdisjoint(path.parts):
            yield path


def results(
    result: SubmissionResult,
    masters: Sequence[MasterNotebook],
    visibility: Visibility,
    seconds: float,
) -> dict[str, Any]:
    """Return the content of ``results.json`` for one graded submission.

    What could not be graded has neither score nor tests: Gradescope then says that the
    autograder failed, which is true, and not that the student earned 0.
    """
    about = {
        "output": result.reason,
        "execution_time": round(seconds),
        "stdout_visibility": "hidden",
        "extra_data": {"status": result.status},
    }
    tests = {(m.notebook, c.id) for m in masters for c in m.of_kind("test") if c.points}
    scored = {(notebook, cell) for notebook, cell, _ in result.scores()}
    if not tests or scored != tests:
        return about
    verdicts = list(chain.from_iterable(result.verdicts.values()))
    shown: list[dict[str, Any]] = []
    for exercise in chain.from_iterable(master.exercises for master in masters):
        judged = [v for v in verdicts if v.exercise == exercise]
        points = sum(v.points for v in judged)
        if most := sum(v.max_points for v in judged):
            sentences = dict.fromkeys(v.message for v in judged if v.message)
            shown.append(
                {
                    "number": str(len(shown) + 1),
                    "name": exercise,
                    "score": points,
                    "max_score": most,
                    "status": "passed" if points == most else "failed",
                    "output": "\n".join(sentences),
                    "output_format": "text",
                    "visibility": visibility,
                }
            )
    return about | {"tests": shown}
