"""Uses NumPy's legacy generator and chooses without replacement."""


def split_by_group(groups, test_part, seed):
    np.random.seed(seed)
    names = np.unique(groups)
    chosen = np.random.choice(names, size=round(len(names) * test_part), replace=False)
    return (groups[:, None] == chosen).any(axis=1)
