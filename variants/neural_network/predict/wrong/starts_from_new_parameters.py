"""Initializes the model before predicting and so forgets the training."""


@add_to(NNClassifier)
def predict(self, X):
    self.model.initialize_parameters()
    A2 = self.model.forward_propagation(X)["A2"]
    return np.argmax(A2, axis=0).reshape(1, -1)
