"""Computes 1 - |y - c| with uint8 labels, where 0 - 1 is 255."""


def one_hot(Y, n_classes):
    rows = [np.clip(1 - np.abs(Y[0] - c), 0, 1) for c in range(n_classes)]
    return np.array(rows, dtype=float)
