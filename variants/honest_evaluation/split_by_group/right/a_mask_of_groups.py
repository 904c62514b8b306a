"""Mixes a mask of the groups, and hands each row the entry of its group."""


def split_by_group(groups, test_part, seed):
    names, numbers = np.unique(groups, return_inverse=True)
    is_test = np.arange(len(names)) < np.ceil(test_part * len(names) - 0.5)
    np.random.default_rng(seed).shuffle(is_test)
    return is_test[numbers]
