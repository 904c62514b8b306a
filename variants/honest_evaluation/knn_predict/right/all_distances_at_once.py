"""Broadcasts all differences into one array of three axes."""


def knn_predict(X_train, y_train, X_test, k):
    differences = X_test[:, None, :] - X_train[None, :, :]
    distances = np.sqrt((differences**2).sum(axis=2))
    nearest = distances.argsort(axis=1)[:, :k]
    return np.rint(y_train[nearest].mean(axis=1)).astype(int)
