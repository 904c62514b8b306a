"""Uses no array but for the answer: `math.dist`, `sorted` and a count."""
import math


def knn_predict(X_train, y_train, X_test, k):
    predicted = []
    for new in X_test:
        pairs = sorted((math.dist(row, new), label) for row, label in zip(X_train, y_train))
        ones = sum(label for _, label in pairs[:k])
        predicted.append(1 if ones > k - ones else 0)
    return np.array(predicted)
