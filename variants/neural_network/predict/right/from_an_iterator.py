"""np.fromiter over the columns."""


@add_to(NNClassifier)
def predict(self, X):
    A2 = self.model.forward_propagation(X)["A2"]
    labels = np.fromiter(
        (column.argmax() for column in A2.T), dtype=int, count=A2.shape[1]
    )
    return labels[None, :]
