"""What the cells say about the reference: a protein or peak onto every reference cell."""

import json
from collections.abc import Sequence
from typing import Any

import numpy as np
from anndata import AnnData
from numpy.typing import NDArray
from scipy import sparse

from napari_gluer import slots
from napari_gluer.errors import InputError, listed
from napari_gluer.expression import expression, require_same_reference
from napari_gluer.integration.imputation import INTEGRATE
from napari_gluer.integration.params import IntegrateParams
from napari_gluer.integration.weights import neighbour_weights
from napari_gluer.track import Track, silently


def impute_onto_reference(
    cells: AnnData,
    reference: AnnData,
    features: str | Sequence[str],
    *,
    track: Track = silently,
) -> NDArray[np.float32]:
    """Impute features of the cells for every reference cell: the other direction of `impute`.

    Each reference cell draws on its nearest cells in the co-embedding, weighed as `integrate`
    weighed reference cells (the stored ``params.weights``). Unmatched cells are not drawn on.

    Parameters
    ----------
    cells
        Integrated cells; reads ``X``, ``obsm["X_gluer"]``, ``obs["gluer_unmatched"]`` and
        ``uns["gluer"]``.
    reference
        The very reference of the integration, its cells in the same order.
    features
        One column of the cells (a protein, a peak, any that the table holds), or several.
    track
        Wraps the search for neighbours.

    Returns
    -------
    numpy.ndarray
        float32 ``(n_reference,)`` for one feature, ``(n_reference, n_features)`` for several, in
        the unit of the cells' ``X``.

    Raises
    ------
    InputError
        If the cells are not integrated, every cell is unmatched, the reference is another one, or a
        feature is not in the table.
    """
    embedding = np.asarray(slots.require(cells, "obsm", slots.EMBEDDING, INTEGRATE), np.float32)
    require_same_reference(cells, reference, expression(reference))
    wanted = [features] if isinstance(features, str) else list(features)
    values = _columns(cells, wanted)
    matched = ~slots.unmatched(cells)
    if not matched.any():
        raise InputError("Every cell is unmatched, so none says anything about the reference.")
    known = slots.info(cells)
    params = IntegrateParams(**json.loads(known["params"]))
    weighed = neighbour_weights(
        embedding,
        np.asarray(known[slots.REFERENCE_FACTORS], np.float32),
        matched,
        params.weights,
        device=params.device,
        track=track,
    )
    held = np.isfinite(values)  # what a channel does not show is not drawn on
    shown = weighed.weights @ held.astype(np.float32)
    total = weighed.weights @ np.where(held, values, np.float32(0))
    shown = np.where(shown > 0, shown, np.float32(np.nan))
    found = np.asarray(total / shown, np.float32)
    return found[:, 0] if isinstance(features, str) else found


def _columns(cells: AnnData, features: list[str]) -> NDArray[np.float32]:
    """Columns of X, dense ``(n_cells, n_features)``."""
    if cells.X is None:
        raise InputError("The table of cells has no X; put the values there.")
    if not features:
        raise InputError("There is no feature to impute.")
    missing = [name for name in features if name not in cells.var_names]
    if missing:
        raise InputError(
            f"Not in the table of cells: {listed(missing)}. It has {listed(cells.var_names, 8)}."
        )
    if not cells.var_names.is_unique:
        raise InputError("Features must have names of their own; some names are repeated.")
    chosen: Any = cells.X[:, cells.var_names.get_indexer(features)]
    return np.asarray(chosen.toarray() if sparse.issparse(chosen) else chosen, np.float32)
