"""Divides X by 255 although the pixels already lie in 0...1."""


@add_to(NNClassifier)
def predict(self, X):
    A2 = self.model.forward_propagation(X / 255)["A2"]
    return np.argmax(A2, axis=0).reshape(1, -1)
