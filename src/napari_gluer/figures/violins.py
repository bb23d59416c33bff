"""Original beside integrated values: two halves of one violin."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Patch
from numpy.typing import NDArray

from napari_gluer.errors import InputError, listed
from napari_gluer.figures.canvas import (
    BLUE,
    DARK,
    VERMILLION,
    legend_outside,
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

Values = pd.DataFrame | pd.Series
_SIDES = (("original", BLUE, -1), ("integrated", VERMILLION, 1))
_HALF, _BOX = 0.42, 0.07  # half-width of a violin and place of its box, in steps of the axis
_HEIGHT, _MARGIN = 32.0, 14.0  # mm
_FEWEST = 3


@dataclass(frozen=True, eq=False)
class _Violin:
    """Both halves of one violin: finite values as measured, and as integrated."""

    name: str
    halves: tuple[NDArray[np.float64], NDArray[np.float64]]


def violin_figure(
    original: Values,
    integrated: Values,
    groups: Grouping | None = None,
    *,
    standardised: bool = False,
    params: FigureParams = DOUBLE_COLUMN,
) -> Figure:
    """Distributions of original (left) against integrated (right) values.

    Every half is a Gaussian kernel density between its least and its greatest value, as wide as
    fits. The bar inside spans the quartiles, the white dot is the median. A half of fewer than
    three values, or of equal ones, is a line at the median. ``n`` counts cells with a value, of
    both halves where they differ.

    Parameters
    ----------
    original, integrated
        Cells × genes, with the same columns (or a series of one gene): measured values, and
        those that `impute` gives. Missing values are left out.
    groups
        One for every cell: a row of violins for every gene, one for every group. A series is joined
        by its index, others by position; `original` and `integrated` must then hold the same
        cells. Where None: one violin for every gene.
    standardised
        Show each gene of each side less its mean, in standard deviations: where the scales of both
        differ, as intensities and log1p expression do.
    params
        Size, and the colours of ``original`` and ``integrated``.

    Raises
    ------
    InputError
        If columns or cells differ, a gene has no values on one side, or violins are too many for
        the width.
    """
    left, right = _frames(original, integrated)
    if standardised:
        left, right = _standardised(left), _standardised(right)
    if groups is None:
        rows = {"Value": [_violin(str(gene), left[gene], right[gene]) for gene in left]}
    else:
        rows = _by_group(left, right, groups)
    n_violins = max(map(len, rows.values()))
    room = params.width_mm - _MARGIN
    require_room(n_violins, "violins", room, params, lines=2)
    with styled(params):
        figure = new_figure(params, len(rows), _HEIGHT)
        grid = figure.subplots(len(rows), 1, squeeze=False)[:, 0]
        for axes, (label, violins) in zip(grid, rows.items(), strict=True):
            _row(axes, violins, params)
            axes.set_ylabel(readable(label, 20) + ("\n(standardised)" if standardised else ""))
            _names(axes, violins, params, room)
        handles = [
            Patch(facecolor=params.colors.get(name, color), label=name) for name, color, _ in _SIDES
        ]
        legend_outside(figure, handles, params, place="outside upper center")
        settle(figure, grid[0], _HEIGHT, 1 / len(rows))
    return figure


def _frames(original: Values, integrated: Values) -> tuple[pd.DataFrame, pd.DataFrame]:
    left, right = (
        side.to_frame(side.name or "value") if isinstance(side, pd.Series) else side
        for side in (original, integrated)
    )
    if isinstance(original, pd.Series) and isinstance(integrated, pd.Series):
        right = right.set_axis(left.columns, axis=1)
    for side, name in ((left, "original"), (right, "integrated")):
        if not side.columns.is_unique:
            raise InputError(f"Two columns of the {name} values have the same name.")
    if set(left.columns) != set(right.columns) or not len(left.columns):
        raise InputError(
            f"Original values are of {listed(left.columns)}, integrated ones of "
            f"{listed(right.columns)}; both must hold the same genes."
        )
    left, right = left.astype(np.float64), right[left.columns].astype(np.float64)
    for side, name in ((left, "original"), (right, "integrated")):
        empty = [gene for gene in side if not np.isfinite(side[gene]).any()]
        if empty:
            raise InputError(f"No cell has an {name} value of {listed(empty)}.")
    return left, right


def _standardised(side: pd.DataFrame) -> pd.DataFrame:
    held = side.where(np.isfinite(side))
    spread = held.std(ddof=0)
    return (held - held.mean()) / spread.where(spread > 0, 1.0)


def _violin(name: str, left: pd.Series, right: pd.Series) -> _Violin:
    a, b = (side.to_numpy()[np.isfinite(side)] for side in (left, right))
    return _Violin(name, (a, b))


def _by_group(
    left: pd.DataFrame, right: pd.DataFrame, groups: Grouping
) -> dict[str, list[_Violin]]:
    if not left.index.equals(right.index):
        raise InputError(
            "Original and integrated values are of other cells, or in another order, so that they "
            "have no groups in common. Give both the same index."
        )
    found = groups_of(aligned(groups, left.index, "The grouping"), "the grouping")
    members = [found.codes == code for code in range(len(found.names))]
    return {
        str(gene): [
            _violin(name, left[gene][own], right[gene][own])
            for name, own in zip(found.names, members, strict=True)
        ]
        for gene in left
    }


def _row(axes: Axes, violins: Sequence[_Violin], params: FigureParams) -> None:
    for place, violin in enumerate(violins):
        for values, (name, color, side) in zip(violin.halves, _SIDES, strict=True):
            _half(axes, values, place, side, params.colors.get(name, color))
    axes.set_xlim(-0.6, len(violins) - 0.4)
    axes.margins(y=0.05)
    open_axes(axes)


def _half(axes: Axes, values: NDArray[np.float64], place: int, side: int, color: str) -> None:
    if not len(values):
        return
    if len(values) < _FEWEST or np.ptp(values) == 0:
        middle = float(np.median(values))
        axes.plot(
            [place, place + side * _HALF],
            [middle, middle],
            color=color,
            lw=1.5,
            solid_capstyle="butt",
        )
        return
    grid, height = density(values)
    edge = place + side * _HALF * height / height.max()
    axes.fill_betweenx(grid, place, edge, facecolor=color, alpha=0.75, linewidth=0)
    low, middle, high = np.percentile(values, [25, 50, 75])
    at = place + side * _BOX
    axes.vlines(at, low, high, color=DARK, lw=1.6)
    axes.plot([at], [middle], ls="", marker="o", ms=1.8, mfc="white", mec=DARK, mew=0.4, zorder=3)


def _names(axes: Axes, violins: Sequence[_Violin], params: FigureParams, room: float) -> None:
    letters = max(14, int(room / len(violins) / 0.22 / params.font_size))
    names = []
    for violin in violins:
        sizes = dict.fromkeys(f"{len(half):,}" for half in violin.halves)
        names.append(f"{readable(violin.name, letters, 1)}\nn = {' | '.join(sizes)}")
    named_ticks(axes, names, params, room)
