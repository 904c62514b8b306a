"""bubblewrap, the outer layer: namespaces around the whole fork server.

Inside there is no network, no other process, and of the file system only what is bound
here one by one. bubblewrap needs no root and no daemon, and does one thing. For root it
makes no user namespace: the fork server keeps the few capabilities with which it gives
every process another user id, which is worth more.

`--die-with-parent` is not used: it fires when the *thread* that started bubblewrap
ends. The fork server ends when its control socket is closed, and all in its namespace
with it.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Iterable, Sequence
from functools import cache
from pathlib import Path

from nbproctor.sandbox.policy import Policy, readable_paths

# To mount a scratch for each process; for root also to change user ids, to own folders
# of those and to end their processes.
CAPABILITIES = ["CAP_SYS_ADMIN"]
ROOT_CAPABILITIES = ["CAP_CHOWN", "CAP_DAC_OVERRIDE", "CAP_KILL"]
ROOT_CAPABILITIES += ["CAP_SETGID", "CAP_SETUID"]
TMP_BYTES = 256 << 20  # of the empty /tmp


def command(
    argv: Sequence[str],
    policy: Policy,
    writable: Iterable[Path] = (),
) -> list[str]:
    """Return the command that runs `argv` inside bubblewrap.

    Inside is what `policy` makes visible, and `writable`, under the same names.
    `FileNotFoundError`: bubblewrap is not installed.
    """
    bwrap = shutil.which("bwrap")
    if bwrap is None:
        raise FileNotFoundError("bubblewrap (bwrap) is not installed")
    namespaces = ["pid", "ipc", "uts", "cgroup-try"]
    if not policy.network:
        namespaces.append("net")
    capabilities = CAPABILITIES
    if os.geteuid() == 0:
        capabilities = CAPABILITIES + ROOT_CAPABILITIES
    else:
        namespaces.insert(0, "user")
    line = [bwrap, "--new-session", "--hostname", "sandbox", "--chdir", "/"]
    line += [f"--unshare-{namespace}" for namespace in namespaces]
    line += ["--cap-drop", "ALL"]
    for capability in capabilities:
        line += ["--cap-add", capability]
    line += ["--proc", "/proc", "--dev", "/dev"]
    line += ["--size", str(TMP_BYTES), "--tmpfs", "/tmp"]
    options = {}
    for name in readable_paths(policy):
        if not name.startswith("/dev/"):
            options[Path(name)] = "--ro-bind"
    options |= dict.fromkeys(writable, "--bind")
    binds = {}
    folders = set[Path]()
    for path, option in options.items():
        if path.exists():
            binds[path] = option
            folders.update(path.parents)
    folders -= {Path("/"), Path("/tmp")}
    # Outer folders first, or they would hide the inner ones.
    for path in sorted(folders | binds.keys()):
        if path in binds:
            line += [binds[path], str(path), str(path)]
        elif binds.keys().isdisjoint(path.parents):
            # bubblewrap would make the folders above a bind for root's eyes only.
            line += ["--perms", "0755", "--dir", str(path)]
    return [*line, "--", *argv]


@cache
def failure() -> str:
    """Return why bubblewrap does not start here, or nothing if it does.

    Ubuntu 24.04's AppArmor and Docker's default profile forbid it, for example.
    """
    try:
        trial = command([sys.executable, "-I", "-S", "-c", ""], Policy())
    except FileNotFoundError as error:
        return str(error)
    result = subprocess.run(
        trial,
        capture_output=True,
        text=True,
        check=False,
    )
    if result.returncode == 0:
        return ""
    return result.stderr.strip() or "it just ended"
