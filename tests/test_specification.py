"""A specification makes the tests of an exercise, as its writer was promised."""

import contextlib
import re
from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import partial
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nbproctor.expect import (
    After,
    Anew,
    Each,
    Shape,
    Specification,
    Unchanged,
    Values,
    beyond,
    calls_to,
    calls_to_method,
    changed,
    check,
    entry_in_any_shape,
    expect,
    expect_normal,
    expect_passes,
    is_multiple,
    kinds,
    neutral,
    prove,
    recording,
    replaced,
    sizes,
)

Function = Callable[..., Any]


def complaint(message: str) -> Any:
    """Expect an assertion to fail with a message; or none, if that is empty."""
    if not message:
        return contextlib.nullcontext()
    return pytest.raises(AssertionError, match=re.escape(message))


COLUMNS = np.array([[1.0, 2, 3], [4, 5, 9]])


def means(X: Any) -> Any:
    return np.array([sum(row) / len(row) for row in X])


def mistakes_of_means(X: Any) -> Mapping[str, Any]:
    return {"adds up only": X.sum(axis=1), "takes the median": np.median(X, axis=1)}


def specification(answer: Function, mistakes: Function = mistakes_of_means) -> Any:
    return Specification(
        "means(X)",
        calls_to(lambda: answer),
        means,
        arguments=["X"],
        cases={"some": lambda: [(COLUMNS + n,) for n in (0, 1, 3)]},
        mistakes=mistakes,
        properties={
            "values": [Values("some")],
            "shape": [Shape("some")],
            "unchanged": [Unchanged("some"), Anew("some")],
            "in any shape": [Values("some", any_shape=True)],
            "later": [After("in any shape", Values("some", "again"), "some")],
        },
    )


def in_place(X: Any) -> Any:
    X -= 1
    return X.mean(axis=1) + 1


def in_place_and_back(X: Any) -> Any:
    X *= 2
    result = X.mean(axis=1) / 2
    X //= 2
    return result


def in_place_after(convert: Function, kind: Any) -> Function:
    """Return an answer that works in place on what is not always a copy."""
    return lambda X: in_place(convert(X, dtype=kind))


def cached_by_identity(cache: dict[int, tuple[Any, Any]]) -> Function:
    return lambda X: cache.setdefault(id(X), (X, X.mean(axis=1)))[1]


def shared(array: Any) -> Function:
    return lambda X: np.mean(X, axis=1, out=array)


@pytest.mark.parametrize(
    ("answer", "name", "message"),
    [
        (lambda X: X.sum(axis=1), "values", "means(X) adds up only"),
        (lambda X: np.median(X, axis=1), "values", "means(X) takes the median"),
        (lambda X: X.mean(axis=1) + 0.1, "values", "is wrong"),
        (lambda X: X.mean(axis=1, keepdims=True), "shape", "has shape (2, 1)"),
        (in_place, "unchanged", "X was changed"),
        (in_place_after(np.asarray, np.float32), "unchanged", "X was changed"),
        (in_place_after(np.ascontiguousarray, np.int16), "unchanged", "X was changed"),
        (in_place_after(np.asfortranarray, np.int8), "unchanged", "X was changed"),
        (in_place_and_back, "unchanged", "even if it was changed back"),
        (lambda X: np.zeros(2), "unchanged", "is zero everywhere"),
        (
            cached_by_identity({}),
            "unchanged",
            "does not change when its argument or object changes",
        ),
        (shared(np.zeros(2)), "unchanged", "do two results share an array?"),
        (lambda X: means(X)[:, None], "in any shape", ""),
        (lambda X: [*means(X)], "in any shape", "an array of shape"),
        (lambda X: means(X)[:1], "in any shape", "an array of shape"),
        # A mistake costs the earlier property alone.
        (lambda X: X.sum(axis=1), "later", ""),
        (lambda X: means(X)[:, None], "later", "again has shape"),
        (lambda X: None, "later", "is None"),
        (lambda X: np.full(2, np.inf), "later", "has inf"),
        (lambda X: np.zeros(2), "later", "is zero everywhere"),
        (lambda X: np.ones(2), "later", "every call returns the same result"),
    ],
)
def test_a_wrong_answer_loses_the_property_that_it_touches(
    answer: Function,
    name: str,
    message: str,
) -> None:
    with complaint(message):
        check(specification(answer), name)


def test_a_right_answer_has_every_property() -> None:
    right = specification(lambda X: X.mean(axis=1))
    for name in right.properties:
        check(right, name)


def noting(calls: Any) -> Any:
    """Specify a right answer that notes what it is asked."""

    def answer(X: Any) -> Any:
        calls.append(X)
        return means(X)

    return specification(answer)


def test_in_the_judge_one_run_is_judged_by_several_properties() -> None:
    """Of a specification that is made anew before each test, as helper cells do."""
    calls = []
    with recording({}):
        check(noting(calls), "values")
        with recording({}):  # which leaves the other one as it was
            check(noting(calls), "values")
        check(noting(calls), "shape")
    assert len(calls) == 6
    check(noting(calls), "values")  # in a kernel, where the code may have changed
    assert len(calls) == 9
    with recording({}):  # each; of each type and order, and whole; those of one object
        check(noting(calls), "unchanged")
    assert len(calls) == 28


def test_what_raises_is_raised_to_every_property_that_needs_it() -> None:
    def answer(X: Any) -> Any:
        raise ZeroDivisionError

    with recording({}):
        for name in ("values", "shape"):
            with pytest.raises(ZeroDivisionError):
                check(specification(answer), name)


def test_each_call_of_a_method_has_an_object_of_its_own() -> None:
    class Scale:
        factor = 1
        calls = 0

        def grow(self, X: Any) -> None:
            self.calls = self.calls + 1
            self.size = self.factor * X.size

    state = {"factor": 2}
    size = Specification(
        "size",
        calls_to_method(lambda: Scale, "grow"),
        lambda state, X: {"calls": 1, "size": state["factor"] * X.size},
        arguments=["X"],
        has_state=True,
        reads=["calls", "size"],
        cases={"twice": lambda: [(state, COLUMNS)] * 2},
        properties={"values": [Values("twice")]},
    )
    check(size, "values")
    with pytest.raises(AssertionError, match=r"^calls "):
        check(replace(size, right=lambda state, X: {"calls": 2}), "values")


@pytest.mark.parametrize("message", ["", "argument or object changes", "W was changed"])
def test_an_array_of_an_object_is_looked_at_again_and_left_alone(message: str) -> None:
    """The last of them changes it in place, in a case of another type alone."""

    class Layer:
        original = None

        def times(self, x: Any) -> Any:
            if "or object" not in message or self.original is not self.W:
                self.original = self.W
                self.copied = self.W.copy()
            self.W += message[:1] == "W" and self.W.dtype == np.float32
            return self.copied @ x

    x = COLUMNS[0]
    layer = Specification(
        "times(x)",
        calls_to_method(lambda: Layer, "times"),
        lambda state, x: state["W"] @ x,
        arguments=["x"],
        has_state=True,
        cases={"weights": lambda: [({"W": COLUMNS + n}, x) for n in (0, 1, 3)]},
        properties={"weights": [Unchanged("weights"), Anew("weights")]},
    )
    with complaint(message):
        check(layer, "weights")


# The usual size of a case, the size where an answer has these numbers, the answer.
SIZES = """\
600 1502 if len(x) > 1000 or x1500 > 0.5 or y > 20_000: y = 7
1500 1500 if len(x) > 1000 or x1500 > 0.5 or y > 20_000: y = 7
600 1502 range(0, m, 4 * 250)
600 1502 k = 2**(9) + (488)
600 1502 k = 125<<3
600 1502 x[:.1e4]
5 384 Y.astype(np.uint8)
5 98304 Y.astype('<i2')
5 3074 np.half(X)
5 14 np.random.seed( 17 ); n = 8 + seed; rng = np.random.default_rng(42)
5 15002 for n in range(10): part = X[:, 1000 * n : 1000 * n + 1000]
5 5 "Of all 1000."; 0  # 1000
"""


@pytest.mark.parametrize("row", SIZES.splitlines())
def test_a_case_is_larger_than_the_numbers_of_the_answer(row: str) -> None:
    *both, answer = row.split(maxsplit=2)
    usual, larger = map(int, both)
    with recording({}, answer), recording({}):
        assert beyond(usual, 70_000 if usual == 5 else 9_000) == larger
    assert beyond(usual, 10_000) == usual


@settings(max_examples=300)
@given(st.text("0123456789.eExX_+-*<( )\n\\#'afnW"))
def test_the_numbers_of_any_text_are_looked_for(text: str) -> None:
    """A student wrote it: nothing raises, and nothing takes long."""
    with recording({}, text):
        assert beyond(5, 100) <= 152


def product(answer: Function) -> Specification:
    def judge(
        A: Any,
        B: Any,
        got: Any,
    ) -> None:
        expect(got, A @ B, "A @ B")

    A = np.arange(6.0).reshape(2, 3)
    B = np.arange(12.0).reshape(3, 4)
    S = np.array([[1.0, 2], [3, 5]])
    return Specification(
        "A @ B",
        calls_to(lambda: answer),
        np.matmul,
        arguments=["A", "B"],
        cases={"sizes": lambda: [(A, B)], "square": lambda: [(S, S + 1)]},
        properties={"values": [Each("sizes", judge, "square")]},
    )


def test_a_property_that_others_ask_for_is_judged_once_in_a_test_cell() -> None:
    """In a kernel each time: the answer may be another one by then."""
    judged = []
    observed = replace(product(np.matmul), properties={"values": [judged.append]})
    with recording({}):
        assert observed.holds("values") and observed.holds("values")
    assert len(judged) == 1
    assert observed.holds("values") and observed.holds("values")
    assert len(judged) == 3


def test_an_error_may_cost_another_property_alone() -> None:
    (judgement,) = product(raises_when_large).properties["values"]
    lenient = replace(judgement, otherwise="", until_error=True)
    properties = {"values": [lenient], "square": [replace(lenient, cases="square")]}
    check(replace(product(raises_when_large), properties=properties), "values")
    with pytest.raises(AssertionError, match="is wrong"):
        check(replace(product(np.add), properties=properties), "square")


def raises_when_large(A: Any, B: Any) -> Any:
    if A.size > 4:
        raise ValueError("only small")
    return A @ B


@pytest.mark.parametrize("error", [AssertionError, ValueError])
@pytest.mark.parametrize("wrong", [(), (0,), (1,), (0, 1)])
def test_raising_costs_no_more_than_a_wrong_value_and_earns_no_more(
    wrong: tuple[int, ...], error: type[Exception]
) -> None:
    """Whatever the sizes are in which an answer is wrong: not square, and square."""

    def answer(
        A: Any,
        B: Any,
        is_raised: bool,
    ) -> Any:
        if (len(A) == len(B[0])) not in wrong:
            return A @ B
        if is_raised:
            raise error
        return np.zeros((len(A), len(B[0])))

    def is_earned(is_raised: bool) -> bool:
        with recording({}), contextlib.suppress(Exception):
            check(product(partial(answer, is_raised=is_raised)), "values")
            return True
        return False

    assert is_earned(True) == is_earned(False) == (0 not in wrong)


def test_a_wrong_value_where_sizes_are_equal_excuses_what_raises() -> None:
    with pytest.raises(AssertionError, match="is wrong"):
        check(product(lambda A, B: A * B), "values")


def test_a_sentence_that_its_own_formula_does_not_earn_is_found() -> None:
    def mistakes(X: Any) -> Mapping[str, Any]:
        right = {"is not wrong at all": X.mean(axis=1)}
        return {**mistakes_of_means(X), **right}

    assert prove(specification(np.mean)) == []
    (failure,) = prove(specification(np.mean, mistakes))
    assert failure.startswith("means(X) is not wrong at all")


def test_in_the_judge_an_answer_that_is_asked_anew_excuses_nothing() -> None:
    """It would be wrong where that helps, and right where it is judged."""
    inputs = []

    def answer(A: Any, B: Any) -> Any:
        if A.shape[0] != A.shape[1]:
            raise ValueError("only square")
        inputs.append(A)
        return {"of a kind that is not recorded"} if len(inputs) % 2 else A @ B

    with recording({}), pytest.raises(ValueError, match="only square"):
        check(product(answer), "values")


def test_two_functions_of_one_name_are_asked_each() -> None:
    def of(look_up: Function) -> Specification:
        return replace(specification(means), target=calls_to(look_up))

    with recording({}):
        check(of(lambda: means), "values")
        with pytest.raises(AssertionError):
            check(of(lambda: np.zeros_like), "values")


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda x: x, ""),
        (lambda x: x + 0.05, "W: the mean should be 3"),
        (lambda x: 1.1 * x, "W: the standard deviation should be 2"),
        (np.sign, "W: this is not a normal distribution"),
        (lambda x: x.clip(-2.5, 2.5), "W: values beyond 6 are missing"),
    ],
)
def test_random_numbers_are_judged_by_mean_spread_and_form(
    change: Function, message: str
) -> None:
    numbers = change(np.random.default_rng(0).normal(size=(200, 100)))
    with complaint(message):
        expect_normal(3 + 2 * numbers, 3, 2, "W")


def test_what_another_property_judges_is_left_out_of_a_comparison() -> None:
    """A factor, or the shape of an entry."""
    assert is_multiple(3 * COLUMNS, None, 0 * COLUMNS, COLUMNS + 1, COLUMNS)
    assert not is_multiple(None, COLUMNS)
    assert not is_multiple(COLUMNS, COLUMNS + 1)
    for shaped in (COLUMNS, COLUMNS.T, COLUMNS.ravel(), COLUMNS.tolist()):
        assert np.array_equal(entry_in_any_shape({"dW": shaped}, "dW", (2, 3)), COLUMNS)
    for got in (None, {}, {"dW": "text"}, {"dW": COLUMNS[0]}, {"dW": COLUMNS * np.nan}):
        assert entry_in_any_shape(got, "dW", (2, 3)) is None


def test_a_property_that_fails_is_judged_again_with_right_helpers() -> None:
    class Tools:
        @staticmethod
        def total(row: Any) -> Any:
            return 0 * sum(row)

    def helpers() -> Any:
        return replaced(Tools, total=sum, unheard_of=0)

    averages = specification(lambda X: np.array([Tools.total(x) / len(x) for x in X]))
    with pytest.raises(AssertionError, match="zero everywhere"):
        check(averages, "values")
    check(replace(averages, helpers=helpers), "values")
    assert Tools.total([1]) == 0
    assert not hasattr(Tools, "unheard_of")
    adds_up = replace(specification(lambda X: X.sum(axis=1)), helpers=helpers)
    with pytest.raises(AssertionError, match="adds up only"):
        check(adds_up, "values")


def test_every_case_that_is_named_shows_what_a_call_changes() -> None:
    def total(numbers: Any) -> Any:
        return numbers.pop() if len(numbers) == 1 else sum(numbers)

    totals = replace(
        specification(total),
        cases={"more": lambda: [([1, 2],)], "one": lambda: [([3],)]},
        properties={"unchanged": [Unchanged(("more", "one"))]},
    )
    with pytest.raises(AssertionError, match="another length"):
        check(totals, "unchanged")


def norms(X: Any, order: int) -> Any:
    return (np.abs(X) ** order).sum(axis=1)


def cached_by(key: Function, hand_out: Function) -> Function:
    """Return an answer that remembers by something of its case."""
    answers: dict[Any, Any] = {}
    return lambda X, order: hand_out(answers.setdefault(key(X, order), norms(X, order)))


OLD = "does not change"
SHARED = "changes when another result is changed in place"


@pytest.mark.parametrize(
    ("key", "hand_out", "message"),
    [
        (lambda X, order: (X.tobytes(), order), np.copy, ""),
        (lambda X, order: (X.tobytes(), order), np.asarray, SHARED),
        (lambda X, order: (str(X), order), np.copy, OLD),
        (lambda X, order: (X.shape, X.dtype, X.sum(), order), np.copy, OLD),
        (lambda X, order: X.tobytes(), np.copy, OLD),
    ],
)
def test_an_answer_that_is_remembered_by_too_little_is_old_or_shared(
    key: Function,
    hand_out: Function,
    message: str,
) -> None:
    X = np.random.default_rng(0).integers(-9, 9, (40, 41))
    remembers = replace(
        specification(cached_by(key, hand_out)),
        right=norms,
        arguments=["X", "order"],
        cases={"changed": lambda: changed(norms, X, 1)},
        properties={"anew": [Anew("changed")]},
    )
    with complaint(message):
        check(remembers, "anew")


def test_each_size_is_1_alone_and_beyond_the_numbers_of_the_answer() -> None:
    with recording({}, "if m > 500 or X.size > 2**18: k = 7"):
        cases = sizes(lambda k, m: (k, m), k=(2, 8), m=(3, 10_000))
    assert cases[:5] == [(2, 3), (4, 4), (2, 2), (1, 1), (1, 3)]
    assert cases[5:8] == [(12, 3), (2, 1), (2, 13_502)]
    ((k, m),) = cases[8:]
    assert 2**18 < k * m < 2**19


def test_one_argument_is_whole_while_the_others_are_not() -> None:
    *_, case = kinds(COLUMNS, COLUMNS / 4)
    assert [array.dtype.kind for array in case] == ["f", "i"]


def test_each_number_is_0_and_1_while_the_others_are_as_usual() -> None:
    cases = neutral({"rate": 0.5, "W": np.array([3.0])}, np.array([7, 8]), 9)
    assert [(state["rate"], *state["W"], *x, m) for state, x, m in cases] == [
        (0, 3, 7, 8, 9),
        (1, 3, 7, 8, 9),
        (0.5, 0, 7, 8, 9),
        (0.5, 1, 7, 8, 9),
        (0.5, 3, 0, 0, 9),
        (0.5, 3, 1, 1, 9),
        (0.5, 3, 7, 8, 1),
        (0, 3, 7, 8, 9),
    ]


def test_each_number_is_also_a_value_other_than_0_and_1() -> None:
    cases = neutral({"rate": 0.5}, COLUMNS, values=[-2])
    assert [state["rate"] for state, _ in cases] == [-2, 0.5, 0]


@pytest.mark.parametrize("is_shared", [False, True])
def test_attributes_that_are_the_answer_share_no_array(is_shared: bool) -> None:
    class Layer:
        def start(self) -> None:
            zeros = np.zeros(4)
            self.b = zeros[:3]
            self.c = zeros[:2] if is_shared else np.zeros(2)

    state = {"b": np.ones(3), "c": 2 * np.ones(2)}
    layer = Specification(
        "start",
        calls_to_method(lambda: Layer, "start"),
        lambda state: {"b": np.zeros(3), "c": np.zeros(2)},
        arguments=[],
        has_state=True,
        reads=["b", "c"],
        cases={"used": lambda: [(state,)]},
        properties={"anew": [Anew("used")]},
    )
    with complaint("b changes when another result is changed" if is_shared else ""):
        check(layer, "anew")


INPUTS = np.array([[1.0, 2, 3, 4, 5], [2.0, 4, 6, 8, 9]])
LABELS = np.eye(3)[:, [0, 1, 2, 0, 1]]


EXAMPLES = [3, 0, 4, 1, 2]


def cut(
    examples: list[int],
    size: int = 2,
    labels: Any = LABELS,
) -> list[Any]:
    parts = [examples[n : n + size] for n in range(0, len(examples), size)]
    return [(INPUTS[:, part], labels[:, part]) for part in parts]


@pytest.mark.parametrize(
    ("batches", "message"),
    [
        (cut(EXAMPLES), ""),
        (cut(EXAMPLES[:4]), "need 3 updates an epoch"),
        (cut(EXAMPLES[1:]) + cut([2]), "holds some examples twice"),
        (cut(EXAMPLES, labels=LABELS[:, ::-1]), "were not shuffled alike"),
        (cut(EXAMPLES, 3) + cut([0]), "batch_size is 2, but a larger batch was found"),
        ([(x / 255, y) for x, y in cut(EXAMPLES)], "was divided by 255"),
        ([*cut(EXAMPLES), (INPUTS[:, :0], LABELS[:, :0])], "an empty batch"),
        ([], "no batch was used"),
    ],
)
def test_a_pass_through_all_examples_uses_each_once(
    batches: list[Any], message: str
) -> None:
    with complaint(message):
        expect_passes(batches, INPUTS, LABELS, 2, "fit")
