"""Profiles along a line through the tissue: mean and spread of genes by distance."""

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import ArrayLike, NDArray

from napari_gluer.errors import InputError
from napari_gluer.figures.canvas import (
    group_colors,
    new_figure,
    open_axes,
    readable,
    settle,
    styled,
)
from napari_gluer.figures.params import DOUBLE_COLUMN, FigureParams

Array = NDArray[np.float64]

COLUMNS = ("gene", "bin", "from", "to", "n", "mean", "sd")
"""Columns of what `profile` returns."""

_HEIGHT, _COUNTS = 26.0, 0.35  # mm of a gene's panel; height of the numbers' panel, of a gene's
_MOST_BINS = 1000
_LETTERS = 20


def along(places: ArrayLike, line: ArrayLike) -> tuple[Array, Array]:
    """How far along a line, and how far from it, points lie.

    Parameters
    ----------
    places
        ``(n, d)``.
    line
        ``(m, d)``: corners, in order; same unit.

    Returns
    -------
    distance
        ``(n,)`` from the line's start, along it. NaN for points beyond either end.
    apart
        ``(n,)``: how far from the nearest point of the line.

    Raises
    ------
    InputError
        If the line has no length.
    """
    points, corners = np.asarray(places, np.float64), np.asarray(line, np.float64)
    steps = np.diff(corners, axis=0)
    lengths = np.linalg.norm(steps, axis=1)
    steps, starts, lengths = steps[lengths > 0], corners[:-1][lengths > 0], lengths[lengths > 0]
    if not len(lengths):
        raise InputError("The line has no length; draw it from one place to another.")
    before = np.concatenate([[0.0], np.cumsum(lengths)[:-1]])
    distance, apart = np.full(len(points), np.nan), np.full(len(points), np.inf)
    for i, (start, step, length) in enumerate(zip(starts, steps, lengths, strict=True)):
        share = (points - start) @ step / length**2
        within = np.clip(share, 0, 1)
        off = np.linalg.norm(points - start - within[:, None] * step, axis=1)
        beyond = ((share < 0) & (i == 0)) | ((share > 1) & (i == len(lengths) - 1))
        nearer = off < apart
        apart[nearer] = off[nearer]
        found = np.where(beyond, np.nan, before[i] + within * length)
        distance[nearer] = found[nearer]
    return distance, apart


def profile(
    values: pd.DataFrame, places: ArrayLike, line: ArrayLike, *, width: float, bin_width: float
) -> pd.DataFrame:
    """Mean and spread of genes in bins along a line.

    Parameters
    ----------
    values
        Cells × genes; missing values are left out.
    places
        ``(n_cells, d)``: centres of the cells.
    line
        ``(m, d)``: corners of the line; same unit as `places`.
    width
        Of the band around the line: cells count whose centre is at most half of it away.
    bin_width
        Length of a bin. The last one ends where the line does.

    Returns
    -------
    pandas.DataFrame
        A row for every gene and bin: ``gene``, ``bin`` (from 1), ``from`` and ``to`` (distance
        from the line's start; the end counts in the last bin only), ``n`` (cells with a value),
        ``mean`` (NaN where n is 0), ``sd`` (sample standard deviation, NaN where n is below 2).

    Raises
    ------
    InputError
        If width or bin are not above 0, bins are too many, or no cell is near the line.
    """
    if width <= 0 or bin_width <= 0:
        raise InputError("The width of the line and the length of a bin must be above 0.")
    distance, apart = along(places, line)
    inside = np.isfinite(distance) & (apart <= width / 2)
    if not inside.any():
        raise InputError(
            f"No cell has its centre within {width / 2:g} of the line. Draw it through the tissue, "
            "or make it wider."
        )
    length = float(np.linalg.norm(np.diff(np.asarray(line, np.float64), axis=0), axis=1).sum())
    n_bins = max(1, int(np.ceil(length / bin_width - 1e-9)))
    if n_bins > _MOST_BINS:
        raise InputError(
            f"A line of {length:,.0f} has {n_bins:,} bins of {bin_width:g}; {_MOST_BINS:,} are the "
            "most. Make the bins longer."
        )
    place = np.minimum((distance[inside] / bin_width).astype(np.intp), n_bins - 1)
    edges = np.minimum(np.arange(n_bins + 1) * bin_width, length)
    parts = [
        _binned(str(gene), values[gene].to_numpy(np.float64)[inside], place, edges)
        for gene in values
    ]
    return pd.concat(parts, ignore_index=True)[list(COLUMNS)]


def _binned(gene: str, values: Array, place: NDArray[np.intp], edges: Array) -> pd.DataFrame:
    known = np.isfinite(values)
    values, place, n_bins = values[known], place[known], len(edges) - 1
    n = np.bincount(place, minlength=n_bins)
    mean = np.full(n_bins, np.nan)
    np.divide(np.bincount(place, values, n_bins), n, out=mean, where=n > 0)
    squares = np.bincount(place, (values - mean[place]) ** 2, n_bins)
    sd = np.full(n_bins, np.nan)
    np.divide(squares, n - 1, out=sd, where=n > 1)
    return pd.DataFrame(
        {
            "gene": gene,
            "bin": np.arange(1, n_bins + 1),
            "from": edges[:-1],
            "to": edges[1:],
            "n": n,
            "mean": mean,
            "sd": np.sqrt(sd),
        }
    )


def profile_figure(
    table: pd.DataFrame, *, unit: str = "µm", params: FigureParams = DOUBLE_COLUMN
) -> Figure:
    """Mean (line) and standard deviation (band) of every gene along a line, and cells in each bin.

    Parameters
    ----------
    table
        What `profile` returned.
    unit
        Of the distance.
    params
        Size, and colours of the genes.
    """
    genes = list(dict.fromkeys(table["gene"]))
    colors = group_colors(genes, params)
    with styled(params):
        figure = new_figure(params, len(genes) + 1, _HEIGHT)
        ratios = [1.0] * len(genes) + [_COUNTS]
        grid = figure.subplots(len(genes) + 1, 1, sharex=True, height_ratios=ratios)
        for axes, gene, color in zip(grid, genes, colors, strict=False):
            own = table[table["gene"] == gene]
            middle = ((own["from"] + own["to"]) / 2).to_numpy()
            mean, sd = own["mean"].to_numpy(), own["sd"].to_numpy()
            axes.fill_between(middle, mean - sd, mean + sd, color=color, alpha=0.3, linewidth=0)
            axes.plot(middle, mean, color=color, lw=1.2, marker="o", ms=2)
            axes.set_ylabel(readable(gene, _LETTERS))
            axes.margins(x=0)
            open_axes(axes)
        _counts(grid[-1], table[table["gene"] == genes[0]])
        grid[-1].set_xlabel(f"Distance along the line ({unit})" if unit else "Distance")
        figure.align_ylabels(list(grid))
        settle(figure, grid[0], _HEIGHT, 1 / sum(ratios))
    return figure


def _counts(axes: Axes, own: pd.DataFrame) -> None:
    widths = own["to"] - own["from"]
    axes.bar(own["from"], own["n"], widths, align="edge", color="#999999", linewidth=0)
    axes.set_ylabel("Cells")
    axes.set_xlim(0, own["to"].max())
    open_axes(axes)
