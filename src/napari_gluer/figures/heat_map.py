"""Heat maps: genes by groups, or by cells that are sorted into groups."""

from typing import Any

import numpy as np
import pandas as pd
from matplotlib import colormaps
from matplotlib.axes import Axes
from matplotlib.colors import ListedColormap
from matplotlib.figure import Figure
from matplotlib.patches import Patch
from numpy.typing import NDArray

from napari_gluer.errors import InputError
from napari_gluer.figures.canvas import (
    INCH,
    POINTS,
    group_colors,
    legend_outside,
    named_ticks,
    new_figure,
    readable,
    require_room,
    settle,
    styled,
)
from napari_gluer.figures.dots import dot_plot
from napari_gluer.figures.groups import Grouping, aligned, groups_of
from napari_gluer.figures.params import DOUBLE_COLUMN, FigureParams

_LABELS_MM = 34.0  # names of genes, and the colour bar
_ROW_MM, _LOWEST_MM = 3.6, 14.0
_STRIP, _STRIP_MM = 0.04, 3.0  # height of the groups' colours, of the panel's; at least
_LETTERS = 20
_EMPTY = "#CCCCCC"


def standardised_rows(values: pd.DataFrame) -> pd.DataFrame:
    """Every row from 0 (its least value) to 1 (its greatest); rows of one value are 0."""
    low, high = values.min(axis=1), values.max(axis=1)
    spread = (high - low).where(high > low, 1.0)
    return values.sub(low, axis=0).div(spread, axis=0)


def group_means(values: pd.DataFrame, groups: Grouping) -> pd.DataFrame:
    """Mean of every gene (rows) in every group (columns); missing values are left out."""
    table = dot_plot(values, groups)
    found = table.pivot_table(
        index="feature", columns="group", values="mean", observed=True, sort=False, dropna=False
    )
    names = list(table["group"].cat.categories)
    return found.reindex(index=list(map(str, values.columns)), columns=names)


def heat_map_figure(
    values: pd.DataFrame,
    groups: Grouping,
    *,
    standardised: bool = True,
    params: FigureParams = DOUBLE_COLUMN,
) -> Figure:
    """Mean of every gene (rows) in every group (columns).

    Parameters
    ----------
    values
        Cells × genes. Missing values are left out.
    groups
        One for every cell: a series is joined by its index, others by position.
    standardised
        Every gene from 0 in its lowest to 1 in its highest group; else means as they are.
    params
        Size and colours.

    Raises
    ------
    InputError
        If groups do not fit the cells, or are too many for the width.
    """
    means = group_means(values, groups)
    sizes = _sizes(values, groups)
    shown = standardised_rows(means) if standardised else means
    room = params.width_mm - _LABELS_MM
    require_room(means.shape[1], "groups", room, params, lines=2)
    with styled(params):
        height = _panel_height(len(means), params)
        figure = new_figure(params, 1, height)
        axes = figure.subplots()
        picture = _cells(axes, shown.to_numpy(np.float64), params)
        _name_rows(axes, means)
        names = [f"{readable(str(one), _LETTERS, 1)}\nn = {sizes[str(one)]:,}" for one in means]
        named_ticks(axes, names, params, room)
        axes.tick_params(length=0)
        _bar(figure, picture, axes, "Mean")
        if standardised:
            _explain(
                axes, "Mean of each gene, from its lowest (0) to its highest group (1)", params
            )
        settle(figure, axes, height)
    return figure


def sorted_cells(
    values: pd.DataFrame, groups: Grouping, *, most: int = 1000, seed: int = 0
) -> pd.DataFrame:
    """Cells of a heat map: drawn at random where they are more, group by group.

    Parameters
    ----------
    values
        Cells × genes.
    groups
        One for every cell; cells without a group are left out.
    most
        Cells to draw. Every group keeps its share of them, and at least one cell.
    seed
        Of the draw.

    Returns
    -------
    pandas.DataFrame
        ``group`` (categorical) and the genes; index as in `values`. Groups in order; within one,
        cells with high values come first.
    """
    found = groups_of(aligned(groups, values.index, "The grouping"), "the grouping")
    rng = np.random.default_rng(seed)
    n_known = int((found.codes >= 0).sum())
    share = min(1.0, most / n_known)
    level = standardised_rows(values.T).mean(axis=0).fillna(0).to_numpy(np.float64)
    rows: list[NDArray[np.intp]] = []
    for code in range(len(found.names)):
        own = np.flatnonzero(found.codes == code)
        n = max(1, int(np.floor(len(own) * share)))
        drawn = np.sort(rng.choice(own, n, replace=False)) if n < len(own) else own
        rows.append(drawn[np.argsort(-level[drawn], kind="stable")])
    order = np.concatenate(rows)
    named = pd.Categorical.from_codes(found.codes[order], pd.Index(found.names))
    table = values.iloc[order].copy()
    table.insert(0, "group", pd.Series(named, index=table.index))
    return table


def cell_heat_map_figure(
    cells: pd.DataFrame, *, standardised: bool = True, params: FigureParams = DOUBLE_COLUMN
) -> Figure:
    """Genes (rows) in single cells (columns), beneath the colours of their groups.

    Parameters
    ----------
    cells
        What `sorted_cells` returned.
    standardised
        Every gene from 0 in its lowest to 1 in its highest cell; else values as they are.
    params
        Size, and colours of the groups.
    """
    genes = cells.drop(columns="group")
    if not len(genes.columns):
        raise InputError("Give at least one gene.")
    names = [str(name) for name in cells["group"].cat.categories]
    codes = cells["group"].cat.codes.to_numpy()
    held = genes.T.set_axis(range(len(genes)), axis=1)
    shown = standardised_rows(held) if standardised else held
    colors = group_colors(names, params)
    with styled(params):
        height = _panel_height(len(shown), params)
        figure = new_figure(params, 1, height)
        ratio = max(_STRIP, _STRIP_MM / height)
        strip, axes = figure.subplots(2, 1, height_ratios=[ratio, 1])
        picture = _cells(axes, shown.to_numpy(np.float64), params)
        _name_rows(axes, shown)
        axes.set_xticks([])
        axes.set_xlabel(f"{len(cells):,} cells")
        _strip(strip, codes, colors)
        _bar(figure, picture, [strip, axes], "Value")
        if standardised:
            _explain(strip, "Each gene from its lowest (0) to its highest cell (1)", params)
        counts = np.bincount(codes, minlength=len(names))
        handles = [
            Patch(facecolor=color, label=f"{name} ({count:,})")
            for name, color, count in zip(names, colors, counts, strict=True)
        ]
        legend_outside(figure, handles, params)
        settle(figure, axes, height, 1 / (1 + ratio))
    return figure


def _sizes(values: pd.DataFrame, groups: Grouping) -> dict[str, int]:
    found = groups_of(aligned(groups, values.index, "The grouping"), "the grouping")
    return dict(zip(found.names, found.counts().tolist(), strict=True))


def _panel_height(n_rows: int, params: FigureParams) -> float:
    pitch = max(_ROW_MM, 1.25 * params.font_size / POINTS * INCH)
    return max(pitch * n_rows, _LOWEST_MM)


def _cells(axes: Axes, shown: NDArray[np.float64], params: FigureParams) -> Any:
    colors = colormaps[params.colormap].with_extremes(bad=_EMPTY)
    picture = axes.imshow(shown, aspect="auto", cmap=colors, interpolation="nearest")
    axes.spines[:].set_visible(False)
    axes.tick_params(length=0)
    return picture


def _name_rows(axes: Axes, shown: pd.DataFrame) -> None:
    names = [readable(str(name), _LETTERS, 1) for name in shown.index]
    axes.set_yticks(range(len(names)), names)


def _bar(figure: Figure, picture: Any, axes: Axes | list[Axes], told: str) -> None:
    bar = figure.colorbar(picture, ax=axes, aspect=14, pad=0.015, fraction=0.03)
    bar.set_label(told)
    bar.outline.set_visible(False)


def _explain(axes: Axes, text: str, params: FigureParams) -> None:
    letters = int((params.width_mm - _LABELS_MM) / INCH * POINTS / (0.5 * params.font_size))
    axes.set_title(readable(text, letters), loc="left", pad=3)


def _strip(axes: Axes, codes: NDArray[Any], colors: list[str]) -> None:
    axes.imshow(
        codes[None, :], aspect="auto", cmap=ListedColormap(colors), vmin=-0.5,
        vmax=len(colors) - 0.5, interpolation="nearest",
    )  # fmt: skip
    axes.set_xticks([])
    axes.set_yticks([])
    axes.spines[:].set_visible(False)
