"""The standard deviation of zeros and ones is the root of a(1 - a)."""


def accuracy_and_error(y, predicted):
    hits = (y == predicted).astype(float)
    return {"accuracy": hits.mean(), "standard_error": hits.std() / np.sqrt(hits.size)}
