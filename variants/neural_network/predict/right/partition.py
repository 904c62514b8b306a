"""argpartition, because only the largest is needed."""


@add_to(NNClassifier)
def predict(self, X):
    A2 = self.model.forward_propagation(X)["A2"]
    return np.argpartition(A2, -1, axis=0)[-1:]
