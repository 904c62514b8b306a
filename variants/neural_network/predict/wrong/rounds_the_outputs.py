"""Rounds each output to zero or one."""


@add_to(NNClassifier)
def predict(self, X):
    A2 = self.model.forward_propagation(X)["A2"]
    return np.round(A2).astype(int)
