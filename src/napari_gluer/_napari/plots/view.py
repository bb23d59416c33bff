"""The view as a figure: the canvas at print size, with scale, colours and a caption."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
from anndata import AnnData
from napari.components import ViewerModel
from napari.layers import Image, Labels
from napari.utils.colormaps import ensure_colormap
from numpy.typing import NDArray

import napari_gluer as ng
from napari_gluer import slots
from napari_gluer._napari.attached import cells_of, held
from napari_gluer._napari.images import PAINTED, pixel_size_um
from napari_gluer._napari.linked import Shown, linked_of
from napari_gluer.errors import InputError
from napari_gluer.figures.canvas import INCH
from napari_gluer.figures.params import FigureParams
from napari_gluer.figures.view import ColorKey, GroupKey, Picture
from napari_gluer.palette import GREY, UNMATCHED

_SHADES = 256
_MOST_PIXELS = 6000  # across
_FLAT = 2  # axes of the 2-D view


def take_picture(viewer: ViewerModel, labels: Labels, params: FigureParams) -> Picture:
    """The canvas as it is, with as many pixels as print asks for, without what is drawn over it.

    Titles, colour bars and napari's scale bar are left out: the figure has its own.

    Parameters
    ----------
    labels
        Tells the unit of lengths.
    params
        Width and pixels per inch.

    Raises
    ------
    InputError
        If the viewer has no window.
    """
    screenshot: Any = getattr(viewer, "screenshot", None)
    if screenshot is None:
        raise InputError("This viewer has no window, so there is no view to save.")
    canvas = np.asarray(viewer.canvas.size, float)
    wanted = min(params.width_mm / INCH * params.dpi, _MOST_PIXELS)
    factor = max(1.0, wanted / canvas[1])
    box = _filled(viewer, canvas)
    with _bare(viewer), _enlarged(viewer, factor):
        found = np.asarray(screenshot(canvas_only=True, flash=False, scale=factor))
    ratio = found.shape[1] / canvas[1]  # pixels for one of the canvas
    (top, left), (bottom, right) = np.rint(box * ratio).astype(int)
    unit_size, unit = _world_unit(labels)
    flat = viewer.dims.ndisplay == _FLAT or viewer.scene.camera.perspective == 0
    pixel = unit_size / (float(viewer.scene.camera.zoom) * ratio) if flat else None
    return Picture(found[top:bottom, left:right], pixel, unit)


def keys_of(shown: Shown | None) -> tuple[ColorKey | None, list[GroupKey]]:
    """Colour bar and legend of what is painted."""
    if shown is None:
        return None, []
    unmatched = 0 if shown.unmatched is None else int(shown.unmatched.sum())
    grey = [GroupKey(name=UNMATCHED, color=GREY, count=unmatched)] if unmatched else []
    if shown.values is not None:
        shades = np.asarray(ensure_colormap(shown.colormap).map(np.linspace(0, 1, _SHADES)))
        label = shown.what.label + (f" ({shown.unit})" if shown.unit else "")
        key = ColorKey(colors=shades, limits=shown.limits, gamma=shown.gamma, label=label)
        return key, grey
    codes = np.zeros(0, np.intp) if shown.codes is None else shown.codes
    counts = np.bincount(codes[codes >= 0], minlength=len(shown.names))
    groups = [
        GroupKey(name=name, color=color, count=int(count))
        for name, color, count in zip(shown.names, shown.colors, counts, strict=True)
        if count
    ]
    named = {group.name for group in groups}
    return None, groups + [one for one in grey if one.name not in named]


def caption_of(viewer: ViewerModel, labels: Labels) -> str:
    """What the picture shows and how it came about, in Markdown."""
    shown, cells = linked_of(labels).shown, cells_of(labels)
    lines = [f"# {labels.name if shown is None else shown.title}", ""]
    lines += [f"- {line}" for line in _about_painting(shown)]
    if cells is not None:
        lines += [f"- {line}" for line in _about_cells(cells)]
    lines += [f"- {line}" for line in _about_view(viewer, labels)]
    lines.append(f"- made with napari-gluer {ng.__version__}")
    return "\n".join(lines) + "\n"


def _about_painting(shown: Shown | None) -> Iterator[str]:
    if shown is None:
        yield "nothing is painted on the cells"
        return
    yield f"painted: {shown.what.layer_name}, {shown.what.origin.value}"
    if shown.values is not None:
        low, high = shown.limits
        gamma = f", gamma {shown.gamma:g}" if shown.gamma != 1 else ""
        name = getattr(shown.colormap, "name", shown.colormap)
        unit = f"; unit: {shown.unit}" if shown.unit else ""
        yield f"colours: {name} from {low:.4g} to {high:.4g}{gamma}{unit}"
        n = int(np.isfinite(shown.values).sum())
    else:
        codes = np.zeros(0, np.intp) if shown.codes is None else shown.codes
        counts = np.bincount(codes[codes >= 0], minlength=len(shown.names))
        listed = zip(shown.names, counts, strict=True)
        yield "categories: " + ", ".join(f"{name} {n:,}" for name, n in listed if n)
        n = int(counts.sum())
    yield f"cells with a value: {n:,} of {len(shown.labels):,}"
    if shown.unmatched is not None:
        yield f"unmatched cells, in grey: {int(shown.unmatched.sum()):,}"
    if shown.opacity is not None:
        faded = (shown.opacity > 0) & (shown.opacity < 1)
        yield (
            f"faded: {int(faded.sum()):,} cells; hidden: {int((shown.opacity == 0).sum()):,} cells"
        )


def _about_cells(cells: AnnData) -> Iterator[str]:
    info = slots.info(cells)
    yield f"cells in the table: {cells.n_obs:,}"
    for word, key in (
        ("integration", "outcome"),
        ("seed", "seed"),
        ("parameters", "params"),
        ("reference", "reference_path"),
        ("reference, SHA-256", "reference_sha256"),
        ("cells from", "path"),
    ):
        if key in info:
            yield f"{word}: {info[key]}"


def _about_view(viewer: ViewerModel, labels: Labels) -> Iterator[str]:
    ndisplay = viewer.dims.ndisplay
    if ndisplay == _FLAT and viewer.dims.ndim > _FLAT:
        point = [f"{viewer.dims.point[axis]:g}" for axis in viewer.dims.not_displayed]
        yield f"2-D view, slice at {', '.join(point)} (world units)"
    elif ndisplay > _FLAT:
        angles = ", ".join(f"{float(one):.1f}°" for one in viewer.scene.camera.angles)
        yield f"3-D view, camera angles {angles}"
    for layer in viewer.layers:
        if not layer.visible or layer is labels or layer.opacity == 0:
            continue
        if isinstance(layer, Image) and PAINTED not in held(layer) and not layer.rgb:
            low, high = layer.contrast_limits
            yield f"image “{layer.name}”: {layer.colormap.name}, {low:.4g} to {high:.4g}"


def _world_unit(labels: Labels) -> tuple[float, str]:
    """Length of a world unit, and what it is measured in."""
    size = pixel_size_um(labels)
    if size is None:
        return 1.0, "px"
    return float(size[-1] / abs(labels.scale[-1])), "µm"


def _filled(viewer: ViewerModel, canvas: NDArray[np.float64]) -> NDArray[np.float64]:
    """The part of the 2-D canvas that layers fill: top, left; bottom, right; in its pixels.

    The whole canvas in 3-D, with a grid, and where nothing is in sight.
    """
    whole = np.array([[0.0, 0.0], canvas])
    if viewer.dims.ndisplay != _FLAT or viewer.canvas.grid.enabled:
        return whole
    shown = [layer for layer in viewer.layers if layer.visible]
    if not shown or not _upright(viewer):
        return whole
    axes = list(viewer.dims.displayed)
    extents = [_last(layer.extent.world, viewer.dims.ndim)[:, axes] for layer in shown]
    low = np.nanmin([one[0] for one in extents], axis=0)
    high = np.nanmax([one[1] for one in extents], axis=0)
    middle = np.asarray(viewer.scene.camera.center, float)[-_FLAT:]
    zoom = float(viewer.scene.camera.zoom)
    box = np.clip((np.array([low, high]) - middle) * zoom + canvas / 2, 0, canvas)
    return box if (box[1] - box[0] > 1).all() else whole


def _last(extent: NDArray[np.floating], ndim: int) -> NDArray[np.floating]:
    """A layer's extent in all axes of the viewer; the first are those that it may lack."""
    lead = np.full((2, ndim - extent.shape[1]), np.nan)
    return np.concatenate([lead, extent], axis=1)


def _upright(viewer: ViewerModel) -> bool:
    """Whether the 2-D view is neither turned nor flipped."""
    camera = viewer.scene.camera
    ways = tuple(str(one) for one in camera.orientation[1:])
    return ways == ("down", "right")


@contextmanager
def _enlarged(viewer: ViewerModel, factor: float) -> Iterator[None]:
    """The same part of the tissue on a canvas that is larger by `factor`."""
    camera = viewer.scene.camera
    before, centre = camera.zoom, camera.center
    camera.zoom = before * factor
    try:
        yield
    finally:
        camera.zoom, camera.center = before, centre


@contextmanager
def _bare(viewer: ViewerModel) -> Iterator[None]:
    """Hide what is drawn over the canvas, and bring it back."""
    overlays: list[Any] = [*viewer.canvas.overlays.values(), *viewer.scene.overlays.values()]
    overlays += [layer.colorbar for layer in viewer.layers if hasattr(layer, "colorbar")]
    hidden = [one for one in overlays if one.visible]
    for one in hidden:
        one.visible = False
    try:
        yield
    finally:
        for one in hidden:
            one.visible = True
