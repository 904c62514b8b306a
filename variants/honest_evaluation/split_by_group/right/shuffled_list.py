"""Mixes a list of names with Python's own generator."""
import random


def split_by_group(groups, test_part, seed):
    names = sorted(set(groups.tolist()))
    random.Random(seed).shuffle(names)
    chosen = set(names[: int(test_part * len(names) + 0.5)])
    return np.array([name in chosen for name in groups.tolist()])
