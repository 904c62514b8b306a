"""Takes the accuracy as 1 minus the mean absolute difference."""


def accuracy_and_error(y, predicted):
    wrong = np.abs(y - predicted).mean()
    variance = wrong - wrong**2
    return {"accuracy": 1 - wrong, "standard_error": (variance / y.shape[0]) ** 0.5}
