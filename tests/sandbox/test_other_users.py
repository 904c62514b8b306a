"""Sandbox and fork server hold for ordinary users too: root tries their files again."""

from __future__ import annotations

import os

import pytest

from tests import PROJECT
from tests.users import NOBODY, run_tests

pytestmark = pytest.mark.slow
# What depends on who the user is; all of it was tried as this user.
OTHERS = {
    "an ordinary user": "test_sandbox or full or standard",
    "root, Python for all": "threads or privileges or signal or standard",
}
SAME = "other_users or starts_threads or more or within"  # whoever it is


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become somebody else")
@pytest.mark.parametrize("user", OTHERS)
def test_everything_holds_for_other_users_too(user: str) -> None:
    program = NOBODY if user == "an ordinary user" else ()
    words = f"({OTHERS[user]}) and not ({SAME})"
    run_tests(PROJECT / "tests/sandbox", words, program)
