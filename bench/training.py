"""Train the lab's reference network, scikit-learn's and PyTorch's side by side.

Same layers (784-64-10, sigmoid), batch size, epochs and learning rate, one thread
each, on the same 5,000 digits. The three take turns, so that a machine whose speed
drifts treats them alike; the ratio of the medians is what counts.

    .venv/bin/python -m pip install ".[dev,bench]"
    .venv/bin/python bench/training.py
"""

import os

os.environ.update(OMP_NUM_THREADS="1", OPENBLAS_NUM_THREADS="1", MKL_NUM_THREADS="1")

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
        return float(model.fit(X.T, Y[0]).score(X_test.T, Y_test[0]))

    def pytorch() -> float:
        import torch

        torch.set_num_threads(1)
        torch.manual_seed(0)
        x = torch.from_numpy(np.ascontiguousarray(X.T))
        y = torch.from_numpy(ns["one_hot"](Y, 10).T.copy()).float()
        net = torch.nn.Sequential(
            torch.nn.Linear(784, HIDDEN),
            torch.nn.Sigmoid(),
            torch.nn.Linear(HIDDEN, 10),
        )
        loss = torch.nn.BCEWithLogitsLoss(reduction="sum")
        step = torch.optim.SGD(net.parameters(), lr=RATE, weight_decay=LAMBDA / BATCH)
        for _ in range(EPOCHS):
            order = torch.randperm(len(x))
            for start in range(0, len(x), BATCH):
                batch = order[start : start + BATCH]
                step.zero_grad()
                (loss(net(x[batch]), y[batch]) / len(batch)).backward()
                step.step()
        with torch.no_grad():
            got = net(torch.from_numpy(np.ascontiguousarray(X_test.T))).argmax(1)
        return float((got.numpy() == Y_test[0]).mean())

    runs: dict[Callable[[], float], list[float]] = {
        f: [] for f in (ours, scikit_learn, pytorch)
    }
    scores = {}
    for _ in range(ROUNDS):
        for train, seconds in runs.items():
            start = time.perf_counter()
            scores[train] = train()
            seconds.append(time.perf_counter() - start)
    base = statistics.median(runs[ours])
    for train, seconds in runs.items():
        median = statistics.median(seconds)
        print(
            f"{train.__name__:13} {median:6.2f} s (median of {ROUNDS}), "
            f"{median / base:5.2f} x ours, test accuracy {scores[train]:.4f}"
        )


if __name__ == "__main__":
    main()
