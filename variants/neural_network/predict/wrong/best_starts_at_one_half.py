"""Starts the running maximum at 0.5, so weak winners are missed."""


@add_to(NNClassifier)
def predict(self, X):
    A2 = self.model.forward_propagation(X)["A2"]
    best, labels = np.full((1, A2.shape[1]), 0.5), np.zeros((1, A2.shape[1]), dtype=int)
    for label in range(A2.shape[0]):
        labels = np.where(A2[label] > best, label, labels)
        best = np.maximum(best, A2[label])
    return labels
