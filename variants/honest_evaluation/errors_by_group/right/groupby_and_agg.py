"""Lets pandas group; the part overlooked is a mean that skips nan."""


def errors_by_group(y, predicted, groups):
    overlooked = np.where(y == 1, predicted == 0, np.nan)
    rows = pd.DataFrame({"group": groups, "wrong": y != predicted, "over": overlooked})
    return rows.groupby("group").agg(
        n=("wrong", "size"), error=("wrong", "mean"), overlooked=("over", "mean")
    )
