"""What `nbproctor audit` promises a teacher."""

from __future__ import annotations

import re
import shutil
from collections import Counter
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from nbproctor.audit import result as matrix
from nbproctor.audit import trials
from nbproctor.audit.audit import AuditError, AuditResult, audit
from nbproctor.audit.result import Entry
from nbproctor.audit.trials import TrialBatch
from nbproctor.audit.variants import Kind, Trial, Variants, disagreement
from nbproctor.expect import recording
from nbproctor.nbgrader import Course
from nbproctor.results import Verdict
from tests.copies import write_file
from tests.notebooks import find_cell, modules_beside, parts, read_json

NOTEBOOK = "source/tiny/tiny.ipynb"
NUMBER = r"(?<![\w.])\d+(?:\.\d+)?(?:e-?\d+)?(?!\w)"
# Numbers that tell where or how many, and code that the student wrote.
HARMLESS = [
    r"`[^`]*`",
    r"\([\d, ]*\)",
    r"\[[\d, ]*\]",
    r"\d+ of \d+ (entries|are bad)",
    r"(rows?|columns?|index|line|dim|size|axis|dimension|operand) [\d, ]+",
    r"found \d+",
    r"for \d+ labels",  # it follows the numbers in an answer
]


@pytest.fixture
def tiny(project: Path, tmp_path: Path) -> Path:
    """A copy of the example course."""
    return shutil.copytree(project / "examples/tiny", tmp_path / "course")


def tried(course: Path, name: str = "tiny", *options: Any, **more: Any) -> AuditResult:
    """Audit an assignment as `nbproctor audit` does."""
    of = Course(course, name)
    folders = of.folder("source"), course / "variants" / name
    return audit(of.masters, of.settings(), *folders, *options, **more)


def change(notebook: Path, changes: dict[str, str]) -> None:
    """Replace texts in a file."""
    text = notebook.read_text("utf-8")
    for old, new in changes.items():
        assert old in text
        text = text.replace(old, new)
    notebook.write_text(text, "utf-8")


def entry(
    result: AuditResult,
    exercise: str,
    kind: str,
    name: str,
) -> Entry:
    key = exercise, kind, name
    return next(e for e in result.entries if (e.exercise, e.kind, e.name) == key)


# --- the example ----------------------------------------------------------------------


@pytest.mark.slow
def test_the_tiny_example_is_fair_and_strict(tiny, tmp_path):
    from nbproctor import nbgrader

    progress = []
    checks = nbgrader.check_release(nbgrader.Course(tiny, "tiny"))
    result = tried(tiny, checks=checks, progress=progress.append)
    assert result.faults == [] and result.hints == []
    assert result.killed == 1 and result.survivors == []
    assert {c.name: c.passed for c in result.checks} == dict.fromkeys(
        ("source", "release is clean", "master", "blank"), True
    )
    assert len(progress) >= len(result.entries) > 20
    assert entry(result, "fizz", "right", "if_and_else").fuzzed
    html, data = matrix.write(result, tmp_path / "audit")
    assert read_json(data)["killed"] == 1
    page = html.read_text("utf-8")
    assert "returns_the_number" in page and "<script" not in page
    assert not (tiny / "release").exists() and not (tiny / "gradebook.db").exists()


@pytest.mark.slow
def test_one_exercise_is_tried_alone_and_an_old_or_unclean_release_is_a_fault(tiny):
    from nbproctor import nbgrader

    nbgrader.generate(tiny, "tiny")
    course = nbgrader.Course(tiny, "tiny")
    assert all(check.passed for check in nbgrader.check_release(course))
    change(tiny / NOTEBOOK, {'"kernelspec"': '"title": "BEGIN SOLUTION", "kernelspec"'})
    checks = nbgrader.check_release(nbgrader.Course(tiny, "tiny"))
    progress = []
    result = tried(tiny, "tiny", checks, progress.append, exercise="mean_of")
    unclean, old = result.faults
    assert unclean == "release is clean: found ['BEGIN SOLUTION']"
    assert "does not match the source" in old
    assert {e.exercise for e in result.entries} == {*result.tests} == {"mean_of"}
    assert {e.kind for e in result.entries} == {"reference", "right", "wrong", "mutant"}
    assert {trial.exercise for trial in progress} == {"mean_of"}


BAD_FILES = """
--- fizz/right/loses.py
def fizz(n):
    return 'fizz'
--- fizz/right/only_small_numbers.py
def fizz(n):
    return 'fizz' if n % 3 == 0 or n > 99 else str(n)
--- fizz/right/warns.py
import warnings
def fizz(n):
    warnings.warn("no error, however the audit is started")
    return str(n) if n % 3 else "fizz"
--- nothing/right/lost.py
x = 1
--- mean_of/oracle.py
def inputs(rng):
    return ([1.0],)
--- fizz/equivalent.toml
"fizz: gone" = "old"
"fizz: operator: n % 3 → n // 3" = "a lie"
"""
# Waiting costs no time of the processor.
BAD_ENTRIES = """
[hangs_at_once]
why = "To see."
unnamed = true
cell = "import time; time.sleep(100)"

[dies]
why = "To see."
unnamed = true
cell = '''
def fizz(n):
    import os; os._exit(0)
'''

[is_right]
why = "To see."
unnamed = true
cell = '''
def fizz(n):
    return [str(n), "fizz"][n % 3 == 0]
'''

[no_python]
why = "To see."
unnamed = true
cell = "def fizz(n) return n"

[silent]
why = "To see."
unnamed = true
cell = '''
def fizz(n):
    return "fizz" if n in (3, 6) else str(n)
'''

[announced]
why = "To see."
unnamed = true
announced = "zero and negative ones"
cell = '''
def fizz(n):
    return "fizz" if n in (3, 6) else str(n)
'''

[announced_elsewhere]
why = "To see."
unnamed = true
announced = "three does not"
cell = '''
def fizz(n):
    return "fizz" if n in (3, 6) else str(n)
'''

[slow]
why = "To see."
unnamed = true
cell = '''
import time
def fizz(n):
    end = time.process_time() + 0.1 * (n == 1)
    while time.process_time() < end: pass
    return 'fizz' if n % 3 == 0 else str(n)
'''

[untold]
why = "To see."
says = "is upside down"
cell = '''
def fizz(n):
    return n
'''
"""


# A test that measures the processor's time.
QUICK = (
    "import time; t = time.process_time(); fizz(1); "
    "assert time.process_time() < t + 0.06"
)
SILENCE = "loses 3 points silently: its public test passes, and no comment"
FAULTS = [
    "fizz/right/loses.py: loses 2 of 5 points (fizz-numbers: ",
    "fizz/right/only_small_numbers.py: disagrees with the oracle",
    "fizz/wrong.toml, is_right: keeps full points",
    "fizz/wrong.toml, no_python: does not parse",
    "nothing: there is no exercise 'nothing'",
    "mean_of/oracle.py: does not define oracle()",
    "lists 'fizz: gone', but there is no such mutant",
    "fizz: is listed as equivalent, but fizz-",
    f"fizz/wrong.toml, silent: {SILENCE}",
    f"fizz/wrong.toml, announced_elsewhere: {SILENCE}",
    "fizz/wrong.toml, untold: its message should contain 'is upside down', but is "
    "fizz-public: fizz(3) should be",
]


@pytest.fixture(scope="module")
def troubled(project: Path, tmp_path_factory: pytest.TempPathFactory) -> AuditResult:
    """The audit of a course with bad files of every kind."""
    folder = tmp_path_factory.mktemp("troubled")
    tiny = shutil.copytree(project / "examples/tiny", folder / "course")
    for (name,), text in parts(BAD_FILES):
        write_file(tiny / "variants/tiny" / name, text)
    with (tiny / "variants/tiny/fizz/wrong.toml").open("a", encoding="utf-8") as file:
        file.write(BAD_ENTRIES)
    change(tiny / NOTEBOOK, {'assert fizz(-4) == \\"-4\\"': QUICK})
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PYTHONWARNINGS", "error")
        return tried(tiny)


@pytest.mark.slow
def test_every_bad_file_is_named_and_the_audit_goes_on(troubled):
    faults = "\n".join(troubled.faults)
    for expected in FAULTS:
        assert expected in faults
    assert len(troubled.faults) == len(FAULTS), faults
    hung = entry(troubled, "fizz", "wrong", "hangs_at_once")
    assert hung.lost == 5 and "did not finish" in hung.notes[0]
    dead = entry(troubled, "fizz", "wrong", "dies")
    assert "ended the Python process" in dead.notes[0]
    assert "fizz/wrong.toml, hangs_at_once: " in "\n".join(matrix.lines(troubled))
    assert entry(troubled, "mean_of", "right", "fmean").lost == 0


@pytest.mark.slow
def test_processor_time_is_measured_as_in_grading(troubled):
    assert entry(troubled, "fizz", "wrong", "slow").lost == 2


@pytest.mark.slow
def test_what_is_lost_in_silence_is_listed_and_summed_announced_or_not(troubled):
    lost = {e.name: e.silent for e in troubled.silent}
    assert (lost["silent"], lost["announced"], lost["whole_division"]) == (3, 3, 2)
    printed = "\n".join(matrix.lines(troubled))
    silent = "Silent: variants/tiny/fizz/wrong.toml, announced loses 3 points"
    assert f"{silent} (fizz-multiples)" in printed
    assert "Unnamed: no message names the symptom of" in printed


def tried_entry(
    kind: Kind, name: str, omission: str, *messages: str, points: float = 2
) -> Entry:
    """Make an entry of an exercise with the tests 0, 1 and 2, each of some points."""
    failed = [
        Verdict(
            cell_id=f"{number}",
            exercise="sort",
            points=0,
            max_points=points,
            outcome="error" if "raised" in message else "failed",
            message=message,
        )
        for number, message in enumerate(messages)
        if message
    ]
    trial = Trial("sort", kind, name, "", says=("falls",), omission=omission)
    return Entry.from_trial(trial, failed, {})


def test_the_audit_reports_mistakes_that_cost_more_than_their_property():
    """A mistake named by one test costs another, and one that raises is too dear."""
    entries = (
        tried_entry("wrong", "falling", "", "it falls", "it is not sorted"),
        tried_entry("wrong", "unnamed", "", "it is odd", "it is not sorted"),
        tried_entry("mutant", "without", "", "it is None"),
        tried_entry("mutant", "dear", "without", "it raised", "it raised"),
        tried_entry("mutant", "cheap", "without", "it raised"),
        tried_entry("mutant", "like", "without", "it is odd", "it is not sorted"),
        tried_entry("mutant", "broken", "without", *["it raised"] * 3),
        tried_entry("right", "other", "", "", "", "it is slow"),
    )
    result = AuditResult(
        assignment="tiny",
        tests={"sort": dict.fromkeys("012", 2.0)},
        entries=entries,
        checks=(),
        problems=(),
        hints=(),
        seconds=0.0,
    )
    unnamed = {price["test"]: price["unnamed"] for price in result.prices()}
    assert unnamed == {
        "0": 0,
        "1": 1,
        "2": 0,
    }
    (sentence,) = result.too_dear()
    assert sentence.endswith("4 points, and 2 without it")
    printed = "\n".join(matrix.lines(result))
    assert "Price: sort: dear raises an exception and costs more" in printed
    assert "Price: 1 (2 points) is lost by 1 incorrect solution" in printed
    assert "sort: these tests catch nothing that other tests miss: 1, 2\n" in printed


@pytest.mark.slow
def test_without_variants_there_are_mutants_and_a_hint(tiny):
    shutil.rmtree(tiny / "variants")
    result = tried(tiny, exercise="fizz")
    assert {e.kind for e in result.entries} == {"reference", "mutant"}
    assert result.faults == []
    assert "put correct ones into" in result.hints[0]
    zeroed, survivor = result.survivors
    assert zeroed.name == "fizz: arguments zeroed"
    assert survivor.name == "fizz: sign flipped: n % 3 → -(n % 3)"
    assert "+    return 'fizz' if -(n % 3) == 0 else str(n)" in survivor.diff
    assert survivor.diff in "\n".join(matrix.lines(result))


@pytest.mark.slow
def test_a_weak_test_lets_a_mutant_survive_and_a_blank_earn_points(tiny):
    changes = {
        "assert mean_of(numbers) == 2": "mean_of",
        '(0, -3, 9)] == [\\"fizz\\"] * 3': '(0, 3)] == [\\"fizz\\"] * 2',
        "n % 3 == 0 else": "n % 3 == 0 and n >= 0 else",
    }
    change(tiny / NOTEBOOK, changes)
    result = tried(tiny, exercise="fizz")
    assert any(f.startswith("blank: 2 of 10 points") for f in result.faults)
    wrong = [e for e in result.survivors if e.name.endswith("n >= 0 → n % 3 == 0")]
    assert wrong and result.killed < 1
    # The oracle knows what the tests do not: here the reference itself is wrong.
    assert any("reference" in e.kind and e.disagreement for e in result.entries)


@pytest.mark.slow
def test_what_cannot_be_audited_is_named(tiny):
    with pytest.raises(AuditError, match=r"no exercise 'means'.* fizz, mean_of"):
        tried(tiny, exercise="means")
    change(tiny / NOTEBOOK, {"import Fraction": "import Friction"})
    with pytest.raises(AuditError, match=r"the cell setup of .* fails: ImportError"):
        tried(tiny)


@pytest.mark.parametrize("kind", ["wrong", "mutant"])
def test_what_fails_a_public_test_has_to_lose_a_point(kind):
    losing_none = tried_entry(kind, "a", "", "found 2.6", points=0)
    assert losing_none.fault.startswith("fails a public test, but keeps full points")
    assert tried_entry(kind, "a", "").fault == "keeps full points" * (kind == "wrong")


# --- equivalence fuzzing --------------------------------------------------------------


def gives(value):
    return lambda *arguments: value


def twice(x, options):
    return {"y": np.array([options["scale"] * v for v in x])}


def twice_in_place(x, options):
    x *= options["scale"]
    return {"y": x}


@pytest.mark.parametrize(
    ("oracle", "answer", "message"),
    [
        (twice, twice_in_place, ""),
        (gives([1, 2]), gives((1.0, 2.0)), ""),
        (twice, lambda x, _: {"y": abs(2 * x)}, "with seed 0, the answer['y']"),
        (twice, lambda x, _: {"y": x / "2"}, "raises"),
        (lambda *_: 1 / 0, twice, "the oracle itself raises: ZeroDivisionError"),
        (gives("3"), gives(3), "the answer"),
        (gives((1, 2)), gives([1.0]), "the answer"),
        (gives({"b": 1}), gives({"a": 1}), "the answer"),
        (gives(1.0), gives(None), "the answer"),
        (gives("3"), gives("3"), ""),
        (gives(None), gives(None), ""),
    ],
)
def test_fuzzing_finds_the_first_difference_and_hands_out_copies(
    oracle,
    answer,
    message,
):
    def inputs(rng):
        return rng.normal(size=3), {"scale": 2.0}

    difference = disagreement(inputs, oracle, answer)
    assert message in difference if message else difference is None


# --- the lab --------------------------------------------------------------------------


# Of each kind of solutions of an exercise, one in so many.
SHARE = {
    "reference": 1,
    "right": 10,
    "wrong": 20,
    "mutant": 40,
}


def sample_of(trials: list[Trial]) -> list[Trial]:
    """Return of each exercise's right and wrong variants and mutants every so many."""
    counts = Counter()
    chosen = []
    for trial in trials:
        key = trial.exercise, trial.kind
        if not counts[key] % SHARE[trial.kind]:
            chosen.append(trial)
        counts[key] += 1
    return chosen


@pytest.fixture(scope="module")
def lab(project: Path) -> AuditResult:
    """A sample of all solutions, on ten inputs each: `kit.py audit` tries the rest."""

    def fewer(folder: Path, references: dict[str, str]) -> Variants:
        assignment = read(folder, references)
        assignment.trials = sample_of(assignment.trials)
        few = "from nbproctor.audit import variants\nvariants.ROUNDS = 10\n"
        for exercise, cell in assignment.oracles.items():
            assignment.oracles[exercise] = replace(cell, source=few + cell.source)
        return assignment

    def borrow_less(**fields: Any) -> TrialBatch:
        exercises = fields.pop("borrowing_exercises")
        return TrialBatch(borrowing_exercises=exercises[::8], **fields)

    read = Variants.read
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Variants, "read", fewer)
        patch.setattr(trials, "TrialBatch", borrow_less)
        return tried(project, "neural_network")


@pytest.mark.slow
def test_the_lab_is_fair_and_strict_and_its_reference_right(lab):
    assert lab.faults == []
    for count in lab.counts():
        assert min(count["right"], count["wrong"]) >= 2, count["exercise"]
    assert all(e.fuzzed for e in lab.entries if e.kind in ("right", "reference"))
    assert all(e.diff for e in lab.entries if e.kind == "mutant")
    assert lab.killed >= 0.99 and lab.named >= 0.8
    assert sum(entry.silent for entry in lab.silent) <= 30


@pytest.mark.slow
def test_no_message_holds_a_number_that_is_not_public(lab, project):
    cells = read_json(project / "release/neural_network/neural_network.ipynb")["cells"]
    public = "\n".join("".join(cell["source"]) for cell in cells)
    public_numbers = set(re.findall(NUMBER, public))
    hidden = {test for tests in lab.tests.values() for test in tests}
    wrong = [entry for entry in lab.entries if entry.kind == "wrong"]
    messages = {m for e in wrong for test, m in e.caught.items() if test in hidden}
    assert len(messages) > 30
    for message in messages:
        words = re.sub("|".join(HARMLESS), "", message)
        assert set(re.findall(NUMBER, words)) <= public_numbers, message


def passes(source: str, names: dict[str, Any]) -> bool:
    """Run a cell as a kernel does, where one that raises does not stop the others."""
    try:
        exec(source.replace("%matplotlib inline", ""), names)
    except Exception:
        return False
    return True


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")
def test_variants_get_the_marks_that_plain_python_gives_them(
    lab, lab_master, project, monkeypatch
):
    """By nbgrader's rule, without judge and proxies: all names are in one namespace."""
    folder = project / "source/neural_network"
    monkeypatch.chdir(folder)
    names = {}
    with modules_beside(folder):
        for cell in lab_master.of_kind("provided", "solution", "helper"):
            assert cell.skip or passes(cell.source, names), cell.id
    # Grading takes off the stub's last line below a finished answer; a kernel does not.
    variants = [e for e in lab.entries if e.location and e.name != "raise_left_below"]
    assert len(variants) > 40
    for variant in variants[1::4]:
        passes(variant.source, names)
        tests = [
            test
            for test in lab_master.of_kind("test")
            if test.exercise == variant.exercise
            # In plain Python a public test sees the array itself change.
            and (test.points or variant.name != "one_array_for_all_answers")
        ]
        with recording({}, variant.source):  # a kernel does not know its numbers
            failed = {test.id for test in tests if not passes(test.source, names)}
        assert failed == variant.caught.keys(), variant.location
        assert passes(find_cell(lab_master, variant.exercise).source, names)
