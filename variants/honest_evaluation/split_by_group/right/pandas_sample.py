"""Lets pandas draw and look up."""


def split_by_group(groups, test_part, seed):
    names = pd.Series(groups).drop_duplicates()
    chosen = names.sample(frac=test_part, random_state=seed)
    return pd.Series(groups).isin(chosen).to_numpy()
