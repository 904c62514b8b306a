"""Public tests: a card that says what holds, and the first thing that does not.

This file goes with a notebook, and needs nothing but Python and NumPy; `show`, which
gives a picture its sentence, needs what draws the picture.
"""

import copy
import linecache
import operator
import sys
import traceback
from contextlib import contextmanager
from importlib import import_module
from itertools import pairwise
from pathlib import Path

import numpy as np

NOT_WRITTEN = "not written yet: put your code in place of raise NotImplementedError"


class PublicTestError(AssertionError):
    """A public test does not pass; a notebook shows this sentence alone."""

    def _render_traceback_(self):
        return [f"✗ {self}"]


class Card:
    """What a public test has looked at so far, and the first thing that is wrong."""

    def __init__(self):
        self.marks = []
        self.error = None

    @contextmanager
    def part(self, name):
        """Look at one thing. The test goes on where it is wrong, but for the first.

        What stops with an error after that could not be judged.
        """
        try:
            yield
        except Exception as error:
            is_first = not self.marks
            is_judged = self.error is None or isinstance(error, AssertionError)
            self.marks.append(f"✗ {name}" if is_judged else f"– {name}")
            if not isinstance(error, AssertionError):
                if self.error is None:
                    raise
            elif self.error is None:
                self.error = PublicTestError(f"{name}: {error}")
            if is_first:
                raise self.error from None
        else:
            self.marks.append(f"✓ {name}")


def no_advice(number, ended):
    """Say nothing: a notebook may have no advice on what to do first."""
    return ""


def public_test(number, advise=no_advice):
    """Run the public test of an exercise at once, with `Card.part`: a decorator.

    `advise(number, ended)` says what to do first, if anything; `ended` tells it whether
    NotImplementedError came.
    """

    def run(test):
        card = Card()
        try:
            test(card.part)
            if card.error is not None:
                raise card.error
        except Exception as error:
            print(*card.marks, sep="   ")
            if advice := advise(number, isinstance(error, NotImplementedError)):
                raise PublicTestError(advice) from error
            if isinstance(error, NotImplementedError):  # a line, not its way to there
                error._render_traceback_ = lambda: [f"✗ {NOT_WRITTEN}"]
            elif lines := error_in_answer(error, test):
                error._render_traceback_ = lambda: lines
            raise
        print(*card.marks, sep="   ")
        print(f"Exercise {number} passes its public test.")

    return run


def error_in_answer(error, test):
    """Return lines that show where an answer stops, and why; none if it is not known.

    The answer's line is the last that was typed into a cell other than the test's.
    """
    others = {test.__code__.co_filename, __file__}
    places = []
    code = ""
    for frame, number in traceback.walk_tb(error.__traceback__):
        path = frame.f_code.co_filename
        line = linecache.getline(path, number).strip()
        if line and path not in others and not Path(path).exists():
            places.append(f"{frame.f_code.co_name}, line {number}")
            code = line
    if not places:
        return []
    where = ", called by ".join(reversed(places[-2:]))
    kind = type(error).__name__
    return [f"✗ your code stops in {where}:", f"    {code}", f"{kind}: {error}"]


# --- a table of questions and right answers ---------------------------------------


def method(owner, name):
    """Return a method of a class or an object, or say that it is not there yet."""
    kind = owner if isinstance(owner, type) else owner.__class__
    advice = f"did its cell run without an error, below @add_to({kind.__name__})?"
    if name == "__call__":
        assert callable(owner), f"a {kind.__name__} cannot be called yet: {advice}"
        return owner
    assert hasattr(owner, name), f"{kind.__name__} has no {name} yet: {advice}"
    return getattr(owner, name)


def ask(part, functions, arguments, table, rtol=1e-4, atol=1e-6):
    """Ask functions all questions of a table; judge its parts, and what holds for all.

    `functions` looks up each function by the name that messages use. `table` has for
    each part rows: the name of a function if there are several, arguments, and the
    right answer: a number, an array or a dictionary of them.
    """
    first = next(iter(functions))
    rows = [
        (name, row if type(row[0]) is str else (first, *row))
        for name, part_rows in table.items()
        for row in part_rows
    ]
    calls = [(name, copy.deepcopy(row)) for name, row in rows]
    with part("runs"):
        functions = {name: look_up() for name, look_up in functions.items()}
        found = answers([(functions[f], *given) for _, (f, *given, _) in calls])
        check_kind(rows[0][1], found[0])
    with part("shapes"):
        for (_, row), answer in zip(rows, found, strict=True):
            if not isinstance(answer, Exception):
                check_shape(row, answer)
    for name in table:
        with part(name):
            for (where, row), answer in zip(rows, found, strict=True):
                if where == name:
                    check_values(row, answer, rtol, atol)
    with part(f"{' and '.join(arguments)} unchanged"):
        for (_, (f, *before, _)), (_, (_, *after, _)) in zip(rows, calls, strict=True):
            for name, old, new in zip(arguments, before, after, strict=True):
                assert is_same(old, new), f"{f} changed {name}: work on a copy"
    with part("next call"):
        again = answers([(functions[f], *given) for _, (f, *given, _) in rows[:2]])
        for answers_to_it in (found[:2], again):
            for (_, row), answer in zip(rows[:2], answers_to_it, strict=True):
                check_values(row, answer, rtol, atol, "wrong in a second call: ")
        for (_, (f, *old, _)), (_, row) in pairwise(rows):
            new = row[1:-1]
            if f == row[0] and [*map(kind_of, old)] == [*map(kind_of, new)]:
                call = (functions[f], *map(copy.deepcopy, old))
                moves = [
                    (operator.iadd, array, after - before)
                    for array, before, after in zip(call[1:], old, new, strict=True)
                    if isinstance(array, np.ndarray)
                ]
                *_, answer = answers([call, *moves, call])
                check_values(row, answer, rtol, atol, "after a change in place: ")


def kind_of(value):
    """Return what two arguments share of which one can become the other in place."""
    is_array = isinstance(value, np.ndarray)
    return (value.shape, value.dtype) if is_array else repr(value)


def beyond_numbers_of(function, usual, most):
    """Return how large something is: as usual, or beyond the numbers in an answer.

    So what an answer does only up to some number shows. Grading asks that, too.
    """
    if hasattr(type(function), "_nbproctor_calls"):  # in grading, where this module is
        return import_module("nbproctor.expect").beyond(usual, most)
    constants = getattr(function, "__code__", left_out.__code__).co_consts
    numbers = [n for n in constants if isinstance(n, int | float)]
    return max([usual, *(int(n) + 1 for n in numbers if usual <= n <= most)])


def answers(calls):
    """Return what calls answer, or the exception of one; grading asks all at once."""
    parts = [part for call in calls for part in call]
    proxies = [part for part in parts if hasattr(type(part), "_nbproctor_calls")]
    found = []
    if proxies:
        found = type(proxies[0])._nbproctor_calls(proxies[0], calls, True)
    for function, *given in calls[len(found) :]:
        try:
            with np.errstate(all="ignore"):
                found.append(function(*given))
        except Exception as error:
            found.append(error)
    return found


def together(*calls):
    """Return what calls answer, in turn; grading makes them in one message."""
    found = answers([*calls])
    for answer in found:
        if isinstance(answer, Exception):
            raise answer
    return found


def is_same(old, new):
    """Whether an argument is what it was."""
    if isinstance(old, dict):
        return [*old] == [*new] and all(is_same(old[key], new[key]) for key in old)
    return np.array_equal(old, new)


def shown(value):
    """Return a value as text, or its shape if that is too long."""
    if isinstance(value, dict):
        return "{…}"
    array = np.asarray(value)
    if array.dtype.kind == "f":
        array = np.where(abs(array) < 1e4, array.round(4), array)
    text = " ".join(str(array.tolist()).split())
    dtype = "" if array.dtype in (float, int) else f", {array.dtype}"
    return text if len(text) < 60 else f"an array of shape {array.shape}{dtype}"


def call_of(row):
    """Return a row as code: what is called with what."""
    function, *given, _ = row
    text = f"{function}({', '.join(map(shown, given))})"
    return text if len(text) < 90 else f"{function}(…)"


def entries(row, answer):
    """Yield name, right answer and answer; several of a dictionary."""
    right = row[-1]
    if isinstance(answer, Exception):
        raise answer
    if not isinstance(right, dict):
        yield call_of(row), right, answer
        return
    kind = type(answer).__name__
    says = f"{call_of(row)}: a dictionary is needed, but found {kind}"
    assert isinstance(answer, dict), says
    lacks = [key for key in right if key not in answer]
    assert not lacks, f"{list(right)} are needed, but found {list(answer)}"
    for key in right:
        yield f'{call_of(row)}["{key}"]', right[key], answer[key]


def check_kind(row, answer):
    """Check that an answer is a number or a numeric array, as the right one is."""
    assert answer is not None, f"{row[0]} returned nothing: is there a return?"
    for call, right, found in entries(row, answer):
        kind = type(found).__name__
        assert found is not None, f"{call} is None"
        array = isinstance(found, np.ndarray) or not np.ndim(right)
        assert array, f"{call}: an array is needed, but found {kind}"
        kind = np.asarray(found).dtype
        assert kind.kind in "biuf", f"{call}: numbers are needed, but found {kind}"


def check_shape(row, answer):
    """Check the shape of an answer."""
    for call, right, found in entries(row, answer):
        shape, wanted = np.shape(found), np.shape(right)
        assert shape == wanted, f"{call}: the shape must be {wanted}, but found {shape}"


def check_values(row, answer, rtol=1e-4, atol=1e-6, why=""):
    """Check the values of an answer."""
    check_shape(row, answer)
    check_kind(row, answer)
    for call, right, found in entries(row, answer):
        wrong = ~np.isclose(found, right, rtol, atol)
        if np.size(right) > 8 and wrong.any():  # the first entry that differs
            index = tuple(map(int, np.argwhere(wrong)[0]))
            call = f"{call}{[*index]}"
            found, right = found[index], np.asarray(right)[index]
        says = f"{why}{call} is {shown(found)}, but must be {shown(right)}"
        assert not wrong.any(), says


# --- what a notebook shows ----------------------------------------------------------


def show(alt):
    """Show the current figure, with a sentence for those who cannot see it."""
    import matplotlib.pyplot as plt
    from IPython.display import display

    display(plt.gcf(), metadata={"image/png": {"alt": alt}})
    plt.close()
    # JupyterLab gives a picture no alternative text: a screen reader finds it here.
    unseen = f'<span style="position: absolute; opacity: 0">{alt}</span>'
    display({"text/html": unseen, "text/plain": alt}, raw=True)


def go_on_in_colab():
    """Let Colab's Run All go on after an error; elsewhere a tag on the cell does."""
    if "google.colab" in sys.modules:
        from IPython import get_ipython

        def go_on(result):
            result.error_before_exec = result.error_in_exec = None

        get_ipython().events.register("post_run_cell", go_on)


def shorten_what_is_not_written():
    """Let a cell say in one line which exercise it needs that is not written yet."""
    try:
        from IPython import get_ipython
    except ImportError:
        return

    def show_line(shell, kind, error, frames, tb_offset=None):
        code = [*traceback.walk_tb(frames)][-1][0].f_code
        if is_left_out(code):
            error._render_traceback_ = lambda: [f"✗ {code.co_name} is {NOT_WRITTEN}"]
        shell.showtraceback((kind, error, frames))

    if shell := get_ipython():
        shell.set_custom_exc((NotImplementedError,), show_line)


def left_out():
    """Be an exercise as it is handed out."""
    raise NotImplementedError


def is_left_out(code):
    """Whether a function does nothing but to raise `NotImplementedError`."""
    stub = left_out.__code__
    return (code.co_code, code.co_names) == (stub.co_code, stub.co_names)
