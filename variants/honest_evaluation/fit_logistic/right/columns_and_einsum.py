"""Works with columns of shape (n, 1), as the lab Neural Network turned on its side."""


def fit_logistic(X, y, learning_rate, steps):
    w, b, y = np.zeros((X.shape[1], 1)), np.zeros((1, 1)), y.reshape(-1, 1)
    while steps:
        error = sigmoid(X @ w + b) - y
        w = w - learning_rate * np.einsum("ij,ik->jk", X, error) / len(X)
        b = b - learning_rate * error.mean(axis=0, keepdims=True)
        steps -= 1
    return {"b": float(b[0, 0]), "w": w[:, 0]}
