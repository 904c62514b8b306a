"""argmax with a new axis in front, as int32."""


@add_to(NNClassifier)
def predict(self, X):
    A2 = self.model.forward_propagation(X)["A2"]
    return A2.argmax(0)[np.newaxis, :].astype(np.int32)
