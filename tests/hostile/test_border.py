"""Files of students are opened at the border and nowhere else, by nbgrader's code too.

Python tells a hook of every file that it opens, by whatever function: in the process of
the class, and in the workers that read submissions and make pages.
"""

from __future__ import annotations

import os
import shutil
import sys
from pathlib import Path

import pytest

from tests.nbgrader.test_exchange import Exchange
from tests.nbgrader.tiny import configure
from tests.programs import start, succeeded

pytestmark = pytest.mark.slow

# Opened safely: without following a link. A name alone is looked up in an open folder.
HOOK = r"""
import os, re, sys, traceback
_CLOSED = re.compile(r"/(submitted/\w+/tiny|inbound/\w+\+tiny[^/]*|download/\w+)(/|$)")
_READ = {"open", "os.scandir", "os.listdir", "shutil.copyfile", "shutil.copytree"}
_log = os.open(os.environ["OPENED"], os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o666)
def _hook(event, arguments):
    if event not in _READ or isinstance(arguments[0], int):
        return
    path = os.path.abspath(os.fsdecode(arguments[0]))
    flags = arguments[2] if event == "open" else 0
    copied = "/.nbproctor-staging-" in path or "/.collect-" in path  # by the border
    if not copied and _CLOSED.search(path) and not flags & (os.O_NOFOLLOW | os.O_CREAT):
        where = "".join(traceback.format_stack(limit=6)[:-1])
        os.write(_log, f"{event} {path}\n{where}\n".encode("utf-8", "replace"))
sys.addaudithook(_hook)
"""
DIVIDER = "--- end of the control"
FLOW = rf"""
import os, shutil, sys
from datetime import datetime
from pathlib import Path
from nbgrader.apps import NbGraderAPI
from nbgrader.exchange.default import ExchangeCollect
from nbproctor import nbgrader, platforms
from nbproctor.nbgrader.submitted import describe_unread
from nbproctor.nbgrader.watch import Watch
from nbproctor.platforms.roster import Roster
root = Path(sys.argv[1])
course = nbgrader.Course(root, "tiny")
control = NbGraderAPI(config=course.config)
control.exchange.collect = ExchangeCollect
assert control.collect("tiny")["success"]
shutil.rmtree(root / "submitted")
with open(os.environ["OPENED"], "a") as log:
    log.write("{DIVIDER}")
api = NbGraderAPI(config=course.config)
with Watch(root, "tiny", exchange=True, weak=True) as watch:
    told = [each.student for _ in range(2) for each in watch.poll(datetime(2026, 3, 2))]
    assert told == ["ada"], told
download = platforms.parse_download(
    root / "download", "tiny", ["tiny"], Roster([]), None
)
place = lambda student: course.folder("submitted", student)
for _ in range(2):  # the second time, what is there is compared
    platforms.write(download, place, course.records, "download")
results, _ = nbgrader.regrade(course, "tiny")
assert [each.score for each in results if each.score] == [10, 10], results
nbgrader.feedback(course, "tiny")
standings = nbgrader.participants(course)
nbgrader.report(course, standings, find_similar=True)
nbgrader.scores(course, "tiny")
describe_unread(course)
assert api.collect("tiny")["success"]
assert api.release_feedback("tiny")["success"] is False  # one was not submitted there
for work in api.autograde("tiny", "ada"), api.generate_feedback("tiny", "ada"):
    assert work["success"], work
assert api.get_submissions("tiny")
"""


def test_no_file_of_a_student_s_is_opened_but_at_the_border(
    template: Path,
    tmp_path: Path,
    project: Path,
) -> None:
    course = shutil.copytree(template, tmp_path / "course")
    exchange = Exchange(course, tmp_path / "exchange")
    configure(course, "c.Nbproctor.early_feedback = 'page'")
    exchange.pages.mkdir(parents=True)
    (tmp_path / "exchange").chmod(0o777)
    inbound = exchange.submit("ada")
    (inbound / "data").mkdir()
    (inbound / "data/numbers.txt").write_text("1 2 3")
    shutil.copytree(inbound, course / "download/kim")
    hooks = tmp_path / "hooks"
    hooks.mkdir()
    (hooks / "sitecustomize.py").write_text(HOOK)
    log = tmp_path / "opened"
    variables = {
        "PYTHONPATH": os.pathsep.join([str(hooks), str(project)]),
        "OPENED": str(log),
    }
    succeeded(start(sys.executable, "-c", FLOW, course, cwd=course, **variables))
    # The control is stock nbgrader's own collecting.
    stock, nbproctor = log.read_text().split(DIVIDER)
    assert "shutil.copyfile" in stock and "os.scandir" in stock
    assert nbproctor == ""
