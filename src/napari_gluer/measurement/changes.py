"""Labels that were edited after they were measured: which, and their rows measured again."""

from typing import Any

import numpy as np
import pandas as pd
from anndata import AnnData
from numba import njit
from numpy.typing import NDArray
from scipy import sparse

from napari_gluer import slots
from napari_gluer.errors import InputError, listed

_BLOCK = 2**18  # pixels compared at a time
_NO_RESULT = (slots.EMBEDDING, slots.UNMAPPED)


def changed_labels(
    index: NDArray[np.int32], ids: NDArray[np.int64], labels: Any
) -> NDArray[np.int64]:
    """Labels whose pixels are no longer the same.

    Parameters
    ----------
    index, ids
        The labels before, as of `compact`: 0 is background, ``i + 1`` the cell ``ids[i]``.
    labels
        The labels now, an array or what is sliced like one.

    Returns
    -------
    int64 ``(n,)``, ascending: labels that gained or lost a pixel, appeared or are gone. All of
    both sides where the shapes differ.
    """
    before = np.concatenate([[0], ids]).astype(np.int64)
    if tuple(labels.shape) != index.shape:
        return _cells_of(np.concatenate([before, np.unique(np.asarray(labels)).astype(np.int64)]))
    rows = max(1, _BLOCK // max(1, int(np.prod(index.shape[1:]))))
    lost = np.zeros(len(before), np.bool_)
    gained = []
    for first in range(0, len(index), rows):
        now = np.ascontiguousarray(labels[first : first + rows])
        then = np.ascontiguousarray(index[first : first + rows])
        gained.append(np.unique(_differing(then.ravel(), before, now.ravel(), lost)))
    return _cells_of(np.concatenate([before[lost], *gained]))


@njit(nogil=True, cache=True)  # type: ignore[untyped-decorator]
def _differing(index: Any, ids: Any, labels: Any, lost: Any) -> Any:
    """Marks what lost a pixel in `lost`; returns what gained one, each run of pixels once."""
    number = _count(index, ids, labels)
    gained = np.empty(number, np.int64)
    if number == 0:
        return gained
    n = 0
    for i in range(len(labels)):
        now = np.int64(labels[i])
        if ids[index[i]] != now:
            lost[index[i]] = True
            if n == 0 or gained[n - 1] != now:
                gained[n] = now
                n += 1
    return gained[:n]


@njit(nogil=True, cache=True)  # type: ignore[untyped-decorator]
def _count(index: Any, ids: Any, labels: Any) -> int:
    """How many pixels differ; without branches, so that it runs as fast as memory is read."""
    number = 0
    for i in range(len(labels)):
        number += ids[index[i]] != np.int64(labels[i])
    return number


def _cells_of(found: NDArray[np.int64]) -> NDArray[np.int64]:
    cells: NDArray[np.int64] = np.unique(found[found != 0])
    return cells


class OnlyThese:
    """Labels in which only some cells are left; read where it is sliced.

    Parameters
    ----------
    labels
        ``(y, x)`` or ``(z, y, x)``: an array or what is sliced like one.
    kept
        The values that stay; all others become background.
    """

    def __init__(self, labels: Any, kept: NDArray[np.int64]) -> None:
        self._labels, self._kept = labels, np.asarray(kept, np.int64)
        self.shape, self.dtype = tuple(labels.shape), np.dtype(labels.dtype)
        self.ndim = len(self.shape)

    def __getitem__(self, key: Any) -> NDArray[Any]:
        block = np.asarray(self._labels[key])
        return np.where(np.isin(block, self._kept), block, block.dtype.type(0))

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> NDArray[Any]:  # noqa: FBT001 - NumPy's protocol
        if copy is False:
            raise ValueError("Labels are picked when they are read; that takes a copy.")
        return self[...].astype(dtype or self.dtype, copy=False)


def with_rows_of(former: AnnData, fresh: AnnData | None, changed: NDArray[np.int64]) -> AnnData:
    """A table in which changed cells have new rows; all others keep everything they have.

    Parameters
    ----------
    former
        The table before, perhaps cleaned and integrated.
    fresh
        Rows of changed cells, None where none is left; rows of others are passed over.
    changed
        Labels whose rows in `former` no longer hold; those that `fresh` lacks drop out.

    Returns
    -------
    A new table in ascending order of ``obs["label"]``. In the rows from `fresh`, results that only
    an integration gives are missing: 0 in ``obsm["X_gluer"]``, ``obsm["X_gluer_unmapped"]`` and
    the weights, True in ``obs["gluer_unmatched"]``, missing in other columns.

    Raises
    ------
    InputError
        If the tables have other channels, or no cell is left.
    """
    kept = former[~np.isin(slots.cell_labels(former), changed)]
    if fresh is not None:
        _refuse_others(former, fresh)
        fresh = fresh[np.isin(slots.cell_labels(fresh), changed)]
    if fresh is None or not fresh.n_obs:
        if not kept.n_obs:
            raise InputError("No cell is left: every label of the table was erased or replaced.")
        return kept.copy()
    labels = np.concatenate([slots.cell_labels(kept), slots.cell_labels(fresh)])
    order = np.argsort(labels)
    result = AnnData(
        _stacked(kept.X, fresh.X, order),
        obs=_columns(kept.obs, fresh.obs).iloc[order],
        var=former.var.copy(),
        uns=former.uns.copy(),
    )
    for name, values in kept.layers.items():
        result.layers[name] = _stacked(values, _there(fresh.layers, name, fresh, values), order)
    for name, values in kept.obsm.items():
        result.obsm[name] = _stacked(values, _there(fresh.obsm, name, fresh, values), order)
    return result


def _refuse_others(former: AnnData, fresh: AnnData) -> None:
    if not former.var_names.equals(fresh.var_names):
        raise InputError(
            f"The cells were measured in {listed(former.var_names, 6)}, and this image has "
            f"{listed(fresh.var_names, 6)}. Choose the image they were measured in, or measure all "
            "cells again."
        )


def _there(held: Any, name: str, fresh: AnnData, like: Any) -> Any:
    """Values of the fresh rows; missing ones where only an integration or a file gives them."""
    shape = (fresh.n_obs, *like.shape[1:])
    if name in held and held[name].shape == shape:
        return held[name]
    if sparse.issparse(like):
        return sparse.csr_matrix(shape, dtype=like.dtype)
    if isinstance(like, pd.DataFrame):
        return pd.DataFrame(index=fresh.obs_names, columns=like.columns)
    empty = np.nan if like.dtype.kind == "f" and name not in _NO_RESULT else 0
    return np.full(shape, empty, like.dtype)


def _stacked(kept: Any, fresh: Any, order: NDArray[np.intp]) -> Any:
    if isinstance(kept, pd.DataFrame):
        frame = pd.DataFrame(fresh, index=fresh.index).set_axis(kept.columns, axis=1)
        return pd.concat([kept, frame.astype(kept.dtypes)]).iloc[order]
    if sparse.issparse(kept) or sparse.issparse(fresh):
        return sparse.vstack([kept, fresh], format="csr")[order]
    return np.concatenate([kept, np.asarray(fresh, kept.dtype)])[order]


def _columns(kept: pd.DataFrame, fresh: pd.DataFrame) -> pd.DataFrame:
    """The columns of `kept`; a cell that was not judged yet is unmatched, and in no selection."""
    columns = {}
    for name in kept:
        before = kept[name]
        now = fresh[name] if name in fresh else _missing(str(name), before, fresh.index)
        columns[name] = pd.concat([before.astype(object), now.astype(object)])
        columns[name] = columns[name].astype(_dtype(before, columns[name]))
    return pd.DataFrame(columns)


def _missing(name: str, before: pd.Series, index: pd.Index) -> pd.Series:
    if before.dtype.kind == "b":
        return pd.Series(data=name == slots.UNMATCHED, index=index)
    return pd.Series(np.nan, index=index, dtype=object)


def _dtype(before: pd.Series, together: pd.Series) -> Any:
    """The type of a column; of whole numbers the one that can be missing."""
    can_be = {"i": "Int64", "u": "UInt64"}
    return can_be.get(before.dtype.kind, before.dtype) if together.isna().any() else before.dtype
