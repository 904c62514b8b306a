"""The text of a message: JSON as Python reads and writes it, by msgspec if it can.

msgspec takes a fraction of the time and knows neither NaN and infinity nor halves of
surrogate pairs, which Python's own module takes and a student's floats and strings may
hold.
"""

from __future__ import annotations

import json
from typing import Any

import msgspec

from nbproctor.protocol.frames import ProtocolError

_write = msgspec.json.Encoder().encode
_read = msgspec.json.Decoder().decode
_write_any = json.JSONEncoder(separators=(",", ":"), check_circular=False).encode
_read_any = json.JSONDecoder().raw_decode


def write(node: Any, *, finite: bool) -> bytes:
    """Write JSON.

    Parameters
    ----------
    node
        Lists, text, numbers, booleans and None.
    finite
        Whether all its floats are; msgspec writes null for others.
    """
    if finite:
        try:
            return _write(node)
        except UnicodeEncodeError:  # half of a surrogate pair
            pass
    return _write_any(node).encode()


def read(text: bytes) -> Any:
    """Read JSON, behind which may be spaces.

    Raises
    ------
    ValueError
        It is none, or a number in it is too long.
    ProtocolError
        There is more than one value, or blanks where there should be none.
    """
    text = text.rstrip(b" ")
    if text[:1].isspace() or text[-1:].isspace():
        raise ProtocolError("a message has more blanks than it should")
    try:
        return _read(text)
    except ValueError:
        node, end = _read_any(str(text, "utf-8"))
        if end != len(text):
            raise ProtocolError("a message has more than one value") from None
        return node
