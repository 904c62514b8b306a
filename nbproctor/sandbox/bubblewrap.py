"""bubblewrap, the outer layer: namespaces around the whole fork server.

Inside, there is no network and no other process. Only the files and folders that are
bound here one by one are visible. bubblewrap needs neither root nor a daemon. For root,
it makes no user namespace: the fork server then keeps the few capabilities that it
needs to give every process another user id, which protects more.

`--die-with-parent` is not used, because it takes effect when the *thread* that started
bubblewrap ends. The fork server ends when its control socket is closed, and everything
in its namespace ends with it.
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

# To mount a scratch folder for each process. Root also changes user ids, gives folders
# to these users, and ends their processes.
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

    It sees the paths that `policy` makes readable, and those in `writable`, under their
    own names. `FileNotFoundError`: bubblewrap is not installed.
    """
    bwrap = shutil.which("bwrap")
    if not bwrap:
        raise FileNotFoundError("bubblewrap (bwrap) is not installed")
    namespaces = ["pid", "ipc", "uts", "cgroup-try"]
    if not policy.network:
        namespaces.append("net")
    capabilities = CAPABILITIES
    if os.geteuid() == 0:
        capabilities = CAPABILITIES + ROOT_CAPABILITIES
    else:
        namespaces.append("user")
    line = [bwrap, "--new-session", "--hostname", "sandbox", "--chdir", "/"]
    line += [f"--unshare-{namespace}" for namespace in namespaces]
    line += ["--cap-drop", "ALL"]
    for capability in capabilities:
        line += ["--cap-add", capability]
    line += ["--proc", "/proc", "--dev", "/dev"]
    line += ["--size", str(TMP_BYTES), "--tmpfs", "/tmp"]
    binds = dict.fromkeys(writable, "--bind-try")  # "try": if the path exists
    for name in readable_paths(policy):
        if not name.startswith("/dev/"):
            binds.setdefault(Path(name), "--ro-bind-try")
    folders = set[Path]().union(*(path.parents for path in binds))
    folders -= {Path("/"), Path("/tmp")}
    # Outer folders first, or they would hide the inner ones.
    for path in sorted(folders | binds.keys()):
        if path in binds:
            line += [binds[path], str(path), str(path)]
        elif binds.keys().isdisjoint(path.parents):
            # bubblewrap would make the folders above a bind readable for root only.
            line += ["--perms", "0755", "--dir", str(path)]
    return [*line, "--", *argv]


@cache
def failure() -> str:
    """Return why bubblewrap does not start on this computer, or "" if it does.

    For example, Ubuntu 24.04's AppArmor and Docker's default profile forbid it.
    """
    try:
        trial = command([sys.executable, "-I", "-S", "-c", ""], Policy())
    except FileNotFoundError as error:
        return str(error)
    result = subprocess.run(
        trial,
        capture_output=True,
        text=True,
    )
    if result.returncode == 0:
        return ""
    return result.stderr.strip() or "it just ended"
