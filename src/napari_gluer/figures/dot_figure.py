"""Dot plots: mean and share above zero of every feature in every group, data sets side by side."""

from collections.abc import Mapping

import numpy as np
import pandas as pd
from matplotlib import colormaps
from matplotlib.axes import Axes
from matplotlib.cm import ScalarMappable
from matplotlib.colors import Normalize
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from numpy.typing import NDArray

from napari_gluer.errors import InputError, listed
from napari_gluer.figures.canvas import (
    DARK,
    INCH,
    POINTS,
    flowing,
    legend_outside,
    new_figure,
    readable,
    require_room,
    settle,
    styled,
)
from napari_gluer.figures.dots import COLUMNS
from napari_gluer.figures.params import DOUBLE_COLUMN, FigureParams

_SHARES = (0.25, 0.5, 0.75, 1.0)
_LABELS_MM = 34.0  # names of groups, and the colour bar
_LEGEND_MM = 10.0  # what a legend leaves free at both sides
_LOWEST_MM = 14.0  # of the panel, for its colour bar
_WIDEST_MM = 5.0  # of a dot
_LETTERS = 22


def dot_plot_figure(
    tables: pd.DataFrame | Mapping[str, pd.DataFrame],
    *,
    standardised: bool = True,
    params: FigureParams = DOUBLE_COLUMN,
) -> Figure:
    """Dot plots of one or more data sets with the same groups: RNA beside activity or protein.

    The area of a dot is the share of cells above zero, its colour the mean.

    Parameters
    ----------
    tables
        What `dot_plot` returned, or several by title.
    standardised
        Bring the means of every feature to 0 in its lowest and 1 in its highest group, so that
        features of different scale can be seen together; a feature with the same mean in all groups
        is 0. Else colours span the means of all data sets.
    params
        Size and colours.

    Raises
    ------
    InputError
        If a table is not as `dot_plot` makes it, holds no means, data sets share no group, or
        features are too many for the width.
    """
    sides = {"": tables} if isinstance(tables, pd.DataFrame) else dict(tables)
    names = _groups(sides)
    features = {
        title: list(dict.fromkeys(map(str, side["feature"]))) for title, side in sides.items()
    }
    n_features = sum(map(len, features.values()))
    room = params.width_mm - _LABELS_MM
    require_room(n_features, "features", room - 4 * (len(sides) - 1), params)
    means = {title: _grid(side, "mean", names, features[title]) for title, side in sides.items()}
    shares = {title: _grid(side, "share", names, features[title]) for title, side in sides.items()}
    if standardised:
        means = {title: _standardised(mean) for title, mean in means.items()}
    scale = _scale(means, params)
    pitch = max(3.2, 1.25 * params.font_size / POINTS * INCH, _LOWEST_MM / len(names))
    largest = (0.88 * min(pitch, room / n_features, _WIDEST_MM) / INCH * POINTS) ** 2
    with styled(params):
        figure = new_figure(params, 1, pitch * len(names))
        widths = [len(features[title]) for title in sides]
        (grid,) = figure.subplots(1, len(sides), squeeze=False, width_ratios=widths, sharey=True)
        for axes, title in zip(grid, sides, strict=True):
            _dots(axes, means[title], shares[title], scale, largest)
            axes.set_xticks(range(len(features[title])), features[title], rotation=90)
            axes.set_title(readable(title, max(8, 3 * len(features[title]))), pad=4)
        _name_groups(grid[0], sides, names)
        _keys(figure, list(grid), scale, largest, params, standardised=standardised)
        settle(figure, grid[0], pitch * len(names))
    return figure


def _groups(sides: dict[str, pd.DataFrame]) -> list[str]:
    """Groups of all data sets, in the order of the first; refused where tables are none."""
    if not sides:
        raise InputError("There is no table to draw.")
    for title, side in sides.items():
        lacking = [name for name in COLUMNS if name not in side]
        if lacking:
            raise InputError(
                f"The table {title!r} lacks {listed(lacking)}; give what dot_plot returned."
            )
        if side.duplicated(["group", "feature"]).any():
            raise InputError(f"The table {title!r} holds a group and feature twice.")
        if not np.isfinite(side["mean"].to_numpy(np.float64)).any():
            raise InputError(f"The table {title!r} holds no means: all values were missing.")
    held = [list(dict.fromkeys(map(str, side["group"]))) for side in sides.values()]
    shared = set(held[0]).intersection(*held[1:])
    if not shared:
        raise InputError(f"The data sets share no group: {listed(held[0])}; {listed(held[1])}.")
    return list(dict.fromkeys(name for names in held for name in names))


def _grid(
    side: pd.DataFrame, column: str, names: list[str], features: list[str]
) -> NDArray[np.float64]:
    """``(n_groups, n_features)``; NaN where a data set lacks the group."""
    rows = pd.Index(names).get_indexer(pd.Index(side["group"].astype(str)))
    columns = pd.Index(features).get_indexer(pd.Index(side["feature"].astype(str)))
    grid = np.full((len(names), len(features)), np.nan)
    grid[rows, columns] = side[column].to_numpy(np.float64)
    return grid


def _standardised(means: NDArray[np.float64]) -> NDArray[np.float64]:
    known = np.isfinite(means)
    low = np.where(known, means, np.inf).min(axis=0)
    high = np.where(known, means, -np.inf).max(axis=0)
    spread = np.where(high > low, high - low, 1.0)
    return np.asarray((means - np.where(np.isfinite(low), low, 0)) / spread, np.float64)


def _scale(means: dict[str, NDArray[np.float64]], params: FigureParams) -> ScalarMappable:
    every = np.concatenate([mean[np.isfinite(mean)] for mean in means.values()])
    low, high = float(every.min()), float(every.max())
    colors = Normalize(low, high if high > low else low + 1)
    # reversed: few cells are pale, many dark, as on paper
    return ScalarMappable(colors, colormaps[f"{params.colormap}_r"])


def _dots(
    axes: Axes,
    means: NDArray[np.float64],
    shares: NDArray[np.float64],
    scale: ScalarMappable,
    largest: float,
) -> None:
    rows, columns = np.nonzero(np.isfinite(means))
    axes.scatter(
        columns,
        rows,
        s=largest * shares[rows, columns],
        c=scale.to_rgba(means[rows, columns]),
        linewidths=0.3,
        edgecolors=DARK,
        clip_on=False,
    )
    axes.set_xlim(-0.6, means.shape[1] - 0.4)
    axes.set_ylim(means.shape[0] - 0.4, -0.6)
    axes.tick_params(length=0)
    axes.spines[:].set_color("#BBBBBB")


def _name_groups(axes: Axes, sides: dict[str, pd.DataFrame], names: list[str]) -> None:
    """Names of groups with their numbers of cells, one for every data set where these differ."""
    sizes = [side.groupby(side["group"].astype(str))["n"].max() for side in sides.values()]
    labels = []
    for name in names:
        counts = [int(size.get(name, 0)) for size in sizes]
        shown = counts[:1] if len(set(counts)) == 1 else counts
        labels.append(f"{readable(name, _LETTERS, 1)} ({' | '.join(f'{n:,}' for n in shown)})")
    axes.set_yticks(range(len(names)), labels)


def _keys(
    figure: Figure,
    grid: list[Axes],
    scale: ScalarMappable,
    largest: float,
    params: FigureParams,
    *,
    standardised: bool,
) -> None:
    bar = figure.colorbar(scale, ax=grid, aspect=14, pad=0.01, fraction=0.03, shrink=0.9)
    bar.set_label("Mean")
    bar.outline.set_visible(False)
    told = ["Area: cells above 0"]
    told += ["colour: mean from lowest (0) to highest group (1)"] if standardised else []
    handles = [
        Line2D([], [], ls="", marker="o", ms=np.sqrt(largest * share), color="#999999",
               mec=DARK, mew=0.3, label=f"{share:.0%}")
        for share in _SHARES
    ]  # fmt: skip
    legend_outside(
        figure, handles, params, title=flowing(told, params.width_mm - _LEGEND_MM, params)
    )
