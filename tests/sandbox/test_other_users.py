"""Sandbox and fork server hold for ordinary users too: root tries their files again."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from tests.conftest import PROJECT
from tests.users import NOBODY, in_reach, require_other_users

pytestmark = pytest.mark.slow
# What depends on who the user is; all of it was tried as this user.
OTHERS = {
    "an ordinary user": "test_sandbox or full or standard",
    "root, Python for all": "threads or privileges or signal or standard",
}
SAME = "other_users or starts_threads or too_many or time_of"  # whoever it is


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become somebody else")
@pytest.mark.parametrize("user", OTHERS)
def test_everything_holds_for_other_users_too(user: str) -> None:
    require_other_users()
    argv = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider"]
    argv += [str(PROJECT / "tests/sandbox")]
    argv += ["-k", f"({OTHERS[user]}) and not ({SAME})"]
    if user == "an ordinary user":
        argv = [*NOBODY, *argv]
    environment = {
        "HOME": "/nonexistent",
        "PATH": os.environ["PATH"],
        "PYTHONPATH": str(PROJECT),
        "PYTHONDONTWRITEBYTECODE": "1",
    }
    done = subprocess.run(
        in_reach(argv), capture_output=True, text=True, cwd="/", env=environment
    )
    assert done.returncode == 0, done.stdout[-6000:] + done.stderr[-2000:]
    assert " passed" in done.stdout
