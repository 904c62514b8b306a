"""What `grade` says below its table: each reason once, everybody told apart."""

from __future__ import annotations

from nbproctor.cli.class_run import _names, _reasons
from nbproctor.results import Status, SubmissionResult


def result(student: str, status: Status, reason: str = "") -> SubmissionResult:
    return SubmissionResult(student, status, reason, None, 10)


def test_a_reason_is_said_once_the_gravest_first_and_of_many_before_the_names() -> None:
    results = [
        result("ann", "missing", "Nothing handed in."),
        result("bob", "repaired", "It was renamed."),
        result("cem", "graded"),
        result("dan", "missing", "Nothing handed in."),
        result("eve", "ungradable", "It is cut short."),
    ]
    names = {who: who.title() for who in ("ann", "bob", "dan", "eve", *"ab")}
    graver = ["Eve: It is cut short.", "Bob: It was renamed."]
    said = [*graver, "Ann; Dan: Nothing handed in."]
    assert list(_reasons(results, names)) == said
    results += [result(student, "missing", "Nothing handed in.") for student in "ab"]
    said = [*graver, "4 students: Nothing handed in.", "  Ann; Dan; A; B"]
    assert list(_reasons(results, names)) == said


def test_namesakes_have_their_id_beside_the_name() -> None:
    results = [result(student, "graded") for student in ("s1", "s2", "s3")]
    assert _names(results, {"s1": "Smith, Kim", "s2": "Smith, Kim"}) == {
        "s1": "Smith, Kim (s1)",
        "s2": "Smith, Kim (s2)",
        "s3": "s3",
    }
