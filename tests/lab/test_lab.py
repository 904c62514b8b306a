"""The lab keeps its contract: numbers, shapes, data and reference solutions.

Reference solutions are held against oracles that share no code with them: SciPy,
scikit-learn, scalar formulas and finite differences.
"""

import base64
import contextlib
import copy
import gzip
import hashlib
import importlib.util
import io
import json
import linecache
import math
import re
import shutil
import sys
import threading
from collections import Counter
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import nbformat
import numpy as np
import pytest
from PIL import Image
from scipy.special import expit

from nbproctor.audit.variants import read_variants
from nbproctor.expect import recording
from nbproctor.judge.compiled import Program
from nbproctor.notebook import MasterNotebook

ROOT = Path(__file__).parents[2]
SOURCE = ROOT / "source/neural_network/neural_network.ipynb"
SECOND = ROOT / "source/honest_evaluation/honest_evaluation.ipynb"
RELEASE = ROOT / "release/neural_network"
PARAMETERS = "W1", "b1", "W2", "b2"
NEEDS_DATA = {"data_paths", "load_data", "shapes", "scale"}


SPEC = importlib.util.spec_from_file_location("mnist", SOURCE.parent / "mnist.py")
# When it is first used: it imports Matplotlib, and most runs need no test of it.
SPEC.loader = importlib.util.LazyLoader(SPEC.loader)
MNIST = importlib.util.module_from_spec(SPEC)
SPEC.loader.exec_module(MNIST)
DATA = ROOT / "data/mnist"
IMAGES = "train-images-idx3-ubyte"
LABELS = "train-labels-idx1-ubyte"


def cells_of(path):
    return json.loads(path.read_text("utf-8"))["cells"]


CELLS = cells_of(SOURCE)


@pytest.fixture(params=[SOURCE, SECOND], ids=lambda path: path.stem)
def source(request):
    """The notebook of each lab."""
    return request.param


@pytest.fixture
def master(source):
    return MasterNotebook.read(source)


@pytest.fixture
def cells(source):
    return cells_of(source)


@pytest.fixture(scope="module")
def lab():
    """What the reference notebook defines, without loading the digits."""
    names = {name: getattr(MNIST, name) for name in ("CLASS_NAMES", "plot_digit")}
    monkeypatch = pytest.MonkeyPatch()
    monkeypatch.syspath_prepend(SOURCE.parent)
    for cell in MasterNotebook.read(SOURCE).of_kind("provided", "solution"):
        if not cell.skip and cell.nbgrader and cell.id not in NEEDS_DATA:
            exec(cell.source.replace("%matplotlib inline", ""), names)
    names["tqdm"] = lambda items, **_: items
    yield names
    monkeypatch.undo()
    for name in ("lab_tools", "public_tests"):  # or a fork server would look for them
        sys.modules.pop(name, None)


@pytest.fixture(scope="module")
def hidden(lab):
    """What the lab and its helper cells define."""
    names = dict(lab)
    for cell in MasterNotebook.read(SOURCE).of_kind("helper"):
        exec(cell.source, names)
    return names


@pytest.mark.slow
@pytest.mark.parametrize(
    ("exercise", "specification"),
    [("forward_propagation", "FORWARD"), ("backward_propagation", "BACKWARD")],
)
def test_raising_where_a_value_is_wrong_earns_nothing_more(
    hidden,
    monkeypatch,
    exercise,
    specification,
):
    """In the exercises in which other inputs are judged where an answer raises.

    Tried with every third wrong solution.
    """
    network = hidden["NeuralNetwork"]
    right = getattr(network, exercise)
    references = {c.id: c.source for c in MasterNotebook.read(SOURCE).cells}
    folder = ROOT / "variants/neural_network" / exercise
    trials, _ = read_variants(folder, references[exercise])

    def earned(answer):
        monkeypatch.setattr(network, exercise, answer)
        records = {}  # as in grading: one cell after another, each answer asked once
        names = set()
        for name in hidden[specification].properties:
            with contextlib.suppress(Exception):
                with recording(records):
                    hidden["check"](hidden[specification], name)
                names.add(name)
        return names

    monkeypatch.setattr(network, exercise, right)  # what is there after this test
    for trial in [trial for trial in trials if trial.kind == "wrong"][::3]:
        exec(trial.source, hidden)  # which attaches it
        wrong = getattr(network, exercise)

        def raises(model, *inputs, wrong=wrong):
            expected = right(copy.deepcopy(model), *copy.deepcopy(inputs))
            answer = wrong(model, *inputs)
            for key in expected:
                np.testing.assert_allclose(answer[key], expected[key], 1e-4, 1e-6)
            return answer

        assert earned(raises) <= earned(wrong), trial.name


@pytest.mark.slow
def test_a_loop_with_too_many_steps_is_refuted_with_few_examples(hidden, monkeypatch):
    sizes = []
    run_of = hidden["run_of"]
    monkeypatch.setitem(
        hidden,
        "run_of",
        lambda *run: sizes.append(run[1][0].shape[1]) or run_of(*run),
    )
    (fit,) = (c.source for c in MasterNotebook.read(SOURCE).cells if c.id == "fit")
    monkeypatch.setattr(hidden["NNClassifier"], "fit", None)
    exec(fit.replace("range(0, m, size)", "range(0, m)"), hidden)
    for name in hidden["FIT"].properties:
        with contextlib.suppress(AssertionError):
            hidden["check"](hidden["FIT"], name)
    assert max(sizes) < 20


@pytest.fixture
def network(lab):
    """A network with parameters of ordinary size and both penalties."""
    net = lab["NeuralNetwork"](5, 4, 3, 0.3, reg=lab["Regularization"](0.2, 0.5))
    rng = np.random.default_rng(0)
    for name in PARAMETERS:
        setattr(net, name, rng.normal(size=getattr(net, name).shape))
    return net


# --- the notebook ---------------------------------------------------------------


def text_of(cell):
    """Return the text of a cell, without that of shorter editions."""
    return re.sub(r"(?s)<!--.*?-->", "", "".join(cell["source"]))


def test_headings_and_the_outline_say_what_the_cells_are_worth(master, cells):
    points = Counter()
    for cell in master.of_kind("test"):
        points[cell.exercise] += cell.points
    prose = "\n".join(text_of(c) for c in cells if c["cell_type"] == "markdown")
    headings = re.findall(
        r"^### (\d)\.\d .* \(exercise (\d+), (\d+) points\)$", prose, re.M
    )
    assert [(int(number), int(said)) for _, number, said in headings] == [
        (number, points[exercise])
        for number, exercise in enumerate(master.exercises, 1)
    ]
    sections = Counter()
    for section, _, said in headings:
        sections[section] += int(said)
    rows = re.findall(r"^\| (\d) · [^|]*\|[^|]*\| (\d+) \|", prose, re.M)
    assert dict(rows) == {section: str(said) for section, said in sections.items()}
    assert sections.total() == 100


def words(text):
    """Words of prose: no tables, displayed formulas, addresses or pictures."""
    for pattern in (r"(?s)```.*?```", r"(?s)\$\$.*?\$\$", r"!\[.*\)", r"\]\([^)]*\)"):
        text = re.sub(pattern, "", text)
    lines = [line for line in text.splitlines() if not line.startswith("|")]
    return [word for word in " ".join(lines).split() if re.search(r"\w", word)]


def test_text_and_demos_are_short_and_headings_in_order(cells):
    depth = 1
    for cell in cells:
        text = text_of(cell)
        if cell["cell_type"] == "markdown":
            folded = cell["id"].endswith(("-checked", "-hints"))  # or a list
            assert folded or len(words(text)) <= 110, cell["id"]
            for heading in re.findall(
                r"(?m)^(#+) ", re.sub(r"(?s)```.*?```", "", text)
            ):
                assert len(heading) <= depth + 1, cell["id"]
                depth = len(heading)
        elif not cell["metadata"].get("nbgrader"):
            assert len(text.splitlines()) <= 15, cell["id"]


def bound_by(cell):
    """Return the global names that a cell of the master notebook binds."""
    return Program.from_source(cell.source, cell.id, runs_in_judge=False).binds


def test_demos_bind_no_name_of_the_hidden_tools(master):
    """Stock nbgrader runs demos too: one must not replace a tool of the tests."""
    tools = {name for c in master.cells if c.kind == "helper" for name in bound_by(c)}
    for cell in master.cells:
        if cell.kind == "provided":
            assert not tools & bound_by(cell) - {"np"}, cell.id


def test_pictures_have_alternative_text_and_tables_have_headers(cells):
    for cell in cells:
        text = text_of(cell)
        for alt in re.findall(r"!\[(.*?)\]\(", text):
            assert len(words(alt)) > 10, cell["id"]
        table = [line for line in text.splitlines() if line.startswith("|")]
        if table and cell["cell_type"] == "markdown":
            assert all(name.strip() for name in table[0].strip("|").split("|")), table
        assert "plt.show" not in text, cell["id"]  # `show` asks for a description


def test_every_exercise_has_a_public_test_several_hidden_ones_and_three_hints(
    master, cells
):
    for exercise in master.exercises:
        tests = [c for c in master.of_kind("test") if c.exercise == exercise]
        assert sum(not c.points for c in tests) == 1, exercise
        assert sum(c.points > 0 for c in tests) >= 3, exercise
        hints = exercise.replace("_", "-") + "-hints"
        cell = next(cell for cell in cells if cell["id"] == hints)
        assert "hint" in cell["metadata"]["tags"]
        kinds = re.findall("<summary>(.*?)</summary>", text_of(cell))
        rungs = 6 if exercise == "backward_propagation" else 1
        three = ["A question", "The formula to reread", "The line to look at"]
        assert [k for k in kinds if "hints" not in k.lower()] == rungs * three
        code = next(c.source for c in master.of_kind("solution") if c.id == exercise)
        for line in code.splitlines():
            assert len(line) < 20 or line.strip() not in text_of(cell), exercise


def test_the_source_holds_no_outputs_and_stable_ids(cells):
    for cell in cells:
        if cell["cell_type"] == "code":
            assert cell["outputs"] == [] and cell["execution_count"] is None
        assert cell["id"].replace("-", "").isalnum()
    assert len({cell["id"] for cell in cells}) == len(cells)


def test_public_tests_say_what_must_hold_and_bind_no_student_name(master):
    for cell in master.of_kind("test"):
        if not cell.points:
            assert cell.source.startswith("# "), cell.id
            (bound,) = bound_by(cell)
            assert bound.startswith("test_"), cell.id
            lines = cell.source.splitlines()[1:]
            assert max(map(len, lines)) <= 100, cell.id


# All that is shown of a graded test: its name, and what it checks.
SHOWN = re.compile(r"# Checked here: ([^,:;.]+)(.*)")


def test_tests_are_folded_and_one_list_says_what_grading_checks(master, cells):
    """JupyterLab and Notebook know `source_hidden`, Colab `cellView`, VS Code none."""
    lists = {cell["id"]: text_of(cell) for cell in cells}
    for exercise in master.exercises:
        tests = [c for c in master.of_kind("test") if c.exercise == exercise]
        names = [SHOWN.fullmatch(c.stub.strip())[1] for c in tests if c.points]
        points = [f"{c.points:g}" for c in tests if c.points]
        expected = [f"- {name} ({n})" for name, n in zip(names, points, strict=True)]
        listed = lists[f"{exercise.replace('_', '-')}-checked"].splitlines()
        assert listed[2:] == expected
    for cell in cells:
        if cell["metadata"].get("nbgrader", {}).get("grade"):
            assert cell["metadata"]["jupyter"]["source_hidden"], cell["id"]
            assert cell["metadata"]["cellView"] == "form", cell["id"]


# --- public tests tell no right answer wrong ------------------------------------


def public_test(names, exercise):
    """Run an exercise's public test with what the notebook defines."""
    cells = MasterNotebook.read(SOURCE).of_kind("test")
    test = next(c for c in cells if c.exercise == exercise and not c.points)
    exec(test.source, dict(names))


def float32(network, X):
    W1, b1, W2, b2 = (np.float32(getattr(network, name)) for name in PARAMETERS)
    Z1 = W1 @ np.float32(X) + b1
    A1 = np.float32(expit(Z1))
    Z2 = W2 @ A1 + b2
    return {
        "Z1": Z1,
        "A1": A1,
        "Z2": Z2,
        "A2": np.float32(expit(Z2)),
    }


def one_dictionary(network, X):
    cached = vars(network).setdefault("kept", {})
    cached.update(float32(network, X))
    return cached


@pytest.mark.parametrize("forward", [float32, one_dictionary])
@pytest.mark.parametrize("exercise", ["forward_propagation", "backward_propagation"])
def test_a_right_forward_propagation_passes_in_public(
    lab,
    monkeypatch,
    forward,
    exercise,
):
    monkeypatch.setattr(lab["NeuralNetwork"], "forward_propagation", forward)
    public_test(lab, exercise)


@pytest.mark.parametrize(
    ("name", "number", "exercise"),
    [
        ("compute_cost", 4, "backward_propagation"),
        ("one_hot", 3, "fit"),
        ("Sigmoid.__call__", 1, "sigmoid_prime"),
        ("Sigmoid.__call__", 1, "fit"),  # by way of exercise 8
        ("NeuralNetwork.initialize_parameters", 7, "update_parameters"),
    ],
)
def test_what_an_earlier_exercise_got_wrong_is_said_first(
    lab,
    monkeypatch,
    name,
    number,
    exercise,
):
    owner, _, method = name.rpartition(".")
    right = getattr(lab[owner], method) if owner else lab[name]

    def wrong(*args):
        return right(*args) / len(args[-1])  # a cost: of its outputs the mean, too

    if owner:
        monkeypatch.setattr(lab[owner], method, wrong)
    else:
        monkeypatch.setitem(lab, name, wrong)
    with pytest.raises(AssertionError, match=f"exercise {number} is not right yet"):
        public_test(lab, exercise)


def test_a_finished_answer_that_still_raises_is_told_so(lab, monkeypatch):
    def finished(self, grads):
        self.W1 = self.W1 - self.learning_rate * grads["dW1"]
        raise NotImplementedError  # your code here

    def left_out(self, grads):
        raise NotImplementedError  # your code here

    monkeypatch.setattr(lab["NeuralNetwork"], "update_parameters", finished)
    with pytest.raises(AssertionError, match="your code is there") as told:
        public_test(lab, "update_parameters")
    assert told.value._render_traceback_() == [f"✗ {told.value}"]
    monkeypatch.setattr(lab["NeuralNetwork"], "update_parameters", left_out)
    with pytest.raises(NotImplementedError) as told:
        public_test(lab, "update_parameters")
    (line,) = told.value._render_traceback_()  # all that a notebook shows
    assert line.startswith("✗ not written yet")


def test_the_ladder_stops_at_the_first_wrong_rung_and_shows_both_numbers(
    lab,
    monkeypatch,
    capsys,
):
    right = lab["NeuralNetwork"].backward_propagation

    def no_slope(
        self,
        X,
        Y,
        cache,
    ):
        dZ1 = self.W2.T @ (cache["A2"] - Y)
        return right(self, X, Y, cache) | {"dW1": dZ1 @ X.T / X.shape[1]}

    def so_far(
        self,
        X,
        Y,
        cache,
    ):
        grads = right(self, X, Y, cache)
        return {"dW2": grads["dW2"], "db2": grads["db2"]}

    monkeypatch.setattr(lab["NeuralNetwork"], "backward_propagation", no_slope)
    message = r'paper network: .*\["dW1"\] is \[\[-1.0, .*, but must be \[\[-0.25, '
    with pytest.raises(AssertionError, match=message):
        public_test(lab, "backward_propagation")
    monkeypatch.setattr(lab["NeuralNetwork"], "backward_propagation", so_far)
    capsys.readouterr()
    with pytest.raises(AssertionError, match="right so far: save it, then add dW1"):
        public_test(lab, "backward_propagation")
    card = capsys.readouterr().out
    assert card.count("✗") == 1 and "✗\N{NO-BREAK SPACE}no" in card  # entry missing


def test_an_error_in_an_answer_shows_its_own_line_and_the_last(lab, monkeypatch):
    code = "def one_hot(Y, n_classes):\n    return Y.no_such_name\n"
    names = {}
    exec(compile(code, "<typed>", "exec"), names)
    typed = len(code), None, code.splitlines(keepends=True), "<typed>"
    monkeypatch.setitem(linecache.cache, "<typed>", typed)
    monkeypatch.setitem(lab, "one_hot", names["one_hot"])
    with pytest.raises(AttributeError) as raised:
        public_test(lab, "one_hot")
    where, line, reason = raised.value._render_traceback_()
    assert where == "✗ your code stops in one_hot, line 2:"
    assert line.strip() == "return Y.no_such_name"
    assert reason.startswith("AttributeError: ")


# What broke a public test itself: other lengths, an int, strings.
@pytest.mark.parametrize(
    ("exercise", "owner", "name", "wrong"),
    [
        ("one_hot", None, "one_hot", lambda Y, k: np.eye(k)[:, Y[0]] if k < 9 else 1),
        ("one_hot", None, "one_hot", lambda Y, k: np.eye(k)[:, Y[0]].astype(str)),
        (
            "predict",
            "NNClassifier",
            "predict",
            lambda self, X: np.full((1, 4), 1)[0, 0],
        ),
    ],
)
def test_a_public_test_says_what_is_wrong_and_does_not_raise(
    lab,
    monkeypatch,
    exercise,
    owner,
    name,
    wrong,
):
    if owner:
        monkeypatch.setattr(lab[owner], name, wrong)
    else:
        monkeypatch.setitem(lab, name, wrong)
    with pytest.raises(AssertionError):
        public_test(lab, exercise)


def test_the_public_bounds_of_the_first_weights_are_those_of_grading(lab, monkeypatch):
    network = lab["NeuralNetwork"]
    right = network.initialize_parameters

    def wider(self):
        right(self)
        self.W1 = 1.05 * self.W1

    monkeypatch.setattr(network, "initialize_parameters", wider)
    with pytest.raises(AssertionError, match=r"standard deviation should be 0\.01"):
        public_test(lab, "initialize_parameters")


def test_prime_may_ask_itself_by_name_beside_a_blank_exercise_1(lab, monkeypatch):
    def prime(self, z):
        return self(z=z) * (1 - self(z=z))

    def blank(self, z):
        raise NotImplementedError

    monkeypatch.setattr(lab["Sigmoid"], "prime", prime)
    monkeypatch.setattr(lab["Sigmoid"], "__call__", blank)
    names = dict(lab)
    helpers = "helpers", "sigmoid_specification", "sigmoid_prime_specification"
    for cell in MasterNotebook.read(SOURCE).cells:
        if cell.id in helpers or (cell.exercise == "sigmoid_prime" and cell.points):
            exec(cell.source, names)


def test_looks_are_counted_in_a_file_and_the_same_look_once(
    lab,
    tmp_path,
    capsys,
):
    digits = np.zeros((784, 9)), np.array([[1, 2, 3, 4, 5, 6, 7, 8, 9]])

    def look(says, looks=0):
        again = lab["lab_tools"].Looks(*digits, *digits, tmp_path / "looks.txt")

        class Challenger:
            def fit(self, X, Y):
                self.says = says

            def predict(self, X):
                return np.full((1, 9), self.says)

        Challenger.looks = looks
        again(Challenger)
        return capsys.readouterr().out

    assert look(3).startswith("look 1 of 20: 0.1111 of the validation digits\n")
    assert "look 2 of 20: 0.0000" in look(0)
    assert look(3, 2).endswith("trained in 0.0 seconds\n")  # nothing new, counted once
    assert "Write looks = 2 into your class" in look(3, 1)
    replies = [look(says) for says in range(3, 23)]
    assert "look 20 of 20" in replies[18] and "more than allowed" not in replies[18]
    assert "look 21 of 20" in replies[19]
    assert "Your feedback page will say this" in replies[19]


# What raises where Python is WebAssembly, in a browser.
ALONE = """
import os, socket, subprocess, threading
from zmq.utils.garbage import gc
gc.start()  # the kernel's own thread
def refuse(*args, **options):
    raise RuntimeError("a browser has no threads, processes and sockets")
threading.Thread.start = subprocess.Popen.__init__ = refuse
socket.socket.connect = os.fork = os.posix_spawn = os.system = refuse
"""


def run(
    notebook,
    folder,
    first="",
    written=None,
):
    """Run a notebook as Run All does; the outputs of its cells by id."""
    from tests.kernels import run_in_kernel

    notebook.cells.insert(0, nbformat.v4.new_code_cell(first, id="first"))
    brief = ["--InteractiveShell.xmode=Minimal"]  # tracebacks take longer than the code
    run_in_kernel(notebook, folder, extra_arguments=brief)
    if written:
        nbformat.write(notebook, written)
    return {c.id: c.outputs for c in notebook.cells if c.cell_type == "code"}


@pytest.fixture(scope="module")
def solved(tmp_path_factory):
    folder = tmp_path_factory.mktemp("solved")  # section 7 writes a page there
    shutil.copytree(SOURCE.parent, folder, dirs_exist_ok=True)
    (folder / "data").symlink_to(ROOT / "data")
    notebook = nbformat.read(SOURCE, as_version=4)
    # Without the graded tests, which no student has: `release` runs them in a kernel.
    notebook.cells = [
        cell
        for cell in notebook.cells
        if not cell.metadata.get("nbgrader", {}).get("points")
    ]
    return run(notebook, folder, ALONE)


@pytest.mark.slow
def test_the_solved_lab_runs_clean_and_reads_93_of_100_digits(solved):
    for cell, shown in solved.items():
        assert not [o for o in shown if o.get("name") == "stderr" or "ename" in o], cell
    assert float(re.search(r"test digits: +(\S+)", solved["score"][0].text)[1]) >= 0.93
    for text in (
        "(784, 5000) (1, 5000)",
        "(784, 55000) (1, 55000)",
        "7 3 8 9 3 9 7 7 5 4",
    ):
        assert text in solved["shapes"][0].text


@pytest.mark.slow
def test_what_section_6_claims_is_what_the_solved_lab_prints(solved):
    """In every seed, so that another training would say the same."""
    assert "two hidden units: 0.000" in solved["broken"][0].text
    usual, noisy = re.findall("seed by seed: (.*)", solved["penalties"][0].text)
    assert usual.count("-") == 3 and "-" not in noisy
    gains = re.findall(r"to \w+: (\S+) ± (\S+)", solved["compare"][0].text)
    # The gain of softmax over ReLU is within its error.
    assert [float(a) > 2 * float(b) for a, b in gains] == [True, True, False]


@pytest.mark.slow
def test_every_picture_says_what_it_shows(solved):
    pictures = [
        (cell, output)
        for cell, outputs in solved.items()
        for output in outputs
        if "image/png" in output.get("data", {})
    ]
    assert len(pictures) > 15
    for cell, output in pictures:
        alt = output.metadata["image/png"]["alt"]
        assert len(alt.split()) > 5, cell
        after = solved[cell][solved[cell].index(output) + 1]
        assert f">{alt}<" in after.data["text/html"], cell  # JupyterLab drops `alt`


@pytest.mark.slow
def test_the_networks_are_filmed_from_epoch_0_to_20(solved):
    for cell in ("show-toy", "show-learning"):
        strip, _, film = solved[cell]
        assert "image/png" in strip.data  # what is printed
        text = film.data["text/html"]
        code = re.search(r'alt=".{40,}".+src="data:image/gif;base64,(.+?)"', text)[1]
        assert text.startswith("<details>")  # folded, it stops
        assert len(code) < 200_000
        with Image.open(io.BytesIO(base64.b64decode(code))) as film:
            assert film.n_frames == 21
            ends = []
            for frame in (0, 20):
                film.seek(frame)
                ends.append(np.ptp(np.asarray(film.convert("RGB"), dtype=int)))
        assert ends[0] < 40 and ends[1] > 150  # from blank to what was learned


@pytest.mark.slow
def test_the_paper_network_and_the_students_method_agree(solved):
    printed = solved["try-tiny-network"][0].text
    assert "dW1 [[-0.25, -0.5], [0.375, 0.75]]" in printed
    by_hand = solved["try-tiny-backward"][0].text
    for number in ("-0.2500 and -0.5000", "0.3750 and 0.7500", "-0.2500 and -0.3750"):
        assert number in by_hand


@pytest.mark.slow
def test_run_all_goes_on_past_exercises_left_out_and_validate_names_them(tmp_path):
    from nbgrader.preprocessors import CheckCellMetadata
    from nbgrader.validator import Validator

    whole = tmp_path / "run.ipynb"
    notebook = nbformat.read(RELEASE / SOURCE.name, as_version=4)
    outputs = run(notebook, RELEASE, written=whole)  # no error elsewhere
    assert "mnist" in outputs["data-paths"][0].text
    for cell in MasterNotebook.read(SOURCE).of_kind("test"):
        if not cell.points and cell.exercise:
            assert any(o.output_type == "error" for o in outputs[cell.cell_id]), cell.id
    # It would run all cells once more.
    validator = Validator(preprocessors=[CheckCellMetadata])
    failed = validator.validate(str(whole))["failed"]
    assert len(failed) == len(MasterNotebook.read(SOURCE).exercises)


@pytest.mark.slow
def test_colab_goes_on_too(tmp_path):
    """Colab knows no tag for that, and has no wget and no nbgrader."""
    notebook = nbformat.read(RELEASE / SOURCE.name, as_version=4)
    names = "data-paths packages advice sigmoid-class sigmoid load-data sigmoid-public"
    cells = [cell for cell in notebook.cells if cell.id in names.split()]
    for cell in cells:
        cell.metadata.pop("tags", None)
    pretend = (
        "import sys, types; sys.modules['google.colab'] = types.ModuleType('colab')\n"
        "sys.modules['wget'] = sys.modules['nbgrader'] = None"
    )
    end = nbformat.v4.new_code_cell("print('went on')")
    notebook.cells = [nbformat.v4.new_code_cell(pretend), *cells, end]
    for module in ("mnist.py", "lab_tools.py", "public_tests.py"):
        shutil.copy(RELEASE / module, tmp_path)
    shutil.copytree(DATA, tmp_path / "data/mnist")
    outputs = run(notebook, tmp_path)
    assert outputs["sigmoid-public"][-1].output_type == "error"
    assert outputs[end.id][0].text == "went on\n"


# --- the second lab -------------------------------------------------------------


def test_every_course_gets_the_same_public_tests():
    starter = ROOT / "nbproctor/templates/starter/public_tests.txt"
    copies = [starter, *(ROOT / "source").glob("*/public_tests.py")]
    assert len({path.read_text("utf-8") for path in copies}) == 1


@pytest.mark.slow
def test_the_second_lab_runs_clean_and_its_pictures_say_what_they_show():
    outputs = run(nbformat.read(SECOND, as_version=4), SECOND.parent)
    shown = [output for cell in outputs.values() for output in cell]
    assert not [o for o in shown if o.get("name") == "stderr" or "ename" in o]
    pictures = [o for o in shown if "image/png" in o.get("data", {})]
    assert len(pictures) == 3
    assert all(len(o.metadata["image/png"]["alt"]) > 80 for o in pictures)
    assert "right for 94 of 100" in text_of(cells_of(SECOND)[0])
    assert outputs["promise"][0].text.startswith("right: 0.94 ")


@pytest.mark.slow
def test_what_the_second_lab_claims_holds_for_another_table(monkeypatch):
    monkeypatch.syspath_prepend(SECOND.parent)
    names = {"display": str, "print": lambda *words, **options: None}
    for cell in cells_of(SECOND):
        code = text_of(cell).replace("%matplotlib inline", "")
        if cell["cell_type"] == "code" and not re.search(
            "^plot|HIDDEN", cell["id"] + code
        ):
            exec(code.replace("make_table(seed=0)", "make_table(seed=1)"), names)
    sys.modules.pop("public_tests")
    promised, *honest, last = names["apart"].mean()
    assert promised > 0.9 > max(honest) and min(honest) > last
    assert last < names["baseline"]
    assert names["fitted"]["w"].argmax() == 2  # days_ahead
    assert 0 < names["gain"].mean() < 2 * names["splits"]["gain_error"].mean()
    errors = names["by_area"].groupby(["model", "area"])["error"].mean()
    assert errors["one model", "country"] > 0.49 > 0.4 > errors["one model", "city"]
    alone = errors["a model for each area"]
    assert alone["country"] < 0.4 and alone["city"] < errors["one model", "city"] + 0.01


# --- reference solutions against independent oracles ----------------------------


@pytest.mark.parametrize("z", [-1000, 0.3, [-700, -40.5, 0, 40.5, 700, 1000]])
def test_sigmoid_is_scipys(lab, z):
    sigmoid = lab["Sigmoid"]()
    np.testing.assert_allclose(sigmoid(z), expit(np.float64(z)), rtol=1e-12)
    slope = expit(np.float64(z)) * expit(-np.float64(z))
    np.testing.assert_allclose(sigmoid.prime(z), slope, atol=1e-15)
    assert np.shape(sigmoid(z)) == np.shape(z)


@pytest.mark.parametrize("dtype", [np.uint8, np.int64])
def test_one_hot_is_scikit_learns(lab, dtype):
    from sklearn.preprocessing import label_binarize

    Y = np.random.default_rng(0).integers(0, 9, size=(1, 300)).astype(dtype)
    want = label_binarize(Y[0], classes=range(10)).T  # class 9 is absent
    np.testing.assert_array_equal(lab["one_hot"](Y, 10), want)


def test_cost_is_the_sum_of_scikit_learns_log_losses(lab):
    from sklearn.metrics import log_loss

    rng = np.random.default_rng(0)
    A2 = rng.uniform(0.01, 0.99, size=(4, 50))
    Y = np.eye(4)[:, rng.integers(0, 4, 50)]
    want = sum(log_loss(y, a, labels=[0, 1]) for y, a in zip(Y, A2, strict=True))
    assert lab["compute_cost"](A2, Y) == pytest.approx(want)


def regularized_cost(
    lab,
    network,
    X,
    Y,
):
    weights = network.W1, network.W2, X.shape[1]
    penalty = network.reg.l1(*weights) + network.reg.l2(*weights)
    output = network.forward_propagation(X)["A2"]
    return lab["compute_cost"](output, Y) + penalty


def test_gradients_are_finite_differences(lab, network):
    from scipy.optimize import approx_fprime

    rng = np.random.default_rng(1)
    X = rng.normal(size=(5, 7))
    Y = np.eye(3)[:, rng.integers(0, 3, 7)]
    grads = network.backward_propagation(X, Y, network.forward_propagation(X))
    for name in PARAMETERS:
        parameter = getattr(network, name)

        def cost(
            flat,
            name=name,
            parameter=parameter,
        ):
            setattr(network, name, flat.reshape(parameter.shape))
            return regularized_cost(lab, network, X, Y)

        want = approx_fprime(parameter.ravel(), cost, 1e-7).reshape(parameter.shape)
        setattr(network, name, parameter)
        np.testing.assert_allclose(grads[f"d{name}"], want, atol=1e-5)
        slopes = lab["numerical_gradient"](lambda c=cost, p=parameter: c(p), parameter)
        np.testing.assert_allclose(slopes, want, atol=1e-5)


# --- what is given, and the cells of section 7 ------------------------------------


@pytest.mark.parametrize("label", [-1, 4])
def test_one_hot_refuses_labels_out_of_range(lab, label):
    with pytest.raises(ValueError, match="labels must lie in"):
        lab["one_hot"](np.array([[0, label]]), 4)


def test_accuracy_refuses_unequal_shapes(lab):
    with pytest.raises(ValueError, match="shapes differ"):
        lab["accuracy"](np.zeros((1, 5)), np.zeros((5, 1)))


@pytest.fixture
def extension(lab):
    """The lab with the cells of section 7, which grading skips."""
    names = dict(lab)
    for name in ("relu", "better-start", "softmax-network", "prepare-drawing"):
        exec(next(text_of(c) for c in CELLS if c["id"] == name), names)
    return names


def test_backward_propagation_serves_softmax_and_relu_unchanged(extension, network):
    from sklearn.metrics import log_loss

    net = extension["SoftmaxNetwork"](5, 4, 3, 0.3)
    for name in PARAMETERS:
        setattr(net, name, getattr(network, name))
    rng = np.random.default_rng(3)
    X = rng.normal(size=(5, 7))
    Y = np.eye(3)[:, rng.integers(0, 3, 7)]

    def cost():
        return log_loss(Y.T, net.forward_propagation(X)["A2"].T)

    grads = net.backward_propagation(X, Y, net.forward_propagation(X))
    for name in PARAMETERS:
        measured = extension["numerical_gradient"](cost, getattr(net, name))
        np.testing.assert_allclose(grads[f"d{name}"], measured, atol=1e-6)


def test_a_drawing_becomes_like_mnist(extension):
    paper = np.full((300, 200), 230.0)
    paper[20:180, 100:140] = 20  # a stroke of 160 x 40, dark on light, off centre
    column = extension["prepare_drawing"](paper)
    picture = column.reshape(28, 28)
    assert column.shape == (784, 1) and picture.min() == 0 and picture.max() == 1
    rows, columns = (np.flatnonzero(picture.any(axis=axis)) for axis in (1, 0))
    assert (np.ptp(rows) + 1, np.ptp(columns) + 1) == (20, 5)
    assert abs(rows.mean() - 13.5) <= 1 and abs(columns.mean() - 13.5) <= 1


# --- data -----------------------------------------------------------------------


def use(folder, monkeypatch, *urls):
    """Run `find_data` in a folder; nothing but `urls` can be downloaded."""
    monkeypatch.chdir(folder)
    monkeypatch.setitem(MNIST.DATA, "urls", list(urls))
    return MNIST.find_data


@pytest.mark.parametrize(
    "folder", ["source/lab", "release/lab", "submitted/ada/lab", "autograded/ada/lab"]
)
@pytest.mark.parametrize("packed", [True, False])
def test_data_are_found_from_every_folder(
    tmp_path,
    monkeypatch,
    folder,
    packed,
):
    (tmp_path / folder).mkdir(parents=True)
    (tmp_path / "data/mnist").mkdir(parents=True)
    name = LABELS + ".gz" * packed
    content = (DATA / f"{LABELS}.gz").read_bytes()
    target = tmp_path / "data/mnist" / name
    target.write_bytes(content if packed else gzip.decompress(content))
    assert use(tmp_path / folder, monkeypatch)(LABELS) == target


@pytest.fixture
def server(tmp_path_factory):
    """A web server on this machine that has whatever its folder has."""
    folder = tmp_path_factory.mktemp("web")
    handler = partial(SimpleHTTPRequestHandler, directory=str(folder))
    handler.log_message = lambda *args: None
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as http:
        serve = partial(http.serve_forever, poll_interval=0.01)
        threading.Thread(target=serve, daemon=True).start()
        yield folder, f"http://127.0.0.1:{http.server_port}/{{}}.gz"
        http.shutdown()


@pytest.mark.parametrize("with_wget", [True, False])
@pytest.mark.parametrize("ending", [".gz", ""])
def test_missing_data_are_downloaded_once(
    tmp_path,
    monkeypatch,
    server,
    with_wget,
    ending,
):
    folder, url = server
    packed = (DATA / f"{LABELS}.gz").read_bytes()
    content = packed if ending else gzip.decompress(packed)
    (folder / f"{LABELS}{ending}").write_bytes(content)
    if not with_wget:
        monkeypatch.setattr(MNIST, "wget", None)
    find = use(tmp_path, monkeypatch, url.removesuffix(".gz") + ending)
    assert find(LABELS).read_bytes() == content
    (folder / f"{LABELS}{ending}").unlink()  # a second download would now fail
    assert find(LABELS).name == f"{LABELS}{ending}"


@pytest.mark.parametrize("content", [None, b"", b"<html>404</html>", "half"])
def test_a_wrong_download_or_none_leaves_nothing_and_says_what_to_do(
    tmp_path,
    monkeypatch,
    server,
    content,
):
    folder, url = server
    if content is None:
        url = "http://127.0.0.1:9/{}"
    elif content == "half":
        whole = (DATA / f"{LABELS}.gz").read_bytes()
        (folder / f"{LABELS}.gz").write_bytes(whole[: len(whole) // 2])
    else:
        (folder / f"{LABELS}.gz").write_bytes(content)
    find = use(tmp_path, monkeypatch, url)
    with pytest.raises(
        FileNotFoundError, match=r"put the file into a folder.*data/mni"
    ):
        find(LABELS)
    assert list(tmp_path.iterdir()) == []


def test_a_damaged_file_is_left_alone_and_not_used(
    tmp_path,
    monkeypatch,
    capsys,
):
    (tmp_path / LABELS).write_bytes(b"damaged")
    with pytest.raises(FileNotFoundError):
        use(tmp_path, monkeypatch)(LABELS)
    assert "is damaged" in capsys.readouterr().out
    assert (tmp_path / LABELS).read_bytes() == b"damaged"


def idx(
    magic,
    sizes,
    content,
):
    return np.array([magic, *sizes], dtype=">i4").tobytes() + content


@pytest.mark.parametrize(
    ("images", "labels", "reason"),
    [
        (b"", idx(2049, [2], b"01"), "images: not an IDX file"),
        (b"<!DOCTYPE html>" * 9, idx(2049, [2], b"01"), "images: not an IDX file"),
        (idx(2051, [2, 2, 2], b"1234567"), idx(2049, [2], b"01"), "images: holds 7 b"),
        (idx(2051, [2, 2, 2], b"12345678"), idx(2049, [3], b"012"), "labels: 3 labels"),
        (idx(2051, [2, 2, 2], b"12345678"), idx(2051, [2], b"01"), "labels: not an ID"),
    ],
)
def test_files_that_are_not_mnist_are_refused(
    tmp_path,
    images,
    labels,
    reason,
):
    paths = tmp_path / "images", tmp_path / "labels"
    for path, content in zip(paths, (images, labels), strict=True):
        path.write_bytes(content)
    with pytest.raises(ValueError, match=reason):
        MNIST.read_mnist(*paths)


def test_a_cut_gzip_file_is_refused(tmp_path):
    path = tmp_path / "images.gz"
    path.write_bytes((DATA / f"{LABELS}.gz").read_bytes()[:1000])
    with pytest.raises(ValueError, match="not a whole gzip file"):
        MNIST.read_mnist(path, path)


def test_another_data_set_is_another_table(tmp_path, monkeypatch):
    content = idx(2049, [3], b"012")
    table = {
        "folder": "data/other",
        "files": {"labels": hashlib.sha256(content).hexdigest()},
        "urls": [],
    }
    monkeypatch.setattr(MNIST, "DATA", table)
    (tmp_path / "data/other").mkdir(parents=True)
    (tmp_path / "data/other/labels.gz").write_bytes(gzip.compress(content))
    monkeypatch.chdir(tmp_path)
    assert MNIST.find_files() == [tmp_path / "data/other/labels.gz"]


def test_shuffling_keeps_images_and_labels_together():
    order = np.random.RandomState(42).permutation(9)
    features, labels = MNIST.shuffle_data(np.arange(9) * 10, np.arange(9))
    np.testing.assert_array_equal(labels, order)
    np.testing.assert_array_equal(features, 10 * order)
    with pytest.raises(ValueError, match="9 examples, but 8 labels"):
        MNIST.shuffle_data(np.arange(9), np.arange(8))


@pytest.mark.slow
def test_the_shipped_data_are_mnist():
    images, labels = MNIST.read_mnist(DATA / f"{IMAGES}.gz", DATA / f"{LABELS}.gz")
    assert images.shape == (60_000, 784) and labels.shape == (60_000,)
    assert images.dtype == labels.dtype == np.uint8
    assert all(MNIST.is_intact(DATA / f"{name}.gz", name) for name in (IMAGES, LABELS))
    assert math.isclose(images.mean(), 33.3184, abs_tol=1e-3)  # a published mean


# --- 4.5, the student's own test ----------------------------------------------------


def examiner(
    lab,
    lambdas,
    m,
):
    """A student's test that compares with measured slopes, on m examples."""

    def accepts(backward):
        network = lab["random_network"](*lambdas)
        X, Y = lab["random_examples"](m)
        cost = partial(regularized_cost, lab, network, X, Y)
        grads = backward(network, X, Y, network.forward_propagation(X))
        return all(
            np.allclose(
                grads[f"d{name}"],
                lab["numerical_gradient"](cost, getattr(network, name)),
                rtol=1e-3,
                atol=1e-5,
            )
            for name in PARAMETERS
        )

    return accepts


@pytest.mark.parametrize(
    ("lambdas", "m", "says"),
    [
        ((0.8, 1.5), 6, "Your test catches 10 of 10 and rejects no right one."),
        ((0, 0), 6, "Your test catches 8 of 10 and rejects no right one."),
        ((0, 0), 1, "Your test catches 6 of 10 and rejects no right one."),
    ],
)
def test_a_test_catches_more_with_a_batch_and_penalties(
    lab,
    capsys,
    lambdas,
    m,
    says,
):
    lab["lab_tools"].try_test(examiner(lab, lambdas, m), lab)
    assert capsys.readouterr().out.splitlines()[-1] == says


def test_a_test_that_refuses_all_is_told_so(lab, capsys):
    lab["lab_tools"].try_test(lambda backward: False, lab)
    *_, short_floats, last = capsys.readouterr().out.splitlines()
    assert short_floats == "✗ rejected, but right: the same with short floats"
    assert last == "Your test catches 10 of 10 and rejects a right one."
