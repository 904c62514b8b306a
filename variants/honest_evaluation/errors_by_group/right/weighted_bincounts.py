"""Numbers the groups, and counts with `bincount`; columns in another order."""


def errors_by_group(y, predicted, groups):
    names, number = np.unique(groups, return_inverse=True)
    n = np.bincount(number)
    error = np.bincount(number, weights=y != predicted) / n
    ones = np.bincount(number, weights=y)
    overlooked = np.bincount(number, weights=y * (1 - predicted)) / ones
    table = pd.DataFrame({"overlooked": overlooked, "error": error, "n": n})
    return table.set_index(pd.Index(names, name="group"))
