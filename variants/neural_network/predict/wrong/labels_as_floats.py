"""Fills an array of zeros that is not made for integers."""


@add_to(NNClassifier)
def predict(self, X):
    A2 = self.model.forward_propagation(X)["A2"]
    pred = np.zeros((1, A2.shape[1]))
    pred[0] = np.argmax(A2, axis=0)
    return pred
