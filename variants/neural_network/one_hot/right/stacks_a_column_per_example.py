"""Makes one column vector per example and stacks them side by side."""


def one_hot(Y, n_classes):
    columns = []
    for label in Y[0]:
        column = np.zeros(n_classes)
        column[label] = 1
        columns.append(column)
    return np.stack(columns, axis=1)
