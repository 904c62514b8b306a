"""Counts pairs, without NumPy."""
from math import sqrt


def accuracy_and_error(y, predicted):
    right = sum(1 for truth, guess in zip(y, predicted) if truth == guess)
    accuracy = right / len(y)
    return dict(standard_error=sqrt(accuracy * (1 - accuracy) / len(y)), accuracy=accuracy)
