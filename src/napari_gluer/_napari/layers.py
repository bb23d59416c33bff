"""Paints on the cells of labels: values and categories, in the layer that showed the last ones."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from anndata import AnnData
from napari.components import ViewerModel
from napari.layers import Image, Labels, Layer
from napari.utils.colormaps import DirectLabelColormap
from numpy.typing import ArrayLike

from napari_gluer._napari.adding import (
    drawing_over,
    lay_channel,
    lay_over,
    place_like,
    placement,
    points_over,
    pyramid,
    see,
    show_labels,
)
from napari_gluer._napari.attached import KEY, attach, full_resolution, held, stale_of
from napari_gluer._napari.captions import PAINTS, entitle
from napari_gluer._napari.images import PAINTED
from napari_gluer._napari.linked import Shown
from napari_gluer._napari.paintables import Origin, Paintable
from napari_gluer._napari.painting.companion import complete, index_for, is_in_3d
from napari_gluer._napari.painting.hovering import let_hover
from napari_gluer._napari.painting.looks import (
    categories_shown,
    names_of,
    only,
    robust_limits,
    styled,
    values_shown,
)
from napari_gluer._napari.painting.pictures import (
    Codes,
    category_codes,
    no_levels,
    rest,
    solid,
    value_levels,
)
from napari_gluer._napari.painting.style import PaintStyle
from napari_gluer.errors import InputError
from napari_gluer.painting import LookUp

_KIND = PAINTED
CHANNEL = "channel"
"""Kind of the layers that show a blend of genes."""
_VALUES, _CATEGORIES, _SHOWN = "values", "categories", "as shown"


@dataclass(frozen=True)
class LegendEntry:
    """One category of a painted layer, or with a `note` other cells that look alike.

    Attributes
    ----------
    color
        ``#rrggbb``; "" where the cells are empty.
    note
        What a row is that is no category; "" for categories.
    """

    name: str
    color: str
    count: int
    note: str = ""


def show_values(
    viewer: ViewerModel,
    labels: Labels | ArrayLike,
    cells: AnnData,
    values: ArrayLike,
    *,
    name: str,
    title: str | None = None,
) -> Image:
    """Paint one value per cell; a second call paints the same layer anew.

    Parameters
    ----------
    viewer
        Where to show.
    labels
        The labels layer of the cells, or their labels.
    cells
        Table whose ``obs["label"]`` names the cells.
    values
        ``(n_cells,)`` in the order of `cells`; cells that are NaN stay empty.
    name
        Name of the layer.
    title
        Written on the canvas, `name` when None.

    Returns
    -------
    Image
        Layer of lazy float32 look-ups, with a colour bar.
    """
    plain = values_shown(Paintable(name, Origin.NUMBER), cells, values, title=title or name)
    drawn: Image = draw(viewer, labels, styled(plain, PaintStyle()), name)
    let_hover(viewer, labels, cells, name, np.asarray(plain.values))
    return drawn


def show_categories(
    viewer: ViewerModel,
    labels: Labels | ArrayLike,
    cells: AnnData,
    categories: pd.Series,
    *,
    name: str,
    title: str | None = None,
) -> tuple[Labels, list[LegendEntry]]:
    """Paint one category per cell; a second call paints the same layer anew.

    Parameters
    ----------
    viewer, labels, cells, name, title
        As for `show_values`.
    categories
        One category per cell, indexed by ``cells.obs_names``; missing ones stay empty.

    Returns
    -------
    Labels
        Layer of lazy codes: ``i + 1`` is the i-th category.
    list of LegendEntry
        Every category with its colour and number of cells.
    """
    what = Paintable(name, Origin.CATEGORY)
    shown = categories_shown(what, cells, categories, title=title or name)
    layer = draw(viewer, labels, shown, name)
    let_hover(viewer, labels, cells, name, names_of(shown))
    return layer, legend_of(shown)


def legend_of(shown: Shown) -> list[LegendEntry]:
    """Every category that is shown with its colour and number of cells."""
    codes = np.zeros(0, np.intp) if shown.codes is None else shown.codes
    counts = np.bincount(codes[codes >= 0], minlength=len(shown.names))
    return [
        LegendEntry(name, color, int(count))
        for name, color, count in zip(shown.names, shown.colors, counts, strict=True)
    ]


def draw(viewer: ViewerModel, labels: Labels | ArrayLike, shown: Shown, name: str) -> Any:
    """Show a painting alone, in the layer that showed the last one; its layer."""
    index = index_for(labels)
    if isinstance(labels, Labels):
        shown = without_stale(labels, shown)
    if shown.values is None:
        codes = category_codes(index, shown)
        layer = _draw_codes(viewer, labels, codes, _CATEGORIES, name)
        names = ["", *shown.names]
        layer.features = pd.DataFrame({"index": range(len(names)), "category": names})
    else:
        in_3d = is_in_3d(viewer, index)
        levels = no_levels(index) if in_3d else value_levels(index, shown)
        layer = _draw_values(viewer, labels, shown, levels, name)
        complete(viewer, labels, layer, solid(index, shown) if in_3d else rest(index, shown))
        turn_with(viewer, labels, layer, shown)
    see(layer)
    entitle(viewer, layer, shown.title)  # first, so that the labels beneath stay seen through
    _hide_others(viewer, labels, layer)
    return layer


def without_stale(layer: Labels, shown: Shown) -> Shown:
    """Only cells that are still what was measured; the others stay empty.

    Raises
    ------
    InputError
        If there are none: other labels took their place.
    """
    stale = stale_of(layer)
    kept = ~np.isin(shown.labels, stale)
    if kept.all():
        return shown
    if not kept.any():
        raise InputError(
            f"None of the cells of “{layer.name}” is what was measured any more: its labels were "
            "replaced. Measure them in Plugins ▸ GLUER ▸ Cells."
        )
    return only(shown, kept)


def turn(viewer: ViewerModel, labels: Any, layer: Layer, shown: Shown) -> None:
    """Draw values anew after the view changed between slices and 3-D."""
    index = index_for(labels)
    in_3d = is_in_3d(viewer, index)
    layer.data = pyramid(no_levels(index) if in_3d else value_levels(index, shown))
    complete(viewer, labels, layer, solid(index, shown) if in_3d else rest(index, shown))


def remember(layer: Layer, shown: Shown) -> None:
    """Keep what a layer shows, to draw it in another view."""
    layer.metadata.setdefault(KEY, {})[_SHOWN] = shown


def turn_with(viewer: ViewerModel, labels: Any, layer: Layer, shown: Shown) -> None:
    """Draw a layer of values anew whenever the view changes between slices and 3-D."""
    first = _SHOWN not in held(layer)
    remember(layer, shown)
    if first and layer.ndim == 3:

        def redraw() -> None:
            if layer in viewer.layers:
                turn(viewer, labels, layer, held(layer)[_SHOWN])

        viewer.dims.events.ndisplay.connect(redraw)


def _draw_values(
    viewer: ViewerModel, labels: Any, shown: Shown, levels: list[LookUp], name: str
) -> Any:
    layer = _painted(viewer, labels, _VALUES, levels)
    if layer is None:
        layer = lay_channel(
            viewer,
            labels,
            levels,
            name=name,
            contrast_limits=shown.limits,
            colormap=shown.colormap,
            gamma=shown.gamma,
            metadata=_mark(labels, _VALUES),
        )
        layer.contrast_limits_range = _reach(shown)
        layer.colorbar.visible = True
        return layer
    if not levels[0].shows_the_same(full_resolution(layer)):
        layer.data = pyramid(levels)
    if tuple(layer.contrast_limits) != shown.limits:
        layer.contrast_limits_range = _reach(shown)
        layer.contrast_limits = shown.limits
    if layer.colormap.name != getattr(shown.colormap, "name", shown.colormap):
        layer.colormap = shown.colormap  # only then, as shaders are built anew
    if layer.gamma != shown.gamma:
        layer.gamma = shown.gamma
    layer.name = name
    return layer


def _reach(shown: Shown) -> tuple[float, float]:
    """From the least to the greatest value: how far a person may move the limits."""
    values = np.asarray(shown.values)
    known = values[np.isfinite(values)]
    low, high = shown.limits
    return float(known.min(initial=low)), float(known.max(initial=high))


def _draw_codes(viewer: ViewerModel, labels: Any, codes: Codes, kind: str, name: str) -> Any:
    layer = _painted(viewer, labels, kind, codes.levels)
    if layer is None:
        options = {"colormap": codes.colormap, "opacity": 1, "metadata": _mark(labels, kind)}
        layer = lay_over(viewer, labels, codes.levels, name=name, **options)
    else:
        layer.colormap = codes.colormap
        layer.data = pyramid(codes.levels)
        layer.name = name
    layer.editable = False  # a look-up has no pixels of its own to draw on
    return layer


def keep(layer: Layer) -> None:
    """Leave a painted layer as it is: the next call paints a new one."""
    held(layer).pop(PAINTS, None)


def warm_up() -> None:
    """Let napari compile its look-up of colours now, off the window's thread: it takes seconds."""
    for signed in (np.int32, np.int64):
        Labels(np.zeros((2, 2), signed))
    table = {None: "transparent", 0: "transparent", 1: "white"}
    for dtype in (np.uint8, np.uint16):
        DirectLabelColormap(color_dict=table).map(np.zeros((1, 1), dtype))


def _painted(viewer: ViewerModel, labels: Any, kind: str, levels: list[LookUp]) -> Any:
    """The layer that already shows this kind of painting of these labels."""
    mark = _mark(labels, kind)[KEY]
    if PAINTS not in mark:
        return None
    for layer in viewer.layers:
        same = {name: held(layer).get(name) for name in (PAINTS, _KIND)} == mark
        if same and layer.multiscale == (len(levels) > 1):
            return layer
    return None


def _mark(labels: Any, kind: str) -> dict[str, Any]:
    paints = {PAINTS: str(labels.unique_id)} if isinstance(labels, Labels) else {}
    return {KEY: {**paints, _KIND: kind}}


def _hide_others(viewer: ViewerModel, labels: Any, layer: Layer) -> None:
    if isinstance(labels, Labels):
        for other in viewer.layers:
            if held(other).get(PAINTS) == str(labels.unique_id) and other is not layer:
                see(other, visible=False)


__all__: Sequence[str] = [
    "CHANNEL",
    "LegendEntry",
    "attach",
    "drawing_over",
    "keep",
    "lay_over",
    "place_like",
    "placement",
    "points_over",
    "robust_limits",
    "show_categories",
    "show_labels",
    "show_values",
]
