"""Values of libraries in a message: written as their parts, and made of them."""

from __future__ import annotations

from itertools import chain
from typing import Any

from nbproctor.protocol.arrays import read_part, write_part
from nbproctor.protocol.frames import ProtocolError
from nbproctor.protocol.libraries import class_of, name_of
from nbproctor.protocol.received import Received
from nbproctor.protocol.sent import Node, Sent
from nbproctor.protocol.tags import Tag


def write(sent: Sent, x: Any, depth: int) -> Node:
    """Write a value of a library; None if this one does not go whole."""
    name = name_of(type(x), sent.libraries)
    if name is None or not _comes_apart(sent, name, x):
        return None

    def write_parts(sent: Sent, x: Any, depth: int) -> Node:
        _, parts = sent.apart[id(x)]
        return [Tag.OF_LIBRARY, name, *(write_part(sent, p, depth) for p in parts)]

    if class_of(name, sent.libraries).same is None:
        return write_parts(sent, x, depth)
    return sent.mutable(write_parts, x, depth)


def _comes_apart(sent: Sent, name: str, x: Any) -> bool:
    """Take a value apart, and the values in it; whether all of them can be.

    A table with an index that stays where it is would be no table.
    """
    if id(x) in sent.apart:
        return True
    try:
        parts = class_of(name, sent.libraries).parts(x)
    except Exception:  # what a library says of its own unusual values
        return False
    if parts is None:
        return False
    inner = chain.from_iterable(p if type(p) is tuple else (p,) for p in parts)
    for part in inner:
        known = name_of(type(part), sent.libraries)
        if known and not _comes_apart(sent, known, part):
            return False
    sent.apart[id(x)] = x, parts  # and keep it, so that no other gets its `id`
    return True


def read(received: Received, node: list[Node], depth: int) -> Any:
    """Read a value of a library.

    Raises
    ------
    ProtocolError
        The library says that its parts do not fit, in whatever way.
    """
    made = class_of(node[1] if len(node) > 1 else None, received.libraries)
    number = received.begin() if made.copy else 0
    parts = [read_part(received, part, depth) for part in node[2:]]
    try:
        value = made.build(*parts)
    except Exception as error:
        raise ProtocolError(f"parts do not fit ({error!s:.100})") from error
    if made.copy is not None:
        before = made.copy(value) if received.track else None
        received.seen[number] = value, before
    return value
