"""What a test hands over is the answer to no exercise: the audit says where it is."""

from __future__ import annotations

from pathlib import Path

import pytest

from nbproctor.audit.audit import audit
from nbproctor.engine import Settings
from nbproctor.results import Check
from nbproctor.sandbox.policy import Policy
from tests.hostile.trap import Assignment
from tests.timing import limits

pytestmark = pytest.mark.slow

SETUP = """\
import numpy as np
class Net:
    def __init__(self, weight): self.weight = weight
def add_to(kind):
    return lambda method: setattr(kind, method.__name__, method)"""
ANSWERS = {
    "double": "def double(x):\n    return 2 * x",
    "forward": "@add_to(Net)\ndef forward(self, X):\n    return self.weight * X + 1",
    "step": "@add_to(Net)\ndef step(self, by):\n    self.weight = self.weight - by",
    "train": "def train(net, f, X):\n    net.step(f(1.5))\n    return net.forward(X)",
}
# The last test hands over a network and a function, made of parts.
TESTS = """
--- double-values 1
assert double(4) == 8 and double(-1.5) == -3
--- double-type 1
assert isinstance(double(4), int)
--- forward-values 1
X = np.arange(7.0)
assert np.allclose(Net(3.0).forward(X), 3 * X + 1)
--- step-moves 1
net = Net(3.0)
assert net.step(0.5) is None and net.weight == 2.5
--- train-test 1
from nbproctor.expect import by_value
def named(x): return {named}
class Model:
    def __init__(self): self.weight = 2.0
    @by_value
    def part(self, x): return named(x) + 5
    def forward(self, X): return {forward}
    def step(self, by): {step}
net = Model()
X = np.arange(7.0)
train(net, abs, X > 3)  # what NumPy cannot subtract ends no search
train(net, lambda x: {function}, {given})
assert net.weight != 2.0"""
HARMLESS = {
    "given": "X",
    "function": "3 * x",
    "named": "3 * x",
    "forward": "self.weight * X + 2",
    "step": "self.weight = self.weight - 2 * by",
}


def borrowed(folder: Path, **parts: str) -> list[Check]:
    """Return what the audit says of objects that are handed over."""
    tests = TESTS.format(**HARMLESS | parts)
    master = Assignment("course", SETUP, ANSWERS, tests).write(folder)
    settings = Settings(
        limits(
            call=5.0,
            cell=10.0,
            submission=60.0,
        ),
        Policy(),
    )
    result = audit([master], settings, folder / "source/course", folder / "variants")
    return [check for check in result.checks if "test arguments" in check.name]


def test_a_right_answer_that_a_test_hands_over_is_a_fault(tmp_path: Path) -> None:
    right = {
        "function": "2 * x",
        "named": "2 * x",
        "forward": "self.weight * X + 1",
        "step": "self.weight = self.weight - by",
    }
    checks = borrowed(tmp_path, **right, given="3 * X + 1")
    assert not any(check.passed for check in checks)
    reasons = [check.finding.partition(". ")[0] for check in checks]
    assert sorted(reasons) == [
        "<lambda> gives away double: it earns the points of double-values",
        "Model.forward gives away forward: it earns the points of forward-values",
        "Model.step gives away step: it earns the points of step-moves",
        "an array that tests pass to train gives away forward: it is the correct "
        "result of a call",
        "named gives away double: it earns the points of double-values",
    ]


def test_other_objects_may_be_handed_over(tmp_path: Path) -> None:
    (check,) = borrowed(tmp_path)
    assert check.passed
    assert check.finding.startswith("5 calls, and none passes")
