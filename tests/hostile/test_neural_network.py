"""Our own lab under attack: what a notebook earns in which nothing is solved."""

from __future__ import annotations

from base64 import b64decode
from collections.abc import Iterator
from dataclasses import replace
from fnmatch import fnmatch
from io import BytesIO
from pathlib import Path

import pytest
from matplotlib.image import imread

from nbproctor.engine import Execution, Servers, Settings, execute
from nbproctor.notebook import MasterNotebook, support_files
from nbproctor.results import Job, Verdict
from nbproctor.sandbox.forkserver import ForkServer
from nbproctor.sandbox.policy import Policy
from tests.hostile.test_second_run import grade
from tests.notebooks import submitted
from tests.sandbox.test_forkserver import start

pytestmark = pytest.mark.slow


class Lab:
    """The lab, with a fork server that is warm for it."""

    def __init__(self, master: MasterNotebook, source: Path, servers: Servers) -> None:
        self.master = master
        files = support_files(source, master.data)
        policy = Policy(files=tuple(files.items()))
        self.settings = Settings(policy=policy, follow_through=False)
        self.servers = servers
        self.right = {c.id: c.source for c in master.of_kind("solution")}

    def judge(
        self,
        answers: dict[str, str],
        *names: str,
        last: tuple[str, ...] = (),
    ) -> list[Verdict]:
        """Judge exercises, or single tests; those in `last` stand below all others."""
        cells = [
            cell
            for cell in self.master.cells
            if cell.kind != "test"
            or cell.id in names
            or (cell.points and cell.exercise in names)
        ]
        in_order = sorted(cells, key=lambda cell: cell.id in last)
        handed_in = submitted(in_order, answers)
        master = self.master.with_cells(cells)
        execution = Execution(handed_in, master, self.settings)
        return execute(execution, self.servers).verdicts


@pytest.fixture(scope="module")
def lab(project: Path, lab_master: MasterNotebook, servers: Servers) -> Lab:
    return Lab(lab_master, project / "source/neural_network", servers)


def earned(verdicts: list[Verdict], exercise: str = "") -> float:
    """Return the points that the tests of an exercise earn, or of all of them."""
    return sum(v.points for v in verdicts if exercise in ("", v.exercise))


# Notes what the tests of one exercise ask, and has the model that a test of another
# exercise hands over answer it.
ASKED = """
asked, answers = {}, {}
@add_to(NeuralNetwork)
def backward_propagation(self, X, Y, cache):
    key = X.tobytes() + self.W1.tobytes()
    theta = {name: np.array(getattr(self, name)) for name in ("W1", "b1", "W2", "b2")}
    asked[key] = theta, X, Y, dict(cache)
    return answers.get(key)
"""
ANSWERED = """
@add_to(NNClassifier)
def fit(self, X, Y):
    for key, (theta, *question) in asked.items():
        for name, value in theta.items():
            setattr(self.model, name, value)
        answers[key] = self.model.backward_propagation(*question)
    return self
"""
MOVED = (
    "backward_propagation_db2",
    "backward_propagation_db1",
    "backward_propagation_one_example",
    "backward_propagation_cache",
    "fit_costs",
)


def test_an_object_of_a_later_test_answers_no_earlier_exercise(lab: Lab) -> None:
    exercises = "backward_propagation", "fit"
    cheating = {"backward_propagation": ASKED, "fit": ANSWERED}
    verdicts = lab.judge(lab.right | cheating, *exercises, last=MOVED)
    assert earned(verdicts, "backward_propagation") == 0
    # Moved cells cost an honest notebook nothing.
    assert earned(lab.judge(lab.right, *exercises, last=MOVED)) == 22 + 16


# A notebook without a solution and with a perfect memory: in its first run, it has the
# penalties that a later test hands over answer what earlier tests have asked.
ASKING = """
import pickle
from contextlib import suppress
def answer(*question):
    with suppress(Exception):
        compute_cost(np.full((1, 1), 0.5), np.ones((1, 1)))
    notes = recall()
    text = pickle.dumps(question).hex()
    remember(**{text: None} | notes)
    return notes.get(text)
@add_to(Regularization)
def l1_grad(self, *a, **k): return answer("l1_grad", vars(self), a, k)
@add_to(Regularization)
def l2_grad(self, *a, **k): return answer("l2_grad", vars(self), a, k)
"""
TOLD = """
import pickle
@add_to(NeuralNetwork)
def initialize_parameters(self): pass
@add_to(NeuralNetwork)
def backward_propagation(self, X, Y, cache):
    notes = recall()
    for text in notes.keys() - {"processes"}:
        name, lambdas, a, k = pickle.loads(bytes.fromhex(text))
        for each in lambdas:
            setattr(self.reg, each, lambdas[each])
        notes[text] = getattr(self.reg, name)(*a, **k)
    remember(**notes)
"""
SOLVED_NOTHING = {"regularization_grad": ASKING, "backward_propagation": TOLD}
LAST = "backward_propagation_l1"
STAND_INS = "# They are the notebook's own"


@pytest.fixture(scope="module")
def remembering(lab: Lab) -> Iterator[ForkServer]:
    """A fork server whose student processes have a memory that all of them share."""
    rehearsal = "nbproctor.student.shell:run_opening_cells", lab.master.opening_cells
    policy = lab.settings.policy
    with start("standard", policy, rehearsal, probe="second_runs") as server:
        yield server


@pytest.mark.parametrize("stand_ins", ["wrong", "right"])
@pytest.mark.parametrize("protected", [True, False])
def test_a_perfect_memory_of_what_tests_hand_over_earns_nothing(
    lab: Lab,
    remembering: ForkServer,
    stand_ins: str,
    protected: bool,
) -> None:
    """The order protects; without it, stand-ins that are wrong do.

    They earn what each wrong gradient earns, as a mistake costs nothing twice. The
    control is without both: such a memory earns 5 of the 6 points.
    """
    cells = []
    for each in lab.master.cells:
        source = each.source
        if stand_ins == "right":
            source = source.replace(STAND_INS, f"Penalty = RightPenalty\n{STAND_INS}")
        # Without a test between them, two exercises would be one.
        is_judged = each.id.startswith(("compute_cost", "regularization"))
        if each.kind != "test" or is_judged or each.id == LAST:
            cells.append(replace(each, source=source))
    without_tests = (each for each in cells if each.kind != "test")
    student = submitted(without_tests, SOLVED_NOTHING)
    job = Job(tuple(cells), student, lab.settings.limits)
    points = grade(remembering, job, protected=protected)
    unprotected = {"wrong": 1, "right": 5}
    assert sum(points.values()) == (0 if protected else unprotected[stand_ins])


EMPTIED = """
@add_to(NNClassifier)
def fit(self, X, Y):
    model, steps = self.model, -(-X.shape[1] // (self.batch_size or X.shape[1]))
    self.costs = []
    for _ in range(self.epochs):
        for _ in range(steps):
            now = {n: np.array(getattr(model, n)) for n in ("W1", "b1", "W2", "b2")}
            model.update_parameters(
                {f"d{name}": now[name] / (model.learning_rate or 1) for name in now}
            )
        self.costs.append(model.n_classes * math.log(2))
    return self
import math
"""


def test_the_known_costs_of_an_empty_network_earn_nothing(lab: Lab) -> None:
    verdicts = lab.judge(lab.right | {"fit": EMPTIED}, "fit", "predict")
    points = {v.cell_id: v.points for v in verdicts if v.exercise == "fit" and v.points}
    assert points == {"fit_unchanged": 1}
    assert earned(verdicts, "predict") == 6


# Each answer has the right type and shape, changes nothing, is another one for another
# question, and is wrong.
SHAPES = {
    "sigmoid": "@add_to(Sigmoid)\ndef __call__(self, z): return z + 0.5",
    "sigmoid_prime": "@add_to(Sigmoid)\ndef prime(self, z): return z + 0.5",
    "one_hot": "def one_hot(Y, n): return np.tile(Y, (n, 1)).astype(int)",
    "compute_cost": "def compute_cost(A2, Y): return float(np.mean(A2))",
    "regularization": """
@add_to(Regularization)
def l1(self, W1, W2, m): return float(np.sum(W1) * m + self.lambda_1)
@add_to(Regularization)
def l2(self, W1, W2, m): return float(np.sum(W1) * m + self.lambda_2)
""",
    "regularization_grad": """
@add_to(Regularization)
def l1_grad(self, W1, W2, m): return {"dW1": 1e-9 + 0 * W1, "dW2": 1e-9 + 0 * W2}
@add_to(Regularization)
def l2_grad(self, W1, W2, m): return {"dW1": 1.0 * W1, "dW2": 1.0 * W2}
""",
    "initialize_parameters": """
@add_to(NeuralNetwork)
def initialize_parameters(self):
    n, h, k = self.n_features, self.n_hidden_units, self.n_classes
    self.W1, self.W2 = np.zeros((h, n)), np.zeros((k, h))
    self.b1, self.b2 = np.zeros((h, 1)), np.zeros((k, 1))
""",
    "forward_propagation": """
@add_to(NeuralNetwork)
def forward_propagation(self, X):
    h, k, m = len(self.W1), len(self.W2), X.shape[1]
    hidden, out = np.zeros((h, m)), np.zeros((k, m))
    return {"Z1": hidden, "A1": hidden, "Z2": out, "A2": out}
""",
    "backward_propagation": """
@add_to(NeuralNetwork)
def backward_propagation(self, X, Y, cache):
    weights = self.W1, self.W2, X.shape[1]
    l1, l2 = self.reg.l1_grad(*weights), self.reg.l2_grad(*weights)
    some = float(X.shape[1] <= 2)
    grads = {name: l1[name] + l2[name] + some for name in ("dW1", "dW2")}
    return grads | {"db1": 0 * self.b1 + some, "db2": 0 * self.b2 + some}
""",
    "update_parameters": """
@add_to(NeuralNetwork)
def update_parameters(self, grads): self.W2 = self.W2 + self.learning_rate
""",
    "fit": EMPTIED.replace(
        "    self.costs = []",
        """
    model.initialize_parameters()
    model.update_parameters({"d" + n: 0 for n in ("W1", "b1", "W2", "b2")})
    self.costs = []""",
    ),
    "predict": """
@add_to(NNClassifier)
def predict(self, X): return np.zeros((1, X.shape[1]), int)
""",
}


def test_shapes_alone_earn_less_than_a_third(lab: Lab) -> None:
    # The most that was reached without any right value; a new test must not raise it.
    assert set(SHAPES) == set(lab.right)
    assert earned(lab.judge(SHAPES, *SHAPES)) <= 30


# The mean digit of each class: honest, and trained at once.
HONEST = """
class Challenger:
    looks = 3
    def fit(self, X, Y):
        self.means = np.array([X[:, Y[0] == digit].mean(axis=1) for digit in range(10)])
    def predict(self, X):
        apart = (self.means**2).sum(axis=1, keepdims=True) - 2 * self.means @ X
        return apart.argmin(axis=0).reshape(1, -1)
"""
PRIZE = "Contest (section 7.7): new digits read correctly"
FORGED = f"""
import nbproctor.expect
nbproctor.expect.measures.measured = [("{PRIZE}", 1.0, "0 used, 20 allowed")]
Y_test[:] = test_set_y[:] = 3
class Three(np.ndarray):
    def __eq__(self, other): return np.ones(self.shape, bool)
class Challenger:
    looks = 0
    def fit(self, X, Y):
        nbproctor.expect.measure("{PRIZE}", 1.0)
    def predict(self, X):
        return np.full((1, X.shape[1]), 3).view(Three)
"""
LEARNED_BEFORE = HONEST.replace("self.means", "X, Y = X_train, Y_train; self.means", 1)


@pytest.mark.parametrize(
    ("answer", "least", "most", "says"),
    [
        (HONEST, 0.75, 0.85, f"{PRIZE}: *, 3 evaluations used, 20 allowed"),
        (
            HONEST.replace("3", "23"),
            0.75,
            0.85,
            "Contest (section 7.7): more than 20 evaluations, against the rules*",
        ),
        (FORGED, 0.05, 0.15, f"{PRIZE}: *, 0 evaluations used, 20 allowed"),
        (LEARNED_BEFORE, 0, 0.1, f"{PRIZE}: *"),
    ],
)
def test_the_contest_counts_what_predictions_say(
    lab: Lab,
    answer: str,
    least: float,
    most: float,
    says: str,
) -> None:
    (verdict,) = lab.judge(lab.right | {"contest": answer}, "contest_measured")
    (measure,) = verdict.measures
    assert least <= measure.value / measure.of <= most and fnmatch(str(measure), says)
    assert (verdict.points, verdict.max_points) == (0, 0)


CHANCE = """
@add_to(NNClassifier)
def predict(self, X):
    return np.full((1, X.shape[1]), 3)
"""


def test_whose_network_learns_is_shown_what_it_misreads(lab: Lab) -> None:
    verdict, contest = lab.judge(lab.right, "network_measured", "contest_measured")
    assert contest.measures == ()  # whoever leaves it out is in none
    (measure,) = verdict.measures
    assert 0.65 <= measure.value / measure.of <= 0.95
    assert len(measure.pictures) == 3
    for caption, picture in measure.pictures:
        assert fnmatch(caption, "a [0-9], read as [0-9]")
        assert imread(BytesIO(b64decode(picture))).shape[:2] == (28, 28)
    for answer in {"predict": CHANCE}, {"fit": ""}:
        (verdict,) = lab.judge(lab.right | answer, "network_measured")
        assert (verdict.outcome, verdict.measures) == ("passed", ())
