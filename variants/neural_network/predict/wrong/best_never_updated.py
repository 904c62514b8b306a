"""Compares each output with the first one only and keeps the last winner."""


@add_to(NNClassifier)
def predict(self, X):
    A2 = self.model.forward_propagation(X)["A2"]
    labels = np.zeros((1, A2.shape[1]), dtype=int)
    for label in range(1, A2.shape[0]):
        labels[0, A2[label] > A2[0]] = label
    return labels
