"""SciPy's sparse matrices, by their parts: imported only where SciPy is.

Rows and columns are checked before anything is computed with them: SciPy's compiled
code takes them at their word.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy import sparse

from nbproctor.protocol.budget import LIMITS
from nbproctor.protocol.table import FIELDS, Field, Parts, Row, add

_COMPRESSED = ("csr", "csc")
_CLASSES: dict[str, Any] = {
    name: getattr(sparse, name)
    for form in (*_COMPRESSED, "coo", "lil", "dok", "dia", "bsr")
    for name in (f"{form}_matrix", f"{form}_array")
    if hasattr(sparse, name)
}
_NAMES = {kind: name for name, kind in _CLASSES.items()}


def _is_shape(x: Any) -> bool:
    if type(x) is not tuple or len(x) != 2:
        return False
    sizes = all(type(n) is int and n >= 0 for n in x)
    return sizes and sum(x) <= LIMITS["length"].most


def _parts(x: Any) -> Parts | None:
    if x.ndim != 2:
        return None
    name, shape = _NAMES[type(x)], tuple(map(int, x.shape))
    if x.format in _COMPRESSED:
        return name, shape, x.data, x.indices, x.indptr
    cells = x.tocoo()
    return name, shape, cells.data, cells.row, cells.col


def _build(name: str, shape: Any, data: Any, one: Any, two: Any) -> Any:
    form = name.partition("_")[0]
    if form in _COMPRESSED:
        _check_compressed(shape if form == "csr" else shape[::-1], data, one, two)
        return _CLASSES[name]((data, one, two), shape=shape)
    if not len(data) == len(one) == len(two):
        raise ValueError("a sparse matrix has cells without a place")
    _check_inside(one, shape[0])
    _check_inside(two, shape[1])
    cells: Any = sparse.coo_array if name.endswith("array") else sparse.coo_matrix
    return _CLASSES[name](cells((data, (one, two)), shape=shape))


def _check_compressed(shape: Any, data: Any, inner: Any, starts: Any) -> None:
    outer, size = shape
    if len(starts) != outer + 1 or starts[0] != 0 or starts[-1] != len(inner):
        raise ValueError("a sparse matrix has other rows than it says")
    if len(inner) != len(data) or (np.diff(starts) < 0).any():
        raise ValueError("a sparse matrix has rows that overlap")
    _check_inside(inner, size)


def _check_inside(places: Any, size: int) -> None:
    if len(places) and not (places.min() >= 0 and places.max() < size):
        raise ValueError("a sparse matrix has cells outside")


FIELDS |= {
    "form": Field(lambda x: type(x) is str and x in _CLASSES),
    "two_sizes": Field(_is_shape),
}
_FIELDS = "form two_sizes numbers places places"
_TAG = "scipy.sparse.matrix"
add(Row(_TAG, _FIELDS, tuple(_NAMES), parts=_parts, build=_build))
