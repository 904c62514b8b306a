"""A round on a hub, by the commands of docs/hub.md, through nbgrader's exchange."""

from __future__ import annotations

import os
import re
import shutil
import sys
from pathlib import Path

import pytest

from tests.broken.cases import answered, write
from tests.cli.term import OWNER, Term
from tests.cli.term_class import marker
from tests.copies import read_document
from tests.nbgrader.test_exchange import Exchange
from tests.nbgrader.tiny import run_nbgrader, totals
from tests.notebooks import read_json
from tests.programs import start, succeeded
from tests.users import NOBODY, in_reach, require_other_users

STUDENT = 65534  # called "nobody" everywhere
# What fizz returns in the answers that others submit, and their marks.
MARKS = {
    "ksmith1": ("str(n) if n % 3 else 'fizz'", 10),
    "ksmith2": ("str(n)", 7),
    "nguyễn": ("str(n) if n % 3 or n == 0 else 'fizz'", 7),
    "đorđe": ("n", 5),
    "o'neill": ("'fizz' if n % 3 == 0 else str(n)", 10),
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


@pytest.mark.slow
@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become somebody else")
def test_a_round_through_the_exchange(
    course: Path,
    tmp_path: Path,
) -> None:
    require_other_users()
    shutil.rmtree(course / "release")
    root = tmp_path / "exchange"
    exchange = Exchange(course, root)
    home = tmp_path / "home"
    tmp_path.chmod(0o755)
    for folder, mode in ((root, 0o1777), (home, 0o755), (course, 0o700)):
        folder.mkdir(exist_ok=True)
        folder.chmod(mode)
    os.chown(home, STUDENT, STUDENT)
    (home / "nbgrader_config.py").write_text(
        'c = get_config()\nc.CourseDirectory.course_id = "tiny"\n'
        f"c.Exchange.root = {str(root)!r}\n"
    )

    def run_as_student(*arguments: str | Path) -> None:
        command = in_reach([*NOBODY, sys.executable, *map(str, arguments)])
        succeeded(start(*command, cwd=home, HOME=str(home)))

    page = read_document("hub")
    commands = re.findall(r"^(student\$|\$) nbgrader (.*)$", page, re.M)
    assert len(commands) == 9
    for prompt, command in commands:
        if prompt == "$":
            run_nbgrader(course, *command.split())
            continue
        if "submit" in command:
            release = read_json(home / "tiny/tiny.ipynb")
            write(home / "tiny", answered(release))
        run_as_student("-m", "nbgrader", *command.split())
        if "submit" in command:
            for account, (student, (result, _)) in enumerate(MARKS.items(), 65_001):
                answer = f"def fizz(n):  # {marker(student)}\n    return {result}"
                folder = exchange.submit(student, fizz=answer)
                for path in (folder, *folder.iterdir()):
                    os.chown(path, account, account)
            Term(course, []).run("watch", "tiny", "--exchange")
            early = exchange.released()
            assert early.count("2 of 2 exercises pass") == 3
            assert early.count("1 of 2 exercises pass") == 3
    (feedback_page,) = (home / "tiny/feedback").rglob("*.html")
    own_page = course / "feedback/nobody/tiny/tiny.html"
    assert feedback_page.read_bytes() == own_page.read_bytes()
    marks = {student: mark for student, (_, mark) in MARKS.items()}
    assert totals(course) == marks | {"nobody": 10}
    assert set(OWNER.findall(exchange.released())) == MARKS.keys()
    run_as_student("-c", SNOOPING, root, course)
