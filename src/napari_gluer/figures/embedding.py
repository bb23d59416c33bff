"""Maps of reference and cells, before and after integration, together and apart."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from anndata import AnnData
from matplotlib.axes import Axes
from matplotlib.colors import to_rgba_array
from matplotlib.figure import Figure
from matplotlib.patheffects import withStroke
from numpy.typing import NDArray

from napari_gluer import slots
from napari_gluer.errors import InputError
from napari_gluer.figures.canvas import (
    DARK,
    INCH,
    PALE,
    POINTS,
    legend_outside,
    new_figure,
    readable,
    settle,
    styled,
)
from napari_gluer.figures.map_colors import MapColors, map_colors
from napari_gluer.figures.map_numbers import apart, densest
from napari_gluer.figures.params import DOUBLE_COLUMN, FigureParams

_SOURCE = "source"
_COLUMNS = 4
_NUMBERED = 9  # more groups than colours tell apart to all eyes
_REMEDY = (
    "Join the tables with ng.coembed, or give the name of another map. Only two-dimensional maps "
    "that the table holds are drawn."
)


@dataclass(frozen=True, eq=False)
class _Panel:
    title: str
    basis: str
    positions: NDArray[np.float64]
    shown: NDArray[np.bool_]
    joint: bool


def embedding_figure(
    joint: AnnData,
    color: str = _SOURCE,
    *,
    basis: str | Sequence[str] | Mapping[str, str] = "X_umap",
    panels: Literal["each", "joint"] = "each",
    params: FigureParams = DOUBLE_COLUMN,
    seed: int = 0,
) -> Figure:
    """Map of all cells and of each data set, coloured by groups or by a number.

    Cells are drawn in random order, so that no group hides another; those that are unmatched or
    have no value come first, in grey. Where there are more than 9 groups each is numbered on the
    joint map too, where it is densest. Points are pixels in PDF and SVG files, text is text.

    Parameters
    ----------
    joint
        Reference and cells, as `coembed` joins them: reads ``obsm[basis]``, ``obs[color]``,
        ``obs["source"]`` and ``obs["gluer_unmatched"]`` where they are there. Any other table
        with a map will do.
    color
        Column of ``obs``, or else a name of ``var``. Numbers get a colour bar from their 1st to
        their 99th percentile; all else is taken as groups.
    basis
        Key of ``obsm``, or several: ``{"before": "X_umap_before", "after": "X_umap"}``. The first
        two columns are drawn.
    panels
        ``each``: a row for every basis, the joint map and one for every source (the others pale
        behind it). ``joint``: the joint map of every basis, side by side.
    params
        Size and colours.
    seed
        Of the order in which points are drawn.

    Raises
    ------
    InputError
        If a basis or the colour is not there, or nothing has a value.
    """
    bases = _bases(basis)
    colors = map_colors(joint, color, params)
    shown = [panel for title in bases for panel in _panels(joint, bases, title, panels)]
    columns = min(_COLUMNS, len(shown) if panels == "joint" else len(shown) // len(bases))
    rows = _rows(shown, columns, len(bases) if panels == "each" else 1)
    order = _drawing_order(colors, seed)
    with styled(params):
        figure = new_figure(params, len(rows), params.width_mm / columns)
        grid = figure.subplots(len(rows), columns, squeeze=False)
        for axes_of_row, panels_of_row in zip(grid, rows, strict=True):
            for axes in axes_of_row[len(panels_of_row) :]:
                axes.set_visible(False)
            for axes, panel in zip(axes_of_row, panels_of_row, strict=False):
                _frame(axes, panel, params, params.width_mm / columns)
        _key(figure, list(grid.flat), colors, params)
        settle(figure, grid[0, 0], None, 1 / len(rows))
        for axes, panel in _filled(grid, rows):
            _points(axes, panel, colors, order)
            if panel.joint and _numbered(colors):
                _numbers(axes, panel, colors, params.font_size)
    return figure


def _filled(grid: NDArray[np.object_], rows: list[list[_Panel]]) -> list[tuple[Axes, _Panel]]:
    return [
        (axes, panel)
        for axes_of_row, panels_of_row in zip(grid, rows, strict=True)
        for axes, panel in zip(axes_of_row, panels_of_row, strict=False)
    ]


def _bases(basis: str | Sequence[str] | Mapping[str, str]) -> dict[str, str]:
    if isinstance(basis, Mapping):
        bases = dict(basis)
    else:
        bases = {_spoken(key): key for key in ([basis] if isinstance(basis, str) else basis)}
    if not bases:
        raise InputError("Name at least one map (obsm) to draw.")
    return bases


def _spoken(key: str) -> str:
    """``UMAP`` for ``X_umap``."""
    name = key.removeprefix("X_").replace("_", " ")
    return {"umap": "UMAP", "tsne": "t-SNE", "pca": "PCA"}.get(name, name)


def _axis(key: str) -> str:
    """Name of a map's axes: ``UMAP`` for ``X_umap_before`` too."""
    kinds = ("umap", "tsne", "pca")
    kind = next((kind for kind in kinds if key.startswith(f"X_{kind}")), None)
    return _spoken(f"X_{kind}" if kind else key)


def _positions(joint: AnnData, key: str) -> NDArray[np.float64]:
    values = np.asarray(slots.require(joint, "obsm", key, _REMEDY), np.float64)
    if values.ndim != 2 or values.shape[1] < 2:
        raise InputError(f"obsm[{key!r}] has shape {values.shape}; a map has two columns.")
    if not np.isfinite(values[:, :2]).all(axis=1).any():
        raise InputError(f"obsm[{key!r}] places no cell: it is empty, or all values are NaN.")
    return values[:, :2]


def _panels(joint: AnnData, bases: dict[str, str], title: str, which: str) -> list[_Panel]:
    """The joint map of a basis and, where they are asked for, one for every source."""
    prefix = f"{title}: " if len(bases) > 1 else ""
    positions = _positions(joint, bases[title])
    placed = np.array(np.isfinite(positions).all(axis=1), np.bool_)
    basis = _axis(bases[title])
    name = title if which == "joint" else f"{prefix}joint"
    found = [_Panel(name, basis, positions, placed, joint=True)]
    if which == "joint" or _SOURCE not in joint.obs:
        return found
    source = joint.obs[_SOURCE].astype("category").cat
    codes = np.asarray(source.codes)
    for code in np.unique(codes[codes >= 0]):
        name = f"{prefix}{source.categories[code]}"
        found.append(_Panel(name, basis, positions, placed & (codes == code), joint=False))
    return found


def _rows(panels: list[_Panel], columns: int, blocks: int) -> list[list[_Panel]]:
    """Rows of panels; every block, a basis, starts a row of its own."""
    size = len(panels) // blocks
    return [
        panels[start : min(start + columns, (block + 1) * size)]
        for block in range(blocks)
        for start in range(block * size, (block + 1) * size, columns)
    ]


def _drawing_order(colors: MapColors, seed: int) -> NDArray[np.int64]:
    """All cells: missing ones first, both parts shuffled."""
    order = np.random.default_rng(seed).permutation(len(colors.missing))
    return order[np.argsort(~colors.missing[order], kind="stable")].astype(np.int64)


def _frame(axes: Axes, panel: _Panel, params: FigureParams, room_mm: float) -> None:
    letters = int(room_mm / INCH * POINTS / (0.65 * params.font_size))
    text = readable(panel.title, letters)
    axes.set_title(f"{text}\nn = {panel.shown.sum():,}", pad=3)
    axes.set_xticks([])
    axes.set_yticks([])
    axes.set_xlabel(f"{readable(panel.basis, letters)} 1")
    axes.set_ylabel(f"{readable(panel.basis, letters)} 2")
    placed = panel.positions[np.isfinite(panel.positions).all(axis=1)]
    low, high = placed.min(axis=0), placed.max(axis=0)
    half = 0.53 * float((high - low).max()) or 0.5
    (x, y) = (low + high) / 2
    axes.set_xlim(x - half, x + half)
    axes.set_ylim(y - half, y + half)


def _key(figure: Figure, grid: list[Axes], colors: MapColors, params: FigureParams) -> None:
    """Legend with counts below, or a colour bar beside the panels."""
    if colors.scale is not None:
        bar = figure.colorbar(colors.scale, ax=grid, shrink=0.6, aspect=18, pad=0.01, extend="both")
        bar.set_label(readable(colors.title, 40))
        bar.outline.set_visible(False)
    handles = colors.handles(numbered=_numbered(colors))
    if handles:
        title = colors.title if colors.scale is None else None
        legend_outside(figure, handles, params, title=title)


def _numbered(colors: MapColors) -> bool:
    return len(colors.names) > _NUMBERED


def _points(axes: Axes, panel: _Panel, colors: MapColors, order: NDArray[np.int64]) -> None:
    width = axes.get_window_extent().width / axes.figure.dpi * POINTS
    area = float(np.clip(0.35 * width**2 / max(len(order), 1), 0.12, 9.0))
    own = order[panel.shown[order]]
    if not panel.joint:
        behind = order[np.isfinite(panel.positions[order]).all(axis=1) & ~panel.shown[order]]
        _scatter(axes, panel.positions[behind], to_rgba_array(PALE), area)
    _scatter(axes, panel.positions[own], colors.rgba[own], area)


def _scatter(
    axes: Axes, places: NDArray[np.float64], rgba: NDArray[np.floating], area: float
) -> None:
    points = axes.scatter(places[:, 0], places[:, 1], s=area, c=rgba, linewidths=0, rasterized=True)
    points.set_in_layout(False)  # a million points are not measured for the page's layout


def _numbers(axes: Axes, panel: _Panel, colors: MapColors, font_size: float) -> None:
    """The number of every group where it is densest, none over another."""
    members = [panel.shown & (colors.codes == code) for code in range(len(colors.names))]
    held = [code for code, own in enumerate(members) if own.any()]
    places = np.array([densest(panel.positions[members[code]]) for code in held])
    left, right = axes.get_xlim()
    unit = (right - left) / (axes.get_window_extent().width / axes.figure.dpi * POINTS)
    letters = np.array([len(str(code + 1)) for code in held])
    sizes = unit * font_size * np.column_stack([0.75 * letters, np.ones(len(held))])
    for code, (x, y) in zip(held, apart(places, sizes), strict=True):
        text = axes.text(x, y, str(code + 1), ha="center", va="center", fontweight="bold")
        text.set_color(DARK)
        text.set_path_effects([withStroke(linewidth=1.5, foreground="white")])
        text.set_in_layout(False)
