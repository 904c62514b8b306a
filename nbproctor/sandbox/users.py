"""User ids for sandboxed forks under root."""

from __future__ import annotations

import os
from pathlib import Path

from nbproctor.sandbox import layers
from nbproctor.sandbox.layers import Policy

# Ids that no account has by custom: systemd's range for passing services.
FIRST_UID, LAST_UID = 61184, 65519
# How many a fork server has, one for each process that is alive at a time.
SLOTS = 32


def free_uid(policy: Policy, outer: bool) -> int | None:
    """Choose the first of `SLOTS` user ids; None for who is not root.

    None also if such a user could not read what the policy names.  Inside bubblewrap
    (`outer`) the folders above do not matter: it makes them anew, readable for all.
    """
    first = FIRST_UID + os.getpid() * SLOTS % (LAST_UID - FIRST_UID - SLOTS)
    if os.name != "posix" or os.geteuid() != 0 or not _mapped(first + SLOTS):
        return None
    for path in map(Path, layers.visible(policy)):
        above = [] if outer else path.resolve().parents
        if path.exists() and not path.stat().st_mode & 0o004:
            return None
        if any(not folder.stat().st_mode & 0o001 for folder in above):
            return None
    return first


def _mapped(uid: int) -> bool:
    """Say whether this user namespace has a user id (rootless containers have few)."""
    for line in Path("/proc/self/uid_map").read_text().splitlines():
        inside, _, count = map(int, line.split())
        if inside <= uid < inside + count:
            return True
    return False
