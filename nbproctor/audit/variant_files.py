"""Variant files: right and wrong solutions of one exercise, written by a teacher.

A right variant is a design of its own, so it is a file: ``right/<name>.py``. A wrong
one is mostly one slip, so ``wrong.toml`` has an entry for each, with the lines that
differ and the symptom that a student must be told. See ``docs/new-assignment.md``.
"""

from __future__ import annotations

import ast
import re
import tomllib
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any, Literal

from nbproctor.errors import NbproctorError
from nbproctor.markers import without_solution_markers

REFERENCE = "reference"


class VariantError(NbproctorError):
    """A variant cannot be read; the message says which, and why."""


@dataclass(frozen=True)
class Variant:
    """One solution of an exercise.

    Attributes
    ----------
    kind, name
        Identify the variant; the pair is unique in its exercise.
    source
        Text of the solution cell.
    place
        File, below the course, and entry in which it is written.
    says
        A message of a test must hold one of these; none for a right one.
    unnamed
        Whether it is known that no message names its symptom.
    announced
        Words of the comments of the test cells that it fails, which tell a student
        what no public test does.
    """

    kind: Literal["right", "wrong"]
    name: str
    source: str
    place: str
    says: tuple[str, ...] = ()
    unnamed: bool = False
    announced: str = ""


@dataclass(frozen=True)
class _Entry:
    """One table of ``right.toml`` or ``wrong.toml``."""

    why: str
    diff: str = ""
    cell: str = ""
    of: str = REFERENCE
    says: str | tuple[str, ...] = ()
    unnamed: bool = False
    announced: str = ""


def read(folder: Path, reference: str) -> tuple[list[Variant], list[str]]:
    """Read the variants of an exercise.

    Parameters
    ----------
    folder
        ``variants/<assignment>/<exercise>``.
    reference
        Text of the reference solution, which entries change unless they say ``of``.

    Returns
    -------
    variants : list of Variant
        Right ones first.
    problems : list of str
        Variants that could not be read, each with its file and the reason.
    """
    problems: list[str] = []
    variants: list[Variant] = []
    bases = {REFERENCE: without_solution_markers(reference)}
    for path in sorted(folder.glob("right/*.py")):
        try:
            text = _python(path.read_text("utf-8"), path.name)
        except (OSError, ValueError, VariantError) as error:
            problems.append(f"{shown(path)} {error}")
        else:
            bases[path.stem] = _without_docstring(text)
            variants.append(Variant("right", path.stem, text, shown(path)))
    if stray := sorted(folder.glob("wrong/*.py")):
        problems.append(
            f"{shown(stray[0])}: a wrong variant is an entry of wrong.toml, which says "
            "its symptom too; a whole cell goes there as cell = '''…'''"
        )
    for kind in "right", "wrong":
        path = folder / f"{kind}.toml"
        if not path.exists():
            continue
        try:
            tables = tomllib.loads(path.read_text("utf-8"))
        except (OSError, ValueError) as error:
            problems.append(f"{shown(path)} cannot be read: {error}")
            continue
        usual = tables.pop("of", REFERENCE)
        for name, table in tables.items():
            place = f"{shown(path)}, {name}:"
            try:
                variants.append(_variant(kind, name, table, usual, bases, place))
            except VariantError as error:
                problems.append(f"{place} {error}")
    return variants, problems


def _variant(
    kind: Any, name: str, table: Any, of: str, bases: dict[str, str], where: str
) -> Variant:
    keys = [field.name for field in fields(_Entry)]
    if not isinstance(table, dict) or not {"why"} <= table.keys() <= {*keys}:
        raise VariantError(f"an entry has the keys {', '.join(keys)}; why is needed")
    values: dict[str, Any] = {"of": of} | table
    entry = _Entry(**values)
    says = (entry.says,) if isinstance(entry.says, str) else tuple(entry.says)
    if bool(entry.diff) == bool(entry.cell):
        raise VariantError("either diff or cell is needed")
    if kind == "wrong" and bool(says) == entry.unnamed:
        raise VariantError(
            "needs says = '…', a phrase of the message that names the symptom, or "
            "unnamed = true if no message does"
        )
    if entry.cell:
        source = entry.cell
    elif entry.of not in bases:
        raise VariantError(f"changes {entry.of!r}, but there is no right/{entry.of}.py")
    else:
        source = edited(bases[entry.of], entry.diff, entry.of)
    return Variant(
        kind,
        name,
        _python(source, name),
        where.rstrip(":"),
        says,
        entry.unnamed,
        entry.announced,
    )


def edited(text: str, diff: str, name: str = REFERENCE) -> str:
    """Change a text as a diff without line numbers says.

    Lines of `diff` start with ``-`` (goes), ``+`` (comes) or a space (stays); a line
    ``@@`` stands between places. What goes or stays at a place must be found exactly
    once, as whole lines.

    Raises
    ------
    VariantError
        It is not found, or more than once; or a line starts with something else.
    """
    lines = text.splitlines()
    places: dict[int, tuple[list[str], list[str]]] = {}
    for hunk in re.split(r"(?m)^@@.*\n", diff):
        marked = [line or " " for line in hunk.splitlines()]
        if odd := next((line for line in marked if line[0] not in " -+"), None):
            raise VariantError(f"{odd!r} in diff should start with -, + or a space")
        old = [line[1:] for line in marked if line[0] != "+"]
        size = len(old)
        found = [i for i in range(len(lines) - size + 1) if lines[i : i + size] == old]
        if len(found) != 1 or not old:
            times = f"occurs {len(found)} times" if found and old else "does not occur"
            raise VariantError(
                f"diff no longer fits: what it replaces, from {old[:1]}, {times} in "
                f"{name}; it must occur once"
            )
        places[found[0]] = old, [line[1:] for line in marked if line[0] != "-"]
    for start in sorted(places, reverse=True):  # what is before it stays in its place
        old, new = places[start]
        lines[start : start + len(old)] = new
    return "\n".join(lines) + "\n"


def _python(text: str, name: str) -> str:
    try:
        compile(text, name, "exec", dont_inherit=True)
    except (SyntaxError, ValueError) as error:
        raise VariantError(f"does not parse: {error}") from error
    return text


def _without_docstring(text: str) -> str:
    """Return a module's text from its first statement on."""
    tree, lines = ast.parse(text), text.splitlines()
    if ast.get_docstring(tree) is not None:
        lines = lines[tree.body[0].end_lineno :]
    return "\n".join(lines).lstrip("\n")


def shown(path: Path) -> str:
    """Return a path below the course: ``variants/…``."""
    below = [*reversed(path.parts)].index("variants")
    return "/".join(path.parts[-below - 1 :])
