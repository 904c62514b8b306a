"""Averages error times input over the rows; the result has a key more."""


def fit_logistic(X, y, learning_rate, steps):
    w, b = np.zeros_like(X[0], dtype=float), np.float64(0)
    costs = []
    for _ in range(steps):
        p = 1 / (1 + np.exp(-(X * w).sum(axis=1) - b))
        dw, db = np.average((p - y)[:, np.newaxis] * X, axis=0), np.average(p - y)
        w, b = w - learning_rate * dw, b - learning_rate * db
        costs.append(compute_cost(p, y))
    return {"w": w, "b": b, "costs": costs}
