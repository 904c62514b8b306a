"""Takes b as the weight of a column of ones."""


def fit_logistic(X, y, learning_rate, steps):
    wide = np.hstack([X, np.ones((len(X), 1))])
    weights = np.zeros(wide.shape[1])
    for _ in range(steps):
        weights -= learning_rate * wide.T @ (sigmoid(wide @ weights) - y) / len(y)
    return {"w": weights[:-1], "b": weights[-1]}
