"""Layers of the sandbox on this computer, and how to get those that are missing."""

from __future__ import annotations

import errno
import os
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Layer:
    """One layer of the sandbox, as it is on this computer."""

    name: str
    meaning: str  # what it does, or what its absence means
    remedy: str  # how to get it; empty if it works
    mandatory: bool = True  # needed to grade, except with ``--sandbox=weak``

    @property
    def ok(self) -> bool:
        """Whether it works."""
        return not self.remedy


CONTAINER = "or in a container: python kit.py grade --container"


def probe() -> list[Layer]:
    """Try out every layer, in forks that end at once."""
    if sys.platform != "linux":
        system = {"darwin": "macOS", "win32": "Windows"}.get(sys.platform, sys.platform)
        meaning = (
            f"{system} has no Landlock and no seccomp, so student code cannot "
            "be isolated"
        )
        remedy = f"grade on Linux (WSL 2 on Windows), {CONTAINER}"
        return [Layer("Linux", meaning, remedy)]
    return [
        Layer("Landlock", *_landlock()),
        Layer("seccomp", *_seccomp()),
        Layer("whole sandbox", *_whole_sandbox()),
        Layer("bubblewrap", *_bubblewrap(), mandatory=False),
        Layer("private scratch folder", *_scratch(), mandatory=False),
        Layer("user id", *_user(), mandatory=False),
    ]


def verdict(layers: list[Layer]) -> str:
    """Say in one line whether this computer can grade."""
    absent = [layer for layer in layers if not layer.ok]
    mandatory = [layer for layer in absent if layer.mandatory]
    consequence = "must not grade: it" if mandatory else "can grade, but"
    names = ", no ".join(layer.name for layer in mandatory or absent)
    if names:
        return f"This computer {consequence} has no {names}."
    return "This computer can grade: every protection of the sandbox works."


# Each function returns what a layer does, and ""; if the layer is missing, what that
# means, and how to get it.


def _landlock() -> tuple[str, str]:
    try:
        import landlockpy

        abi = landlockpy.abi_version()
    except (ImportError, OSError, RuntimeError) as error:
        remedy = {
            errno.ENOSYS: f"use Linux 5.13 or newer, {CONTAINER}",
            errno.EOPNOTSUPP: "add landlock to the kernel's boot parameter lsm=",
        }.get(getattr(error, "errno", None) or 0, "install the package landlockpy")
        return f"student code could read every file that you can ({error})", remedy
    meaning = f"student code sees only what it needs (interface {abi}"
    if abi < 6:
        meaning += "; seccomp does alone what 6 adds: no signals to others"
    return f"{meaning})", ""


def _seccomp() -> tuple[str, str]:
    from nbproctor.sandbox import policy, seccomp

    try:
        seccomp.prepare(policy.Policy())
    except (ImportError, OSError, RuntimeError) as error:
        return (
            f"student code could start programs and use the network ({error})",
            "install the package pyseccomp and the system's libseccomp (libseccomp2)",
        )
    return "no new process, program or socket, no signal to others", ""


def _whole_sandbox() -> tuple[str, str]:
    """Enter the sandbox in a fork, to see whether all layers are in force together."""
    from nbproctor.sandbox import fork, layers, policy

    scratch = Path(tempfile.mkdtemp())
    trial = fork.fork(lambda _: None, policy.Policy(), scratch)
    try:
        fork.wait_until_sandboxed(trial.sock)
    except (layers.SandboxError, EOFError) as error:
        remedy = (
            "check the other lines; if they are all fine, please report this as a bug"
        )
        return str(error), remedy
    finally:
        trial.close()
    return "a test process entered the sandbox, with all limits", ""


def _bubblewrap() -> tuple[str, str]:
    from nbproctor.sandbox import bubblewrap

    problem = bubblewrap.failure()
    if not problem:
        return (
            "the grading process has its own view of files, processes and network",
            "",
        )
    meaning = (
        f"only Landlock and seccomp are used ({problem}): student code that guesses a "
        "file's name can see its size, but not its content"
    )
    if "not installed" in problem:
        return meaning, "install bubblewrap (apt, dnf, pacman, zypper)"
    return meaning, (
        "allow user namespaces: on Ubuntu an AppArmor profile for /usr/bin/bwrap, in "
        "Docker a seccomp profile that permits them, elsewhere sysctl "
        "user.max_user_namespaces"
    )


def _scratch() -> tuple[str, str]:
    from nbproctor.sandbox import bubblewrap, libc

    if not bubblewrap.failure() or libc.can_mount():
        return "a tmpfs for each process; everything else is read-only", ""
    return (
        "scratch folders are on the disk: their size is checked 200 times a second "
        "instead of limited, and student code cannot delete files in them",
        "install bubblewrap, or allow user namespaces (see above)",
    )


def _user() -> tuple[str, str]:
    from nbproctor.sandbox import bubblewrap, policy

    if os.geteuid() != 0:
        return "student code runs under your user id, without access to your files", ""
    in_bubblewrap = not bubblewrap.failure()
    if policy.free_uid(policy.Policy(), in_bubblewrap) is not None:
        return "every student process has a user id of its own", ""
    return (
        "student code runs as root (user 0), without capabilities: only memory limits "
        "the number of its threads",
        "grade as an ordinary user, or install bubblewrap, or let everybody read the "
        f"Python in {sys.prefix} and {sys.base_prefix}",
    )
