"""The one place that adds layers to the viewer, and puts them where others lie."""

from typing import Any

from napari.components import ViewerModel
from napari.layers import Image, Labels, Layer, Points, Shapes
from numpy.typing import ArrayLike, NDArray

from napari_gluer.painting import LookUp

_PLACEMENT = ("scale", "translate", "rotate", "shear", "affine", "units", "axis_labels")


def show_labels(
    viewer: ViewerModel, labels: NDArray[Any], *, name: str, like: Layer | None = None
) -> Labels:
    """Add a labels layer that lies where the image `like` lies."""
    return viewer.add_labels(labels, name=name, **(placement(like, labels.ndim) if like else {}))


def lay_over(
    viewer: ViewerModel, labels: Labels | ArrayLike, levels: list[LookUp], **options: Any
) -> Labels:
    """Add a pyramid of codes where `labels` lie; `options` as `napari.layers.Labels` takes them."""
    multiscale = len(levels) > 1
    return viewer.add_labels(
        pyramid(levels), multiscale=multiscale, **options, **_same_place(labels)
    )


def lay_channel(
    viewer: ViewerModel, labels: Labels | ArrayLike, levels: list[LookUp], **options: Any
) -> Image:
    """Add a pyramid of values where `labels` lie; `options` as `napari.layers.Image` takes them."""
    return viewer.add_image(
        pyramid(levels),
        multiscale=len(levels) > 1,
        interpolation3d="nearest",  # between two cells there is no value
        **options,
        **_same_place(labels),
    )


def drawing_over(viewer: ViewerModel, like: Layer | None, ndim: int, **options: Any) -> Shapes:
    """Add an empty Shapes layer that lies where `like` lies; `options` are napari's."""
    return viewer.add_shapes(ndim=ndim, **(placement(like, ndim) if like else {}), **options)


def points_over(viewer: ViewerModel, labels: Labels, data: ArrayLike, **options: Any) -> Points:
    """Add points, in pixels of `labels`, where that lies; `options` are napari's."""
    return viewer.add_points(data, **placement(labels, labels.ndim), **options)


def see(layer: Layer, *, visible: bool = True) -> None:
    """Show or hide a layer; napari draws one anew also where nothing changes."""
    if layer.visible != visible:
        layer.visible = visible


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


def pyramid(levels: list[LookUp]) -> Any:
    """What napari takes: it does not know a pyramid of one level."""
    return levels if len(levels) > 1 else levels[0]


def _same_place(labels: Any) -> dict[str, Any]:
    return placement(labels, labels.ndim) if isinstance(labels, Labels) else {}
