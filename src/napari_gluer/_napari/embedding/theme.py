"""Ground and text colours of napari's theme."""

from napari.components import ViewerModel
from napari.utils.theme import get_theme

from napari_gluer._napari.embedding.scene import Rgb


def theme_colors(viewer: ViewerModel) -> tuple[Rgb, Rgb]:
    """Colours of the canvas and of text on it, each 0 to 255."""
    theme = get_theme(viewer.theme)
    return _rgb(theme.canvas), _rgb(theme.text)


def _rgb(color: object) -> Rgb:
    red, green, blue = color.as_rgb_tuple()[:3]  # type: ignore[attr-defined]
    return int(red), int(green), int(blue)
