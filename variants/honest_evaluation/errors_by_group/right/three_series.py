"""Puts three series next to each other."""


def errors_by_group(y, predicted, groups):
    y, predicted = pd.Series(y), pd.Series(predicted)
    missed = y == 1
    return pd.concat(
        {
            "n": y.groupby(groups).count(),
            "error": (y != predicted).groupby(groups).mean(),
            "overlooked": (predicted[missed] == 0).groupby(groups[missed]).mean(),
        },
        axis=1,
    )
