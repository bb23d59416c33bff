"""Distributions of genes in groups of cells: one violin a group, one row a gene."""

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import NDArray

from napari_gluer.errors import InputError, listed
from napari_gluer.figures.canvas import (
    DARK,
    group_colors,
    named_ticks,
    new_figure,
    open_axes,
    readable,
    require_room,
    settle,
    styled,
)
from napari_gluer.figures.groups import Grouping, aligned, groups_of
from napari_gluer.figures.params import DOUBLE_COLUMN, FigureParams
from napari_gluer.figures.statistics import density

_HALF = 0.42  # half-width of a violin, in steps of the axis
_HEIGHT, _MARGIN = 26.0, 14.0  # mm
_FEWEST = 3
_LETTERS, _LABEL_LETTERS = 14, 20


def group_violin_figure(
    values: pd.DataFrame, groups: Grouping, *, params: FigureParams = DOUBLE_COLUMN
) -> Figure:
    """Violins of every gene in every group.

    Every violin is a Gaussian kernel density between its least and its greatest value, as wide as
    fits. The bar inside spans the quartiles, the white dot is the median. A group of fewer than
    three values, or of equal ones, is a line at the median. ``n`` counts cells with a value.

    Parameters
    ----------
    values
        Cells × genes. Missing values are left out.
    groups
        One for every cell: a series is joined by its index, others by position. Cells without a
        group are left out.
    params
        Size, and colours of the groups.

    Raises
    ------
    InputError
        If groups do not fit the cells, a gene has no value, or violins are too many for the width.
    """
    if not values.columns.is_unique or not len(values.columns):
        raise InputError("Give at least one gene, and each of them once.")
    found = groups_of(aligned(groups, values.index, "The grouping"), "the grouping")
    rows = {str(gene): _parted(values[gene], found.codes, found.names) for gene in values}
    empty = [gene for gene, parts in rows.items() if not any(map(len, parts))]
    if empty:
        raise InputError(f"No cell of the groups has a value of {listed(empty)}.")
    room = params.width_mm - _MARGIN
    require_room(len(found.names), "violins", room, params, lines=2)
    sizes = {tuple(map(len, parts)) for parts in rows.values()}
    colors = group_colors(found.names, params)
    with styled(params):
        figure = new_figure(params, len(rows), _HEIGHT)
        grid = figure.subplots(len(rows), 1, squeeze=False)[:, 0]
        for axes, (gene, parts) in zip(grid, rows.items(), strict=True):
            _row(axes, parts, colors)
            axes.set_ylabel(readable(gene, _LABEL_LETTERS))
            if len(sizes) == 1 and axes is not grid[-1]:
                axes.set_xticks(range(len(parts)), [""] * len(parts))
            else:
                _names(axes, found.names, parts, params, room)
        settle(figure, grid[0], _HEIGHT, 1 / len(rows))
    return figure


def _parted(
    column: pd.Series, codes: NDArray[np.int64], names: list[str]
) -> list[NDArray[np.float64]]:
    held = column.to_numpy(np.float64)
    known = np.isfinite(held)
    return [held[known & (codes == code)] for code in range(len(names))]


def _row(axes: Axes, parts: list[NDArray[np.float64]], colors: list[str]) -> None:
    for place, (values, color) in enumerate(zip(parts, colors, strict=True)):
        if len(values):
            _violin(axes, values, place, color)
    axes.set_xlim(-0.6, len(parts) - 0.4)
    axes.margins(y=0.05)
    open_axes(axes)


def _violin(axes: Axes, values: NDArray[np.float64], place: int, color: str) -> None:
    low, middle, high = np.percentile(values, [25, 50, 75])
    if len(values) < _FEWEST or np.ptp(values) == 0:
        ends = [place - _HALF, place + _HALF]
        axes.plot(ends, [middle, middle], color=color, lw=1.5, solid_capstyle="butt")
        return
    grid, height = density(values)
    half = _HALF * height / height.max()
    axes.fill_betweenx(grid, place - half, place + half, facecolor=color, alpha=0.75, linewidth=0)
    axes.vlines(place, low, high, color=DARK, lw=1.6)
    axes.plot([place], [middle], ls="", marker="o", ms=1.8, mfc="white", mec=DARK, mew=0.4)


def _names(
    axes: Axes,
    names: list[str],
    parts: list[NDArray[np.float64]],
    params: FigureParams,
    room: float,
) -> None:
    letters = max(_LETTERS, int(room / len(names) / 0.22 / params.font_size))
    said = [
        f"{readable(name, letters, 1)}\nn = {len(values):,}"
        for name, values in zip(names, parts, strict=True)
    ]
    named_ticks(axes, said, params, room)
