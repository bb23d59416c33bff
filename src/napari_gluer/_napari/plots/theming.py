"""Figures in the colours of napari's theme on the screen; in print they stay black on white."""

from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.axis import Axis
from matplotlib.colors import to_hex, to_rgb
from matplotlib.figure import Figure
from matplotlib.legend import Legend
from matplotlib.lines import Line2D
from matplotlib.spines import Spine
from matplotlib.text import Text
from napari.components import ViewerModel
from napari.utils.theme import get_theme

_PALE = 0.25  # luminance below which ink is taken for that of text on white


def screen_colors(viewer: ViewerModel) -> tuple[str, str]:
    """Ground and text colour of the viewer's theme, as ``#rrggbb``."""
    theme = get_theme(viewer.theme)
    return to_hex(_parts(theme.background)), to_hex(_parts(theme.text))


def recolored(figure: Figure, ground: str, ink: str) -> Figure:
    """The figure itself, its ground and all dark text and frames in other colours."""
    figure.set_facecolor(ground)
    for axes in figure.axes:
        axes.set_facecolor("none")
    for artist in figure.findobj():
        _recolor(artist, ink)
    return figure


def _recolor(artist: Artist, ink: str) -> None:
    if isinstance(artist, Text) and _is_dark(artist.get_color()):
        artist.set_color(ink)
    elif isinstance(artist, Spine) and _is_dark(artist.get_edgecolor()[:3]):
        artist.set_edgecolor(ink)
    elif isinstance(artist, Axis):
        artist.set_tick_params(which="both", color=ink, labelcolor=ink)
    elif isinstance(artist, Line2D) and not isinstance(artist.axes, Axes):
        pass  # handles of legends keep the colour that they explain
    elif isinstance(artist, Legend):
        title = artist.get_title()
        title.set_color(ink)


def _is_dark(color: object) -> bool:
    red, green, blue = to_rgb(color)  # type: ignore[arg-type]
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue < _PALE


def _parts(color: object) -> tuple[float, float, float]:
    red, green, blue = color.as_rgb_tuple()[:3]  # type: ignore[attr-defined]
    return red / 255, green / 255, blue / 255
