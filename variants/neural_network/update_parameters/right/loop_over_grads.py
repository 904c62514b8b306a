"""Takes the parameters' names from the keys of grads."""


@add_to(NeuralNetwork)
def update_parameters(self, grads):
    for key in grads:
        if key[0] == "d" and hasattr(self, key[1:]):
            setattr(
                self, key[1:], getattr(self, key[1:]) - grads[key] * self.learning_rate
            )
