"""Counts with a cross table of all three columns."""


def inputs(rng):
    n = int(rng.integers(4, 40))
    groups = rng.integers(0, 3, n)
    y = np.where(rng.random(n) < 0.4, 0, 1)
    for name in set(groups.tolist()):
        y[groups.tolist().index(name)] = 1
    return y, rng.integers(0, 2, n), groups


def answer(y, predicted, groups):
    return errors_by_group(y, predicted, groups)[["n", "error", "overlooked"]].sort_index().to_numpy().tolist()


def oracle(y, predicted, groups):
    rows = []
    for name in sorted(set(groups.tolist())):
        pairs = [(t, p) for t, p, g in zip(y.tolist(), predicted.tolist(), groups.tolist()) if g == name]
        zeros, ones = pairs.count((1, 0)), pairs.count((1, 0)) + pairs.count((1, 1))
        rows.append([float(len(pairs)), (zeros + pairs.count((0, 1))) / len(pairs), zeros / ones])
    return rows
