"""Variants of an assignment: what a teacher wrote to try its tests.

``variants/<assignment>/<exercise>/`` holds right and wrong solutions (see
`variant_files`); ``oracle.py`` (see `oracle`); and ``equivalent.toml``: name of a
mutant → why no test can tell it from the reference.
"""

from __future__ import annotations

import tomllib
from dataclasses import dataclass, field, replace
from pathlib import Path

from nbproctor.audit import oracle, variant_files
from nbproctor.audit.mutants import mutants
from nbproctor.audit.trials import Trial
from nbproctor.audit.variant_files import Variant, shown


@dataclass
class Variants:
    """All solutions to try, and what is known about each.

    Attributes
    ----------
    trials
        Right and wrong variants, then mutants.
    written
        Exercise, kind and name of a variant → the variant as its author wrote it.
    diffs
        Exercise and name of a mutant → its difference from the reference.
    oracles
        Exercise → text of its oracle.
    equivalent
        Exercise and name of a mutant → why it cannot be caught.
    problems
        Files that are left out, or that contradict the notebook.
    """

    trials: list[Trial] = field(default_factory=list)
    written: dict[tuple[str, str, str], Variant] = field(default_factory=dict)
    diffs: dict[tuple[str, str], str] = field(default_factory=dict)
    oracles: dict[str, str] = field(default_factory=dict)
    equivalent: dict[tuple[str, str], str] = field(default_factory=dict)
    problems: list[str] = field(default_factory=list)

    @classmethod
    def read(cls, folder: Path, references: dict[str, str]) -> Variants:
        """Read ``variants/<assignment>``, which need not exist, and make mutants.

        Parameters
        ----------
        folder
            Where the files lie.
        references
            Exercise → text of its solution cell.
        """
        made = cls()
        for place in sorted(folder.iterdir()) if folder.is_dir() else ():
            if place.is_dir() and not place.name.startswith((".", "__")):
                if place.name in references:
                    made._read_exercise(place, references[place.name])
                else:
                    made.problems.append(
                        f"{shown(place)}: there is no exercise {place.name!r}; the "
                        f"exercises are {', '.join(references)}"
                    )
        for exercise, source in references.items():
            made._make_mutants(exercise, source)
        return made

    def of(self, exercise: str | None) -> Variants:
        """Return these variants, without the trials of exercises other than one."""
        wanted = [t for t in self.trials if exercise in (None, t.exercise)]
        return replace(self, trials=wanted)

    def _read_exercise(self, folder: Path, reference: str) -> None:
        written, problems = variant_files.read(folder, reference)
        self.problems += problems
        for v in written:
            self.trials.append(Trial(folder.name, v.kind, v.name, v.source))
            self.written[folder.name, v.kind, v.name] = v
        if (path := folder / "oracle.py").exists():
            text = self._python(path)
            try:
                if text is not None:
                    oracle.test_cell(folder.name, text)
                    self.oracles[folder.name] = text
            except oracle.OracleError as error:
                self.problems.append(f"{shown(path)}: {error}")
        if (path := folder / "equivalent.toml").exists():
            try:
                reasons = tomllib.loads(path.read_text("utf-8"))
            except (OSError, ValueError) as error:
                self.problems.append(f"{shown(path)} cannot be read: {error}")
                return
            for name, reason in reasons.items():
                self.equivalent[folder.name, name] = str(reason)

    def _python(self, path: Path) -> str | None:
        try:
            text = path.read_text("utf-8")
            compile(text, str(path), "exec", dont_inherit=True)
        except (OSError, SyntaxError, ValueError) as error:
            self.problems.append(f"{shown(path)} does not parse: {error}")
            return None
        return text

    def _make_mutants(self, exercise: str, source: str) -> None:
        try:
            all_mutants = mutants(source)
        except SyntaxError as error:
            self.problems.append(
                f"the solution of {exercise} is not plain Python ({error}), so no "
                "mutants of it are made"
            )
            return
        for mutant in all_mutants:
            self.trials.append(Trial(exercise, "mutant", mutant.name, mutant.source))
            self.diffs[exercise, mutant.name] = mutant.diff
        names = {mutant.name for mutant in all_mutants}
        for filed, name in list(self.equivalent):
            if filed == exercise and name not in names:
                del self.equivalent[filed, name]
                self.problems.append(
                    f"equivalent.toml of {exercise} names {name!r}, but there is no "
                    "such mutant (any more): remove the line"
                )

    def without(self) -> list[str]:
        """Return the exercises that have neither right nor wrong variants."""
        have = {trial.exercise for trial in self.trials if trial.kind != "mutant"}
        every = dict.fromkeys(trial.exercise for trial in self.trials)
        return [exercise for exercise in every if exercise not in have]
