"""From values of cells to what is shown of them: limits, colours, cells that are faded or empty."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
from anndata import AnnData
from numpy.typing import ArrayLike, NDArray

from napari_gluer import slots
from napari_gluer._napari.linked import Shown
from napari_gluer._napari.paintables import Origin, Paintable, needs_reference
from napari_gluer._napari.painting.style import PaintStyle, Uncertain
from napari_gluer.painting import coded, per_cell, refuse_numbered
from napari_gluer.palette import GREY, UNMATCHED, colors_of

FADED = 0.3
"""Opacity of cells below the bound of confidence, and of those that are not isolated."""


def values_shown(
    what: Paintable, cells: AnnData, values: ArrayLike, *, title: str, unit: str = ""
) -> Shown:
    """One value per cell, before any style.

    Parameters
    ----------
    values
        ``(n_cells,)`` in the order of `cells`, or a Series with their names; cells that are NaN
        stay empty.
    """
    refuse_numbered(cells)
    given = per_cell(cells, values).astype(np.float32)
    unmatched = slots.unmatched(cells) if needs_reference(what) else np.zeros(cells.n_obs, np.bool_)
    return Shown(
        what=what,
        title=title,
        labels=slots.cell_labels(cells),
        values=np.where(unmatched, np.float32(np.nan), given),
        unmatched=unmatched if unmatched.any() else None,
        unit=unit,
    )


def categories_shown(
    what: Paintable, cells: AnnData, categories: pd.Series, *, title: str, unit: str = ""
) -> Shown:
    """One category per cell, before any style; missing ones stay empty."""
    refuse_numbered(cells)
    codes, names = coded(cells, categories)
    return Shown(
        what=what,
        title=title,
        labels=slots.cell_labels(cells),
        codes=codes.astype(np.intp),
        names=tuple(names),
        colors=tuple(colors_of(names)),
        unit=unit,
    )


def names_of(shown: Shown) -> NDArray[np.object_]:
    """The category of every cell by its name, NaN where it has none, ``(n,)``."""
    names = np.array([*shown.names, np.nan], object)
    return names[np.zeros(0, np.intp) if shown.codes is None else shown.codes]


def only(shown: Shown, kept: NDArray[np.bool_]) -> Shown:
    """Some of the cells, before any style."""

    def some(values: Any) -> Any:
        return None if values is None else values[kept]

    return replace(
        shown,
        labels=shown.labels[kept],
        values=some(shown.values),
        codes=some(shown.codes),
        opacity=some(shown.opacity),
        unmatched=some(shown.unmatched),
        blend=some(shown.blend),
    )


def styled(
    shown: Shown,
    style: PaintStyle,
    *,
    certainty: NDArray[np.float32] | None = None,
    colors: Mapping[str, str] | None = None,
    limits: tuple[float, float] | None = None,
) -> Shown:
    """The same values by a style.

    Parameters
    ----------
    certainty
        ``(n,)`` of the same cells, by which they are faded or hidden; None where it is not known.
    colors
        Categories whose colour a person chose.
    limits
        To use in place of the style's percentiles: other sections' too, or a person's.
    """
    opacity = _opacity(shown, style, certainty)
    if shown.values is not None:
        return replace(
            shown,
            colormap=style.colormap,
            gamma=style.gamma,
            limits=limits or robust_limits(shown.values, style.low, style.high),
            opacity=opacity,
        )
    alone = set(style.isolated) & set(shown.names)
    in_colors = [
        GREY if alone and name not in alone else color
        for name, color in zip(shown.names, category_colors(shown.names, colors), strict=True)
    ]
    return replace(shown, colors=tuple(in_colors), opacity=opacity)


def category_colors(names: Sequence[str], chosen: Mapping[str, str] | None) -> list[str]:
    """The palette's ``#rrggbb`` of categories, or the one that a person chose."""
    usual = colors_of(list(names))
    return [(chosen or {}).get(name, color) for name, color in zip(names, usual, strict=True)]


def below(shown: Shown, style: PaintStyle, certainty: NDArray[np.float32] | None) -> Any:
    """Which cells are below the style's bound, ``(n,)``; those unmatched are not: they are grey."""
    if certainty is None:
        return np.zeros(len(shown.labels), np.bool_)
    return ~(certainty >= style.bound) & ~unmatched_of(shown)


def unmatched_of(shown: Shown) -> NDArray[np.bool_]:
    """Which cells the reference says nothing about, where that matters, ``(n,)``."""
    if shown.unmatched is not None:
        return shown.unmatched
    if shown.codes is not None and UNMATCHED in shown.names:
        return np.asarray(shown.codes == shown.names.index(UNMATCHED))
    return np.zeros(len(shown.labels), np.bool_)


def certainty_of(what: Paintable, cells: AnnData) -> tuple[str, NDArray[np.float32]] | None:
    """What tells how sure a cell is: the probability of a painted type, else the confidence.

    Returns
    -------
    column
        Of ``cells.obs``.
    values
        float32 ``(n_cells,)`` in their order; None where the cells are not integrated.
    """
    wanted = [slots.CONFIDENCE]
    if what.origin is Origin.TYPE:
        wanted.insert(0, slots.probability(what.name.removesuffix(slots.transferred(""))))
    for column in wanted:
        if column in cells.obs:
            return column, np.asarray(cells.obs[column], np.float32)
    return None


def robust_limits(
    values: NDArray[np.floating], low: float = 1, high: float = 99
) -> tuple[float, float]:
    """Limits from percentiles of the values that are finite; never of zero width."""
    known = values[np.isfinite(values)]
    if not known.size:
        return 0.0, 1.0
    found = np.percentile(known, (low, high))
    if found[1] <= found[0]:
        found = np.array([known.min(), known.max()])
    first, last = float(found[0]), float(found[1])
    return (first, last) if last > first else (first, first + 1.0)


def with_one_scale(several: Sequence[Shown], style: PaintStyle) -> list[Shown]:
    """Sections with the limits, or the categories, of all of them together."""
    values = [one.values for one in several if one.values is not None]
    if len(values) == len(several):
        limits = robust_limits(np.concatenate(values), style.low, style.high)
        return [replace(one, limits=limits) for one in several]
    names = _all_names(several)
    return [_renamed(one, names) for one in several]


def _all_names(several: Sequence[Shown]) -> tuple[str, ...]:
    found = dict.fromkeys(name for one in several for name in one.names if name != UNMATCHED)
    last = [UNMATCHED] if any(UNMATCHED in one.names for one in several) else []
    return (*found, *last)


def _renamed(shown: Shown, names: tuple[str, ...]) -> Shown:
    """The same categories as places in another list of names."""
    if shown.codes is None:
        return shown
    places = np.array([*(names.index(name) for name in shown.names), -1], np.intp)
    return replace(
        shown, codes=places[shown.codes], names=names, colors=tuple(colors_of(list(names)))
    )


def _opacity(
    shown: Shown, style: PaintStyle, certainty: NDArray[np.float32] | None
) -> NDArray[np.float32] | None:
    opacity = np.ones(len(shown.labels), np.float32)
    if style.uncertain is not Uncertain.SHOW:
        hidden = style.uncertain is Uncertain.HIDE
        opacity[below(shown, style, certainty)] = 0 if hidden else FADED
    if shown.codes is not None and (alone := set(style.isolated) & set(shown.names)):
        is_alone = np.array([*(name in alone for name in shown.names), False])
        opacity[~is_alone[shown.codes]] *= FADED
    return None if opacity.min(initial=1) == 1 else opacity
