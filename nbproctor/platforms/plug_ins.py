"""Plug-ins: platforms of other packages, which a school adds without a fork."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Iterator
from functools import cache
from importlib.metadata import entry_points
from typing import TypeVar

from nbproctor.platforms.platform import ExportError, Platform

ENTRY_POINTS = "nbproctor.platforms"  # each names a class derived from `Platform`

Answer = TypeVar("Answer")
log = logging.getLogger(__name__)


def load_plug_ins() -> list[Platform]:
    """Return the installed plug-ins that work so far."""
    return [*_plug_ins().values()]


def ask_platforms(
    question: Callable[[Platform], Answer], platforms: Iterable[Platform]
) -> Iterator[tuple[Platform, Answer]]:
    """Yield the answer of each plug-in, then that of each of the package's `platforms`.

    A plug-in that fails is named in a warning, and not asked again.
    """
    for label, plug_in in [*_plug_ins().items()]:
        try:
            answer = question(plug_in)
        except ExportError:  # its file, but something is unclear: a teacher has to know
            raise
        except Exception as error:
            del _plug_ins()[label]
            _warn(label, error)
        else:
            yield plug_in, answer
    for platform in platforms:
        yield platform, question(platform)


@cache
def _plug_ins() -> dict[str, Platform]:
    """Load the plug-ins, by how a warning names them."""
    plug_ins = {}
    for entry_point in entry_points(group=ENTRY_POINTS):
        package = entry_point.dist.name if entry_point.dist else "unknown"
        label = f"{entry_point.name!r} (package {package})"
        try:
            platform = entry_point.load()()
            if not isinstance(platform, Platform):
                raise TypeError(f"{entry_point.value} is not a Platform")
        except Exception as error:
            _warn(label, error)
        else:
            plug_ins[label] = platform
    return plug_ins


def _warn(label: str, error: Exception) -> None:
    log.warning(
        "The platform %s does not work, and is left out: %r. Update the package, or "
        "uninstall it.",
        label,
        error,
    )
