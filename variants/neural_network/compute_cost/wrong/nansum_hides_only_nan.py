"""`np.nansum` hides the nan of a perfect prediction; an entirely wrong one stays
inf."""


def compute_cost(A2, Y):
    losses = Y * np.log(A2) + (1 - Y) * np.log(1 - A2)
    return -np.nansum(losses) / Y.shape[1]
