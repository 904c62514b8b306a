"""Loops over the columns and fills an empty array."""


def standardize(train, X):
    scaled = np.empty(X.shape)
    for j in range(X.shape[1]):
        mean = sum(train[:, j]) / len(train)
        variance = sum((value - mean) ** 2 for value in train[:, j]) / len(train)
        for i in range(len(X)):
            scaled[i, j] = X[i, j] - mean
            if variance > 0:
                scaled[i, j] /= variance**0.5
    return scaled
