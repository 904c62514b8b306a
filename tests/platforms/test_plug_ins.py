"""A school adds its platform as a package; one that is broken harms nobody."""

from __future__ import annotations

import logging
from functools import cache
from pathlib import Path

import pytest

from nbproctor import platforms
from nbproctor.platforms import Download, FilledGradeFile, Roster, plug_ins
from tests.platforms.downloads import understand
from tests.platforms.people import member

CLASS = Roster([member("aokafor", "Okafor, Amara", "login=aokafor")])
SCHOOL = """
from pathlib import PurePosixPath
from nbproctor.platforms import FileName, Identifier, Kind, Platform

class School(Platform):
    name = "School"
    titles = r"Points in (.*) of ([0-9]+)"
    upload = "Feedback, Upload"

    def parse(self, parts):
        if len(parts) != 2 or not parts[0].startswith("school-"):
            return None
        login = parts[0].removeprefix("school-")
        return FileName(
            key=login,
            file=PurePosixPath(parts[1]),
            identifiers=(Identifier(Kind.LOGIN, login),),
            address=parts[0],
        )
"""
BY_PATH = """
from nbproctor.platforms import Platform

class School(Platform):
    name = "School"
    titles = r"Points in (.*) of ([0-9]+)"
    upload = "Feedback, Upload"
    path = r"(?P<address>school-(?P<LOGIN>[^/]+))/(?P<file>.+)"
"""
FAILS = """
from nbproctor.platforms import Platform

class School(Platform):
    def parse_all(self, entries):
        raise LookupError("no such file")

    def find_people(self, sheet, columns):
        raise LookupError("no such file")
"""
BROKEN = {
    "does not import": "import no_such_module",
    "has no such class": "",
    "is no platform": "School = dict",
    "cannot be made": "def School(): raise LookupError('no such file')",
    "fails at work": FAILS,
}


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where packages are installed for this test alone."""
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setattr(plug_ins, "_plug_ins", cache(plug_ins._plug_ins.__wrapped__))
    return tmp_path


def install(
    folder: Path,
    package: str,
    source: str,
) -> None:
    """Install a package as pip does: its module, and the folder that describes it."""
    (folder / f"{package}.py").write_text(source, "utf-8")
    about = folder / f"{package}-1.0.dist-info"
    about.mkdir()
    (about / "METADATA").write_text(f"Name: {package}\nVersion: 1.0\n", "utf-8")
    entry_point = f"[nbproctor.platforms]\nschool = {package}:School\n"
    (about / "entry_points.txt").write_text(entry_point, "utf-8")


def collect() -> Download:
    return understand({"school-aokafor/lab.ipynb": "amara"}, CLASS)


def fill() -> FilledGradeFile:
    data = b"login,Points in lab of 100\naokafor,\n"
    return platforms.fill(data, "lab", {"aokafor": 80.0}, 100.0, CLASS)


@pytest.mark.parametrize("source", [SCHOOL, BY_PATH])
def test_the_platform_of_an_installed_package_is_read_filled_and_given_back(
    folder: Path, source: str
) -> None:
    install(folder, "platform_of_school", source)
    download = collect()
    assert download.recognised.platform.name == "School"
    (submission,) = download.submissions
    assert submission.person.student == "aokafor"

    records = folder / "collected"
    platforms.write(download, lambda student: folder / student, records, "a zip")
    page = folder / "lab.html"
    back = platforms.feedback_names([("aokafor", page, page)], records)
    assert back.files == {"school-aokafor/lab.html": page}

    assert fill().data == b"login,Points in lab of 100\naokafor,80\n"


@pytest.mark.parametrize("fault", BROKEN)
def test_a_broken_plug_in_is_named_once_and_all_others_go_on(
    folder: Path,
    caplog: pytest.LogCaptureFixture,
    fault: str,
) -> None:
    caplog.set_level(logging.WARNING)
    name = f"school_that_{fault.replace(' ', '_')}"
    install(folder, name, BROKEN[fault])
    install(folder, "platform_of_school", SCHOOL)
    for _ in range(2):
        assert collect().recognised.platform.name == "School"
    assert fill().platform == "School"
    (message,) = [record.getMessage() for record in caplog.records]
    assert f"'school' (package {name})" in message
