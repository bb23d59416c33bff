"""Every AnnData key that is read or written, in one place."""

from typing import Any

import numpy as np
from anndata import AnnData
from numpy.typing import NDArray

from napari_gluer.errors import InputError, listed

INFO = "gluer"
"""``uns`` entry that holds everything of ours that is not per cell."""

LABEL = "label"
VOLUME = "volume_px"
AREA_UM2 = "area_um2"
VOLUME_UM3 = "volume_um3"
SPATIAL = "spatial"
SPATIAL_UNIT = "spatial_unit"

GENES = "genes"
ROLE = "role"
MARKER, NUCLEAR, BLANK, IGNORE = "marker", "nuclear", "blank", "ignore"
SEPARATED = "mixture_separated"

KIND = "kind"
INTENSITY, COUNTS, LOG1P, ACTIVITY = "intensity", "counts", "log1p", "activity"
RAW = "raw"
CLEAN = "clean"

EMBEDDING = "X_gluer"
WEIGHTS = "gluer_weights"
CONFIDENCE = "gluer_confidence"
UNMATCHED = "gluer_unmatched"
REFERENCE_FACTORS = "reference_factors"
REFERENCE_NAMES = "reference_names"
FINGERPRINT = "reference_fingerprint"
CLUSTER = "cluster"


def transferred(column: str) -> str:
    """Name of the ``obs`` column that holds the types transferred from `column`."""
    return f"{column}_transferred"


def probability(column: str) -> str:
    """Name of the ``obs`` column that holds the probability of the transferred type."""
    return f"{column}_probability"


def unmatched(cells: AnnData) -> NDArray[np.bool_]:
    """Which cells the reference says nothing about, ``(n_cells,)``; none before integration."""
    if UNMATCHED not in cells.obs:
        return np.zeros(cells.n_obs, np.bool_)
    return np.asarray(cells.obs[UNMATCHED], np.bool_)


def info(table: AnnData) -> dict[str, Any]:
    """Our entries in ``uns`` (a copy; empty where there are none)."""
    return dict(table.uns.get(INFO, {}))


def note(table: AnnData, **entries: Any) -> None:
    """Add `entries` to ``uns["gluer"]`` of a table that the caller owns."""
    table.uns[INFO] = {**table.uns.get(INFO, {}), **entries}


def require(table: AnnData, slot: str, key: str, remedy: str) -> Any:
    """``table.<slot>[key]``, or an `InputError` that names the key, what exists and the remedy."""
    held = getattr(table, slot)
    if key not in held:
        found = listed(held.keys())
        raise InputError(f"The table has no {slot}[{key!r}] (it has: {found}). {remedy}")
    return held[key]
