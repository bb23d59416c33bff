"""Colours of the cells of a map: of groups, or of numbers."""

from dataclasses import dataclass

import numpy as np
import pandas as pd
from anndata import AnnData
from matplotlib import colormaps
from matplotlib.artist import Artist
from matplotlib.cm import ScalarMappable
from matplotlib.colors import Normalize, to_rgba, to_rgba_array
from matplotlib.lines import Line2D
from numpy.typing import NDArray

from napari_gluer import slots
from napari_gluer.errors import InputError, listed
from napari_gluer.figures.canvas import group_colors
from napari_gluer.figures.groups import groups_of
from napari_gluer.figures.params import FigureParams
from napari_gluer.palette import GREY, UNMATCHED

_NO_VALUE, _NO_COLOR = "no value", "#B9BDC2"
_DOT = 4.0  # points; of the legend's dots


@dataclass(frozen=True, eq=False)
class MapColors:
    """Colour of every cell, and what explains it.

    Attributes
    ----------
    title
        What the colours mean.
    rgba
        ``(n_cells, 4)``.
    missing
        ``(n_cells,)``: grey, since unmatched or without a value.
    unmatched
        Which of the missing are unmatched, ``(n_cells,)``.
    codes, names, palette
        Group of every cell (-1 where missing or no groups), groups, their colours.
    scale
        What a colour bar shows; None for groups.
    """

    title: str
    rgba: NDArray[np.float64]
    missing: NDArray[np.bool_]
    unmatched: NDArray[np.bool_]
    codes: NDArray[np.int64]
    names: list[str]
    palette: list[str]
    scale: ScalarMappable | None = None

    def handles(self, *, numbered: bool) -> list[Artist]:
        """Dots for a legend, with counts: groups, then the grey ones."""
        counts = np.bincount(self.codes[self.codes >= 0], minlength=len(self.names))
        prefixes = [f"{i + 1}  " if numbered else "" for i in range(len(self.names))]
        rows = [
            (f"{prefix}{name} ({count:,})", color)
            for prefix, name, count, color in zip(
                prefixes, self.names, counts, self.palette, strict=True
            )
        ]
        greys = (
            (UNMATCHED, GREY, self.unmatched),
            (_NO_VALUE, _NO_COLOR, self.missing & ~self.unmatched),
        )
        rows += [
            (f"{name} ({which.sum():,})", color) for name, color, which in greys if which.any()
        ]
        return [
            Line2D([], [], ls="", marker="o", ms=_DOT, mew=0, color=color, label=label)
            for label, color in rows
        ]


def map_colors(table: AnnData, color: str, params: FigureParams) -> MapColors:
    """Colours of ``obs[color]``, or of the values of the variable `color`.

    Raises
    ------
    InputError
        If there is neither, or no cell has a value.
    """
    values = _values(table, color)
    unmatched = slots.unmatched(table) & (color != slots.UNMATCHED)
    if pd.api.types.is_numeric_dtype(values) and not pd.api.types.is_bool_dtype(values):
        return _of_numbers(values, color, unmatched, params)
    return _of_groups(values, color, unmatched, params)


def _values(table: AnnData, color: str) -> pd.Series:
    if color in table.obs:
        column: pd.Series = table.obs[color]
        return column
    if table.X is not None and color in table.var_names:
        return pd.Series(np.asarray(table.obs_vector(color)), index=table.obs_names, name=color)
    raise InputError(
        f"The table has no {color!r} to colour by; it has: {listed(table.obs.columns)}. Add it as "
        "a column of obs."
    )


def _of_groups(
    values: pd.Series, title: str, unmatched: NDArray[np.bool_], params: FigureParams
) -> MapColors:
    groups = groups_of(values, f"{title!r}")
    called = np.array([name == UNMATCHED for name in groups.names])
    unmatched = unmatched | (called[groups.codes] & (groups.codes >= 0))
    codes = np.where(unmatched, -1, groups.codes)
    palette = group_colors(groups.names, params)
    # the last colour is where -1 points
    rgba = to_rgba_array([*palette, _NO_COLOR])[codes]
    rgba[unmatched] = to_rgba(GREY)
    kept = [i for i, name in enumerate(groups.names) if name != UNMATCHED]
    place = np.full(len(called) + 1, -1, np.int64)
    place[kept] = np.arange(len(kept))
    return MapColors(
        title,
        rgba,
        codes < 0,
        unmatched,
        place[codes],
        [groups.names[i] for i in kept],
        [palette[i] for i in kept],
    )


def _of_numbers(
    values: pd.Series, title: str, unmatched: NDArray[np.bool_], params: FigureParams
) -> MapColors:
    numbers = values.to_numpy(np.float64, na_value=np.nan)
    missing = ~np.isfinite(numbers) | unmatched
    if missing.all():
        raise InputError(f"{title!r} holds no number: all are NaN, infinite or of unmatched cells.")
    low, high = np.percentile(numbers[~missing], [1, 99])
    if low == high:  # most are the same, or all
        low, high = numbers[~missing].min(), numbers[~missing].max()
    spread = Normalize(low, high if high > low else low + 1)
    scale = ScalarMappable(spread, colormaps[params.colormap])
    rgba = np.asarray(scale.to_rgba(np.where(missing, low, numbers)), np.float64)
    rgba[missing] = to_rgba(_NO_COLOR)
    rgba[unmatched] = to_rgba(GREY)
    none = np.full(len(numbers), -1, np.int64)
    return MapColors(title, rgba, missing, unmatched, none, [], [], scale)
