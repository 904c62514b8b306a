"""Returns the sigmoid: "exp is its own derivative"."""


@add_to(Sigmoid)
def prime(self, z):
    return self(z)
