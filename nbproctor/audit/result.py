"""Result of an audit: every solution on trial, and what follows from it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from statistics import fmean
from typing import Any

from nbproctor.audit.variants import Trial
from nbproctor.results import Check, Verdict
from nbproctor.templates import render
from nbproctor.writing import write_file, write_json

# Points that may be lost without a public test or a comment that warns of it.
MAX_SILENT_POINTS = 2.0


@dataclass(frozen=True, kw_only=True)
class Entry(Trial):
    """One solution of one exercise, and how its trial ended."""

    lost: float  # of `most` points
    most: float
    # Test that it fails → the message. If a graded test catches a mutant, its public
    # tests are not tried.
    caught: dict[str, str]
    raised: int  # number of graded tests that fail because it raises an exception
    silent: float  # points lost although all public tests pass
    unannounced: float  # those of them that no comment of a test warns of
    disagreement: str  # first difference from the oracle
    fuzzed: bool  # whether the oracle ran, because all tests passed
    notes: Sequence[str]  # on processes that hung or died
    untried: Sequence[str]  # branches that no test enters, if all tests pass

    @classmethod
    def from_trial(
        cls,
        trial: Trial,
        verdicts: Sequence[Verdict],
        stubs: Mapping[str, str],
        oracle: Verdict | None = None,
        notes: Sequence[str] = (),
        untried: Sequence[str] = (),
    ) -> Entry:
        """Judge a trial; `stubs` has the text of each test that students see."""
        failed = [verdict for verdict in verdicts if verdict.outcome != "passed"]
        silent = failed if all(verdict.max_points for verdict in failed) else []
        warning = trial.announced
        unannounced = [
            v for v in silent if not warning or warning not in stubs[v.cell_id]
        ]
        return cls(
            **vars(trial),
            lost=_points_lost(failed),
            most=sum(verdict.max_points for verdict in verdicts),
            caught={verdict.cell_id: verdict.message for verdict in failed},
            raised=sum(v.outcome == "error" and v.max_points > 0 for v in failed),
            silent=_points_lost(silent),
            unannounced=_points_lost(unannounced),
            disagreement=oracle.message if oracle else "",
            fuzzed=bool(oracle),
            notes=notes,
            untried=untried,
        )

    @property
    def fault(self) -> str:
        """Why the audit fails for this entry; empty if it does not."""
        messages = [f"{test}: {message}" for test, message in self.caught.items()]
        caught = messages[0] if messages else ""
        if self.kind in ("right", "reference"):
            if self.lost:
                return f"loses {self.lost:g} of {self.most:g} points ({caught})"
            if self.caught:
                return f"fails a public test ({caught})"
            if self.disagreement:
                return f"disagrees with the oracle: {self.disagreement}"
        elif self.caught and not self.lost:
            return f"fails a public test, but keeps full points ({caught})"
        elif self.kind == "wrong":
            if not self.lost:
                return "keeps full points"
            if self.says and not self.naming_tests:
                expected = " or ".join(self.says)
                return f"its message should contain {expected!r}, but is {caught}"
            if self.unannounced > MAX_SILENT_POINTS:
                return (
                    f"loses {self.unannounced:g} points silently: its public test "
                    f"passes, and no comment mentions the problem ({caught})"
                )
        elif self.equivalent and self.lost:
            return f"is listed as equivalent, but {caught}"
        elif self.equivalent and self.disagreement:
            return f"is listed as equivalent, but differs: {self.disagreement}"
        return ""

    @property
    def survives(self) -> bool:
        """Whether it is a mutant with full marks that is not listed as equivalent."""
        return self.kind == "mutant" and not self.lost and not self.equivalent

    @property
    def naming_tests(self) -> list[str]:
        """Tests whose message names its symptom."""
        return [
            test
            for test, message in self.caught.items()
            if any(phrase in message for phrase in self.says)
        ]

    def lost_tests(self, tests: Iterable[str]) -> list[str]:
        """Return those of the tests that it fails."""
        return [test for test in tests if test in self.caught]


@dataclass(frozen=True)
class AuditResult:
    """Result of a whole audit."""

    assignment: str
    tests: dict[str, dict[str, float]]  # exercise → its graded tests → points
    entries: Sequence[Entry]
    checks: Sequence[Check]  # of whole notebooks: master, blank, release
    problems: Sequence[str]  # paths of files that were left out, with the reason
    hints: Sequence[str]  # on solutions and tests that a teacher could add
    seconds: float  # duration of the audit

    @property
    def faults(self) -> list[str]:
        """All reasons for which the audit fails, as sentences."""
        return [
            *self.problems,
            *(
                f"{e.location or e.exercise}: {e.fault}"
                for e in self.entries
                if e.fault
            ),
            *(f"{c.name}: {c.finding}" for c in self.checks if not c.passed),
        ]

    @property
    def survivors(self) -> list[Entry]:
        """Mutants that no test catches and that are not listed as equivalent."""
        return [entry for entry in self.entries if entry.survives]

    @property
    def killed(self) -> float:
        """Share of mutants that are caught, from 0 to 1, without equivalent ones."""
        mutants = [e for e in self._of_kind("mutant") if not e.equivalent]
        return 1 - fmean([entry.survives for entry in mutants] or [0.0])

    @property
    def named(self) -> float:
        """Share of wrong variants whose message names the symptom; 1 without any."""
        wrong = self._of_kind("wrong")
        return fmean([bool(entry.naming_tests) for entry in wrong] or [1.0])

    @property
    def silent(self) -> list[Entry]:
        """Wrong variants that lose points although their public tests pass."""
        return [entry for entry in self._of_kind("wrong") if entry.silent]

    def _of_kind(self, kind: str, exercise: str = "") -> list[Entry]:
        """Return the entries of a kind, of one exercise or of all."""
        return [
            entry
            for entry in self.entries
            if entry.kind == kind and exercise in ("", entry.exercise)
        ]

    def prices(self) -> Iterator[dict[str, Any]]:
        """Yield, for each graded test, its points and the wrong variants that lose it.

        A mistake should lose the points of the test that names it, and of no other.
        """
        for exercise, tests in self.tests.items():
            wrong = self._of_kind("wrong", exercise)
            for test, points in tests.items():
                losing = [entry for entry in wrong if test in entry.caught]
                alone = [entry for entry in losing if entry.lost_tests(tests) == [test]]
                naming = [tests.keys() & entry.naming_tests for entry in losing]
                only_others_name = [names and test not in names for names in naming]
                yield {
                    "exercise": exercise,
                    "test": test,
                    "points": points,
                    "lost": len(losing),
                    "alone": len(alone),
                    "unnamed": sum(map(bool, only_others_name)),
                }

    def too_dear(self) -> Iterator[str]:
        """Yield mutants that raise an exception and lose more than the omission.

        They raise in some tests, but not in all. The omission leaves out the part of
        the answer that has the mistake.
        """
        for exercise, tests in self.tests.items():
            mutants = self._of_kind("mutant", exercise)
            lost = {entry.name: entry.lost for entry in mutants}
            for entry in mutants:
                without = lost.get(entry.omission, entry.lost)
                raises_in_some = 0 < entry.raised < len(tests)
                if raises_in_some and entry.lost > without:
                    yield (
                        f"{exercise}: {entry.name} raises an exception and costs more "
                        f"than the part that it is in: {entry.lost:g} points, and "
                        f"{without:g} without it"
                    )

    def counts(self) -> Iterator[dict[str, Any]]:
        """Yield the summary of each exercise."""
        for exercise, tests in self.tests.items():
            right = self._of_kind("right", exercise)
            wrong = self._of_kind("wrong", exercise)
            mutants = self._of_kind("mutant", exercise)
            lost = [entry.lost_tests(tests) for entry in wrong + mutants]
            # Tests that catch nothing that the other tests miss.
            idle = [test for test in tests if lost and [test] not in lost]
            yield {
                "exercise": exercise,
                "right": len(right),
                "unfair": sum(bool(e.fault) for e in right),
                "wrong": len(wrong),
                "missed": sum(bool(e.fault) for e in wrong),
                "mutants": len(mutants),
                "survivors": sum(e.survives for e in mutants),
                "equivalent": sum(bool(e.equivalent) for e in mutants),
                "named": sum(bool(e.naming_tests) for e in wrong),
                "silent": sum(e.silent for e in wrong),
                "idle": idle,
            }


def _points_lost(verdicts: Sequence[Verdict]) -> float:
    return sum(verdict.max_points - verdict.points for verdict in verdicts)


def write(result: AuditResult, folder: Path) -> tuple[Path, Path]:
    """Write ``<assignment>.html`` and ``<assignment>.json``; return their paths."""
    html = folder / f"{result.assignment}.html"
    data = folder / f"{result.assignment}.json"
    counts = [*result.counts()]
    page = render(
        "audit.html",
        result=result,
        counts=counts,
    )
    write_file(html, page)
    content = asdict(result) | {
        "faults": result.faults,
        "killed": result.killed,
        "named": result.named,
        "silent": sum(entry.silent for entry in result.silent),
        "summary": counts,
        "prices": [*result.prices()],
        "too_dear": [*result.too_dear()],
    }
    write_json(data, content)
    return html, data


def lines(result: AuditResult) -> list[str]:
    """Return what to print: the summary, then everything to act upon."""
    text = render(
        "audit.txt",
        result=result,
        counts=[*result.counts()],
    )
    return text.rstrip("\n").split("\n")
