"""Objects that stay in their process, and their description for the other side.

A message names them by number. For a student's object it also gives the name of the
class of an installed library of which it is an instance. Judge and student process are
forks of one process that imports the libraries and lists their classes before any
student code runs. The student process looks a class up by its identity, so nothing that
an object says about itself counts: not ``__class__``, not a name, not a module. A liar
can only send another name of the list, which means only an object of that class, and
anybody can make one.
"""

from __future__ import annotations

import functools
import sys
import unicodedata
from collections import namedtuple
from collections.abc import Sequence
from keyword import iskeyword
from typing import Any, NamedTuple, TypeGuard

import numpy as np

from nbproctor.protocol.frames import ProtocolError
from nbproctor.protocol.table import FIELDS, Node, Receiver, Row, Sender, add

_MAX_NAMES = 100  # of a named tuple, and characters of one


class Ref(NamedTuple):
    """An object that stays where it is, named by whose it is."""

    # student; error: a class of exceptions of theirs; judge; library: both import it
    tag: str
    fields: tuple[Any, ...]


class NamedItems(NamedTuple):
    """A named tuple of the student's."""

    number: int
    title: str  # of its class
    names: tuple[str, ...]
    items: tuple[Any, ...]


class StudentTuple:
    """Marks a decoded copy of a named tuple whose class stays with the student.

    The number of the original is none after ``_replace``; no item has a name that
    begins with an underscore.
    """

    _nbproctor_number: int | None = None


def are_names(names: object) -> TypeGuard[tuple[str, ...]]:
    """Whether the items of a named tuple can have these names."""
    return (
        type(names) is tuple
        and len(names) <= _MAX_NAMES
        and len(set(names)) == len(names)
        and all(
            type(name) is str
            and name.isidentifier()
            and name[0] != "_"
            and not iskeyword(name)
            and len(name) <= _MAX_NAMES
            and unicodedata.is_normalized("NFKC", name)
            for name in names
        )
    )


@functools.lru_cache(64)
def _tuple_class(title: str, names: tuple[str, ...]) -> Any:
    name = title if title.isidentifier() and not iskeyword(title) else "NamedTuple"
    return type(name, (StudentTuple, namedtuple(name, names)), {})


# --- classes of installed libraries ---------------------------------------------------

# Values that are sent whole, exceptions, and what a test would call a class of its own.
_NOT_LISTED = (
    *(int, float, complex, str, bytes, tuple, list, dict, set, frozenset),
    *(BaseException, type, np.ndarray, np.generic),
)
GRADER_MODULES = {"nbproctor", "IPython", "__main__"}
_name_of: dict[int, str] = {}  # by `id`: a class may say what it likes of its hash
_class_of: dict[str, type] = {}


def capture(_: object = ()) -> None:
    """List the classes of all libraries that are imported now."""
    for module_name, module in list(sys.modules.items()):
        top = module_name.partition(".")[0]
        if top in sys.stdlib_module_names or top in GRADER_MODULES:
            continue
        for value in list(getattr(module, "__dict__", {}).values()):
            if isinstance(value, type) and not issubclass(value, _NOT_LISTED):
                home = value.__module__
                if isinstance(home, str) and home.partition(".")[0] == top:
                    name = f"{home}:{value.__qualname__}"
                    _name_of[id(value)] = name
                    _class_of[name] = value


def known_base(kind: type) -> tuple[str, bool]:
    """Return the name of the first class of a library among a class and its bases.

    Empty if there is none; and whether it is the class itself.
    """
    for base in type.__dict__["__mro__"].__get__(kind):
        if id(base) in _name_of:
            return _name_of[id(base)], base is kind
    return "", False


def class_named(name: str) -> type | None:
    """Return the class with a public name, if it is listed."""
    return _class_of.get(name)


# --- rows -----------------------------------------------------------------------------


def _write_tuple(sender: Sender, x: NamedItems, depth: int) -> Node:
    sender.spend_class(x.title, x.names)
    items = sender.values([*x.items], depth)
    return ["N", x.number, x.title, [*x.names], *items]


def _read_tuple(receiver: Receiver, node: list[Node], depth: int) -> Any:
    _, number, title, listed = node[:4]
    names = tuple(listed) if type(listed) is list else ()
    if type(number) is not int or type(title) is not str or not are_names(names):
        raise ProtocolError("a named tuple cannot be read")
    receiver.spend_class(title, names)
    items = receiver.fields(node, depth, 4)
    copy = _tuple_class(title[:_MAX_NAMES], names)(*items)
    copy._nbproctor_number = number
    return copy


def _write_ref(sender: Sender, x: Ref, depth: int) -> Node:
    return sender.values([x.tag, *x.fields], depth)


def _read_ref(receiver: Receiver, node: list[Node], depth: int) -> Any:
    fields = receiver.fields(node, depth)  # who resolves it checks them
    return receiver.resolve(Ref(node[0], tuple(fields)))


def _number(node: list[Node], parts: Sequence[Any]) -> int:
    _, number = node
    if type(number) is not int or not 0 <= number < len(parts):
        raise ProtocolError("a message names a part that does not exist")
    return number


def _read_request(receiver: Receiver, node: list[Node], depth: int) -> Any:
    receiver.shared = True
    return receiver.request[_number(node, receiver.request)]


def _read_again(receiver: Receiver, node: list[Node], depth: int) -> Any:
    receiver.shared = True
    part, _ = receiver.tracked[_number(node, receiver.tracked)]
    if part is None:
        raise ProtocolError("a value contains itself")
    return part


FIELDS["names"] = lambda x: type(x) is list
add(
    Row(
        tag="N",
        fields="integer text names value*",
        classes=NamedItems,
        write=_write_tuple,
        read=_read_tuple,
    ),
    Row(
        tag="student",
        fields="integer text text flag text text",
        classes=Ref,
        write=_write_ref,
        read=_read_ref,
    ),
    Row(tag="judge", fields="integer text text*", classes=(), read=_read_ref),
    Row(tag="library", fields="text text", classes=(), read=_read_ref),
    Row(tag="request", fields="count", classes=(), read=_read_request),
    Row(tag="again", fields="count", classes=(), read=_read_again),
)
