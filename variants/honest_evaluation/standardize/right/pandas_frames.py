"""Lets pandas compute, with ddof=0, and returns an array."""


def standardize(train, X):
    known = pd.DataFrame(train)
    spread = known.std(ddof=0).replace(0, 1)
    return ((pd.DataFrame(X) - known.mean()) / spread).to_numpy()
