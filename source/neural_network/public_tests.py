"""Public tests: each prints a card that says what holds, and what does not yet."""

from contextlib import contextmanager


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
        """Look at one thing. The test goes on where it is wrong, but for the first."""
        try:
            yield
        except Exception as error:
            is_first = not self.marks
            self.marks.append(f"✗ {name}")
            if not isinstance(error, AssertionError):
                if self.error is None:
                    raise
            elif self.error is None:
                self.error = PublicTestError(f"{name}: {error}")
            if is_first:
                raise self.error from None
        else:
            self.marks.append(f"✓ {name}")


def public_test(number, advise):
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
            raise
        print(*card.marks, sep="   ")

    return run
