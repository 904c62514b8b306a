"""Asks whether the largest output exceeds 0.5, as with two classes."""


@add_to(NNClassifier)
def predict(self, X):
    A2 = self.model.forward_propagation(X)["A2"]
    return (A2.max(axis=0, keepdims=True) > 0.5).astype(int)
