"""Fills a row of integers, one column after the other."""


@add_to(NNClassifier)
def predict(self, X):
    A2 = self.model.forward_propagation(X)["A2"]
    pred = np.zeros((1, A2.shape[1]), dtype=int)
    for i in range(A2.shape[1]):
        pred[0, i] = np.argmax(A2[:, i])
    return pred
