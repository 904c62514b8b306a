"""Looks for the largest output of each column by comparing them one by one."""


class Table:
    """A model whose outputs are a table: input column (i, 9) yields its column i."""

    def __init__(self, table):
        self._table, self.n_classes = table, len(table)

    def forward_propagation(self, X):
        A2 = self._table[:, np.asarray(X)[0].astype(int)]
        return {"Z1": -A2, "A1": 1 - A2, "Z2": np.log(A2 / (1 - A2)), "A2": A2}


# For isinstance, it is a network of the notebook's.
Table.__name__ = "NeuralNetwork"


def inputs(rng):
    k, m = rng.integers(1, 8, size=2)
    return (rng.uniform(0.01, 0.99, size=(k, m)),)


def answer(table):
    columns = np.arange(table.shape[1])
    return NNClassifier(Table(table)).predict(np.vstack([columns, 0 * columns + 9]))


def oracle(table):
    return np.array([[max(range(len(c)), key=c.__getitem__) for c in table.T.tolist()]])
