"""Train the lab's reference network, scikit-learn's and PyTorch's side by side.

The same network for all: 784-64-10, sigmoid in both layers, cross-entropy summed over
ten outputs, L2 on the weights alone, float32, the same batch size, epochs and learning
rate, one thread, the same 5,000 digits. They take turns, so that a machine whose speed
drifts treats them alike; the ratio of the medians is what counts, and the accuracy must
be equal within a point, or it says so.

What each does differently, and cannot be told to do alike:

- the lab's reference computes the cost on all of X after each epoch;
- scikit-learn adds up the costs of the batches instead, starts from other random
  weights (Glorot) and keeps them checked and copied between its own layers;
- PyTorch builds a graph for automatic differentiation at each batch; here it starts
  from the lab's own weights, and computes the lab's cost after each epoch.

`products` is no training: the matrix products of it alone, with this machine's own
library and nothing around them. No NumPy code can be faster.

    .venv/bin/python -m pip install ".[dev,bench]"
    .venv/bin/python bench/training.py
"""

import os

os.environ.update(OMP_NUM_THREADS="1", OPENBLAS_NUM_THREADS="1", MKL_NUM_THREADS="1")

import importlib.util
import statistics
import sys
import time
import warnings
from collections.abc import Callable
from pathlib import Path

import numpy as np

from nbproctor.notebook import MasterNotebook

LAB = Path(__file__).parents[1] / "source/neural_network/neural_network.ipynb"
EPOCHS, BATCH, RATE, LAMBDA, HIDDEN, ROUNDS = 20, 16, 0.5, 0.003, 64, 5


def lab() -> dict:
    """Everything the reference notebook defines: code cells but demos and tests."""
    os.chdir(LAB.parent)
    sys.path.insert(0, "")  # mnist.py lies beside the notebook
    ns: dict = {}
    for cell in MasterNotebook.read(LAB).of_kind("provided", "solution"):
        if cell.nbgrader and not cell.skip:
            exec(cell.source.replace("%matplotlib inline", ""), ns)
    return ns


def main() -> None:
    ns = lab()
    X, Y, X_test, Y_test = (ns[k] for k in ("X_train", "Y_train", "X_test", "Y_test"))
    rows = np.ascontiguousarray(X.T)
    labels = np.ascontiguousarray(ns["one_hot"](Y, 10).T, dtype=np.float32)
    assert rows.dtype == np.float32
    ns["tqdm"] = lambda items, **_: items  # the bar is not what is measured

    def ours() -> float:
        reg = ns["Regularization"](0, LAMBDA)
        network = ns["NeuralNetwork"](784, HIDDEN, 10, RATE, reg=reg)
        model = ns["NNClassifier"](network, epochs=EPOCHS, batch_size=BATCH)
        model.fit(X, Y)
        return ns["accuracy"](model.predict(X_test), Y_test)

    def scikit_learn() -> float:
        from sklearn.exceptions import ConvergenceWarning
        from sklearn.neural_network import MLPClassifier

        warnings.simplefilter("ignore", ConvergenceWarning)
        model = MLPClassifier(
            (HIDDEN,), activation="logistic", solver="sgd", alpha=LAMBDA,
            batch_size=BATCH, learning_rate_init=RATE, momentum=0, max_iter=EPOCHS,
            tol=0, n_iter_no_change=EPOCHS + 1, random_state=0,
        )  # fmt: skip
        # A matrix of labels, so that the outputs are sigmoids; of classes: a softmax.
        model.fit(rows, labels)
        assert model.out_activation_ == "logistic"
        assert model.coefs_[0].dtype == np.float32
        return float((model.predict_proba(X_test.T).argmax(1) == Y_test[0]).mean())

    def pytorch() -> float:
        import torch

        torch.set_num_threads(1)
        torch.manual_seed(0)
        start = ns["NeuralNetwork"](784, HIDDEN, 10, RATE)
        start.initialize_parameters()
        x, y = torch.from_numpy(rows), torch.from_numpy(labels)
        net = torch.nn.Sequential(
            torch.nn.Linear(784, HIDDEN),
            torch.nn.Sigmoid(),
            torch.nn.Linear(HIDDEN, 10),  # its sigmoid is in the loss
        )
        with torch.no_grad():
            for layer, w in ((net[0], start.W1), (net[2], start.W2)):
                layer.weight.copy_(torch.from_numpy(w))
                layer.bias.zero_()
        loss = torch.nn.BCEWithLogitsLoss(reduction="sum")
        weights = {"params": [net[0].weight, net[2].weight]}
        biases = {"params": [net[0].bias, net[2].bias], "weight_decay": 0.0}
        step = torch.optim.SGD([weights, biases], lr=RATE, weight_decay=LAMBDA / BATCH)
        for _ in range(EPOCHS):
            order = torch.randperm(len(x))
            for first in range(0, len(x), BATCH):
                batch = order[first : first + BATCH]
                step.zero_grad()
                (loss(net(x[batch]), y[batch]) / len(batch)).backward()
                step.step()
            with torch.no_grad():
                loss(net(x), y)
        with torch.no_grad():
            got = net(torch.from_numpy(np.ascontiguousarray(X_test.T))).argmax(1)
        return float((got.numpy() == Y_test[0]).mean())

    def products() -> float:
        m = X.shape[1]
        w1, w2 = (np.ones(s, np.float32) for s in ((HIDDEN, 784), (10, HIDDEN)))
        z1, z2 = (np.ones((n, BATCH), np.float32) for n in (HIDDEN, 10))
        x = np.ascontiguousarray(X[:, :BATCH])
        hidden = np.ones((HIDDEN, m), np.float32)
        for _ in range(EPOCHS):
            for _ in range(-(-m // BATCH)):
                w1 @ x, w2 @ z1, w2.T @ z2, z1 @ x.T, z2 @ z1.T
            w1 @ X, w2 @ hidden
        return float("nan")

    chosen = (ours, scikit_learn, pytorch, products)
    if importlib.util.find_spec("torch") is None:
        print("PyTorch is not installed here, so it is left out.")
        chosen = (ours, scikit_learn, products)
    runs: dict[Callable[[], float], list[float]] = {f: [] for f in chosen}
    scores = {}
    for _ in range(ROUNDS):
        for train, seconds in runs.items():
            start = time.process_time()
            scores[train] = train()
            seconds.append(time.process_time() - start)
    base = statistics.median(runs[ours])
    for train, seconds in runs.items():
        median = statistics.median(seconds)
        note = "" if np.isnan(scores[train]) else f", accuracy {scores[train]:.4f}"
        if abs(scores[train] - scores[ours]) > 0.01:
            note += ": not the same training"
        print(
            f"{train.__name__:13} {median:6.2f} CPU-s (median of {ROUNDS}), "
            f"{median / base:5.2f} x ours{note}"
        )


if __name__ == "__main__":
    main()
