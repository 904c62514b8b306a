"""Result of an audit: every solution on trial, and what follows from it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from nbproctor.audit.trials import Kind
from nbproctor.results import Check

# Points that may be lost without a public test or a comment that warns of it.
SILENCE = 2.0


@dataclass(frozen=True)
class Entry:
    """One solution of one exercise, and its result.

    Attributes
    ----------
    exercise, kind, name
        Identify the solution; the name of a mutant says what was changed.
    place
        File and entry in which it is written; empty for a mutant.
    diff
        Of a mutant: its difference from the reference.
    lost, most
        Points lost, and those of the exercise.
    caught
        Test → what it says; of a mutant only graded tests.
    says
        Phrases of which a message must hold one, so that it names the symptom.
    unnamed
        Whether it is filed that no message names the symptom.
    silent
        Points lost although its public tests pass.
    unannounced
        Those of them that were lost in cells whose comment does not warn of it.
    disagreement
        Where a solution with full marks differs from the oracle.
    fuzzed
        Whether it was compared with an oracle.
    equivalent
        Why no test can catch this mutant.
    notes
        Processes that hung or died.
    """

    exercise: str
    kind: Kind
    name: str
    place: str
    diff: str
    lost: float
    most: float
    caught: dict[str, str]
    says: tuple[str, ...]
    unnamed: bool
    silent: float
    unannounced: float
    disagreement: str
    fuzzed: bool
    equivalent: str
    notes: tuple[str, ...]

    @property
    def fault(self) -> str:
        """Why the audit fails for this entry; empty if it does not."""
        said = next((f"{test}: {text}" for test, text in self.caught.items()), "")
        match self.kind:
            case "right" | "reference" if self.lost:
                return f"loses {self.lost:g} of {self.most:g} points ({said})"
            case "right" | "reference" if self.caught:
                return f"fails a public test ({said})"
            case "right" | "reference" if self.disagreement:
                return f"disagrees with the oracle: {self.disagreement}"
            case "wrong" if not self.lost:
                return "keeps full marks"
            case "wrong" if self.says and not self.named:
                return f"should be told {' or '.join(self.says)!r}, but is told {said}"
            case "wrong" if self.unannounced > SILENCE:
                return (
                    f"loses {self.unannounced:g} points in silence: its public test "
                    f"passes, and no comment tells of it ({said})"
                )
            case "mutant" if self.equivalent and self.lost:
                return f"is filed as equivalent, but {said}"
            case "mutant" if self.equivalent and self.disagreement:
                return f"is filed as equivalent, but differs: {self.disagreement}"
        return ""

    @property
    def survives(self) -> bool:
        """Whether this is a mutant that keeps full marks and is not filed."""
        return self.kind == "mutant" and not self.lost and not self.equivalent

    @property
    def named(self) -> bool:
        """Whether a message of its tests names its symptom."""
        return any(say in text for text in self.caught.values() for say in self.says)


@dataclass(frozen=True)
class Count:
    """One line of the summary."""

    exercise: str
    right: int
    unfair: int
    wrong: int
    missed: int
    mutants: int
    survivors: int
    equivalent: int
    named: int
    silent: float
    idle: tuple[str, ...]


@dataclass(frozen=True)
class AuditResult:
    """Result of a whole audit.

    Attributes
    ----------
    assignment
        Its name.
    tests
        Exercise → its graded tests.
    entries
        Every solution that was on trial.
    checks
        Checks of whole notebooks: master, blank, release.
    problems
        Files that were left out, each with its path and the reason.
    hints
        What a teacher could add.
    seconds
        How long it took.
    """

    assignment: str
    tests: dict[str, tuple[str, ...]]
    entries: tuple[Entry, ...]
    checks: tuple[Check, ...]
    problems: tuple[str, ...]
    hints: tuple[str, ...]
    seconds: float

    @property
    def faults(self) -> list[str]:
        """Everything for which the audit fails, in words."""
        found = [f"{e.place or e.exercise}: {e.fault}" for e in self.entries if e.fault]
        found += [f"{c.name}: {c.found}" for c in self.checks if not c.passed]
        return [*self.problems, *found]

    @property
    def survivors(self) -> list[Entry]:
        """Mutants that no test catches and nobody has filed."""
        return [entry for entry in self.entries if entry.survives]

    @property
    def killed(self) -> float:
        """Share of the mutants that are not filed as equivalent and are caught."""
        mutants = [e for e in self.entries if e.kind == "mutant" and not e.equivalent]
        return 1 - len(self.survivors) / len(mutants) if mutants else 1.0

    @property
    def named(self) -> float:
        """Share of the wrong variants that get the message naming their symptom."""
        wrong = [entry for entry in self.entries if entry.kind == "wrong"]
        return sum(e.named for e in wrong) / len(wrong) if wrong else 1.0

    @property
    def silent(self) -> list[Entry]:
        """Wrong variants that lose points although their public tests pass."""
        return [e for e in self.entries if e.kind == "wrong" and e.silent]

    def idle(self, exercise: str) -> tuple[str, ...]:
        """Return tests of an exercise that catch nothing that another does not."""
        graded = {*self.tests[exercise]}
        needed = {
            test
            for entry in self.entries
            if entry.exercise == exercise
            and entry.kind in ("wrong", "mutant")
            and len(graded & entry.caught.keys()) == 1
            for test in entry.caught
        }
        return tuple(test for test in self.tests[exercise] if test not in needed)

    def counts(self) -> Iterator[Count]:
        """Yield the summary, a line an exercise."""
        for exercise in self.tests:
            own = [entry for entry in self.entries if entry.exercise == exercise]
            right = [e for e in own if e.kind == "right"]
            wrong = [e for e in own if e.kind == "wrong"]
            mutants = [e for e in own if e.kind == "mutant"]
            yield Count(
                exercise,
                len(right),
                sum(bool(e.fault) for e in right),
                len(wrong),
                sum(bool(e.fault) for e in wrong),
                len(mutants),
                sum(e.survives for e in mutants),
                sum(bool(e.equivalent) for e in mutants),
                sum(e.named for e in wrong),
                sum(e.silent for e in wrong),
                self.idle(exercise) if wrong or mutants else (),
            )
