"""Looks first whether the model is a network of the notebook's."""


@add_to(NNClassifier)
def predict(self, X):
    if not isinstance(self.model, NeuralNetwork):
        raise TypeError("a NeuralNetwork is needed")
    cache = self.model.forward_propagation(X)
    return np.argmax(cache["A2"], axis=0).reshape(1, -1)
