"""Uses `reshape` to turn (m, k) into (k, m), which shuffles the entries."""


def one_hot(Y, n_classes):
    rows = np.eye(n_classes)[Y.ravel()]
    return rows.reshape(n_classes, Y.shape[1])
