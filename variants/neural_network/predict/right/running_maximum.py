"""Walks through the classes and keeps the best so far."""


@add_to(NNClassifier)
def predict(self, X):
    A2 = self.model.forward_propagation(X)["A2"]
    best, labels = A2[:1].copy(), np.zeros((1, A2.shape[1]), dtype=np.int64)
    for label in range(1, A2.shape[0]):
        better = A2[label : label + 1] > best
        labels = np.where(better, label, labels)
        best = np.where(better, A2[label], best)
    return labels
