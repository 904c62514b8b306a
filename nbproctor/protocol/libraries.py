"""Values of libraries that are sent whole: tables, sparse matrices, containers.

A value is sent as the name of its class and parts: arrays, text, numbers, and other
such values. The receiver makes it of these by the library's own constructors; nothing
in a message names other code. Both sides send them only of libraries that the judge
names, which are those that the notebook imports: without pandas, nothing changes.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable
from importlib import import_module
from typing import Any, NamedTuple

Parts = tuple[Any, ...]


class Class(NamedTuple):
    """How values of a class are sent.

    Attributes
    ----------
    parts
        Takes a value apart; returns None where it is beyond the limits, so that it
        goes as an object of no known class.
    build
        Makes a value of parts, or raises any exception where they do not fit.
    same, assign, copy
        Of a class whose values can be changed in place: whether two are equal to the
        bit, giving the first the content of the second, and a copy that stays as it is.
    """

    parts: Callable[[Any], Parts | None]
    build: Callable[..., Any]
    same: Callable[[Any, Any], bool] | None = None
    assign: Callable[[Any, Any], None] | None = None
    copy: Callable[[Any], Any] | None = None


class Library(NamedTuple):
    """A library: where its table is, and who imports it along with itself."""

    table: str
    brings: tuple[str, ...] = ()


# Our module → the library's module that it needs.
LIBRARIES = {
    "pandas": Library("nbproctor.protocol.pandas_values", ("seaborn", "statsmodels")),
    "scipy.sparse": Library("nbproctor.protocol.scipy_values", ("scipy", "sklearn")),
    "collections": Library("nbproctor.protocol.collection_values"),
}
_loaded: set[str] = set()
_classes: dict[str, Class] = {}  # by name, as "pandas.DataFrame"
_names: dict[type, str] = {}


def used(modules: Iterable[str]) -> frozenset[str]:
    """Return the libraries that are imported here, or with one of these modules.

    Of the standard library only what is among these: all else imports it too.
    """
    tops = {name.partition(".")[0] for name in modules}
    return frozenset(
        name
        for name, library in LIBRARIES.items()
        if tops & {name, *library.brings}
        or (name in sys.modules and name not in sys.stdlib_module_names)
    )


def warm(_: object = ()) -> None:
    """Load the tables of the libraries that are imported here, before any fork."""
    for library in LIBRARIES:
        if library in sys.modules:
            _load(library)


def name_of(kind: type, libraries: frozenset[str]) -> str | None:
    """Return the name by which values of exactly this class are sent, if they are."""
    for library in libraries - _loaded:
        if library in sys.modules:
            _load(library)
    name = _names.get(kind)
    return name if name and name.rpartition(".")[0] in libraries else None


def class_of(name: object, libraries: frozenset[str]) -> Class:
    """Return how values with a name are sent; imports their library if need be.

    Raises
    ------
    ValueError
        There are none, or they are of a library that this notebook does not use.
    """
    library = name.rpartition(".")[0] if type(name) is str else ""
    if library not in libraries:
        raise ValueError("a value is of a library that this notebook does not use")
    _load(library)
    if name not in _classes:
        raise ValueError("a value is of an unknown class of a library")
    return _classes[str(name)]


def changeable(value: Any) -> Class | None:
    """Return how to compare and to change a value in place, if it is a table."""
    found = _classes.get(_names.get(type(value), ""))
    return found if found is not None and found.same is not None else None


def _load(library: str) -> None:
    if library in _loaded:
        return
    table = import_module(LIBRARIES[library].table)
    _classes.update({f"{library}.{name}": c for name, c in table.CLASSES.items()})
    _names.update({kind: f"{library}.{name}" for kind, name in table.NAMES.items()})
    _loaded.add(library)
