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
    # Test that it did not pass → what that says. Of a mutant, only graded ones where
    # one of these catches it.
    caught: dict[str, str]
    raised: int  # graded tests that it does not pass because it raises an exception
    silent: float  # points lost although its public tests pass
    unannounced: float  # those of them whose test's comment does not warn of it
    disagreement: str  # where it differs from the oracle
    fuzzed: bool  # whether the oracle was asked: it passed all tests
    notes: Sequence[str]  # of processes that hung or died
    untried: Sequence[str]  # its branches that no test enters, if it passes them all

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
        """Judge a trial; `stubs` has the text that students see of each test."""
        failed = [verdict for verdict in verdicts if verdict.outcome != "passed"]
        silent = failed if all(verdict.max_points for verdict in failed) else []
        warns = trial.announced
        untold = [v for v in silent if not warns or warns not in stubs[v.cell_id]]
        return cls(
            **vars(trial),
            lost=_points_lost(failed),
            most=sum(verdict.max_points for verdict in verdicts),
            caught={verdict.cell_id: verdict.message for verdict in failed},
            raised=sum(v.outcome == "error" and v.max_points > 0 for v in failed),
            silent=_points_lost(silent),
            unannounced=_points_lost(untold),
            disagreement=oracle.message if oracle else "",
            fuzzed=oracle is not None,
            notes=notes,
            untried=untried,
        )

    @property
    def fault(self) -> str:
        """Why the audit fails for this entry; empty if it does not."""
        caught = next((f"{test}: {text}" for test, text in self.caught.items()), "")
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
            if self.says and not self.named:
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
    def named(self) -> bool:
        """Whether a message of its tests names its symptom."""
        return bool(self.naming_tests)

    @property
    def naming_tests(self) -> list[str]:
        """Tests whose message names its symptom."""
        tests = self.caught.items()
        return [test for test, text in tests if any(say in text for say in self.says)]

    def lost_tests(self, tests: Iterable[str]) -> list[str]:
        """Return those of the tests that it did not pass."""
        return [test for test in tests if test in self.caught]


@dataclass(frozen=True)
class AuditResult:
    """Result of a whole audit."""

    assignment: str
    tests: dict[str, dict[str, float]]  # exercise → its graded tests → points
    entries: Sequence[Entry]
    checks: Sequence[Check]  # of whole notebooks: master, blank, release
    problems: Sequence[str]  # files that were left out: path and reason
    hints: Sequence[str]  # what a teacher could add
    seconds: float  # that it took

    @property
    def faults(self) -> list[str]:
        """Everything for which the audit fails, in words."""
        faults = [*self.problems]
        for entry in self.entries:
            fault = entry.fault
            if fault:
                faults.append(f"{entry.place or entry.exercise}: {fault}")
        for check in self.checks:
            if not check.passed:
                faults.append(f"{check.name}: {check.found}")
        return faults

    @property
    def survivors(self) -> list[Entry]:
        """Mutants that no test catches and that are not listed as equivalent."""
        return [entry for entry in self.entries if entry.survives]

    @property
    def killed(self) -> float:
        """Share of mutants that are caught, without those listed as equivalent."""
        mutants = [e for e in self._of_kind("mutant") if not e.equivalent]
        return 1 - _mean([entry.survives for entry in mutants])

    @property
    def named(self) -> float:
        """Share of the wrong variants that get the message naming their symptom."""
        return _mean([entry.named for entry in self._of_kind("wrong")] or [1.0])

    @property
    def silent(self) -> list[Entry]:
        """Wrong variants that lose points although their public tests pass."""
        return [entry for entry in self._of_kind("wrong") if entry.silent]

    def _of_kind(self, kind: str, exercise: str = "") -> list[Entry]:
        """Return the entries of a kind, of all exercises unless one is named."""
        return [
            entry
            for entry in self.entries
            if entry.kind == kind and exercise in ("", entry.exercise)
        ]

    def prices(self) -> Iterator[dict[str, Any]]:
        """Yield each graded test with its points and the incorrect solutions it costs.

        One mistake should cost the test that names it, and no other.
        """
        for exercise, tests in self.tests.items():
            wrong = self._of_kind("wrong", exercise)
            for test, points in tests.items():
                losing = [entry for entry in wrong if test in entry.caught]
                alone = [entry for entry in losing if entry.lost_tests(tests) == [test]]
                unnamed = 0  # another test names their symptom
                for entry in losing:
                    naming_tests = tests.keys() & entry.naming_tests
                    if naming_tests and test not in naming_tests:
                        unnamed += 1
                yield {
                    "exercise": exercise,
                    "test": test,
                    "points": points,
                    "lost": len(losing),
                    "alone": len(alone),
                    "unnamed": unnamed,
                }

    def raising(self) -> Iterator[dict[str, Any]]:
        """Yield what mutants cost that raise an exception in some tests, not in all.

        With the average of mutants of the same parts of the answer that do not raise,
        and of answers without these parts. Those that cost more than the part are
        ``"dear"``, by name.
        """
        for exercise, tests in self.tests.items():
            mutants = self._of_kind("mutant", exercise)
            lost = {entry.name: entry.lost for entry in mutants}
            raising = [
                entry
                for entry in mutants
                if 0 < entry.raised < len(tests) and entry.omission in lost
            ]
            omissions = [entry.omission for entry in raising]
            like = [
                entry.lost
                for entry in mutants
                if entry.omission in omissions and entry.lost and not entry.raised
            ]
            yield {
                "exercise": exercise,
                "points": sum(tests.values()),
                "raising": _mean([entry.lost for entry in raising]),
                "like": _mean(like),
                "omission": _mean([lost[name] for name in omissions]),
                "dear": {
                    e.name: f"{e.lost:g} points, and {lost[e.omission]:g} without it"
                    for e in raising
                    if e.lost > lost[e.omission]
                },
            }

    def counts(self) -> Iterator[dict[str, Any]]:
        """Yield the summary of each exercise."""
        for exercise, tests in self.tests.items():
            right = self._of_kind("right", exercise)
            wrong = self._of_kind("wrong", exercise)
            mutants = self._of_kind("mutant", exercise)
            lost = [entry.lost_tests(tests) for entry in wrong + mutants]
            # They catch nothing that another does not.
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
                "named": sum(e.named for e in wrong),
                "silent": sum(e.silent for e in wrong),
                "idle": idle,
            }


def _mean(values: Sequence[float]) -> float:
    if not values:
        return 0.0
    return fmean(values)


def _points_lost(verdicts: Sequence[Verdict]) -> float:
    return sum(verdict.max_points - verdict.points for verdict in verdicts)


def write(result: AuditResult, folder: Path) -> tuple[Path, Path]:
    """Write ``<assignment>.html`` and ``<assignment>.json``; return their paths."""
    html = folder / f"{result.assignment}.html"
    data = folder / f"{result.assignment}.json"
    counts = [*result.counts()]
    write_file(html, render("audit.html", result=result, counts=counts))
    content = asdict(result) | {
        "faults": result.faults,
        "killed": result.killed,
        "named": result.named,
        "silent": sum(entry.silent for entry in result.silent),
        "summary": counts,
        "prices": [*result.prices()],
        "raising": [*result.raising()],
    }
    write_json(data, content)
    return html, data


def lines(result: AuditResult) -> list[str]:
    """Return what to print: the summary, then everything to act upon."""
    text = render("audit.txt", result=result, counts=[*result.counts()])
    return text.rstrip("\n").split("\n")
