"""Whether confidences mean what they say: the reliability curve."""

from collections.abc import Sequence

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from numpy.typing import NDArray

from napari_gluer.errors import InputError
from napari_gluer.figures.canvas import (
    BLUE,
    NOTE,
    PALE,
    flowing,
    legend_outside,
    new_figure,
    open_axes,
    settle,
    styled,
)
from napari_gluer.figures.params import SINGLE_COLUMN, FigureParams
from napari_gluer.figures.statistics import (
    area_under_curve,
    calibration_error,
    reliability_curve,
)

_HEIGHTS = (50.0, 14.0)  # mm: curve, histogram
_MARGIN = 16.0  # mm, beside the panel
_MOST_BINS = 100
_FEW = 10  # cells of a bin: its point is hollow


def reliability_figure(
    confidence: NDArray[np.floating] | pd.Series | Sequence[float],
    right: NDArray[np.bool_] | pd.Series | Sequence[bool],
    *,
    bins: int = 10,
    params: FigureParams = SINGLE_COLUMN,
) -> Figure:
    """Share of right calls against their confidence, and how many cells have which confidence.

    Points lie at the mean confidence of a bin, with the 95 % Wilson interval of the share; on the
    dashed line a confidence is a probability. The title gives the expected calibration error (mean
    gap over cells) and the AUROC (chance that a right call has the higher confidence).

    Parameters
    ----------
    confidence
        ``(n_cells,)`` on [0, 1]; cells with NaN are left out and counted.
    right
        ``(n_cells,)``: whether the call was right, as flags or as 0 and 1.
    bins
        Bins of equal width.
    params
        Size.

    Raises
    ------
    InputError
        If lengths differ, a confidence is outside [0, 1], none is a number, or `right` holds
        something else than true and false.
    """
    known, flags, left_out = _checked(confidence, right)
    if not 1 <= bins <= _MOST_BINS:
        raise InputError(f"{bins} bins cannot be drawn; choose 1 to {_MOST_BINS}.")
    curve = reliability_curve(known, flags, bins)
    with styled(params):
        figure = new_figure(params, 1, sum(_HEIGHTS))
        axes, below = figure.subplots(2, 1, sharex=True, height_ratios=_HEIGHTS)
        _curve(axes, curve)
        axes.set_title(_title(curve, known, flags, left_out, params), pad=4)
        below.bar(
            curve["left"], curve["n"], width=curve["width"], align="edge", color=BLUE,
            alpha=0.6, edgecolor="white", linewidth=0.4,
        )  # fmt: skip
        below.set_ylabel("Cells")
        below.set_xlabel("Confidence")
        below.locator_params(axis="y", nbins=3)
        for panel in (axes, below):
            open_axes(panel)
        legend_outside(figure, _handles(curve), params)
        settle(figure, axes, _HEIGHTS[0], _HEIGHTS[0] / sum(_HEIGHTS))
    return figure


def _checked(
    confidence: NDArray[np.floating] | pd.Series | Sequence[float],
    right: NDArray[np.bool_] | pd.Series | Sequence[bool],
) -> tuple[NDArray[np.float64], NDArray[np.bool_], int]:
    """Confidences and flags of cells that have a confidence, and how many have none."""
    if isinstance(confidence, pd.Series) and isinstance(right, pd.Series):
        same = len(confidence) != len(right) or confidence.index.equals(right.index)
        if not same:
            raise InputError("Confidences and calls name other cells, or in another order.")
    values, flags = np.asarray(confidence, np.float64), np.asarray(right)
    if values.ndim != 1 or values.shape != flags.shape:
        raise InputError(
            f"There are confidences of shape {values.shape} and calls of shape {flags.shape}; both "
            "must be one a cell."
        )
    if not np.isin(flags, (0, 1)).all():
        raise InputError("Right or wrong must be true or false for every cell; some are neither.")
    known = ~np.isnan(values)
    if not known.any():
        raise InputError("No cell has a confidence.")
    values, flags = values[known], flags[known].astype(bool)
    if values.min() < 0 or values.max() > 1:
        raise InputError(
            f"Confidences must lie from 0 to 1; these go from {values.min():.3g} to "
            f"{values.max():.3g}."
        )
    return values, flags, int((~known).sum())


def _title(
    curve: pd.DataFrame,
    confidence: NDArray[np.float64],
    right: NDArray[np.bool_],
    left_out: int,
    params: FigureParams,
) -> str:
    area = area_under_curve(confidence, right)
    alike = "all are right" if right.all() else "none is right"
    ranked = f"AUROC not defined: {alike}" if np.isnan(area) else f"AUROC {area:.3f}"
    error = f"Expected calibration error {calibration_error(curve):.3f}"
    sizes = [f"n = {len(right):,}", f"{right.mean():.1%} right"]
    sizes += [f"{left_out:,} without a confidence"] if left_out else []
    room = params.width_mm - _MARGIN
    return f"{flowing([error, ranked], room, params)}\n{flowing(sizes, room, params)}"


def _curve(axes: Axes, curve: pd.DataFrame) -> None:
    axes.plot([0, 1], [0, 1], color=NOTE, lw=0.7, ls="--")
    axes.plot(curve["confidence"], curve["right"], color=BLUE, lw=0.8, alpha=0.6, zorder=2.5)
    for few, part in curve.groupby(curve["n"] < _FEW):
        reach = np.clip([part["right"] - part["low"], part["high"] - part["right"]], 0, None)
        axes.errorbar(
            part["confidence"], part["right"], yerr=reach, color=BLUE, marker="o", ms=3.5, lw=0,
            mfc="white" if few else BLUE, mew=0.8, elinewidth=0.8, capsize=1.8, capthick=0.8,
            clip_on=False, zorder=3,
        )  # fmt: skip
    axes.grid(color=PALE, lw=0.4)
    axes.set_xlim(0, 1)
    axes.set_ylim(0, 1)
    axes.set_ylabel("Share right")


def _handles(curve: pd.DataFrame) -> list[Line2D]:
    handles = [
        Line2D([], [], color=BLUE, marker="o", ms=3.5, lw=0.8, label="found, 95% interval"),
        Line2D([], [], color=NOTE, lw=0.7, ls="--", label="confidence is probability"),
    ]
    if (curve["n"] < _FEW).any():
        label = f"fewer than {_FEW} cells"
        handles.append(
            Line2D([], [], color=BLUE, marker="o", ms=3.5, lw=0, mfc="white", mew=0.8, label=label)
        )
    return handles
