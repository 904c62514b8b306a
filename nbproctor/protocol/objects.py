"""Objects that stay in their process, and their description for the other side.

A message names them by number. If a student's object is an instance of a class of an
installed library, the message also has the name of this class. Judge and student
process are forks of one process, which imports the libraries and lists their classes
before any student code runs. The student process looks up a class by its identity, so
``__class__``, name and module of an object do not matter. A process that lies can only
send another name on the list, which claims no more than an object of that class, and
any code can make one.
"""

from __future__ import annotations

import builtins
import sys
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np

from nbproctor.protocol.frames import ProtocolError
from nbproctor.protocol.table import FIELDS, Node, Receiver, Row, Sender, add_rows


class Ref(NamedTuple):
    """An object that stays in its process."""

    tag: str  # whose it is: student, judge, or library (which both import)
    fields: tuple[Any, ...]


@dataclass
class NumberedObjects:
    """Objects that the other side may name by a number; no number is used twice."""

    objects: dict[int, Any] = field(default_factory=dict)
    next_number: int = 0
    _numbers: dict[int, int] = field(default_factory=dict)  # by `id`

    def number_of(self, value: Any) -> int:
        """Return the number of an object; give it a new one if it has none."""
        number = self._numbers.get(id(value))
        if number is None:
            number = self.next_number
            self.next_number += 1
            self._numbers[id(value)] = number
            self.objects[number] = value
        return number

    def keep_only(self, numbers: Iterable[int]) -> None:
        """Forget all other objects."""
        objects = self.objects
        self.objects = {n: objects[n] for n in numbers if n in objects}
        self._numbers = {id(value): n for n, value in self.objects.items()}


# --- classes of installed libraries ---------------------------------------------------

# Classes of values that are sent as such, exceptions, and classes themselves.
_NOT_LISTED = (
    int,
    float,
    complex,
    str,
    bytes,
    tuple,
    list,
    dict,
    set,
    frozenset,
    BaseException,
    type,
    np.ndarray,
    np.generic,
)
#: Names of the built-in exceptions, as one of which the other side knows any exception.
EXCEPTIONS = {
    name
    for name, kind in vars(builtins).items()
    if isinstance(kind, type) and issubclass(kind, BaseException)
}
_NO_LIBRARIES = {"nbproctor", "IPython", "__main__", *sys.stdlib_module_names}
_name_of: dict[int, str] = {}  # by `id`, because a class may have any hash
_class_of: dict[str, type] = {}


def list_library_classes() -> None:
    """List the classes of all libraries that are imported now."""
    modules = dict(sys.modules)
    for module_name, module in modules.items():
        top = module_name.partition(".")[0]
        if top in _NO_LIBRARIES:
            continue
        namespace = getattr(module, "__dict__", {})
        for value in list(namespace.values()):
            if not isinstance(value, type) or issubclass(value, _NOT_LISTED):
                continue
            home = str(value.__module__)
            if home.partition(".")[0] == top:
                name = f"{home}:{value.__qualname__}"
                _name_of[id(value)] = name
                _class_of[name] = value


def known_base(kind: type) -> tuple[str, bool]:
    """Return the name of the first library class among a class and its bases.

    The name is empty if there is none. The flag says whether it is the class itself.
    """
    for base in type.__dict__["__mro__"].__get__(kind):
        if id(base) in _name_of:
            return _name_of[id(base)], base is kind
    return "", False


def class_named(name: str) -> type | None:
    """Return the listed class with this name; None if there is none."""
    return _class_of.get(name)


# --- rows -----------------------------------------------------------------------------


def _write_ref(
    sender: Sender,
    x: Ref,
    depth: int,
) -> Node:
    return sender.write_values([x.tag, *x.fields], depth)


def read_reference(
    receiver: Receiver,
    node: list[Node],
    depth: int,
) -> Any:
    """Read a reference to an object; only `Receiver.resolve` knows the object."""
    has_text = receiver.has_text
    fields = receiver.read_fields(node, depth)  # `resolve` checks them
    receiver.has_text = has_text  # the name of a class does not count as text
    return receiver.resolve(Ref(node[0], tuple(fields)))


def _read_repeated(
    receiver: Receiver,
    node: list[Node],
    depth: int,
) -> Any:
    receiver.has_repeats = True
    tag, number = node
    parts = receiver.request if tag == "request" else receiver.mutables
    is_count = FIELDS["count"](number)
    if not is_count or number >= len(parts):
        raise ProtocolError("a message names a part that does not exist")
    if parts[number] is None:
        raise ProtocolError("a value contains itself")
    return parts[number]


_REFERENCES = {
    "student": "integer text text flag text text",
    "judge": "integer text value value text*",
    "library": "text text",
}
for tag, fields in _REFERENCES.items():
    add_rows(
        Row(
            tag=tag,
            fields=fields,
            classes=Ref,
            write=_write_ref,
            read=read_reference,
        )
    )
for tag in ("request", "again"):
    add_rows(
        Row(
            tag=tag,
            fields="count",
            classes=(),
            read=_read_repeated,
        )
    )
