"""Examples as rows: argmax over the last axis, then a row again."""


@add_to(NNClassifier)
def predict(self, X):
    A2 = self.model.forward_propagation(X)["A2"]
    return A2.T.argmax(axis=-1)[:, None].T
