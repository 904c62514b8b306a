"""What `grade` says below its table: each reason once, everybody told apart."""

from __future__ import annotations

from nbproctor.cli.class_run import _names, _reasons
from nbproctor.results import Status, SubmissionResult


def result(student: str, status: Status, reason: str = "") -> SubmissionResult:
    return SubmissionResult(student, status, reason, None, 10)


def test_a_reason_is_said_once_and_the_gravest_first() -> None:
    results = [
        result("ann", "missing", "Nothing handed in."),
        result("bob", "repaired", "It was renamed."),
        result("cem", "graded"),
        result("dan", "missing", "Nothing handed in."),
        result("eve", "ungradable", "It is cut short."),
    ]
    names = {r.student: r.student.title() for r in results}
    assert list(_reasons(results, names)) == [
        "Eve: It is cut short.",
        "Bob: It was renamed.",
        "Ann; Dan: Nothing handed in.",
    ]


def test_of_many_the_reason_comes_before_the_names() -> None:
    results = [result(student, "missing", "Nothing handed in.") for student in "abcd"]
    assert list(_reasons(results, {student: student for student in "abcd"})) == [
        "4 students: Nothing handed in.",
        "  a; b; c; d",
    ]


def test_namesakes_have_their_id_beside_the_name() -> None:
    results = [result(student, "graded") for student in ("s1", "s2", "s3", "s4")]
    known = {"s1": "Smith, Kim", "s2": "Smith, Kim", "s3": "Okafor, Amara"}
    assert _names(results, known) == {
        "s1": "Smith, Kim (s1)",
        "s2": "Smith, Kim (s2)",
        "s3": "Okafor, Amara",
        "s4": "s4",
    }
