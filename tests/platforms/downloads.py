"""Downloads of a small class, made and read as tests need them."""

import io
import tempfile
import zipfile
from collections import defaultdict
from collections.abc import Mapping
from datetime import timedelta, timezone
from pathlib import Path
from typing import Any

from nbproctor import platforms
from nbproctor.platforms import Download, Roster
from tests.platforms.people import people_of

PEOPLE = """\
aokafor; Okafor, Amara; login=aokafor email=a.okafor@example.edu canvas=1042 \
participant=4711
bking; King, Jr., Bo; login=bking email=bking@example.edu canvas=1043 participant=4712
nguyen; Nguyễn, Minh; canvas=1044 participant=4713
s1; Smith, Kim; email=k1@example.edu participant=1050
s2; Smith, Kim; email=k2@example.edu participant=1051
"""
CLASS = Roster(people_of(PEOPLE))
ZONE = timezone(timedelta(hours=1))
Files = Mapping[str, bytes | str]


def zipped(files: Files, compression: int = zipfile.ZIP_DEFLATED) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name, content in files.items():
            # Without a time: the bytes are the same whenever they are made.
            archive.writestr(zipfile.ZipInfo(name), content, compression)
    return buffer.getvalue()


def nested(files: Files) -> Files:
    """Pack files whose path leads through ``x.zip/`` into an archive of that name."""
    packed: dict[str, dict[str, bytes | str]] = defaultdict(dict)
    others = {}
    for path, content in files.items():
        archive, is_inside, name = path.partition(".zip/")
        if is_inside:
            packed[f"{archive}.zip"][name] = content
        else:
            others[path] = content
    return others | {name: zipped(nested(inner)) for name, inner in packed.items()}


def understand(
    files: Files | bytes, roster: Roster = CLASS, *names: str, **options: Any
) -> Download:
    """Read a zip of files, or its bytes; the assignment's notebooks are `names`."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "submissions.zip")
        path.write_bytes(files if isinstance(files, bytes) else zipped(files))
        return platforms.parse_download(
            path, "lab", names or ("lab",), roster, ZONE, **options
        )


def texts(download: Download) -> dict[str, dict[str, str]]:
    """Return the files of each student, by id and place."""
    return {
        s.person.student: {str(p): data.decode() for p, data in s.files.items()}
        for s in download.submissions
    }


def problems_of(download: Download) -> str:
    return "\n".join(download.problems)
