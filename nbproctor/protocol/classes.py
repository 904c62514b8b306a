"""Public classes of installed libraries, by name: what a handle can be an instance of.

Judge and student process are forks of one process that imports the libraries and then
makes this table, before any code of a student's runs. The student process looks a class
up by its identity, so nothing that an object says of itself counts: not ``__class__``,
not a name, not a module. What is left to a liar, to send another name of the table, is
no more than to make an object of that class, which anybody can.
"""

from __future__ import annotations

import sys

import numpy as np

# Values that are sent whole, exceptions, and what a test would call a class of its own.
_NOT_LISTED = (
    *(int, float, complex, str, bytes, tuple, list, dict, set, frozenset),
    *(BaseException, type, np.ndarray, np.generic),
)
_OURS = {"nbproctor", "IPython", "__main__"}
_name_of: dict[int, str] = {}  # by `id`: a class may say what it likes of its hash
_class_of: dict[str, type] = {}


def capture(_: object = ()) -> None:
    """List the classes of all libraries that are imported now."""
    for place, module in list(sys.modules.items()):
        top = place.partition(".")[0]
        if top in sys.stdlib_module_names or top in _OURS:
            continue
        for value in list(getattr(module, "__dict__", {}).values()):
            if isinstance(value, type) and not issubclass(value, _NOT_LISTED):
                home = value.__module__
                if isinstance(home, str) and home.partition(".")[0] == top:
                    name = f"{home}:{value.__qualname__}"
                    _name_of[id(value)] = name
                    _class_of[name] = value


def known_base(kind: type) -> tuple[str, bool]:
    """Return the first class of a library that a class is or is derived from.

    Returns
    -------
    name : str
        Its public name; empty if there is none.
    exact : bool
        Whether it is the class itself.
    """
    for base in type.__dict__["__mro__"].__get__(kind):
        if id(base) in _name_of:
            return _name_of[id(base)], base is kind
    return "", False


def class_named(name: str) -> type | None:
    """Return the class with a public name, if it is listed."""
    return _class_of.get(name)
