"""The lab keeps its contract: text, public tests, what it prints, and its data.

Its reference solutions agree with an oracle for each exercise in the audit
(tests/audit), such as finite differences for the gradients.
"""

import base64
import builtins
import contextlib
import copy
import gzip
import hashlib
import importlib
import io
import linecache
import re
import shutil
from collections import Counter
from functools import partial

import nbformat
import numpy as np
import pytest
from PIL import Image

from nbproctor.audit.variants import read_variants
from nbproctor.expect import recording
from nbproctor.judge.compiled import Program
from nbproctor.notebook import MasterNotebook
from tests import PROJECT
from tests.notebooks import (
    find_cell,
    modules_beside,
    read_json,
    read_notebook,
)
from tests.web import served

SOURCE = PROJECT / "source/neural_network/neural_network.ipynb"
SECOND = PROJECT / "source/honest_evaluation/honest_evaluation.ipynb"
RELEASE = PROJECT / "release/neural_network"
PARAMETERS = "W1", "b1", "W2", "b2"
NEEDS_DATA = {"data_paths", "load_data", "shapes", "scale"}


DATA = PROJECT / "data/mnist"
LABELS = "train-labels-idx1-ubyte"
PACKED = (DATA / f"{LABELS}.gz").read_bytes()


def cells_of(path):
    return read_json(path)["cells"]


CELLS = cells_of(SOURCE)


@pytest.fixture(params=[SOURCE, SECOND], ids=lambda path: path.stem, scope="module")
def source(request):
    """The notebook of each lab."""
    return request.param


@pytest.fixture(scope="module")
def master(source):
    return MasterNotebook.read(source)


@pytest.fixture(scope="module")
def cells(source):
    return cells_of(source)


@pytest.fixture(scope="module")
def mnist():
    """The module of the lab, which imports Matplotlib."""
    with modules_beside(SOURCE.parent):
        return importlib.import_module("mnist")


@pytest.fixture(scope="module")
def lab(lab_master, mnist):
    """What the reference notebook defines, without loading the digits."""
    names = {name: getattr(mnist, name) for name in ("CLASS_NAMES", "plot_digit")}
    with modules_beside(SOURCE.parent):
        for cell in lab_master.of_kind("provided", "solution"):
            if not cell.skip and cell.nbgrader and cell.id not in NEEDS_DATA:
                exec(cell.source.replace("%matplotlib inline", ""), names)
        names["tqdm"] = lambda items, **_: items
        names["In"] = [c.source for c in lab_master.of_kind("test") if not c.points]
        yield names


@pytest.fixture(scope="module")
def hidden(lab, lab_master):
    """What the lab and its helper cells define."""
    names = dict(lab)
    for cell in lab_master.of_kind("helper"):
        exec(cell.source, names)
    return names


@pytest.mark.slow
@pytest.mark.parametrize(
    ("exercise", "specification"),
    [("forward_propagation", "FORWARD"), ("backward_propagation", "BACKWARD")],
)
def test_raising_where_a_value_is_wrong_earns_nothing_more(
    hidden,
    lab_master,
    put,
    exercise,
    specification,
):
    """In the exercises in which other inputs are judged where an answer raises.

    Tried with every third wrong solution.
    """
    name = f"NeuralNetwork.{exercise}"
    network = hidden["NeuralNetwork"]
    right = getattr(network, exercise)
    reference = find_cell(lab_master, exercise).source
    trials, _ = read_variants(PROJECT / "variants/neural_network" / exercise, reference)

    put(name, right)  # what is there after this test

    def earned(answer):
        put(name, answer)
        names = set()
        with recording({}):  # as in grading, each answer is asked once
            for each in hidden[specification].properties:
                with contextlib.suppress(Exception):
                    hidden["check"](hidden[specification], each)
                    names.add(each)
        return names

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
def test_penalties_that_are_written_out_are_right(hidden, put):
    """The hidden tests pass on penalties of another form, with their strengths."""
    right = hidden["NeuralNetwork"].backward_propagation

    def with_the_notebooks(network, *inputs):
        other = copy.copy(network)
        other.reg = hidden["written_out"](network.reg)
        return right(other, *inputs)

    put("NeuralNetwork.backward_propagation", with_the_notebooks)
    for name in hidden["BACKWARD"].properties:
        hidden["check"](hidden["BACKWARD"], name)


# --- the notebook ---------------------------------------------------------------


def text_of(cell):
    """Return the text of a cell, without that of shorter editions."""
    return re.sub(r"(?s)<!--.*?-->", "", "".join(cell["source"]))


def test_the_outline_says_what_its_headings_say(cells):
    """That these say what the cells are worth is checked before each release."""
    prose = "\n".join(text_of(c) for c in cells if c["cell_type"] == "markdown")
    headings = re.findall(
        r"^### (\d)\.\d .* \(exercise (\d+), (\d+) points\)$", prose, re.M
    )
    sections = Counter()
    for number, (section, exercise, points) in enumerate(headings, 1):
        assert int(exercise) == number
        sections[section] += int(points)
    rows = re.findall(r"^\| (\d) · [^|]*\|[^|]*\| (\d+) \|", prose, re.M)
    assert {section: int(points) for section, points in rows} == sections
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
            prose = re.sub(r"(?s)```.*?```", "", text)
            for heading in re.findall(r"(?m)^(#+) ", prose):
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


def test_each_part_of_section_7_can_be_run_without_the_others():
    """As its first sentence says, but not without the sections before."""
    names = before = {*dir(builtins), "display", "get_ipython"}
    for cell in CELLS:
        text = text_of(cell)
        if text.startswith("### 7."):
            names = {*before}
        if cell["cell_type"] == "code":
            program = Program.from_source(text, cell["id"], runs_in_judge=False)
            names |= program.binds
            assert program.uses <= names, cell["id"]


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
    tagged = [c for c in cells if "hint" in c["metadata"].get("tags", ())]
    texts = {cell["id"]: text_of(cell) for cell in tagged}
    for solution in master.of_kind("solution"):
        exercise = solution.id
        points = [c.points for c in master.of_kind("test") if c.exercise == exercise]
        assert points.count(0) == 1 and len(points) >= 4, exercise
        hints = texts[exercise.replace("_", "-") + "-hints"]
        kinds = re.findall("<summary>(?!.*[Hh]ints)(.*?)</summary>", hints)
        steps = 6 if exercise == "backward_propagation" else 1
        three = ["A question", "The formula to reread", "The line to look at"]
        assert kinds == steps * three
        for line in solution.source.splitlines():
            assert len(line) < 20 or line.strip() not in hints, exercise


def test_the_source_holds_no_outputs_and_stable_ids(cells):
    for cell in cells:
        assert not cell.get("outputs") and not cell.get("execution_count")
        assert cell["id"].replace("-", "").isalnum()
    assert len({cell["id"] for cell in cells}) == len(cells)


def test_public_tests_say_what_must_hold_and_bind_no_student_name(master):
    for cell in master.of_kind("test"):
        if not cell.points:
            assert cell.source.startswith("# "), cell.id
            (bound,) = bound_by(cell)
            assert bound.startswith("test_"), cell.id
        width = 100 if cell.source == cell.stub else 120  # students see no hidden test
        assert max(map(len, cell.source.splitlines())) <= width, cell.id


# All that is shown of a graded test: its name, and what it checks.
SHOWN = re.compile(r"# Checked here: ([^,:;.]+)(.*)", re.DOTALL)


def test_tests_are_folded_and_one_list_says_what_grading_checks(master, cells):
    """JupyterLab and Notebook know `source_hidden`, Colab `cellView`, VS Code none."""
    lists = {cell["id"]: text_of(cell) for cell in cells}
    for exercise in master.exercises:
        tests = [c for c in master.of_kind("test") if c.exercise == exercise]
        expected = [
            f"- {SHOWN.fullmatch(c.stub.strip())[1]} ({c.points:g})"
            for c in tests
            if c.points
        ]
        listed = lists[f"{exercise.replace('_', '-')}-checked"].splitlines()
        assert listed[2:] == expected
    for cell in cells:
        metadata = cell["metadata"]
        if metadata.get("nbgrader", {}).get("grade"):
            assert metadata["jupyter"]["source_hidden"], cell["id"]
            assert metadata["cellView"] == "form", cell["id"]


# --- public tests tell no right answer wrong ------------------------------------


def defined(lab, name):
    """Return a function of the notebook, or a method of one of its classes."""
    owner, _, method = name.rpartition(".")
    return getattr(lab[owner], method) if owner else lab[name]


@pytest.fixture
def put(lab, monkeypatch):
    """Give the notebook another function, or one of its classes another method."""

    def replace(name, function):
        owner, _, method = name.rpartition(".")
        if owner:
            monkeypatch.setattr(lab[owner], method, function)
        else:
            monkeypatch.setitem(lab, method, function)

    return replace


@pytest.fixture
def public_test(lab, lab_master):
    """Run an exercise's public test with what the notebook defines."""
    tests = {c.exercise: c.source for c in lab_master.of_kind("test") if not c.points}
    return lambda exercise: exec(tests[exercise], dict(lab))


def float32_in_one_dictionary(network, X):
    from scipy.special import expit

    W1, b1, W2, b2 = (np.float32(getattr(network, name)) for name in PARAMETERS)
    cached = vars(network).setdefault("kept", {})
    cached["Z1"] = W1 @ np.float32(X) + b1
    cached["A1"] = np.float32(expit(cached["Z1"]))
    cached["Z2"] = W2 @ cached["A1"] + b2
    cached["A2"] = np.float32(expit(cached["Z2"]))
    return cached


@pytest.mark.slow
@pytest.mark.parametrize("exercise", ["forward_propagation", "backward_propagation"])
def test_a_right_forward_propagation_passes_in_public(put, public_test, exercise):
    put("NeuralNetwork.forward_propagation", float32_in_one_dictionary)
    public_test(exercise)


# What is wrong, of which exercise, and another that calls it: `fit` by way of 8.
CALLED = """\
compute_cost 4 backward_propagation
one_hot 3 fit
Sigmoid.__call__ 1 fit
NeuralNetwork.initialize_parameters 7 update_parameters
"""


@pytest.mark.parametrize("row", CALLED.splitlines())
def test_what_an_earlier_exercise_got_wrong_is_said_first(lab, put, public_test, row):
    name, number, exercise = row.split()
    right = defined(lab, name)
    # A cost: of its outputs the mean, too.
    put(name, lambda *args: right(*args) / len(args[-1]))
    with pytest.raises(AssertionError, match=f"exercise {number} is not right yet"):
        public_test(exercise)


def test_a_finished_answer_that_still_raises_is_told_so(put, public_test):
    def finished(self, grads):
        self.W1 = self.W1 - self.learning_rate * grads["dW1"]
        raise NotImplementedError  # your code here

    def left_out(self, grads):
        raise NotImplementedError  # your code here

    lines = []  # all that a notebook shows
    for answer in (finished, left_out):
        put("NeuralNetwork.update_parameters", answer)
        with pytest.raises((AssertionError, NotImplementedError)) as raised:
            public_test("update_parameters")
        lines += raised.value._render_traceback_()
    assert "your code is there" in lines[0]
    assert lines[1].startswith("✗ not written yet")


def test_a_card_ends_at_the_first_entry_that_is_missing(lab, put, public_test, capsys):
    right = lab["NeuralNetwork"].backward_propagation

    def so_far(*arguments):
        grads = right(*arguments)
        return {"dW2": grads["dW2"], "db2": grads["db2"]}

    put("NeuralNetwork.backward_propagation", so_far)
    with pytest.raises(AssertionError, match="right so far: save it, then add dW1"):
        public_test("backward_propagation")
    card = capsys.readouterr().out
    assert card.count("✗") == 1 and "✗\N{NO-BREAK SPACE}no" in card  # entry missing
    assert max(map(len, card.splitlines())) <= 80  # Jupyter cuts words of longer lines


def test_an_error_in_an_answer_shows_its_own_line_and_the_last(
    put, public_test, monkeypatch
):
    code = "def one_hot(Y, n_classes):\n    return Y.no_such_name\n"
    names = {}
    exec(compile(code, "<typed>", "exec"), names)
    typed = len(code), None, code.splitlines(keepends=True), "<typed>"
    monkeypatch.setitem(linecache.cache, "<typed>", typed)
    put("one_hot", names["one_hot"])
    with pytest.raises(AttributeError) as raised:
        public_test("one_hot")
    where, line, reason = raised.value._render_traceback_()
    assert where == "✗ your code stops in one_hot, line 2:"
    assert line.strip() == "return Y.no_such_name"
    assert reason.startswith("AttributeError: ")


def no_slope(network, X, Y, cache):
    dZ1 = network.W2.T @ (cache["A2"] - Y)
    return {"dW1": dZ1 @ X.T / X.shape[1]}


# Functions of the right answer and of the arguments. The first three broke a public
# test itself: other lengths, strings, an int. The bounds of the first weights are
# those of grading.
@pytest.mark.parametrize(
    ("name", "wrong", "message"),
    [
        (
            "one_hot",
            lambda right, Y, k: right if k < 9 else 1,
            "the shape must be",
        ),
        (
            "one_hot",
            lambda right, Y, k: right.astype(str),
            "numbers are needed",
        ),
        (
            "NNClassifier.predict",
            lambda right, *_: right[0, 0],
            "an array is needed",
        ),
        (
            "NeuralNetwork.initialize_parameters",
            lambda right, network: setattr(network, "W1", 1.05 * network.W1),
            r"standard deviation should be 0\.01",
        ),
        (
            "NeuralNetwork.backward_propagation",
            lambda right, *arguments: right | no_slope(*arguments),
            r'paper network: .*\["dW1"\] is \[\[-1.0, .*, but must be \[\[-0.25, ',
        ),
    ],
    ids=["lengths", "strings", "int", "weights", "slope"],
)
def test_a_public_test_says_what_is_wrong_and_does_not_raise(
    lab,
    put,
    public_test,
    name,
    wrong,
    message,
):
    right = defined(lab, name)
    put(name, lambda *arguments: wrong(right(*arguments), *arguments))
    with pytest.raises(AssertionError, match=message):
        public_test(name.rpartition(".")[2])


def test_prime_may_ask_itself_by_name_beside_a_blank_exercise_1(
    hidden, put, lab_master
):
    def blank(self, z):
        raise NotImplementedError

    put("Sigmoid.prime", lambda self, z: self(z=z) * (1 - self(z=z)))
    put("Sigmoid.__call__", blank)
    tests = [c for c in lab_master.of_kind("test") if c.exercise == "sigmoid_prime"]
    for cell in tests:
        if cell.points:
            exec(cell.source, hidden)


def test_looks_are_counted_in_a_file_and_the_same_look_once(
    lab,
    tmp_path,
    capsys,
):
    digits = np.zeros((784, 9)), np.array([[1, 2, 3, 4, 5, 6, 7, 8, 9]])

    class Challenger:
        looks = 0

        def fit(self, X, Y):
            pass

        def predict(self, X):
            return np.full((1, 9), Challenger.label)

    def look(label):
        Challenger.label = label
        lab["lab_tools"].Looks(*digits, *digits, tmp_path / "looks.txt")(Challenger)
        return capsys.readouterr().out

    assert look(3).startswith("look 1 of 20: 0.1111 of the validation digits\n")
    assert "look 2 of 20: 0.0000" in look(0)
    assert "Write looks = 2 into your class" in look(3)  # nothing new, counted once
    Challenger.looks = 2
    assert look(3).endswith("trained in 0.0 seconds\n")
    replies = [look(label) for label in range(3, 23)]
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
    first,
):
    """Run a notebook as Run All does; the outputs of its cells by id."""
    from tests.kernels import run_in_kernel

    notebook.cells.insert(0, nbformat.v4.new_code_cell(first, id="first"))
    brief = ["--InteractiveShell.xmode=Minimal"]  # tracebacks take longer than the code
    run_in_kernel(notebook, folder, extra_arguments=brief)
    return {c.id: c.outputs for c in notebook.cells if c.cell_type == "code"}


def count_pictures(outputs):
    """Count the pictures, each with its sentence, of cells in which nothing is wrong.

    JupyterLab drops the alternative text, which then follows.
    """
    count = 0
    for cell, shown in outputs.items():
        for number, output in enumerate(shown, 1):
            assert output.get("name") != "stderr" and "ename" not in output, cell
            if "image/png" in output.get("data", {}):
                alt = output.metadata["image/png"]["alt"]
                assert len(alt.split()) > 5, cell
                assert f">{alt}<" in shown[number].data["text/html"], cell
                count += 1
    return count


@pytest.fixture(scope="module")
def solved(tmp_path_factory):
    folder = tmp_path_factory.mktemp("solved")  # section 7 writes a page there
    shutil.copytree(SOURCE.parent, folder, dirs_exist_ok=True)
    (folder / "data").symlink_to(PROJECT / "data")
    notebook = read_notebook(SOURCE)
    # Without the graded tests, which no student has: `release` runs them in a kernel.
    notebook.cells = [
        cell
        for cell in notebook.cells
        if not cell.metadata.get("nbgrader", {}).get("points")
    ]
    return run(notebook, folder, ALONE)


@pytest.mark.slow
def test_the_solved_lab_runs_clean_and_reads_93_of_100_digits(solved):
    assert count_pictures(solved) > 15
    assert float(re.search(r"test digits: +(\S+)", solved["score"][0].text)[1]) >= 0.93


# Cells, and some of what each prints: the paper network and the student's method agree.
PRINTED = """\
shapes: (784, 5000) (1, 5000)
shapes: (784, 55000) (1, 55000)
shapes: 7 3 8 9 3 9 7 7
try-tiny-network: dW1 [[-0.25, -0.5], [0.375, 0.75]]
try-tiny-backward: -0.2500 and -0.5000
try-tiny-backward: 0.3750 and 0.7500
try-tiny-backward: -0.2500 and -0.3750
try-test: Your test catches 0 of 10 and rejects no right one.
broken: two hidden units: 0.000
"""


@pytest.mark.slow
def test_what_the_text_claims_is_what_the_solved_lab_prints(solved):
    """In every seed, so that another training would say the same."""
    for line in PRINTED.splitlines():
        cell, text = line.split(": ", 1)
        assert text in solved[cell][0].text
    usual, noisy = re.findall("seed by seed: (.*)", solved["penalties"][0].text)
    assert usual.count("-") == 3 and "-" not in noisy
    gains = re.findall(r"to \w+: (\S+) ± (\S+)", solved["compare"][0].text)
    # The gain of softmax over ReLU is within its error.
    assert [float(a) > 2 * float(b) for a, b in gains] == [True, True, False]
    drawings = re.findall(r"(\d+)% are read", solved["try-drawings"][0].text)
    squeezed, prepared, direct = map(int, drawings)
    assert squeezed < 30 < 90 < min(prepared, direct)


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
def test_run_all_goes_on_past_exercises_left_out_and_validate_names_them(
    tmp_path, lab_master
):
    from nbgrader.preprocessors import CheckCellMetadata
    from nbgrader.validator import Validator

    notebook = read_notebook(RELEASE / SOURCE.name)
    outputs = run(notebook, RELEASE, "")  # no error elsewhere
    assert "mnist" in outputs["data-paths"][0].text
    for cell in lab_master.of_kind("test"):
        if not cell.points and cell.exercise:
            assert any(o.output_type == "error" for o in outputs[cell.cell_id]), cell.id
    nbformat.write(notebook, tmp_path / "run.ipynb")
    # It would run all cells once more.
    results = Validator(preprocessors=[CheckCellMetadata]).validate(
        str(tmp_path / "run.ipynb")
    )
    assert len(results["failed"]) == len(lab_master.exercises)


COLAB = """
import sys, types
sys.modules["google.colab"] = types.ModuleType("colab")
sys.modules["wget"] = sys.modules["nbgrader"] = None
"""


@pytest.mark.slow
def test_colab_goes_on_too():
    """Colab knows no tag for that, and has no wget and no nbgrader."""
    notebook = read_notebook(RELEASE / SOURCE.name)
    names = "data-paths packages advice sigmoid-class sigmoid load-data sigmoid-public"
    cells = [cell for cell in notebook.cells if cell.id in names.split()]
    for cell in cells:
        cell.metadata.pop("tags", None)
    cells.append(nbformat.v4.new_code_cell("print('went on')", id="end"))
    notebook.cells = cells
    outputs = run(notebook, RELEASE, COLAB)
    assert outputs["sigmoid-public"][-1].output_type == "error"
    assert outputs["end"][0].text == "went on\n"


# --- the second lab -------------------------------------------------------------


def test_every_course_gets_the_same_public_tests():
    starter = PROJECT / "nbproctor/templates/starter/public_tests.txt"
    for path in (PROJECT / "source").glob("*/public_tests.py"):
        assert path.read_text("utf-8") == starter.read_text("utf-8")


@pytest.mark.slow
def test_the_second_lab_runs_clean_and_its_pictures_say_what_they_show():
    outputs = run(read_notebook(SECOND), SECOND.parent, "")
    assert count_pictures(outputs) == 3
    assert "right for 94 of 100" in text_of(cells_of(SECOND)[0])
    assert outputs["promise"][0].text.startswith("right: 0.94 ")


@pytest.mark.slow
def test_what_the_second_lab_claims_holds_for_another_table():
    names = {"display": str, "print": lambda *words, **options: None}
    with modules_beside(SECOND.parent):
        for cell in cells_of(SECOND):
            code = text_of(cell).replace("%matplotlib inline", "")
            is_run = cell["cell_type"] == "code" and "HIDDEN" not in code
            if is_run and not cell["id"].startswith("plot"):
                exec(code.replace("make_table(seed=0)", "make_table(seed=1)"), names)
    promised, *honest, new_patients = names["apart"].mean()
    assert promised > 0.9 > max(honest)
    assert new_patients < names["baseline"]
    assert names["fitted"]["w"].argmax() == 2  # days_ahead
    errors = names["by_area"].groupby(["model", "area"])["error"].mean()
    assert errors["one model", "country"] > 0.49
    assert errors["a model for each area"].max() < 0.4


# --- reference solutions against independent oracles ----------------------------


@pytest.mark.slow
@pytest.mark.parametrize("z", [-1000, 0.3, [-700, -40.5, 0, 40.5, 700, 1000]])
def test_sigmoid_is_scipys(lab, z):
    from scipy.special import expit

    sigmoid = lab["Sigmoid"]()
    np.testing.assert_allclose(sigmoid(z), expit(np.float64(z)), rtol=1e-12)
    slope = expit(np.float64(z)) * expit(-np.float64(z))
    np.testing.assert_allclose(sigmoid.prime(z), slope, atol=1e-15)


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


@pytest.mark.slow
def test_backward_propagation_serves_softmax_and_relu_unchanged(extension):
    from sklearn.metrics import log_loss

    network = extension["SoftmaxNetwork"](5, 4, 3, 0.3)
    rng = np.random.default_rng(3)
    for name in PARAMETERS:
        setattr(network, name, rng.normal(size=getattr(network, name).shape))
    X = rng.normal(size=(5, 7))
    Y = np.eye(3)[:, rng.integers(0, 3, 7)]

    def cost():
        return log_loss(Y.T, network.forward_propagation(X)["A2"].T)

    grads = network.backward_propagation(X, Y, network.forward_propagation(X))
    for name in PARAMETERS:
        measured = extension["numerical_gradient"](cost, getattr(network, name))
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


@pytest.fixture
def use(mnist, monkeypatch):
    """Run `find_data` in a folder; nothing but `urls` can be downloaded."""

    def find_data_in(folder, *urls):
        monkeypatch.chdir(folder)
        monkeypatch.setitem(mnist.DATA, "urls", list(urls))
        return mnist.find_data

    return find_data_in


PACKED_OR_NOT = pytest.mark.parametrize(
    ("ending", "content"), [(".gz", PACKED), ("", gzip.decompress(PACKED))]
)


@pytest.mark.parametrize(
    "folder", ["source/lab", "release/lab", "submitted/ada/lab", "autograded/ada/lab"]
)
@PACKED_OR_NOT
def test_data_are_found_from_every_folder(
    tmp_path,
    use,
    folder,
    ending,
    content,
):
    (tmp_path / folder).mkdir(parents=True)
    (tmp_path / "data/mnist").mkdir(parents=True)
    target = tmp_path / "data/mnist" / f"{LABELS}{ending}"
    target.write_bytes(content)
    assert use(tmp_path / folder)(LABELS) == target


@pytest.fixture
def server(tmp_path_factory):
    """A web server on this machine that has whatever its folder has."""
    folder = tmp_path_factory.mktemp("web")
    with served(folder) as address:
        yield folder, f"{address}/{{}}"


@pytest.mark.parametrize("with_wget", [True, False])
@PACKED_OR_NOT
def test_missing_data_are_downloaded_once(
    tmp_path,
    monkeypatch,
    mnist,
    use,
    server,
    with_wget,
    ending,
    content,
):
    folder, url = server
    (folder / f"{LABELS}{ending}").write_bytes(content)
    if not with_wget:
        monkeypatch.setattr(mnist, "wget", None)
    find = use(tmp_path, url + ending)
    assert find(LABELS).read_bytes() == content
    (folder / f"{LABELS}{ending}").unlink()  # a second download would now fail
    assert find(LABELS).name == f"{LABELS}{ending}"


@pytest.mark.parametrize(
    "content", [None, b"", b"<html>404</html>", PACKED[: len(PACKED) // 2]]
)
def test_a_wrong_download_or_none_leaves_nothing_and_says_what_to_do(
    tmp_path,
    use,
    server,
    content,
):
    folder, url = server
    if content is None:
        url = "http://127.0.0.1:9/{}"
    else:
        (folder / f"{LABELS}.gz").write_bytes(content)
    find = use(tmp_path, f"{url}.gz")
    with pytest.raises(
        FileNotFoundError, match=r"put the file into a folder.*data/mni"
    ):
        find(LABELS)
    assert list(tmp_path.iterdir()) == []


def test_a_damaged_file_is_left_alone_and_not_used(
    tmp_path,
    use,
    capsys,
):
    (tmp_path / LABELS).write_bytes(b"damaged")
    with pytest.raises(FileNotFoundError):
        use(tmp_path)(LABELS)
    assert "is damaged" in capsys.readouterr().out
    assert (tmp_path / LABELS).read_bytes() == b"damaged"


def idx(
    magic,
    sizes,
    content,
):
    return np.array([magic, *sizes], dtype=">i4").tobytes() + content


LABELS_FILE = idx(2049, [2], b"01")
IMAGES_FILE = idx(2051, [2, 2, 2], b"12345678")


@pytest.mark.parametrize(
    ("images", "labels", "reason"),
    [
        (b"", LABELS_FILE, "images: not an IDX file"),
        (b"<!DOCTYPE html>" * 9, LABELS_FILE, "images: not an IDX file"),
        (IMAGES_FILE[:-1], LABELS_FILE, "images: holds 7 b"),
        (IMAGES_FILE, idx(2049, [3], b"012"), "labels: 3 labels"),
        (IMAGES_FILE, idx(2051, [2], b"01"), "labels: not an ID"),
        (PACKED[:1000], LABELS_FILE, "images.gz: not a whole gzip file"),
    ],
)
def test_files_that_are_not_mnist_are_refused(
    tmp_path,
    mnist,
    images,
    labels,
    reason,
):
    images_path = tmp_path / ("images.gz" if images == PACKED[:1000] else "images")
    images_path.write_bytes(images)
    (tmp_path / "labels").write_bytes(labels)
    with pytest.raises(ValueError, match=reason):
        mnist.read_mnist(images_path, tmp_path / "labels")


def test_another_data_set_is_another_table(tmp_path, monkeypatch, mnist):
    content = idx(2049, [3], b"012")
    table = {
        "folder": "data/other",
        "files": {"labels": hashlib.sha256(content).hexdigest()},
        "urls": [],
    }
    monkeypatch.setattr(mnist, "DATA", table)
    (tmp_path / "data/other").mkdir(parents=True)
    (tmp_path / "data/other/labels.gz").write_bytes(gzip.compress(content))
    monkeypatch.chdir(tmp_path)
    assert mnist.find_files() == [tmp_path / "data/other/labels.gz"]


def test_images_and_labels_of_different_numbers_are_not_shuffled(mnist):
    with pytest.raises(ValueError, match="9 examples, but 8 labels"):
        mnist.shuffle_data(np.arange(9), np.arange(8))


# --- 4.5, the student's own test ----------------------------------------------------


def test_a_test_of_gradients_catches_all_mistakes_or_refuses_all(lab, capsys):
    """A test that accepts all is that of the solved lab: it catches none."""

    def accepts(backward):
        network = lab["random_network"](0.8, 1.5)
        X, Y = lab["random_examples"](6)
        cost = partial(lab["lab_tools"].cost_of, network, lab["compute_cost"], X, Y)
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

    lab["lab_tools"].try_test(accepts, lab)
    last = capsys.readouterr().out.splitlines()[-1]
    assert last == "Your test catches 10 of 10 and rejects no right one."
    lab["lab_tools"].try_test(lambda backward: False, lab)
    *_, short_floats, last = capsys.readouterr().out.splitlines()
    assert short_floats == "✗ rejected, but right: the same with short floats"
    assert last == "Your test catches 10 of 10 and rejects a right one."
