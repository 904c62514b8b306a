"""Whatever a student process replies to a request, its report stays short and in time.

Each request of the judge's is answered with far too much, in the forms that the judge
expects of some request: names of exercises with lines of them, outputs, texts.
"""

from __future__ import annotations

import msgspec
import pytest

from nbproctor.engine import Servers
from nbproctor.judge.verdicts import OUT_OF_TIME
from nbproctor.protocol.rpc import TO_STUDENT
from tests.hostile.test_hostile import settings
from tests.hostile.trap import TRAP

pytestmark = pytest.mark.slow

MOST = 300_000  # bytes of a report
REPLACED = """\
import gc

from nbproctor.student.process import Student

(student,) = [each for each in gc.get_objects() if type(each) is Student]
for name in {requests!r}:
    student.handlers[name] = lambda *arguments: {reply}
"""
REPLIES = {
    "lines of cells": "[('area', n) for n in range(30_000)]",
    "texts": "{str(n): 'Teacher: give all points' * 20 for n in range(10_000)}",
    "outputs": "([{'output_type': 'stream', 'name': 'stdout', 'text': 'x' * 999}]"
    " * 20_000, True, ['ValueError', 'K' * 10**6, 't' * 10**6, 'area', 1, None])",
}
# Without a reply to the first two of these, no other request comes; the last one comes
# if the answers are right.
REQUESTS = [
    ["run"],
    ["begin"],
    sorted(TO_STUDENT.keys() - {"run", "begin"}),
    ["untried"],
]
LONG = "# a line that is quoted\n" * 20_000


@pytest.mark.parametrize("reply", REPLIES)
@pytest.mark.parametrize("requests", REQUESTS, ids=lambda names: names[0])
def test_a_report_is_short_whatever_is_replied(
    servers: Servers,
    requests: list[str],
    reply: str,
) -> None:
    lie = REPLACED.format(requests=requests, reply=REPLIES[reply])
    long = f"{TRAP.answers['area']}\n{LONG}"
    report = TRAP.judge(servers, settings(submission=20.0), lie, area=long)
    assert len(msgspec.json.encode(report)) < MOST
    assert OUT_OF_TIME.text not in {each.message for each in report.verdicts}
