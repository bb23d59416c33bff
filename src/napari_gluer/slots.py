"""Every AnnData key that is read or written, in one place."""

from typing import Any

import numpy as np
import pandas as pd
from anndata import AnnData
from numpy.typing import NDArray

from napari_gluer.errors import InputError, listed

INFO = "gluer"
"""``uns`` entry that holds everything of ours that is not per cell."""

LABEL = "label"
VOLUME = "volume_px"
AREA_UM2 = "area_um2"
VOLUME_UM3 = "volume_um3"
NUMBERED = "numbered"
"""``uns`` entry of tables without labels: the rows were numbered, and match no masks."""
CELL_ID = "cell_id"
"""Names that cells had in their file, where the table gave them names of its own."""
DRAWN = "drawn"
TOUCHES_BORDER = "touches_border"
NUCLEUS_PX = "nucleus_px"
NUMBER_OF_NUCLEI = "n_nuclei"
NUCLEUS, CYTOPLASM = "nucleus", "cytoplasm"
"""Layers: means over the two parts of a cell."""
SPATIAL = "spatial"
SPATIAL_UNIT = "spatial_unit"
IMPUTED = "imputed"
"""Genes that were written along with cells, ``obsm``."""

GENES = "genes"
GENES_SOURCE = "genes_source"
ROLE = "role"
MARKER, NUCLEAR, BLANK, IGNORE = "marker", "nuclear", "blank", "ignore"
SEPARATED = "mixture_separated"

KIND = "kind"
INTENSITY, COUNTS, LOG1P, ACTIVITY = "intensity", "counts", "log1p", "activity"
RAW = "raw"
CLEAN = "clean"
MEASURE = "measure"
SPOTS = "spots"
FIELDS = "fields"

EMBEDDING = "X_gluer"
UNMAPPED = "X_gluer_unmapped"
WEIGHTS = "gluer_weights"
CONFIDENCE = "gluer_confidence"
UNMATCHED = "gluer_unmatched"
SUPPORT = "gluer_support"
ANCHORED = "gluer_anchored"
REFERENCE_FACTORS = "reference_factors"
REFERENCE_UNMAPPED = "reference_unmapped"
REFERENCE_NAMES = "reference_names"
FINGERPRINT = "reference_fingerprint"
CLUSTER = "cluster"
MAPPED_BY = "mapped_by"
PSEUDOTIME = "pseudotime"
TRAJECTORY = "trajectory"
LAYOUTS = ("umap", "tsne")
"""Maps in two dimensions: ``obsm["X_umap"]``, ours where ``uns`` has ``layout_umap``."""
RELIABILITY = "reliability"
"""``uns`` entry: a table of how far each gene's imputed values may be believed."""
_RESULTS = {
    REFERENCE_FACTORS,
    REFERENCE_UNMAPPED,
    REFERENCE_NAMES,
    FINGERPRINT,
    "reference_expression",
    "links",
    "link_details",
    "unlinked",
    "params",
    "seed",
    "versions",
    "timings",
    "linked_values_sha256",
    "n_anchors",
    "rank",
    "chosen",
    "quality",
    "n_tables",
    "table_number",
    "pairs",
    "reference_path",
    "reference_sha256",
    "reference_subsample",
    "outcome",
    "absence",
    MAPPED_BY,
    "cluster_params",
    "cluster_seed",
    TRAJECTORY,
    *(f"{part}_{kind}" for part in ("layout", "reference") for kind in LAYOUTS),
    RELIABILITY,
}


def transferred(column: str) -> str:
    """Name of the ``obs`` column that holds the types transferred from `column`."""
    return f"{column}_transferred"


def probability(column: str) -> str:
    """Name of the ``obs`` column that holds the probability of the transferred type."""
    return f"{column}_probability"


def cell_labels(cells: AnnData) -> NDArray[np.int64]:
    """``obs["label"]``, checked: the value of every cell in the labels image, ``(n_cells,)``.

    Whole numbers, also as floats or as text; unique, from 1 to 2⁶³ - 1.

    Raises
    ------
    InputError
        If the column is missing, or its values are not labels.
    """
    remedy = "Measure the cells with ng.measure, or read the table with ng.read_cells."
    column = require(cells, "obs", LABEL, remedy)
    plain = isinstance(column.dtype, np.dtype) and column.dtype.kind == "i"
    if plain and column.is_unique and not (column < 1).any():
        known: NDArray[np.int64] = column.to_numpy(np.int64, copy=True)
        return known  # the usual case, 50 times faster
    numbers = [_whole(value) for value in column.tolist()]
    wrong = [
        value
        for value, number in zip(column, numbers, strict=True)
        if number is None or not 1 <= number < 2**63
    ]
    repeats = column[column.duplicated()]
    if wrong or len(repeats):
        found = f"{listed(wrong, 5)} is none" if wrong else f"{listed(repeats, 5)} is repeated"
        raise InputError(
            "obs['label'] must give every cell its own positive whole number, its value in the "
            f"labels image; {found}. Rename the column if it is something else."
        )
    return np.array(numbers, np.int64)


def _whole(value: object) -> int | None:
    """`value` as a whole number, exactly; None where it is none."""
    if isinstance(value, str):
        return int(value) if value.strip().isdecimal() else None
    if isinstance(value, int | np.integer) and not isinstance(value, bool):
        return int(value)
    if isinstance(value, float) and value.is_integer():
        return int(value)
    return None


def cell_names(cells: AnnData) -> pd.Index:
    """What cells are called outside this table: ``obs["cell_id"]``, else their index.

    Raises
    ------
    InputError
        If names repeat, or rows were only numbered, which says nothing of other tables.
    """
    if CELL_ID in cells.obs:
        names: pd.Index = pd.Index(cells.obs[CELL_ID].astype(str))
    elif NUMBERED in info(cells):
        raise InputError(
            "The cells of one table have no names, only numbers of its rows; they cannot be found "
            "in another table. Give it names in obs_names or obs['cell_id']."
        )
    else:
        names = cells.obs_names.astype(str)
    if not names.is_unique:
        twice = names[names.duplicated()].unique()
        raise InputError(f"Cells must have names of their own; repeated are {listed(twice, 3)}.")
    return names


def unmatched(cells: AnnData) -> NDArray[np.bool_]:
    """Which cells the reference says nothing about, ``(n_cells,)``; none before integration."""
    if UNMATCHED not in cells.obs:
        return np.zeros(cells.n_obs, np.bool_)
    return np.asarray(cells.obs[UNMATCHED], np.bool_)


def without_signal(cells: AnnData) -> NDArray[np.bool_]:
    """Which cells no linked feature was found in, ``(n_cells,)``; none before integration."""
    if SUPPORT not in cells.obs:  # integrated before absent types were looked for
        return unmatched(cells)
    return np.asarray(cells.obs[SUPPORT].isna(), np.bool_)


def drop_results(cells: AnnData) -> None:
    """Remove what `integrate` and later steps set, from a table that the caller owns."""
    ours = {CONFIDENCE, UNMATCHED, SUPPORT, ANCHORED}
    if "cluster_params" in info(cells):  # else a column of that name is somebody's own
        ours.add(CLUSTER)
    if TRAJECTORY in info(cells):
        ours.add(PSEUDOTIME)
    if WEIGHTS in cells.obsm:
        suffixes = (transferred(""), probability(""))
        ours |= {str(name) for name in cells.obs if str(name).endswith(suffixes)}
    cells.obs = cells.obs.drop(columns=list(ours), errors="ignore")
    maps = [f"X_{kind}" for kind in LAYOUTS if f"layout_{kind}" in info(cells)]
    for key in (EMBEDDING, UNMAPPED, WEIGHTS, *maps):
        if key in cells.obsm:
            del cells.obsm[key]
    kept = {key: value for key, value in info(cells).items() if key not in _RESULTS}
    if INFO in cells.uns:
        cells.uns[INFO] = kept


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
