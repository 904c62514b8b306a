"""Python's own max over (value, row) pairs."""


@add_to(NNClassifier)
def predict(self, X):
    A2 = self.model.forward_propagation(X)["A2"]

    def winner(column):
        return max(range(len(column)), key=lambda row: column[row])

    return np.array([winner(column) for column in A2.T.tolist()])[None]
