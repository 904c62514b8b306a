"""Looks for the largest output of each column by comparing them one by one."""


def inputs(rng):
    k, m = rng.integers(1, 8, size=2)
    return (rng.uniform(0.01, 0.99, size=(k, m)),)


def answer(table):
    model = FakeModel(table)
    return NNClassifier(model).predict(model.inputs())


def oracle(table):
    return np.array([[max(range(len(c)), key=c.__getitem__) for c in table.T.tolist()]])
