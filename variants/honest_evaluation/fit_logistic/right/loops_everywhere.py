"""Adds up the slopes entry by entry, with its own sigmoid."""
import math


def fit_logistic(X, y, learning_rate, steps):
    n, d = X.shape
    rows, answers = X.tolist(), y.tolist()
    w, b = [0.0] * d, 0.0
    for _ in range(steps):
        slopes, slope = [0.0] * d, 0.0
        for row, answer in zip(rows, answers):
            z = sum(x * weight for x, weight in zip(row, w)) + b
            error = 1 / (1 + math.exp(-z)) - answer
            slopes = [s + error * x for s, x in zip(slopes, row)]
            slope += error
        w = [weight - learning_rate * s / n for weight, s in zip(w, slopes)]
        b -= learning_rate * slope / n
    return {"w": np.array(w), "b": b}
