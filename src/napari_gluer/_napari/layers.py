"""The one place that adds layers to the viewer: labels, painted values, painted categories."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from anndata import AnnData
from napari.components import ViewerModel
from napari.layers import Image, Labels, Layer
from napari.utils.colormaps import DirectLabelColormap
from numpy.typing import ArrayLike, NDArray

from napari_gluer._napari.attached import KEY, attach, held, hover_table, index_of
from napari_gluer._napari.captions import PAINTS, entitle
from napari_gluer._napari.images import PAINTED
from napari_gluer.painting import LabelIndex, LookUp, code_levels, paint_levels
from napari_gluer.palette import colors_of

_KIND = PAINTED
_VALUES, _CATEGORIES = "values", "categories"
_ROBUST = (1, 99)  # percentiles of the contrast limits
_PLACEMENT = ("scale", "translate", "rotate", "shear", "affine", "units", "axis_labels")


@dataclass(frozen=True)
class LegendEntry:
    """One category of a painted layer."""

    name: str
    color: str
    count: int


def show_labels(
    viewer: ViewerModel, labels: NDArray[Any], *, name: str, like: Layer | None = None
) -> Labels:
    """Add a labels layer that lies where the image `like` lies."""
    return viewer.add_labels(labels, name=name, **(placement(like, labels.ndim) if like else {}))


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
    levels = paint_levels(_index(labels), cells, values)
    limits = robust_limits(levels[0].values[1:])
    layer = _painted(viewer, labels, _VALUES, levels)
    if layer is None:
        layer = viewer.add_image(
            _data(levels),
            multiscale=len(levels) > 1,
            name=name,
            contrast_limits=limits,
            colormap="viridis",
            metadata=_mark(labels, _VALUES),
            **_same_place(labels),
        )
        layer.colorbar.visible = True
    else:
        layer.data = _data(levels)
        layer.contrast_limits_range = limits
        layer.contrast_limits = limits
        layer.name = name
    _settle(viewer, labels, layer, cells, {name: values})
    entitle(viewer, layer, title or name)
    return layer


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
    levels, names = code_levels(_index(labels), cells, categories)
    colors = colors_of(names)
    table: dict[int | None, Any] = {None: "transparent", 0: "transparent"}
    table.update(enumerate(colors, start=1))
    colormap = DirectLabelColormap(color_dict=table)
    layer = _painted(viewer, labels, _CATEGORIES, levels)
    if layer is None:
        layer = viewer.add_labels(
            _data(levels),
            multiscale=len(levels) > 1,
            name=name,
            colormap=colormap,
            opacity=1,
            metadata=_mark(labels, _CATEGORIES),
            **_same_place(labels),
        )
    else:
        layer.colormap = colormap
        layer.data = _data(levels)
        layer.name = name
    layer.editable = False  # a look-up has no pixels of its own to draw on
    layer.features = pd.DataFrame({"index": range(len(names) + 1), "category": ["", *names]})
    _settle(viewer, labels, layer, cells, {name: categories})
    entitle(viewer, layer, title or name)
    counts = np.bincount(levels[0].values[1:], minlength=len(names) + 1)[1:]
    legend = [
        LegendEntry(name, color, int(count))
        for name, color, count in zip(names, colors, counts, strict=True)
    ]
    return layer, legend


def keep(layer: Layer) -> None:
    """Leave a painted layer as it is: the next call paints a new one."""
    held(layer).pop(PAINTS, None)


def warm_up() -> None:
    """Let napari compile its look-up of colours now, off the window's thread: it takes seconds."""
    table = {None: "transparent", 0: "transparent", 1: "white"}
    for dtype in (np.uint8, np.uint16):
        DirectLabelColormap(color_dict=table).map(np.zeros((1, 1), dtype))


def robust_limits(values: NDArray[np.float32]) -> tuple[float, float]:
    """Contrast limits from percentiles 1 and 99 of the values; never of zero width."""
    known = values[np.isfinite(values)]
    if not known.size:
        return 0.0, 1.0
    low, high = (float(one) for one in np.percentile(known, _ROBUST))
    if high <= low:
        low, high = float(known.min()), float(known.max())
    return (low, high) if high > low else (low, low + 1.0)


def placement(layer: Layer, ndim: int) -> dict[str, Any]:
    """Keyword arguments that put a new layer of `ndim` axes where `layer` lies.

    Leading axes that the new layer lacks (channels) are left out.
    """
    if layer.ndim == ndim:
        return {name: getattr(layer, name) for name in _PLACEMENT}
    return {name: getattr(layer, name)[-ndim:] for name in ("scale", "translate", "units")}


def place_like(layer: Layer, other: Layer) -> None:
    """Move `layer` to where `other` lies."""
    for name, value in placement(other, layer.ndim).items():
        setattr(layer, name, value)


def _index(labels: Labels | ArrayLike) -> LabelIndex:
    return index_of(labels) if isinstance(labels, Labels) else LabelIndex(labels)


def _data(levels: list[LookUp]) -> Any:
    """What napari takes: it does not know a pyramid of one level."""
    return levels if len(levels) > 1 else levels[0]


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


def _same_place(labels: Any) -> dict[str, Any]:
    return placement(labels, labels.ndim) if isinstance(labels, Labels) else {}


def _settle(
    viewer: ViewerModel, labels: Any, layer: Layer, cells: AnnData, shown: dict[str, Any]
) -> None:
    """Show the new painting alone, and let the mouse ask the labels beneath it."""
    layer.visible = True
    if not isinstance(labels, Labels):
        return
    for other in viewer.layers:
        if held(other).get(PAINTS) == str(labels.unique_id) and other is not layer:
            other.visible = False
    labels.features = hover_table(cells, **shown)
    viewer.layers.selection.active = labels


__all__: Sequence[str] = [
    "LegendEntry",
    "attach",
    "keep",
    "place_like",
    "placement",
    "robust_limits",
    "show_categories",
    "show_labels",
    "show_values",
]
