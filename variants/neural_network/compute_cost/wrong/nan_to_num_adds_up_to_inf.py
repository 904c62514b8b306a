"""`np.nan_to_num` puts the largest float for inf: two of them add up to inf
again."""


def compute_cost(A2, Y):
    log_a = np.nan_to_num(np.log(A2))
    log_not_a = np.nan_to_num(np.log(1 - A2))
    return -np.sum(Y * log_a + (1 - Y) * log_not_a) / Y.shape[1]
