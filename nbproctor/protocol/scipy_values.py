"""SciPy's sparse matrices as parts: imported only where SciPy is.

Rows and columns are checked before anything is computed with them: SciPy's compiled
code takes them at their word.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy import sparse

from nbproctor.protocol.libraries import Class, Parts
from nbproctor.protocol.limits import MAX_RANGE

_COMPRESSED = ("csr", "csc")
_FORMATS = (*_COMPRESSED, "coo", "lil", "dok", "dia", "bsr")


def _parts(x: Any) -> Parts | None:
    if x.ndim != 2 or sum(x.shape) > MAX_RANGE or x.dtype.kind not in "biufc":
        return None
    shape = tuple(map(int, x.shape))
    if x.format in _COMPRESSED:
        return shape, x.data, x.indices, x.indptr
    cells = x.tocoo()
    return shape, cells.data, cells.row, cells.col


def _build(name: str) -> Any:
    kind: Any = getattr(sparse, name)
    form = name.partition("_")[0]

    def build(shape: Any, data: Any, one: Any, two: Any) -> Any:
        if type(shape) is not tuple or len(shape) != 2 or sum(shape) > MAX_RANGE:
            raise ValueError("a sparse matrix is too large")
        if not all(type(n) is int and n >= 0 for n in shape):
            raise ValueError("a sparse matrix has an impossible shape")
        for part, kinds in ((data, "biufc"), (one, "i"), (two, "i")):
            if type(part) is not np.ndarray or part.ndim != 1:
                raise ValueError("a sparse matrix is not made of arrays")
            if part.dtype.kind not in kinds:
                raise ValueError("a sparse matrix is not made of numbers")
        if form in _COMPRESSED:
            _check_compressed(shape if form == "csr" else shape[::-1], data, one, two)
            return kind((data, one, two), shape=shape)
        if not len(data) == len(one) == len(two):
            raise ValueError("a sparse matrix has cells without a place")
        for places, size in ((one, shape[0]), (two, shape[1])):
            if len(places) and not (places.min() >= 0 and places.max() < size):
                raise ValueError("a sparse matrix has cells outside")
        array = name.endswith("_array")
        cells: Any = sparse.coo_array if array else sparse.coo_matrix
        return kind(cells((data, (one, two)), shape=shape))

    return build


def _check_compressed(shape: Any, data: Any, inner: Any, starts: Any) -> None:
    outer, size = shape
    if len(starts) != outer + 1 or starts[0] != 0 or starts[-1] != len(inner):
        raise ValueError("a sparse matrix has other rows than it says")
    if len(inner) != len(data) or (np.diff(starts) < 0).any():
        raise ValueError("a sparse matrix has rows that overlap")
    if len(inner) and not (inner.min() >= 0 and inner.max() < size):
        raise ValueError("a sparse matrix has cells outside")


_NAMES = [
    name
    for form in _FORMATS
    for name in (f"{form}_matrix", f"{form}_array")
    if hasattr(sparse, name)
]
CLASSES = {name: Class(_parts, _build(name)) for name in _NAMES}
NAMES: dict[type, str] = {getattr(sparse, name): name for name in _NAMES}
