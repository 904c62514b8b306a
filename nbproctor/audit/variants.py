"""Variants of an assignment: a teacher's right and wrong solutions.

They are in ``variants/<assignment>/<exercise>/``. Each has an entry in ``right.toml``
or ``wrong.toml``, with its difference from the reference. The entry of a wrong one also
has the symptom that the student's message must name. A right one may also be a file
``right/<name>.py`` with the whole cell. ``equivalent.toml`` says why no test can
distinguish a mutant from the reference. See ``docs/new-assignment.md``.

A right solution must agree with ``oracle.py`` on random inputs. This file is like a
test cell: it may use the names of the notebook and the tools of its hidden tests. It
defines three functions:

- ``inputs(rng)`` returns the arguments of one random example, as a tuple; `rng` is a
  `numpy.random.Generator`.
- ``oracle(*arguments)`` returns the right answer, computed in another way than in the
  reference.
- ``answer(*arguments)`` returns the answer of the solution. It may be left out if the
  exercise is a function with the exercise's name.
"""

from __future__ import annotations

import ast
import copy
import re
import textwrap
import tomllib
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, Literal

import numpy as np

from nbproctor.audit.mutants import mutants
from nbproctor.cells import compile_code, parse_code
from nbproctor.errors import NbproctorError
from nbproctor.expect import expect
from nbproctor.markers import bound_names
from nbproctor.notebook import Cell

REFERENCE: Final = "reference"
Kind = Literal["reference", "right", "wrong", "mutant"]
ROUNDS = 50  # random inputs of an oracle
_NUMERIC = int, float, np.number, np.ndarray


class VariantError(NbproctorError):
    """A variant cannot be read; the message says which, and why."""


@dataclass(frozen=True)
class Trial:
    """A solution of one exercise; its `name` is unique among those of its kind."""

    exercise: str
    kind: Kind
    name: str
    source: str
    location: str = ""
    diff: str = ""
    says: tuple[str, ...] = ()  # if it is wrong: a message must contain one of these
    unnamed: bool = False  # the author knows that no message names its symptom
    announced: str = ""  # words of a comment in a test that warn of the mistake
    equivalent: str = ""  # why no test can distinguish this mutant from the reference
    omission: str = ""  # name of the mutant that leaves out the part with this mistake


@dataclass
class Variants:
    """All solutions to try: references, right and wrong ones, then mutants."""

    trials: list[Trial] = field(default_factory=list)
    oracles: dict[str, Cell] = field(default_factory=dict)  # exercise → test cell
    # Why files were left out, or do not fit the notebook.
    problems: list[str] = field(default_factory=list)

    @classmethod
    def read(cls, folder: Path, references: dict[str, str]) -> Variants:
        """Read ``variants/<assignment>``, which need not exist, and make mutants.

        `references` has the text of each exercise's solution cell.
        """
        variants = cls()
        for exercise, source in references.items():
            reference = Trial(
                exercise=exercise,
                kind="reference",
                name=REFERENCE,
                source=source,
            )
            variants.trials.append(reference)
        for path in sorted(folder.glob("*/")):
            if path.name in references:
                written, problems = read_variants(path, references[path.name])
                variants.trials += written
                variants.problems += problems
                variants._read_oracle(path)
            elif not path.name.startswith((".", "__")):
                variants.problems.append(
                    f"{course_path(path)}: there is no exercise {path.name!r}; the "
                    f"exercises are {', '.join(references)}"
                )
        for exercise, source in references.items():
            variants._make_mutants(folder / exercise, source)
        return variants

    def _read_oracle(self, folder: Path) -> None:
        path = folder / "oracle.py"
        with _noting_problems(self.problems, course_path(path)):
            if path.exists():
                text = _python(path.read_text("utf-8"), str(path))
                self.oracles[folder.name] = oracle_test(folder.name, text)

    def _make_mutants(self, folder: Path, source: str) -> None:
        exercise = folder.name
        reasons = _tables(folder / "equivalent.toml", self.problems)
        try:
            all_mutants = mutants(source)
        except SyntaxError as error:
            self.problems.append(
                f"the solution of {exercise} is not plain Python ({error}), so no "
                "mutants are made of it"
            )
            return
        self.trials += [
            Trial(
                exercise=exercise,
                kind="mutant",
                equivalent=str(reasons.pop(mutant.name, "")),
                **mutant._asdict(),
            )
            for mutant in all_mutants
        ]
        self.problems += [
            f"equivalent.toml of {exercise} lists {name!r}, but there is no such "
            "mutant (any more). Remove the line"
            for name in reasons
        ]


def read_variants(folder: Path, reference: str) -> tuple[list[Trial], list[str]]:
    """Read ``variants/<assignment>/<exercise>``, right ones first.

    `reference` is the text of the solution. Entries change this text, unless they name
    another one with ``of``. Returns the variants, and a sentence with file and reason
    for each one that cannot be read.
    """
    problems: list[str] = []
    variants: list[Trial] = []
    bases = {REFERENCE: reference}
    kinds: tuple[Kind, ...] = "right", "wrong"
    for kind in kinds:
        path = folder / f"{kind}.toml"
        tables = _tables(path, problems)
        of = tables.pop("of", REFERENCE)
        files = {file.stem: file for file in sorted(folder.glob(f"{kind}/*.py"))}
        for name in [*files, *tables]:
            file = files.get(name)
            location = course_path(file) if file else f"{course_path(path)}, {name}"
            with _noting_problems(problems, location):
                table: Any = {"cell": _cell_of(file)} if file else tables[name]
                text = _source(
                    kind=kind,
                    table=table,
                    bases=bases,
                    of=of,
                )
                source = _python(text, name)
                says = table.get("says", ())
                trial = Trial(
                    exercise=folder.name,
                    kind=kind,
                    name=name,
                    source=source,
                    location=location,
                    says=(says,) if isinstance(says, str) else tuple(says),
                    unnamed=table.get("unnamed", False),
                    announced=table.get("announced", ""),
                )
                variants.append(trial)
                if kind == "right":
                    bases[name] = source
    return variants, problems


@contextmanager
def _noting_problems(problems: list[str], location: str) -> Iterator[None]:
    """Add an error to the problems in place of raising it."""
    try:
        yield
    except (OSError, ValueError, VariantError) as error:
        problems.append(f"{location}: {error}")


def _tables(path: Path, problems: list[str]) -> dict[str, Any]:
    """Read a TOML file, which need not exist; add a problem if it cannot be read."""
    with _noting_problems(problems, f"{course_path(path)} cannot be read"):
        if path.exists():
            return tomllib.loads(path.read_text("utf-8"))
    return {}


def _source(
    kind: Kind,
    table: Any,
    bases: dict[str, str],
    of: str,
) -> str:
    """Return the cell that an entry describes, or raise a `VariantError`.

    The entry changes the text `of` one of the `bases`, unless it names another.
    """
    if not isinstance(table, dict) or not table.keys() <= {*KEYS}:
        raise VariantError(f"the keys of an entry are {', '.join(KEYS)}")
    forms = FORMS.keys() & table.keys()
    if len(forms) != 1:
        raise VariantError(f"one of the keys {', '.join(FORMS)} is required")
    is_unnamed = table.get("unnamed", False)
    if kind == "wrong" and bool(table.get("says")) == is_unnamed:
        raise VariantError(
            "needs says = '…', a phrase of the message that names the symptom, or "
            "unnamed = true if no message does, in an entry of wrong.toml"
        )
    of = table.get("of", of)
    (form,) = forms
    if of not in bases and form != "cell":
        raise VariantError(f"changes {of!r}, but there is no such correct variant")
    text = bases.get(of, "").rstrip("\n")
    change = FORMS[form]
    return change(f"{text}\n", table[form], of)


def _with_body(
    text: str,
    body: str,
    _: str,
) -> str:
    """Return a cell whose last function has another body."""
    function = parse_code(text).body[-1]
    if not isinstance(function, ast.FunctionDef):
        raise VariantError(
            "has a body, but the cell that it changes ends in no function"
        )
    first = function.body[0]
    lines = text.splitlines()[: first.lineno - 1]
    lines.append(textwrap.indent(body.strip("\n"), "    "))
    return "\n".join(lines) + "\n"


def apply_diff(
    text: str,
    diff: str,
    name: str = REFERENCE,
) -> str:
    """Return a text, changed by a diff without line numbers.

    Lines of `diff` start with ``-`` (removed), ``+`` (added) or a space (unchanged); a
    line ``@@`` separates two edits. `VariantError`: the removed and unchanged lines of
    an edit do not occur exactly once.
    """
    edits = {}
    for hunk in re.split(r"(?m)^@@.*\n", diff):
        old = ""
        new = ""
        for line in hunk.splitlines():
            mark = line[:1]
            if mark not in " -+":
                raise VariantError(
                    f"{line!r} in diff should start with -, + or a space"
                )
            text_of_line = f"{line[1:]}\n"
            if mark != "+":
                old += text_of_line
            if mark != "-":
                new += text_of_line
        edits[old] = new
    return _replaced(
        text=text,
        edits=edits,
        name=name,
        start="^",
    )


def _replaced(
    text: str,
    edits: Mapping[str, str],
    name: str,
    start: str = "",
) -> str:
    """Replace texts, each of which must occur once; otherwise raise a `VariantError`.

    `start` is a pattern that must match before each of them.
    """
    patterns = []
    for old in edits:
        pattern = start + re.escape(old)
        count = len(re.findall(pattern, text, re.MULTILINE))
        if count != 1 or not old:
            raise VariantError(
                f"no longer fits: the text it replaces, {old!r:.200}, must occur once "
                f"in {name}, but occurs {count} times"
            )
        patterns.append(pattern)
    return re.sub(
        "|".join(patterns),
        lambda match: edits[match[0]],
        text,
        flags=re.MULTILINE,
    )


# Forms of an entry of ``right.toml`` or ``wrong.toml``. Their functions take the text
# that the entry changes, the entry's value, and the name of the text.
FORMS: dict[str, Callable[[str, Any, str], str]] = {
    "edit": _replaced,
    "body": _with_body,
    "diff": apply_diff,
    "cell": lambda _, cell, __: str(cell),
}
KEYS = *FORMS, "of", "says", "unnamed", "announced", "why"


def _python(text: str, name: str) -> str:
    try:
        compile_code(text, name)
    except (SyntaxError, ValueError) as error:
        raise VariantError(f"does not parse: {error}") from error
    return text


def _cell_of(path: Path) -> str:
    """Return the text of a module from its first statement on, without a docstring."""
    text = _python(path.read_text("utf-8"), path.name)
    tree = parse_code(text)
    lines = text.splitlines()
    if ast.get_docstring(tree) is not None:
        lines = lines[tree.body[0].end_lineno :]
    return "\n".join(lines).lstrip("\n")


def course_path(path: Path) -> str:
    """Return a path relative to the course: ``variants/…``."""
    return re.sub(".*/(?=variants/)", "", path.as_posix())


# ---- oracles -------------------------------------------------------------------------


def oracle_test(exercise: str, text: str) -> Cell:
    """Return the test cell of an oracle, whose text is valid Python.

    `VariantError`: it lacks a function.
    """
    defined = bound_names(parse_code(text))
    for name in ("inputs", "oracle"):
        if name not in defined:
            raise VariantError(f"does not define {name}()")
    answer = "answer" if "answer" in defined else exercise
    if not answer.isidentifier():
        raise VariantError(f"does not define answer(), and {exercise!r} is no function")
    source = (
        f"{text}\n\n"
        "from nbproctor.audit.variants import disagreement as _disagreement\n"
        f"_found = _disagreement(inputs, oracle, {answer})\n"
        "assert _found is None, _found\n"
    )
    return Cell(
        id=f"{exercise}: oracle",
        kind="test",
        source=source,
        points=1,
        exercise=exercise,
    )


def disagreement(
    inputs: Callable[[np.random.Generator], Any],
    oracle: Callable[..., Any],
    answer: Callable[..., Any],
) -> str | None:
    """Compare answers on random inputs; return the first difference as a text."""
    for seed in range(ROUNDS):
        try:
            drawn = inputs(np.random.default_rng(seed))
            arguments = drawn if isinstance(drawn, tuple) else (drawn,)
            expected = oracle(*copy.deepcopy(arguments))
        except Exception as error:
            return f"with seed {seed}, the oracle itself raises: {error!r:.200}"
        try:
            actual = answer(*copy.deepcopy(arguments))
            _compare(actual, expected, "the answer")
        except AssertionError as error:
            return f"with seed {seed}, {error}"
        except Exception as error:
            return f"with seed {seed}, it raises: {error!r:.200}"
    return None


def _compare(
    actual: Any,
    expected: Any,
    name: str,
) -> None:
    if isinstance(expected, tuple | list) and isinstance(actual, tuple | list):
        actual = dict(enumerate(actual))
        expected = dict(enumerate(expected))
    if isinstance(expected, Mapping):
        if not isinstance(actual, Mapping) or actual.keys() != expected.keys():
            raise AssertionError(f"{name} should have the entries {list(expected)}")
        for key, right in expected.items():
            _compare(actual[key], right, f"{name}[{key!r}]")
    elif isinstance(expected, _NUMERIC) and not isinstance(expected, bool):
        expect(actual, expected, name)
    elif actual != expected:
        raise AssertionError(f"{name} should be {expected!r:.60}, not {actual!r:.60}")
