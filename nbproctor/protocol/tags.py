"""The table of tags: every kind of value that a message can hold.

A message is JSON text and a raw part. ``null``, ``true``, numbers and text stand for
themselves; any other value is a JSON list of a tag and its fields. Encoder, decoder,
the fuzz tests and ``docs/protocol.md`` are held against this table.
"""

from __future__ import annotations

from enum import StrEnum

# What a field can be, as JSON. A star means any number of such fields.
FIELDS = {
    "value": "any value",
    "key": "a value that has a hash",
    "count": "an integer from 0",
    "integer": "an integer",
    "float": "a number that is no integer",
    "text": "text",
    "flag": "true or false",
    "names": "a list of text: names as Python has them",
    "texts": "a list of text",
    "hex": "text: hexadecimal digits, as `hex` writes them",
    "class": "text: the name of a class of `protocol.scalars`",
    "part": "an integer or text",
    "kind": "text: the name of a class of `protocol.libraries`",
    "dtype": "text: kind and size of a number or bytes, as in NumPy's `dtype.str`",
    "shape": "a list of integers from 0",
}


class Tag(StrEnum):
    """A tag, with what it stands for.

    Attributes
    ----------
    meaning
        The Python value.
    fields
        Kinds of its fields, in order; keys of `FIELDS`, with a star or without.
    raw
        Whether it takes its next bytes from the raw part.
    """

    meaning: str
    fields: tuple[str, ...]
    raw: bool

    def __new__(cls, tag: str, meaning: str, fields: str, raw: str = "") -> Tag:
        """Make a row of the table."""
        member = str.__new__(cls, tag)
        member._value_ = tag
        member.meaning, member.fields = meaning, tuple(fields.split())
        member.raw = bool(raw)
        return member

    LIST = "l", "list: its items", "value*"
    NUMBERS = (
        "p",
        "list of floats only or of 64-bit integers only",
        "dtype count",
        "raw",
    )
    DICT = "d", "dict: key, value, key, value …", "value*"
    TUPLE = "t", "tuple: its items", "value*"
    SET = "s", "set: its items", "key*"
    FROZENSET = "z", "frozenset: its items", "key*"
    BYTES = "b", "bytes: how many", "count", "raw"
    INTEGER = "i", "integer that needs more than 64 bits", "hex"
    COMPLEX = "c", "complex: real and imaginary part", "float float"
    SLICE = "S", "slice: start, stop, step", "value value value"
    RANGE = "R", "range: start, stop, step", "integer integer integer"
    ELLIPSIS = "E", "`...`", ""
    SCALAR = (
        "v",
        "Decimal, Fraction, date, datetime, time, timedelta, timezone, ZoneInfo",
        "class part*",
    )
    ARRAY = "a", "array of numbers or bytes", "dtype shape", "raw"
    READ_ONLY = (
        "r",
        "array of numbers or bytes that cannot be written to",
        "dtype shape",
        "raw",
    )
    NUMPY_SCALAR = "n", "NumPy scalar", "dtype", "raw"
    OBJECTS = "O", "array of objects: shape, items", "shape value*"
    TEXTS = "U", "array of text: shape, room of an item, items", "shape count text*"
    STRUCTURED = (
        "f",
        "structured array: shape, names of its fields, an array for each",
        "shape texts value*",
    )
    RECORD = "e", "item of a structured array: it, as an array without axes", "value"
    DTYPE = "D", "NumPy's dtype: an array of it with nothing in it", "value"
    OF_LIBRARY = (
        "L",
        "value of a library: class, parts; arrays among them are not numbered",
        "kind value*",
    )
    NAMED_TUPLE = (
        "N",
        "named tuple of the student's: number, class, names of its items, items",
        "integer text names value*",
    )
    STUDENT = (
        "student",
        "object in the student process: number; from the student, also its class, "
        "name, whether it can be called, the public name of a library's class that it "
        "is or has, and whether it is one (`class`, `derived`), an object of just that "
        "class (`exact`) or of one derived from it (`object`)",
        "integer text text flag text text",
    )
    ERROR_CLASS = (
        "error",
        "class of exceptions in the student process: number, name, the built-in class "
        "that it derives from, its bases",
        "integer text text value*",
    )
    JUDGE = (
        "judge",
        "object of a test: number; from the judge, also its class and its methods",
        "integer text text*",
    )
    LIBRARY = "library", "object that both sides can import: module, name", "text text"
    REQUEST = (
        "request",
        "list, dict, set, array or table of the request that this message replies to, "
        "by number in order of appearance",
        "count",
    )
    AGAIN = (
        "again",
        "list, dict, set, array or table of this message, by number",
        "count",
    )
