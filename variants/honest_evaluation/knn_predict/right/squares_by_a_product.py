"""Writes the square of a difference as a product of matrices, and counts with bincount."""


def knn_predict(X_train, y_train, X_test, k):
    squares = (X_train**2).sum(axis=1) - 2 * X_test @ X_train.T
    order = np.argsort(squares, axis=1, kind="stable")[:, :k]
    return np.array([np.bincount(y_train[row], minlength=2).argmax() for row in order])
