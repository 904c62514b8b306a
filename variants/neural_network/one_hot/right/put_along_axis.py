"""`np.put_along_axis` takes the (1, m) labels as they are."""


def one_hot(Y, n_classes):
    encoded = np.zeros((n_classes, Y.shape[1]), dtype=np.uint8)
    np.put_along_axis(encoded, Y.astype(np.intp), 1, axis=0)
    return encoded
