"""What `nbproctor.expect` promises the student, the teacher, and the hidden data."""

from __future__ import annotations

import copy
import math
import re
import sys
import warnings
from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from nbproctor import expect as tools
from nbproctor.expect import (
    answers_of,
    expect,
    expect_entry,
    expect_finite,
    expect_normal,
    expect_passes,
    expect_same,
    expect_shape,
    expect_unchanged,
    quiet,
)

RNG = np.random.default_rng(8)
WANT = RNG.normal(size=(4, 3)) + 0.03
SQUARE = RNG.normal(size=(5, 5)) + 0.03
LABELS = np.array([[3, 0, 2, 1, 4, 3]])
WRONG = "has the right shape, but is wrong everywhere"
FACTORS = {"m": 7.0, "the number of classes": 4.0}
GRADIENTS = {"dW1": WANT, "db1": WANT[:, :1]}


def diagnosis(got: object, want: object, **options: Any) -> str:
    with pytest.raises(AssertionError) as caught:
        expect(got, want, "A2", **options)
    return one_line(str(caught.value), "A2")


def one_line(message: str, name: str) -> str:
    assert message.startswith(name)
    assert len(message) <= 160
    assert "\n" not in message
    return message


def changed(
    array: np.ndarray[Any, Any],
    index: Any,
    value: float,
) -> Any:
    copy = array.copy()
    copy[index] = value
    return copy


@pytest.mark.parametrize(
    ("got", "want", "symptom"),
    [
        (None, WANT, "is None, but should be an array of shape (4, 3): is `return`"),
        ("0.5", 0.5, "has the type str, but should be a number"),
        (WANT.tolist(), WANT, "has the type list, but should be an array"),
        ({"A2": WANT}, WANT, "has the type dict"),
        (WANT > 0, WANT, "holds truth values"),
        (True, 1.0, "holds truth values"),
        (WANT.astype(object), WANT, "holds no numbers"),
        (WANT.astype(str), WANT, "holds no numbers"),
        (WANT + 0j, WANT, "holds complex numbers"),
        (10**400, 1.0, "is too large"),
        ([[1, 2], [3]], [1, 2], "too uneven"),
        (
            WANT.T,
            WANT,
            "(3, 4), but should be an array of shape (4, 3): it is transposed",
        ),
        (WANT[:, 0], WANT[:, :1], "a dimension was lost (keepdims=True"),
        (WANT[0, 0], WANT[:1, :1], "a dimension was lost (keepdims=True"),
        (WANT[:, :1], WANT[:, 0], "there are too many dimensions"),
        (np.array([[0.5]]), 0.5, "has shape (1, 1), but should be a number: there"),
        (
            0.5,
            WANT[:, :1],
            "is a single number, but should be an array of shape (4, 1): if all was "
            "added up, is an `axis` missing?",
        ),
        (WANT, WANT[:, :1], "is a sum missing, or were two shapes broadcast?"),
        (WANT, 0.5, "is a sum missing"),
        (WANT[:2], WANT, "has shape (2, 3), but should be an array of shape (4, 3)"),
        (changed(WANT, (2, 1), np.nan), WANT, "has nan at index [2, 1] (1 of 12"),
        (changed(WANT, (1, 0), -np.inf), WANT, "has inf at index [1, 0] (1 of 12"),
        (float("nan"), 1.5, "A2 is nan"),
        (-WANT, WANT, "has the wrong sign everywhere"),
        (-1.5, 1.5, "has the wrong sign"),
        (2 * WANT, WANT, "is off by a factor: it was multiplied by 2"),
        (WANT / 2, WANT, "it was divided by 2"),
        (7 * WANT, WANT, "it was multiplied by m"),
        (WANT / 7, WANT, "it was divided by m"),
        (4 * WANT, WANT, "it was multiplied by the number of classes"),
        (-WANT / 7, WANT, "has the wrong sign and is off by a factor: it was divided"),
        (SQUARE.T, SQUARE, "has the values of the transposed answer"),
        (LABELS + 1, LABELS, "is off by one everywhere"),
        (LABELS - 1.0, LABELS, "is off by one everywhere"),
        (12, 11, "is off by one"),
        (np.trunc(3 * WANT).astype(int), 3 * WANT, "was cut to whole numbers"),
        (np.zeros((4, 3)), WANT, "A2 is zero everywhere"),
        (0.0, 1.5, "A2 is zero"),
        (np.full((4, 3), 0.3), WANT, "has the same value in every entry"),
        (changed(WANT, 3, 9.0), WANT, "is wrong in 3 of 12 entries, only at row 3"),
        (changed(WANT, (slice(None), 2), 9.0), WANT, "4 of 12 entries, only at column"),
        (
            changed(WANT[0], 1, 9.0),
            WANT[0],
            "is wrong in 1 of 3 entries, only at index",
        ),
        (abs(WANT), WANT, "has the wrong sign in"),
        (WANT + 0.7, WANT, WRONG),
        (1.7, 1.5, "is one number, as it should be, but not the right one"),
        (np.round(WANT / 7, 2), WANT / 7, "was rounded"),
        (0.33, 1 / 3, "was rounded"),
        (np.clip(WANT, -1, 1), WANT, "is cut off: its largest or smallest values"),
        (1.1 * WANT, WANT, WRONG),  # no factor that is named
        # Infinite entries that are right hide no wrong ones.
        (
            np.array([np.inf, 3, 4]),
            np.array([np.inf, 1, 4]),
            "in 1 of 3 entries, only at index 1",
        ),
        # Numbers near zero fit no factor by chance.
        (
            np.array([7e-6, -3e-6]),
            np.array([3e-6, -2e-6]),
            "1 of 2 entries, only at index 0",
        ),
        # Entries of a mapping are judged by their own names; others are ignored.
        (None, GRADIENTS, "A2 is None, but should be a dict"),
        (
            (WANT, WANT),
            GRADIENTS,
            "has the type tuple, but should be a dict with 'dW1', 'db1'",
        ),
        (
            {"dW1": WANT},
            GRADIENTS,
            "lacks 'db1': it should have the keys 'dW1', 'db1'",
        ),
        (GRADIENTS | {"db1": WANT[:, 0]}, GRADIENTS, 'A2["db1"] has shape (4,), but'),
        (GRADIENTS | {"dW1": 7 * WANT}, GRADIENTS, "multiplied by m"),
    ],
)
def test_the_symptom_is_named(
    got: object,
    want: object,
    symptom: str,
) -> None:
    assert symptom in diagnosis(got, want, factors=FACTORS)


@pytest.mark.parametrize(
    ("got", "m", "end"),
    [
        # m = 1, the tolerance is strict, and a mistake of 0.1 % is none of scale.
        (1.001 * WANT, 1, WRONG),
        (2 * WANT, 2, "factor: it was multiplied by 2 or multiplied by m"),
        (0 * WANT, 0, "A2 is zero everywhere"),
    ],
)
def test_only_a_factor_that_fits_is_told(
    got: Any,
    m: float,
    end: str,
) -> None:
    assert diagnosis(got, WANT, factors={"m": m}).endswith(end)


@pytest.mark.parametrize(
    ("got", "want"),
    [
        (np.float32(0.1), 0.1),
        (1, 1.0),
        (2**70, 2.0**70),
        (2**63 - 1, 2**63 - 1),
        (WANT.astype(np.float32), WANT),
        (WANT.astype(np.longdouble), WANT),
        (LABELS.astype(np.uint8), LABELS),
        (LABELS.astype(np.float64), LABELS.astype(np.uint8)),
        (np.zeros((0, 3)), np.zeros((0, 3))),
        (np.inf, np.inf),
        ((1, 2.0), [1.0, 2]),
        (np.array([1, 2]), [1, 2]),
        (GRADIENTS | {"extra": "ignored"}, GRADIENTS),
    ],
)
def test_every_right_type_passes(got: object, want: object) -> None:
    expect(got, want, "A2")


@pytest.mark.parametrize(
    ("got", "want"),
    [
        (np.inf, 1.0),
        (1.0, np.inf),
        (-np.inf, np.inf),
        (np.array([1.0, np.nan]), np.array([1.0, np.inf])),
        (12345679, 12345678),  # far inside the tolerance of floats
        (np.array([2**60 + 1]), np.array([2**60])),
        (np.array([255], dtype=np.uint8), np.array([-1])),
        (np.zeros((0, 3)), np.zeros((0, 4))),
    ],
)
def test_a_wrong_value_never_passes(got: object, want: object) -> None:
    diagnosis(got, want)


@pytest.mark.parametrize(
    "want", [None, "text", float("nan"), [np.nan], True, {"a": 0j}]
)
def test_a_test_that_wants_the_impossible_is_itself_called_broken(want: object) -> None:
    with pytest.raises(ValueError, match=r"The test of A2.* is broken"):
        expect({"a": 1.0}, want, "A2")


def test_a_long_message_is_cut_and_stays_one_line() -> None:
    assert diagnosis({}, {f"a long\nkey {i}": 1.0 for i in range(50)}).endswith("…")


@pytest.mark.parametrize(
    ("got", "shape"), [(WANT * np.nan, (4, 3)), (3.0, ()), (np.array(3), ())]
)
def test_shape_alone(got: Any, shape: Any) -> None:
    expect_shape(got, shape, "W1")
    with pytest.raises(AssertionError, match="W1 "):
        expect_shape(got, (3, 4), "W1")
    with pytest.raises(AssertionError, match="W1 "):
        expect_shape([got], (1, *shape), "W1")


@pytest.mark.parametrize("got", [None, "nan", [1.0], np.inf, np.array(["x"]), 1j])
def test_what_is_no_finite_number_is_told(got: Any) -> None:
    with pytest.raises(AssertionError, match="J "):
        expect_finite(got, "J")


@pytest.mark.parametrize("got", [3, np.zeros((0, 2))])
def test_finite_numbers(got: Any) -> None:
    expect_finite(got, "J")


def test_finite_says_where_it_is_not() -> None:
    bad = changed(changed(WANT, (0, 2), np.inf), (1, slice(0, 2)), np.nan)
    with pytest.raises(AssertionError, match=r"^J has inf at index \[0, 2\] \(3 of 12"):
        expect_finite(bad, "J")


NORMAL = np.random.default_rng(3).normal(2, 3, 5000)
EXAMPLES = RNG.normal(size=(3, 8))
#: Tool of `expect` → an answer that it accepts, and a call of it with an answer.
ACCEPTED: dict[Any, tuple[Any, Callable[[Any], object]]] = {
    expect: (WANT, lambda got: expect(got, WANT, "A")),
    expect_entry: (WANT, lambda got: expect_entry({"A": got}, "A", (4, 3), "A")),
    expect_finite: (WANT, lambda got: expect_finite(got, "A")),
    expect_normal: (NORMAL, lambda got: expect_normal(got, 2, 3, "W")),
    expect_passes: (
        EXAMPLES,
        lambda got: expect_passes([(got, got)], EXAMPLES, EXAMPLES, 8, "fit"),
    ),
    expect_same: (WANT, lambda got: expect_same(got, WANT, "A")),
    expect_unchanged: (WANT, lambda got: expect_unchanged(got, WANT, "X")),
}


@pytest.mark.parametrize("tool", ACCEPTED, ids=lambda tool: tool.__name__)
@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_no_tool_that_judges_numbers_accepts_one_that_is_none(
    tool: Any, value: float
) -> None:
    right, judge = ACCEPTED[tool]
    judge(right)
    with pytest.raises(AssertionError):
        judge(changed(right, (0,) * right.ndim, value))


def test_every_tool_that_judges_numbers_is_in_this_table() -> None:
    names = {name for name in tools.__all__ if name.startswith("expect")}
    assert {tool.__name__ for tool in ACCEPTED} == names - {"expect_shape"}


def test_the_text_of_an_object_is_no_number() -> None:
    class Text:
        def __repr__(self) -> str:
            return "0.5"

    expect_unchanged(0.5, 0.5, "rate")
    with pytest.raises(AssertionError, match="rate was changed"):
        expect_unchanged(Text(), 0.5, "rate")


@pytest.mark.parametrize(
    ("now", "before", "location"),
    [
        (changed(WANT, (0, 0), 1e-300), WANT, "cache was"),
        (WANT.T, WANT, "cache was"),
        (WANT.tolist(), WANT, "cache was"),
        (None, WANT, "cache was"),
        (WANT, 3.0, "cache was"),
        (3.0, 3.5, "cache was"),
        (WANT.astype(np.float32), WANT, "cache was"),
        (WANT.view(np.int64), WANT, "cache was"),  # the same bytes
        ({"Z1": -WANT, "A1": WANT}, {"Z1": WANT, "A1": WANT}, 'cache["Z1"] was'),
        ({"Z1": WANT}, {"Z1": WANT, "A1": WANT}, "cache got other keys"),
        ({"Z1": WANT, "A1": WANT}, {"Z1": WANT}, "cache got other keys"),
        ([1, 2], [1, 2, 3], "cache got other keys, or another length"),
        ([1, [2, 3]], [1, [2, 4]], "cache[1][1] was"),
    ],
)
def test_a_changed_argument_is_told(
    now: object,
    before: object,
    location: str,
) -> None:
    with pytest.raises(AssertionError) as caught:
        expect_unchanged(now, before, "cache")
    assert one_line(str(caught.value), "cache").startswith(location)


def test_an_answer_works_on_copies_and_without_noise(
    capsys: pytest.CaptureFixture[str],
) -> None:
    def noisy(array: Any, options: dict[str, Any]) -> Any:
        print("50 %|#####     |", file=sys.stderr)
        warnings.warn("overflow", RuntimeWarning, stacklevel=1)  # elsewhere an error
        array *= 2
        options["seen"] = True
        return array

    argument = WANT.copy()
    options: dict[str, Any] = {}
    (answer,) = answers_of((noisy, argument, options))
    np.testing.assert_array_equal(answer, 2 * WANT)
    np.testing.assert_array_equal(argument, WANT)
    assert options == {}
    with quiet(), pytest.raises(TypeError):
        noisy(None, {})
    assert capsys.readouterr().err == ""


DTYPES = st.sampled_from(
    ["f2", "f4", "f8", "i1", "i8", "u1", "u8", "?", "c16", "O", "U3", "S2", "M8[s]"]
)
SHAPES = hnp.array_shapes(
    min_dims=0,
    max_dims=3,
    min_side=0,
    max_side=4,
)
ARRAYS = DTYPES.flatmap(lambda dtype: hnp.arrays(dtype, SHAPES, elements=None))
PLAIN = st.recursive(
    st.from_type(bool | float | complex | str | bytes | None)
    | st.integers(min_value=-(10**400), max_value=10**400)
    | st.just(object())
    | ARRAYS
    | ARRAYS.filter(lambda a: a.size > 0).map(lambda a: a.flat[0]),
    lambda inner: st.lists(inner) | st.dictionaries(st.text() | st.integers(), inner),
    max_leaves=6,
)
NUMBERS = st.floats(allow_nan=False, width=32) | st.integers(-(2**63), 2**63 - 1)
WANTS = (
    NUMBERS
    | hnp.arrays("f8", SHAPES, elements=st.floats(allow_nan=False))
    | hnp.arrays("i8", SHAPES)
    | st.lists(NUMBERS, min_size=1)
    | st.dictionaries(st.sampled_from(["dW1", "db1"]), NUMBERS)
)


@given(hnp.arrays("f8", SHAPES) | WANTS | st.text() | st.none())
def test_what_was_not_touched_is_unchanged(value: object) -> None:
    expect_unchanged(copy.deepcopy(value), value, "cache")


RATIOS = [-1, 0, 0.5, 2, 3, 7, 1 / 7, 0.12345, 321]


@given(
    got=PLAIN,
    want=WANTS,
    ratio=st.none() | st.sampled_from(RATIOS),
    factor=st.floats(allow_nan=True),
)
def test_one_line_without_a_number_of_the_hidden_data_is_all_that_is_raised(
    got: object,
    want: Any,
    ratio: float | None,
    factor: float,
) -> None:
    """Every number in it is a shape, an index, a count, or the factor 2.

    These are small here: no side is longer than 4, so no count is above 64.
    """
    if ratio is not None and isinstance(want, np.ndarray):
        with np.errstate(all="ignore"):
            got = want.astype(float) * ratio
    shape = np.shape(want)
    got_shape = got.shape if isinstance(got, np.ndarray) else ()
    sizes = {str(side) for side in (*got_shape, *shape)}
    allowed = sizes | set(map(str, range(65))) if sizes else {"2"}
    for check in (
        partial(expect, got, want, factors={"m": factor, "the number of classes": 7}),
        partial(expect_shape, got, shape if type(want) is not dict else ()),
        partial(expect_finite, got),
        partial(expect_unchanged, got, want),
    ):
        try:
            check(name="J")
        except AssertionError as error:
            symptom = re.sub(r"J(\[.*?\])*", "", one_line(str(error), "J"), count=1)
            symptom = re.sub(r"has the type \S+", "", symptom)  # such as float64
            symptom = re.sub(r"'d[Wb]1'", "", symptom)  # keys are public
            numbers = re.findall(r"[-+]?\d[\d.e+]*\d|\d", symptom)
            assert set(numbers) <= allowed, error


FINITE = hnp.arrays(
    "f8",
    SHAPES.filter(math.prod),
    elements=st.floats(-1e6, 1e6).map(lambda x: round(x, 3)),
)


@given(want=FINITE, data=st.data())
def test_one_wrong_entry_is_enough_to_fail(want: Any, data: st.DataObject) -> None:
    got = np.array(want)
    index = data.draw(st.integers(0, got.size - 1))
    gap = data.draw(st.floats(1.01, 1e6)) * (1e-6 + 1e-4 * abs(want.flat[index]))
    got.flat[index] += data.draw(st.sampled_from([-1, 1])) * gap
    diagnosis(got, want, factors=FACTORS)


def test_a_typical_mistake_is_named_and_the_right_answer_never_is():
    bare = np.array([[0.5, -3.0]])
    want = {"Z1": bare + 1, "A": bare + 1}

    def mistakes() -> dict[str, object]:
        return {"leaves out the bias": {"Z1": bare}, "is the input": {"A": bare}}

    for got, message in (
        (want | {"Z1": bare}, r'^cache\["Z1"\] leaves out the bias$'),
        (want | {"A": bare}, r'^cache\["A"\] is the input$'),
        (want | {"Z1": bare + 9}, "wrong everywhere"),
    ):
        with pytest.raises(AssertionError, match=message):
            expect(got, want, "cache", mistakes=mistakes)
    # They are only worked out for a wrong answer.
    expect(want, want, "cache", mistakes=lambda: pytest.fail("it is right"))
    alone = {"is a mistake of another shape": 3.0, "leaves out the bias": bare}
    with pytest.raises(AssertionError, match=r"^Z1 leaves out the bias$"):
        expect(bare, bare + 1, "Z1", mistakes=alone)
