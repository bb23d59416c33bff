"""Cells within regions, and how many lie outside."""

from typing import Any

import numpy as np
from anndata import AnnData
from numpy.typing import NDArray

from napari_gluer import slots
from napari_gluer.errors import InputError, listed

_OUTSIDE = "outside_regions"


def cells_inside(regions: Any, centroids: NDArray[np.float64]) -> NDArray[np.bool_]:
    """Which cells lie in the regions.

    Parameters
    ----------
    regions
        What says which points count: ``regions.contains(points_yx)``, in pixels; None: all do.
    centroids
        ``(n, 2)`` y and x or ``(n, 3)`` with z first, in pixels; z does not count.

    Raises
    ------
    InputError
        If none does.
    """
    if regions is None:
        return np.ones(len(centroids), np.bool_)
    inside = np.asarray(regions.contains(centroids[:, -2:]), np.bool_)
    if not inside.any():
        raise InputError(
            f"No cell is left: the centroids of all {len(inside):,} lie outside the regions. "
            "Check that the regions were drawn on this image, in its pixels."
        )
    return inside


def count_outside(cells: AnnData, number: int) -> None:
    """Add cells that were left out before, when cells were found, to the report of `measure`.

    Parameters
    ----------
    cells
        Measured; ``uns["gluer"]["measure"]`` is replaced.
    number
        Of cells outside the regions.
    """
    report = dict(slots.info(cells)[slots.MEASURE])
    report[_OUTSIDE] += number
    report["outcome"] = measured(report, cells.n_obs, cells.n_vars)
    slots.note(cells, **{slots.MEASURE: report})


def measured(report: dict[str, Any], cells: int, channels: int) -> str:
    """What was measured and what was left out, one line."""
    parts = [f"{cells:,} cells × {channels} channels"]
    if outside := report[_OUTSIDE]:
        parts.append(outside_words(outside))
    if report["not_finite"]:
        counts = listed((f"{name} {n:,}" for name, n in report["not_finite"].items()), 5)
        parts.append(f"NaN or infinite pixels left out of: {counts}")
    if without := report.get("cells_without_nucleus"):
        parts.append(f"{without:,} cells without a nucleus")
    return "; ".join(parts) + "."


def outside_words(number: int) -> str:
    """How many cells the regions left out, in words."""
    return f"{number:,} cells outside the regions left out"
