"""Nuclei by local threshold and watershed: the method that needs no model."""

from collections.abc import Sequence
from typing import Annotated, Any, Literal

import numpy as np
from annotated_types import Ge, Le
from numpy.typing import NDArray
from scipy import ndimage
from skimage.filters import threshold_otsu
from skimage.measure import label
from skimage.morphology import local_maxima, reconstruction
from skimage.segmentation import expand_labels, watershed

from napari_gluer.errors import InputError
from napari_gluer.labels import compact
from napari_gluer.params import Params
from napari_gluer.segmentation.scale import Grid, estimated_diameter
from napari_gluer.track import Track, silently

_STAGES = ("size", "background", "foreground", "seeds", "flooding")


class Watershed(Params):
    """Bright nuclei on a darker ground, split where two of them meet."""

    kind: Literal["watershed"] = "watershed"

    nucleus_diameter: Annotated[float, Ge(0), Le(1000)] = 0.0
    """Diameter of a usual nucleus, in µm where the pixel size is known, else in pixels.
    0: estimated from the image."""

    background: Annotated[float, Ge(0), Le(50)] = 3.0
    """Window in which the ground is found and taken away, in nucleus diameters. 0: none is."""

    smoothing: Annotated[float, Ge(0), Le(1)] = 0.06
    """Gaussian blur against noise, in nucleus diameters; at least half a pixel."""

    threshold: Annotated[float, Ge(0.05), Le(5)] = 0.8
    """Factor on the threshold that Otsu's method finds: lower takes in dimmer nuclei. Below 1
    because it only has to keep the ground out; the local threshold finds the edges."""

    local_threshold: Annotated[float, Ge(0), Le(0.95)] = 0.6
    """A pixel must also reach this part of the brightest around it, on the square-root scale:
    higher cuts halos and tells touching nuclei apart, lower keeps dim neighbours of bright ones."""

    intensity_weight: Annotated[float, Ge(0), Le(10)] = 1.0
    """What brightness counts beside shape when touching nuclei are split. 0: shape alone."""

    split_depth: Annotated[float, Ge(0.001), Le(1)] = 0.05
    """Depth of the notch that parts two nuclei: lower splits more."""

    smallest: Annotated[float, Ge(0), Le(1)] = 0.05
    """Objects under this part of a usual nucleus's area (volume) are dropped."""

    expansion: Annotated[float, Ge(0), Le(100)] = 0.0
    """How far nuclei grow into cells, in µm where the pixel size is known, else in pixels; they
    stop where they meet."""


def watershed_labels(
    nuclear: NDArray[np.float32],
    params: Watershed,
    spacing_um: Sequence[float] | None = None,
    *,
    track: Track = silently,
) -> NDArray[np.int32]:
    """Segment a nuclear channel ``(y, x)`` or ``(z, y, x)`` into labels 1…n without gaps.

    Parameters
    ----------
    nuclear
        Brightness of the nuclei; any scale.
    params
        The method's settings.
    spacing_um
        Pixel size of every axis in µm, None where unknown.
    track
        Reports the stages.

    Raises
    ------
    InputError
        If nothing is found.
    """
    grid = Grid.of(nuclear.ndim, spacing_um)
    stages = iter(track(_STAGES, "Segmentation"))
    next(stages)
    smooth = ndimage.gaussian_filter(nuclear, grid.sigma(1.0))
    _refuse_flat(smooth)
    diameter = params.nucleus_diameter / grid.step_um or estimated_diameter(smooth, grid.ratio)
    next(stages)
    bright = _compressed(nuclear, diameter, params, grid)
    next(stages)
    threshold = float(threshold_otsu(bright)) * params.threshold
    local = _local_brightest(bright, diameter, grid)
    mask = _foreground(bright, threshold, local, diameter, params)
    next(stages)
    height = _landscape(bright, mask, local, diameter, params, grid)
    seeds = _seeds(height, mask, params.split_depth)
    next(stages)
    labels = _without_small(watershed(-height, seeds, mask=mask), params, grid.area(diameter))
    next(stages, None)
    if not labels.any():
        raise InputError(_nothing(threshold, diameter, nuclear))
    distance = params.expansion / grid.step_um
    return expanded(labels, distance, grid.ratio) if distance else labels


def expanded(
    labels: NDArray[np.int32], distance: float, ratio: Sequence[float]
) -> NDArray[np.int32]:
    """Let every object grow by `distance` (in steps along x), stopping where two meet."""
    return np.asarray(expand_labels(labels, distance, spacing=tuple(ratio)), np.int32)


def _refuse_flat(smooth: NDArray[Any]) -> None:
    if smooth.size == 0 or smooth.min() == smooth.max():
        value = f"every pixel is {smooth.flat[0]:g}" if smooth.size else "it has no pixels"
        raise InputError(
            f"No nuclei in the nuclear channel: {value}. Choose another nuclear channel."
        )


def _compressed(
    nuclear: NDArray[Any], diameter: float, params: Watershed, grid: Grid
) -> NDArray[Any]:
    """Square root above the ground: dim and bright nuclei within one threshold's reach."""
    ground: Any = nuclear.min()
    if params.background:
        window = grid.window(2 * params.background * diameter)
        low = ndimage.minimum_filter(ndimage.gaussian_filter(nuclear, grid.sigma(2.0)), window)
        blur = grid.sigma(params.background * diameter / 2)
        ground = ndimage.gaussian_filter(ndimage.maximum_filter(low, window), blur)
    above = np.maximum(nuclear - ground, 0)
    blurred = ndimage.gaussian_filter(above, grid.sigma(max(0.5, params.smoothing * diameter)))
    return np.asarray(np.sqrt(blurred))


def _local_brightest(bright: NDArray[Any], diameter: float, grid: Grid) -> NDArray[Any]:
    highest = ndimage.maximum_filter(bright, grid.window(diameter))
    return np.asarray(ndimage.gaussian_filter(highest, grid.sigma(diameter / 4)))


def _foreground(
    bright: NDArray[Any],
    threshold: float,
    local: NDArray[Any],
    diameter: float,
    params: Watershed,
) -> NDArray[np.bool_]:
    mask = (bright > threshold) & (bright > params.local_threshold * local)
    if diameter > 12:  # smaller nuclei would not survive it
        cross = ndimage.generate_binary_structure(2, 1)
        mask = ndimage.binary_opening(mask, cross if mask.ndim == 2 else cross[np.newaxis])
    return np.asarray(ndimage.binary_fill_holes(mask))


def _landscape(
    bright: NDArray[Any],
    mask: NDArray[np.bool_],
    local: NDArray[Any],
    diameter: float,
    params: Watershed,
    grid: Grid,
) -> NDArray[Any]:
    """Height inside the mask: distance to its edge in radii, plus relative brightness."""
    depth = ndimage.distance_transform_edt(mask, sampling=grid.ratio) / (diameter / 2)
    glow = ndimage.gaussian_filter(bright, grid.sigma(0.1 * diameter)) / np.maximum(local, 1e-9)
    height = np.minimum(depth, 1.5) + params.intensity_weight * glow
    return np.asarray(ndimage.gaussian_filter(height, grid.sigma(0.05 * diameter)) * mask)


def _seeds(height: NDArray[Any], mask: NDArray[np.bool_], depth: float) -> NDArray[np.integer[Any]]:
    """One seed for every top that stands out by `depth`."""
    levelled = reconstruction(height - depth, height)
    return np.asarray(label(local_maxima(levelled) & mask))


def _without_small(labels: NDArray[Any], params: Watershed, usual: float) -> NDArray[np.int32]:
    sizes = np.bincount(labels.ravel())
    kept = sizes >= max(1.0, params.smallest * usual)
    return compact(np.where(kept[labels], labels, 0))[0]


def _nothing(threshold: float, diameter: float, nuclear: NDArray[Any]) -> str:
    return (
        f"No nuclei found: threshold {threshold:.3g} (square root of the brightness above the "
        f"ground), nuclei taken to be {diameter:.3g} pixels wide, brightness "
        f"{nuclear.min():.3g} to {nuclear.max():.3g}. Try a lower threshold, give the nucleus "
        "diameter, or choose another nuclear channel."
    )
