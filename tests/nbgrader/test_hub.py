"""A round on a hub, by the commands of docs/hub.md, through nbgrader's exchange."""

from __future__ import annotations

import json
import os
import re
import shutil
import sys
from pathlib import Path

import pytest

from tests.broken.cases import answered, write
from tests.cli.term import OWNER, Term
from tests.cli.term_class import notebook
from tests.nbgrader.tiny import book, configure
from tests.pages.lab import words
from tests.programs import run_python, start, succeeded
from tests.users import NOBODY, in_reach, require_other_users

STUDENT = 65534  # called "nobody" everywhere
TIME = "2026-03-01 10:00:00.000000 UTC"
# What others submit, and their marks.
MARKS = {
    "ksmith1": ("right", 10),
    "ksmith2": ("text", 7),
    "nguyễn": ("zero", 7),
    "đorđe": ("half", 5),
    "o'neill": ("right", 10),
}
# What a student tries, and must not succeed in.
SNOOPING = """
import os, sys
exchange, course = sys.argv[1:]
for folder in ("inbound", "feedback"):
    try:
        sys.exit(f"{folder}: {os.listdir(f'{exchange}/tiny/{folder}')}")
    except PermissionError:
        pass
for file in ("gradebook.db", "source/tiny/tiny.ipynb"):
    try:
        open(f"{course}/{file}")
        sys.exit(f"{file} could be read")
    except PermissionError:
        pass
"""


def submit(
    course: Path,
    inbound: Path,
    student: str,
    account: int,
) -> None:
    """Submit as nbgrader does, from an account of the student's own."""
    folder = inbound / f"{student}+tiny+{TIME}+random"
    folder.mkdir()
    content = notebook(course, "tiny", MARKS[student][0], student)
    (folder / "tiny.ipynb").write_bytes(content)
    (folder / "timestamp.txt").write_text(TIME)
    (folder / "submission_secret.txt").write_text(student)
    for path in (folder, *folder.iterdir()):
        os.chown(path, account, account)


def released(exchange: Path) -> str:
    """Return the words of all pages that students may fetch."""
    pages = (exchange / "tiny/feedback").iterdir()
    return "".join(words(page.read_text("utf-8")) for page in pages)


@pytest.mark.slow
@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become somebody else")
def test_a_round_through_the_exchange(
    project: Path,
    course: Path,
    tmp_path: Path,
) -> None:
    require_other_users()
    shutil.rmtree(course / "release")
    exchange = tmp_path / "exchange"
    home = tmp_path / "home"
    settings = f"c.Exchange.root = {str(exchange)!r}"
    configure(course, settings)
    tmp_path.chmod(0o755)
    for folder, mode in ((exchange, 0o1777), (home, 0o755), (course, 0o700)):
        folder.mkdir(exist_ok=True)
        folder.chmod(mode)
    config = 'c = get_config()\nc.CourseDirectory.course_id = "tiny"\n' + settings
    (home / "nbgrader_config.py").write_text(config)
    bin_ = tmp_path / "bin"
    bin_.mkdir()
    script = f'#!/bin/sh\nexec {sys.executable} -m nbgrader "$@"\n'
    (bin_ / "nbgrader").write_text(script)
    (bin_ / "nbgrader").chmod(0o755)
    env = os.environ | {"PATH": f"{bin_}{os.pathsep}{os.environ['PATH']}"}

    def run(prompt: str, command: list[str]) -> None:
        user_home = home if prompt == "student$" else course
        variables = env | {"HOME": str(user_home), "PYTHONPATH": str(project)}
        if user_home == course:
            done = run_python(*command, cwd=course, env=variables)
        else:
            os.chown(home, STUDENT, STUDENT)
            done = start(*in_reach([*NOBODY, *command]), cwd=home, **variables)
        succeeded(done)

    page = (project / "docs/hub.md").read_text("utf-8")
    commands = re.findall(r"^(student\$|\$) (nbgrader .*)$", page, re.M)
    assert len(commands) == 9
    for prompt, command in commands:
        if "submit" in command:
            release = json.loads((home / "tiny/tiny.ipynb").read_text("utf-8"))
            write(home / "tiny", answered(release))
        run(prompt, command.split())
        if "submit" in command:
            for number, student in enumerate(MARKS):
                submit(course, exchange / "tiny/inbound", student, 65_001 + number)
            Term(course, []).run("watch", "tiny", "--exchange")
            early = released(exchange)
            assert early.count("2 of 2 exercises pass") == 3
            assert early.count("1 of 2 exercises pass") == 3
    (feedback_page,) = (home / "tiny/feedback").rglob("*.html")
    assert (
        feedback_page.read_bytes()
        == (course / "feedback/nobody/tiny/tiny.html").read_bytes()
    )
    with book(course) as gradebook:
        submissions = gradebook.assignment_submissions("tiny")
        marks = {each.student.id: each.score for each in submissions}
    assert marks == {"nobody": 10} | {s: mark for s, (_, mark) in MARKS.items()}
    owners = OWNER.findall(released(exchange))
    assert set(owners) == MARKS.keys()
    run("student$", [sys.executable, "-c", SNOOPING, str(exchange), str(course)])
