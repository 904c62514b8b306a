"""The lab's show pieces: its pages, in a real browser, and the digit that fools it.

What the JavaScript of the pages computes is held against NumPy and against the
notebook's own functions.
"""

from __future__ import annotations

import contextlib
import itertools
import json
import re
import shutil
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from nbproctor.notebook import MasterNotebook
from tests import PROJECT
from tests.notebooks import find_cell, modules_beside
from tests.pages.browser import MARKS, accessible, browser

pytestmark = MARKS
SOURCE = PROJECT / "source/neural_network"
# Some digits in strokes on a sheet of 280 x 280: "x,y" from point to point.
STROKES = {
    0: ["140,50 95,75 80,140 95,205 140,230 185,205 200,140 185,75 140,50"],
    1: ["150,50 140,230"],
    3: ["85,65 150,45 190,85 130,130 195,180 150,235 80,215"],
    4: ["95,55 85,145 195,145", "180,70 170,235"],
    7: ["80,60 200,60 160,140 130,235"],
}


@pytest.fixture(scope="module")
def lab(
    tmp_path_factory: pytest.TempPathFactory, lab_master: MasterNotebook
) -> Iterator[SimpleNamespace]:
    """What the solved notebook defines, trained for five epochs and taken home.

    It runs in a folder of its own, as a student has it.
    """
    folder = tmp_path_factory.mktemp("lab")
    shutil.copytree(SOURCE, folder, dirs_exist_ok=True)
    (folder / "data").symlink_to(SOURCE.parents[1] / "data")
    shown = "relu better-start softmax-network prepare-drawing as-text take-home"
    names: dict[str, Any] = {"display": lambda *args, **options: None}
    with modules_beside(folder), contextlib.chdir(folder):
        for cell in lab_master.cells:
            is_graded = cell.kind in ("provided", "solution") and cell.nbgrader
            if is_graded or cell.id in shown.split():
                exec(re.sub(r"(?m)^%.*", "", cell.source), names)
        names["tqdm"] = lambda items, **options: items
        solved = SimpleNamespace(**names, folder=folder)
        for name, network, epochs in (
            ("sigmoid", solved.NeuralNetwork(784, 64, 10, 0.5), 5),
            ("softmax", solved.SoftmaxNetwork(784, 24, 10, 0.1), 2),
            ("wrong", solved.NeuralNetwork(784, 64, 10, 0.005), 1),
        ):
            setattr(solved, name, network)
            classifier = solved.NNClassifier(network, epochs)
            classifier.fit(solved.X_train, solved.Y_train)
            solved.take_home(classifier, f"{name}.html")
        yield solved


@pytest.fixture(scope="module")
def page(lab: SimpleNamespace) -> Iterator[Any]:
    """A page that keeps what it asks for and what goes wrong in it."""
    with browser() as context:
        page = context.new_page()
        urls: list[str] = []
        errors: list[str] = []
        page.on("request", lambda request: urls.append(request.url))
        page.on("pageerror", lambda error: errors.append(str(error)))
        page.on("console", lambda message: errors.append(message.text))
        yield page
        assert errors == []
        assert all(re.match(r"file:.*\.html$", url) for url in urls), urls


def see(page: Any, path: Path, **media: str) -> None:
    page.emulate_media(**{"color_scheme": "light", "forced_colors": "none"} | media)
    page.set_viewport_size({"width": 1200, "height": 900})
    page.goto(path.as_uri())


@pytest.fixture
def drawing_page(lab: SimpleNamespace, page: Any) -> Any:
    """The page of the network of the notebook, with a sheet to draw on."""
    see(page, lab.folder / "sigmoid.html")
    return page


# --- my_network.html --------------------------------------------------------------


def test_the_page_prepares_a_drawing_as_the_notebook_does(
    lab: SimpleNamespace, drawing_page: Any
) -> None:
    rng = np.random.default_rng(0)
    papers = []
    want = []
    for digit in lab.X_val[:, :50].T:
        ink = np.kron(digit.reshape(28, 28), np.ones(rng.integers(1, 4, 2)))
        ink = np.pad(ink, rng.integers(0, 20, (2, 2)))
        paper = np.round(240 - rng.uniform(0.5, 0.9) * 240 * ink).astype(np.uint8)
        papers.append([*paper.shape, paper.tobytes().decode("latin-1")])
        want.append(lab.prepare_drawing(paper).ravel())
    call = """all => all.map(([height, width, letters]) => {
      const paper = Float32Array.from(letters, (letter) => letter.charCodeAt(0));
      return [...prepareDrawing(paper, height, width)]; })"""
    np.testing.assert_allclose(drawing_page.evaluate(call, papers), want, atol=1e-6)


@pytest.mark.parametrize("name", ["sigmoid", "softmax"])
def test_the_page_reads_as_the_students_own_network(
    lab: SimpleNamespace,
    page: Any,
    name: str,
) -> None:
    X = lab.X_val[:, :100]
    want = getattr(lab, name).forward_propagation(X)
    see(page, lab.folder / f"{name}.html")
    call = """all => all.map(x => { const {A1, A2} = forward(net, x);
      return [...A1, ...A2]; })"""
    hidden, output = np.split(np.array(page.evaluate(call, X.T.tolist())).T, [-10])
    # The third digit of a weight may differ.
    np.testing.assert_allclose(hidden, want["A1"], atol=3e-3 * max(1, want["A1"].max()))
    np.testing.assert_allclose(output, want["A2"], atol=3e-3)


def result(page: Any) -> str:
    """Return what the page says of the sheet."""
    return str(page.locator("#said").inner_text())


def move(page: Any, point: str) -> None:
    """Move the mouse to "x,y" on the sheet."""
    box = page.locator("#sheet").bounding_box()
    x, y = map(int, point.split(","))
    page.mouse.move(box["x"] + x, box["y"] + y)


def draw(page: Any, strokes: list[str]) -> None:
    for stroke in strokes:
        first, *others = stroke.split()
        move(page, first)
        page.mouse.down()
        for point in others:
            move(page, point)
        page.mouse.up()


def test_drawn_digits_are_read_and_the_bars_say_so(drawing_page: Any) -> None:
    for digit, strokes in STROKES.items():
        draw(drawing_page, strokes)
        assert result(drawing_page).startswith(f"The network reads a {digit} (")
        row = drawing_page.locator("#bars li").nth(digit)
        width = row.locator("i").evaluate("bar => parseFloat(bar.style.width)")
        number = float(row.locator("output").inner_text())
        assert width / 100 == pytest.approx(number, abs=0.01)
        drawing_page.get_by_role("button", name="Clear").click()


def test_units_move_while_one_draws_and_clear_ends_it(drawing_page: Any) -> None:
    look = """() => [...document.querySelectorAll("#units div")].map(
      tile => Number(tile.style.getPropertyValue("--on")))"""
    move(drawing_page, "140,60")
    drawing_page.mouse.down()
    activations = []
    for point in ("130,120", "130,180", "130,220"):
        move(drawing_page, point)
        drawing_page.evaluate("() => new Promise(requestAnimationFrame)")
        activations.append(drawing_page.evaluate(look))
    first, second, third = activations  # the button is still down
    assert first != second != third
    drawing_page.mouse.up()
    assert max(drawing_page.evaluate(look)) <= 1
    drawing_page.get_by_role("button", name="Clear").click()
    assert drawing_page.evaluate(look) == [0] * 64
    assert result(drawing_page) == "The sheet is empty."


def test_a_digit_is_drawn_by_keyboard(drawing_page: Any) -> None:
    drawing_page.locator("#sheet").focus()
    for key in [*["ArrowUp"] * 14, " ", *["ArrowDown"] * 26, " "]:
        drawing_page.keyboard.press(key)
    assert result(drawing_page).startswith("The network reads a 1 (")
    drawing_page.keyboard.press("Delete")
    assert result(drawing_page) == "The sheet is empty."
    drawing_page.keyboard.down("ArrowUp")
    drawing_page.keyboard.down("ArrowRight")  # with the other: aslant
    assert drawing_page.evaluate("place") == [140 + 7, 140 + 14 * -7 + 26 * 7 - 7 * 2]
    drawing_page.keyboard.up("ArrowUp")
    drawing_page.keyboard.up("ArrowRight")


def test_a_digit_is_drawn_by_touch(drawing_page: Any) -> None:
    finger = drawing_page.context.new_cdp_session(drawing_page)
    box = drawing_page.locator("#sheet").bounding_box()
    for kind, x, y in (("Start", 80, 60), ("Move", 200, 60), ("Move", 130, 235)):
        point = {"x": box["x"] + x, "y": box["y"] + y}
        touch = {"type": f"touch{kind}", "touchPoints": [point]}
        finger.send("Input.dispatchTouchEvent", touch)
    finger.send("Input.dispatchTouchEvent", {"type": "touchEnd", "touchPoints": []})
    assert result(drawing_page).startswith("The network reads a 7 (")
    touch = "sheet => getComputedStyle(sheet).touchAction"
    assert drawing_page.locator("#sheet").evaluate(touch) == "none"


def test_the_page_says_how_good_its_network_is(lab: SimpleNamespace, page: Any) -> None:
    for name in ("sigmoid", "wrong"):
        see(page, lab.folder / f"{name}.html")
        right = lab.NNClassifier(getattr(lab, name)).predict(lab.X_test) == lab.Y_test
        sentence = page.locator("#tested").inner_text()
        assert sentence.startswith("Of 50,000 new handwritten digits")
        assert f"the network read {100 * right.mean():.1f} in 100" in sentence
        problem = page.locator("#problem").inner_text()
        assert problem.startswith("The network is not right yet") == (name == "wrong")
    page.goto((lab.folder / "my_network_template.html").as_uri())
    assert "no network in this page yet" in page.locator("#problem").inner_text()
    assert not page.locator("#sheet").is_visible()


@pytest.mark.parametrize(
    ("added", "activation", "message"),
    [
        (0.1, np.tanh, "answers of this page differ"),
        (np.nan, None, "are not finite"),
    ],
    ids=["tanh", "nan"],
)
def test_a_network_that_the_page_cannot_compute_is_told(
    lab: SimpleNamespace,
    page: Any,
    added: float,
    activation: Any,
    message: str,
) -> None:
    network = lab.NeuralNetwork(784, 8, 10, 0.5)
    network.W1 = network.W1 + added
    network.activation = activation or network.activation
    lab.take_home(lab.NNClassifier(network), "odd.html")
    see(page, lab.folder / "odd.html")
    assert message in page.locator("#problem").inner_text()


def test_what_a_student_named_or_wrote_is_not_in_the_page(lab: SimpleNamespace) -> None:
    text = (lab.folder / "sigmoid.html").read_text("utf-8")
    network = re.search(r'id="network">(.*)</script>\n<script>', text)
    for name, value in json.loads(network[1]).items():
        is_number = isinstance(value, (bool, int, float))
        assert is_number or name in {*WEIGHTS, "digits", "outputs"}, name
        assert not isinstance(value, str) or re.fullmatch(r"[A-Za-z0-9+/]+=*", value)
    assert len(text) < 220_000


@pytest.mark.parametrize("name", ["sigmoid.html", "paper_network.html"])
def test_a_page_is_accessible_and_printed_on_one_or_two_sheets(
    lab: SimpleNamespace,
    page: Any,
    axe: str,
    name: str,
) -> None:
    accessible(page, (lab.folder / name).as_uri(), axe)
    see(page, lab.folder / name)
    pages = re.findall(rb"/Type\s*/Page\b", page.pdf(prefer_css_page_size=True))
    assert len(pages) in (1, 2)


def test_the_change_that_fools_a_network_is_the_smallest(
    lab: SimpleNamespace, lab_master: MasterNotebook
) -> None:
    model = lab.sigmoid
    names = {**vars(lab), "model": model}
    exec(find_cell(lab_master, "fool").source, names)
    three = names["three"]
    fooled = names["fooled"].astype(float)
    assert model.forward_propagation(three)["Z2"].argmax() == 3
    assert model.forward_propagation(fooled)["Z2"].argmax() == 8

    def lead() -> float:
        Z2 = model.forward_propagation(fooled)["Z2"]
        return float(Z2[8, 0] - Z2[3, 0])

    # At the nearest point of a border, the way there is along the border's own slope:
    # measured here. Pixels that are 0 or 1 may go no further.
    free = (fooled > 0) & (fooled < 1)
    slope = lab.numerical_gradient(lead, fooled)[free]
    change = (fooled - three)[free]
    cosine = slope @ change / np.linalg.norm(slope) / np.linalg.norm(change)
    assert cosine > 0.99
    assert 0 <= lead() < 0.2  # not far behind the border


# --- paper_network.html -----------------------------------------------------------

PAPER = SOURCE / "paper_network.html"
WEIGHTS = {
    "W1": (2, 2),
    "b1": (2, 1),
    "W2": (1, 2),
    "b2": (1, 1),
}
EXAMPLE = np.array([[1.0], [2]])
LABEL = np.array([[1]])


def minus(text: str) -> float:
    return float(text.replace("−", "-"))


def entries(network: Any) -> dict[str, float]:
    """Weights by the names that the page gives them: W1[0, 1], b1[0]."""
    return {
        name + str([*index[: 1 if name[0] == "b" else 2]]): float(value)
        for name in WEIGHTS
        for index, value in np.ndenumerate(getattr(network, name))
    }


def slide(
    page: Any,
    name: str,
    value: float,
) -> None:
    page.get_by_label(name, exact=True).evaluate(
        "(s, value) => { s.value = value; s.dispatchEvent(new Event('input')); }", value
    )


def body_text(page: Any) -> str:
    return str(page.locator("body").inner_text().replace("\xa0", " "))


# Those that section 4.3 prints.
NUMBERS = """\
z₁ = 2.00 · 1 + (−1.00) · 2 + 0.00 = 0.0000
a₁ = σ(z₁) = 0.5000
+ 1.10 = 1.0986
a₂ = σ(z₂) = 0.7500
a = σ(z) = 0.5000
0.6931
dz = a − y = −0.5000
dW2[0, 0] = −0.2500
dW2[0, 1] = −0.3750
· 0.2500 = −0.2500
· 0.1875 = 0.3750
dW1[0, 1] = −0.5000
dW1[1, 0] = 0.3750
dW1[1, 1] = 0.7500
db1[1] = 0.3750"""


def test_the_paper_page_starts_with_the_numbers_of_the_text(page: Any) -> None:
    see(page, PAPER)
    text = body_text(page)
    for number in NUMBERS.splitlines():
        assert number in text, number


def test_every_number_of_the_paper_page_is_the_notebooks(
    lab: SimpleNamespace, page: Any
) -> None:
    see(page, PAPER)
    rng = np.random.default_rng(0)
    network = lab.NeuralNetwork(2, 2, 1, 0.1)
    for _ in range(3):
        for name, shape in WEIGHTS.items():
            setattr(network, name, np.round(rng.uniform(-6, 6, shape) * 20) / 20)
        for name, value in entries(network).items():
            slide(page, name, value)
        cache = network.forward_propagation(EXAMPLE)
        text = body_text(page)
        for key in ("Z1", "A1", "Z2", "A2"):
            for value in cache[key].flat:
                assert f" = {value:.4f}".replace("-", "−") in text, key
        grads = network.backward_propagation(EXAMPLE, LABEL, cache)
        slopes = entries(SimpleNamespace(**{n: grads[f"d{n}"] for n in WEIGHTS}))
        shown = {}
        for row in page.locator(".slider").all():
            name = row.locator("label").inner_text()
            shown[name] = minus(row.locator("output").inner_text())
            slope, number = row.locator(".slope").inner_text().split(" = ")
            assert slope == f"d{name}" and abs(minus(number) - slopes[name]) < 6e-5
            pointing = row.locator(".arrow").get_attribute("class").split()
            assert ("left" in pointing) == (slopes[name] > 0)
        assert shown == pytest.approx(entries(network))
        cost = -np.log(cache["A2"].item())
        assert page.locator("#cost").inner_text().endswith(f" {cost:.4f}")


def costs_of(weights: Any) -> Any:
    """Return the cost of each row of weights: W1, b1, W2, b2."""
    sums = weights[:, :4].reshape(-1, 2, 2) @ EXAMPLE[:, 0] + weights[:, 4:6]
    outputs = (weights[:, 6:8] / (1 + np.exp(-sums))).sum(axis=1) + weights[:, 8]
    return np.log1p(np.exp(-outputs))


def test_the_game_counts_moves_and_knows_the_best_five(
    lab: SimpleNamespace, page: Any
) -> None:
    see(page, PAPER)
    page.get_by_role("button", name="Play from the start").click()
    for name in ("W1[1, 1]", "b2[0]", "W1[1, 1]", "W2[0, 0]", "b2[0]"):
        slide(page, name, -6 if "1, 1" in name else 6)  # further than a move goes
    moves = page.locator("#moves li").all_inner_texts()
    assert moves[1:3] == ["b2[0] from 2.00 to 3.00", "W1[1, 1] from −1.50 to −2.50"]
    slide(page, "b1[0]", 6)  # a sixth
    assert page.locator("#moves li").all_inner_texts() == moves
    weights = entries(lab.paper_network())
    played = weights | {
        "W1[1, 1]": -2.5,
        "b2[0]": 4,
        "W2[0, 0]": 3,
    }
    message = page.locator("#told").inner_text()
    (cost,) = costs_of(np.array([[*played.values()]]))
    assert message.startswith(f"Your five moves: {cost:.4f}. ")
    steps = np.vstack([np.eye(9), -np.eye(9)])
    five = np.array([*itertools.combinations_with_replacement(steps, 5)]).sum(axis=1)
    five = five[abs(five).max(axis=1) <= 3]  # never the same twice in a row
    best = costs_of(np.array([*weights.values()]) + five).min()
    assert f"The best five: {best:.4f}. " in message
    assert message.endswith(f"α = 1: {descended(lab, rate=1, steps=5):.4f}.")
    page.get_by_role("button", name="As on paper").click()
    page.get_by_role("button", name="One step downhill").click()
    cost = descended(lab, rate=0.1, steps=1)
    assert page.locator("#cost").inner_text().endswith(f"{cost:.4f}")


def descended(
    lab: SimpleNamespace,
    rate: float,
    steps: int,
) -> float:
    """The cost after some steps of the notebook's own gradient descent."""
    network = lab.paper_network()
    network.learning_rate = rate
    for _ in range(steps):
        cache = network.forward_propagation(EXAMPLE)
        network.update_parameters(network.backward_propagation(EXAMPLE, LABEL, cache))
    return float(-np.log(network.forward_propagation(EXAMPLE)["A2"]).item())
