"""Counts row by row; groups stand in the order in which they appear."""


def errors_by_group(y, predicted, groups):
    names = list(dict.fromkeys(groups.tolist()))
    counts = {name: [0, 0, 0, 0] for name in names}
    for truth, guess, name in zip(y, predicted, groups.tolist()):
        counts[name][0] += 1
        counts[name][1] += truth != guess
        counts[name][2] += truth
        counts[name][3] += truth and not guess
    columns = {
        "n": [n for n, *_ in counts.values()],
        "error": [wrong / n for n, wrong, *_ in counts.values()],
        "overlooked": [zeros / ones for *_, ones, zeros in counts.values()],
    }
    return pd.DataFrame(columns, index=names)
