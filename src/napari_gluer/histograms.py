"""Histograms of markers as measured, with the two components that were fitted to them."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from anndata import AnnData
from numpy.typing import NDArray
from scipy import sparse
from scipy.special import ndtr

from napari_gluer import slots
from napari_gluer.errors import InputError, listed

_BINS = 80  # of 10,000 cells; fewer with their cube root
_SKEWED = 3.0  # from where the 99.5th percentile lies this many times above twice the median
_MOST = 0.9995  # quantile up to which is shown

Array = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Histogram:
    """One marker's intensities as measured, and the fit.

    Attributes
    ----------
    name
        The marker.
    cofactor
        The axis shows ``arcsinh(value / cofactor)``: linear below, logarithmic above. None: linear.
    edges, counts
        Bins in intensity ``(n + 1,)``, of equal width on the axis, and cells in them ``(n,)``.
    ground, signal
        ``(n,)``: cells in every bin by the two fitted components.
    threshold
        Intensity where both are equally likely, None where they never are.
    separated
        Whether the two stand apart.
    zeros
        Share of cells that are 0.
    beyond
        Cells above the last edge.
    """

    name: str
    cofactor: float | None
    edges: Array
    counts: NDArray[np.int64]
    ground: Array
    signal: Array
    threshold: float | None
    separated: bool
    zeros: float
    beyond: int

    def scaled(self, values: Any) -> Array:
        """Where intensities lie on the axis."""
        plain = np.asarray(values, np.float64)
        return plain if self.cofactor is None else np.arcsinh(plain / self.cofactor)


def marker_histograms(cells: AnnData, markers: Sequence[str] | None = None) -> list[Histogram]:
    """Histograms of markers that a mixture was fitted to.

    Parameters
    ----------
    cells
        A cleaned table: reads ``layers["raw"]`` and ``uns["gluer"]["clean"]["mixtures"]``.
    markers
        Which; all fitted ones, in the table's order, when None.

    Raises
    ------
    InputError
        If the table holds no fits, or none of one of `markers`.
    """
    report = slots.info(cells).get(slots.CLEAN)
    fits = report.get("mixtures") if isinstance(report, dict) else None
    if not fits or slots.RAW not in cells.layers:
        raise InputError(
            "The table holds no fits to draw. Clean it with a mixture first: ng.clean(cells)."
        )
    wanted = list(fits) if markers is None else list(markers)
    if unknown := [name for name in wanted if name not in fits or name not in cells.var_names]:
        raise InputError(
            f"No mixture was fitted to {listed(unknown)}; there are fits of {listed(fits)}."
        )
    return [_histogram(name, _raw(cells, name), fits[name]) for name in wanted]


def _raw(cells: AnnData, name: str) -> Array:
    column = cells.layers[slots.RAW][:, cells.var_names.get_loc(name)]
    dense = column.toarray() if sparse.issparse(column) else column
    return np.asarray(dense, np.float64).ravel()


def _histogram(name: str, values: Array, fit: dict[str, Any]) -> Histogram:
    cofactor = _cofactor(values)
    low, high = float(values.min()), float(np.quantile(values, _MOST))
    high = high if high > low else float(values.max())
    scale = cofactor or 1.0
    bins = int(np.clip(_BINS * np.cbrt(len(values) / 10_000), 15, _BINS))
    if cofactor is None:
        edges = np.linspace(low, high, bins + 1)
    else:
        ends = [float(np.arcsinh(end / scale)) for end in (low, high)]
        edges = np.sinh(np.linspace(ends[0], ends[1], bins + 1)) * scale
    edges[0], edges[-1] = low, high
    counts = np.histogram(values, edges)[0]
    ground, signal = (
        len(values) * weight * np.diff(ndtr((edges - mean) / deviation))
        for weight, mean, deviation in zip(
            fit["weights"], fit["means"], fit["deviations"], strict=True
        )
    )
    return Histogram(
        name,
        cofactor,
        edges,
        counts.astype(np.int64),
        ground,
        signal,
        fit["threshold"],
        fit["separated"],
        float((values == 0).mean()),
        int((values > high).sum()),
    )


def _cofactor(values: Array) -> float | None:
    """Where the axis turns logarithmic: the median of what is above 0; None where not skewed."""
    positive = values[values > 0]
    if not len(positive):
        return None
    middle, top = np.quantile(positive, [0.5, 0.995])
    return float(middle) if top > 2 * _SKEWED * middle else None
