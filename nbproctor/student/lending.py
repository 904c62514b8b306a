"""Lending: names that reference solutions define, for a notebook without their code.

The cells of a notebook run in two processes: the student's, and one for the reference
solutions. The second says what a reference has defined (`Lending.define`), the first
binds those names (`Lending.bind`): data and modules as they are, functions as calls
into the other process, classes as classes of its own whose methods are such calls.
"""

from __future__ import annotations

import re
import sys
import types
from collections.abc import Callable, Iterable, Iterator, Mapping
from importlib import import_module
from typing import Any

from nbproctor.student.remote import JudgeObject

Part = tuple[Any, ...]  # how something is bound, and of what
Entry = tuple[Any, ...]  # what for, a name, and a `Part`
NOTEBOOK = "__main__"  # `__module__` of what cells define
# Names that IPython keeps for itself, and what every class has.
_SHELL = {"In", "Out", "exit", "quit", "get_ipython", "open"}
_HISTORY = re.compile(r"_+|_i+|_i?\d+|_[iod]h")  # texts and values of earlier cells
_OF_CLASSES = {"__dict__", "__weakref__", "__doc__", "__module__", "__qualname__"}
_CODE = (type, types.FunctionType, types.ModuleType, types.BuiltinFunctionType)
_MISSING = object()


class Lending:
    """The names of one notebook's namespace that belong to the teacher.

    Parameters
    ----------
    space
        The namespace of its cells.
    """

    def __init__(self, space: dict[str, Any]) -> None:
        self._space = space
        self._kept: dict[str, Any] = {}
        # Class, attribute, value; the references' own, not only provided.
        self._attached: list[tuple[str, str, Any, bool]] = []

    # --- in the process of the references ----------------------------------------

    def define(self, run: Callable[[], object], wanted: Iterable[str]) -> list[Entry]:
        """Run a cell and tell what it has defined.

        Parameters
        ----------
        run
            Runs the cell.
        wanted
            Names that code of the student's process mentions. No other global name is
            told, because its value could be an answer; and no other data of a class.
        """
        names = frozenset(n for n in wanted if not _HISTORY.fullmatch(n)) - _SHELL
        before = dict(self._space)
        classes = {
            name: (kind, dict(vars(kind)))
            for name, kind in before.items()
            if is_of_notebook(kind)
        }
        run()
        entries: list[Entry] = []
        for name, value in list(self._space.items()):
            if name in names and before.get(name, _MISSING) is not value:
                if is_of_notebook(value) and value.__name__ == name:
                    bases = [_base(kind) for kind in value.__bases__]
                    entries.append(("class", name, bases))
                    new = vars(value)
                    entries += _attributes(name, new, {}, names)
                else:
                    entries.append(("name", name, _part(value)))
        for name, (kind, old) in classes.items():
            if kind.__name__ == name:
                entries += _attributes(name, vars(kind), old, names)
        return entries

    # --- in the student's process ------------------------------------------------

    def provide(self, run: Callable[[], Any]) -> Any:
        """Run a cell of the teacher's, and keep what it defines."""
        before = dict(self._space) if self._kept else {}
        outputs = run()
        for name, value in self._space.items():
            if before.get(name, _MISSING) is not value:
                self._kept[name] = value
                if is_of_notebook(value) and value.__name__ == name:
                    every = frozenset(vars(value))
                    for _, _, attribute, _ in _attributes(name, vars(value), {}, every):
                        held = vars(value)[attribute]
                        self._attached.append((name, attribute, held, False))
        return outputs

    def bind(self, entries: list[Entry]) -> None:
        """Bind the names that references defined, as `define` has listed them."""
        for what, name, *rest in entries:
            if what == "class":
                (bases,) = rest
                known = tuple(self._find(*base) for base in bases)
                made: Any = type(name, known or (object,), {"__module__": NOTEBOOK})
                self._keep(name, made)
            elif what == "name":
                (part,) = rest
                self._keep(name, _made(name, *part))
            else:
                attribute, part = rest
                item = name, attribute, _made(attribute, *part), True
                self._attached.append(item)
                self._attach(*item)

    def mend(self, defined: Iterable[str]) -> None:
        """Bind the teacher's names again where a cell of the student's lost them.

        Parameters
        ----------
        defined
            Names that the cell defines as functions or classes, or imports: those it
            may have for itself.
        """
        own = frozenset(defined) | _SHELL
        for name, value in self._kept.items():
            now = self._space.get(name, _MISSING)
            if now is _MISSING or (
                now is not value and name not in own and isinstance(value, _CODE)
            ):
                self._space[name] = value
        for item in self._attached:
            self._attach(*item)

    def release(self) -> None:
        """Release the names that the student's answer has defined again."""
        self._kept = {
            name: value
            for name, value in self._kept.items()
            if self._space.get(name, _MISSING) is value
        }
        self._attached = [item for item in self._attached if self._holds(*item)]

    def base_of(self, kind: type) -> type | None:
        """Return the first of a class's bases, or itself, that is the teacher's."""
        bases = kind.__mro__ if self._kept else ()
        return next((c for c in bases if self._kept.get(c.__name__) is c), None)

    def _keep(self, name: str, value: Any) -> None:
        self._space[name] = self._kept[name] = value

    def _attach(self, name: str, attribute: str, value: Any, lent: bool) -> None:
        kind = self._space.get(name)
        if isinstance(kind, type):
            now = vars(kind).get(attribute)
            if now is not value and (lent or (callable(value) and not callable(now))):
                setattr(kind, attribute, value)

    def _holds(self, name: str, attribute: str, value: Any, lent: bool) -> bool:
        kind = self._space.get(name)
        return isinstance(kind, type) and vars(kind).get(attribute) is value

    def _find(self, module: str, name: str) -> Any:
        if module == NOTEBOOK:
            return self._space[name]
        return getattr(import_module(module), name)


def is_of_notebook(value: Any) -> bool:
    """Whether a value is an ordinary class that a cell has defined."""
    return type(value) is type and value.__module__ == NOTEBOOK


def _base(kind: type) -> tuple[str, str]:
    return kind.__module__, kind.__name__


def _attributes(
    name: str, now: Mapping[str, Any], before: Mapping[str, Any], wanted: frozenset[str]
) -> Iterator[Entry]:
    for attribute, value in list(now.items()):
        special = attribute.startswith("__") and attribute.endswith("__")
        if attribute in _OF_CLASSES or before.get(attribute, _MISSING) is value:
            continue
        how, *of = _part(value)
        if attribute in wanted or (special and how in ("function", "static", "class")):
            yield "attribute", name, attribute, (how, *of)


def _part(value: Any) -> Part:
    if isinstance(value, types.FunctionType) and value.__module__ == NOTEBOOK:
        return "function", value
    if isinstance(value, staticmethod | classmethod):
        how = "static" if isinstance(value, staticmethod) else "class"
        return how, value.__func__
    if isinstance(value, property):
        return "property", value.fget, value.fset
    if isinstance(value, types.ModuleType):
        return "module", value.__name__
    place, name = getattr(value, "__module__", None), getattr(value, "__name__", "")
    if (
        place != NOTEBOOK
        and type(name) is str
        and getattr(sys.modules.get(str(place)), name, None) is value
    ):
        return "public", place, name
    return "value", value


def _made(name: str, how: str, *of: Any) -> Any:
    match how:
        case "module":
            return import_module(of[0])
        case "public":
            return getattr(import_module(of[0]), of[1])
        case "function":
            return _call(name, of[0])
        case "static":
            return staticmethod(_call(name, of[0]))
        case "class":
            return classmethod(_call(name, of[0]))
        case "property":
            get, set_ = (f and _call(name, f) for f in of)
            return property(get, set_)
    return of[0]


def _call(name: str, outside: JudgeObject) -> Callable[..., Any]:
    """Return a function, which a class binds to its objects, that calls `outside`."""

    def lent(*args: Any, **kwargs: Any) -> Any:
        return outside(*args, **kwargs)

    lent.__name__ = lent.__qualname__ = name
    lent.__module__ = NOTEBOOK
    return lent
