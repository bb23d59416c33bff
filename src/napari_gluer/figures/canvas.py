"""What figures are drawn on: a page's width, text that is read in print, legends beside data."""

import textwrap
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from threading import RLock
from typing import TYPE_CHECKING, Any, Literal

import matplotlib as mpl
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.legend import Legend

from napari_gluer.errors import InputError
from napari_gluer.figures.params import FigureParams
from napari_gluer.palette import GREY, UNMATCHED, colors_of

if TYPE_CHECKING:  # matplotlib has it from 3.11 on
    from matplotlib.typing import RcKeyType

INCH = 25.4
"""Millimetres in an inch."""
POINTS = 72.0
"""Points in an inch."""

BLUE, VERMILLION, DARK, PALE = "#0072B2", "#D55E00", "#222222", "#DDE0E4"  # Okabe & Ito (2008)
NOTE = "#555555"

WRITTEN: "dict[RcKeyType, Any]" = {
    "svg.fonttype": "none",
    "svg.hashsalt": "napari-gluer",
    "pdf.fonttype": 42,
}
"""Settings with which files are written: text stays text."""

_ONE = RLock()
_FAMILY = "DejaVu Sans"
_GLYPH = 0.56  # mean width of a letter of that font, of its size
_ROUNDS = 4
_TALL = 160.0  # mm beyond the panels, before the height is known


def one_at_a_time() -> AbstractContextManager[object]:
    """Wait until no other thread makes a figure: Matplotlib's settings are one for all."""
    return _ONE


@contextmanager
def styled(params: FigureParams) -> Iterator[None]:
    """Settings of text and lines while a figure is made; the caller's come back after it."""
    size = params.font_size
    with (
        _ONE,
        mpl.rc_context(
            {
                **WRITTEN,
                "font.family": _FAMILY,
                "font.size": size,
                "axes.titlesize": size,
                "axes.labelsize": size,
                "xtick.labelsize": size,
                "ytick.labelsize": size,
                "legend.fontsize": size,
                "figure.titlesize": size,
                "axes.linewidth": 0.6,
                "axes.unicode_minus": True,
                "axes.axisbelow": True,
                "text.parse_math": False,  # names of genes and types may hold a $
                "text.usetex": False,
                "xtick.major.width": 0.6,
                "ytick.major.width": 0.6,
                "xtick.major.size": 2,
                "ytick.major.size": 2,
                "xtick.major.pad": 2,
                "ytick.major.pad": 2,
            }
        ),
    ):
        yield


def new_figure(params: FigureParams, rows: int = 1, row_mm: float = 60.0) -> Figure:
    """An empty figure of the page's width and more height than is needed; `settle` it."""
    height = rows * row_mm + _TALL
    figure = Figure(
        figsize=(params.width_mm / INCH, height / INCH), dpi=params.dpi, layout="constrained"
    )
    FigureCanvasAgg(figure)
    return figure


def settle(figure: Figure, axes: Axes, height_mm: float | None, share: float = 1.0) -> None:
    """Make the figure as high as needed for `axes` to have the height that is asked for.

    Parameters
    ----------
    figure, axes
        The figure, laid out, and one of its panels.
    height_mm
        Height of the panel; its own width where None.
    share
        Share of the height of all rows of panels that this panel has.
    """
    for _ in range(_ROUNDS):
        figure.draw_without_rendering()
        box = axes.get_window_extent()
        wanted = box.width if height_mm is None else height_mm / INCH * figure.dpi
        missing = (wanted - box.height) / figure.dpi
        if abs(missing) < 0.2 / POINTS:
            return
        figure.set_figheight(figure.get_figheight() + missing / share)


def legend_outside(
    figure: Figure,
    handles: Sequence[Artist],
    params: FigureParams,
    *,
    title: str | None = None,
    place: Literal["outside lower center", "outside upper center"] = "outside lower center",
) -> Legend:
    """A legend above or below all panels, in as many columns as the page holds."""
    width = params.width_mm / INCH * POINTS
    letters = int((width - 4 * params.font_size) / (_GLYPH * params.font_size))
    labels = [readable(str(handle.get_label()), min(36, letters), lines=3) for handle in handles]
    # room for what layout pads at both sides of the page
    most = (width - 2 * params.font_size) / POINTS * figure.dpi
    for columns in range(min(len(handles), 8), 0, -1):
        legend: Legend = figure.legend(
            list(handles),
            labels,
            loc=place,
            ncols=columns,
            title=title,
            frameon=False,
            alignment="left",
            handlelength=1.4,
            handletextpad=0.5,
            columnspacing=1.2,
            labelspacing=0.35,
            borderaxespad=0.2,
            borderpad=0.1,
        )
        if columns == 1 or legend.get_window_extent().width <= most:
            break
        legend.remove()
    return legend


def readable(name: str, letters: int, lines: int = 2) -> str:
    """`name` on lines of at most that many letters; what is left after the last line is cut."""
    wrapped = textwrap.wrap(name, max(letters, 4), max_lines=lines, placeholder="…")
    return "\n".join(wrapped) or name


def flowing(parts: Sequence[str], room_mm: float, params: FigureParams) -> str:
    """Parts of a sentence, with commas, on as many lines as the room asks for."""
    letters = room_mm / INCH * POINTS / (_GLYPH * params.font_size)
    lines = [parts[0]]
    for part in parts[1:]:
        longer = f"{lines[-1]}, {part}"
        if len(longer) <= letters:
            lines[-1] = longer
        else:
            lines.append(part)
    return "\n".join(lines)


def named_ticks(axes: Axes, names: Sequence[str], params: FigureParams, room_mm: float) -> None:
    """Name places 0, 1, … of the horizontal axis; upright where names would touch."""
    lines = [line for name in names for line in name.split("\n")]
    longest = max(map(len, lines), default=0) * _GLYPH * params.font_size
    pitch = room_mm / INCH * POINTS / max(len(names), 1)
    axes.set_xticks(range(len(names)), names)
    if longest > 0.95 * pitch:
        axes.tick_params(axis="x", labelrotation=90)


def require_room(n: int, what: str, room_mm: float, params: FigureParams, lines: int = 1) -> None:
    """Refuse more columns than can be named in print."""
    least = 1.25 * lines * params.font_size / POINTS * INCH
    most = int(room_mm / least)
    if n > most:
        raise InputError(
            f"{n:,} {what} cannot be read side by side in a figure {params.width_mm:g} mm wide, "
            f"{most} can. Choose fewer, or a wider figure: FigureParams(width_mm=…)."
        )


def group_colors(names: Sequence[str], params: FigureParams) -> list[str]:
    """One colour a name: the caller's, else the palette's by position; grey for unmatched."""
    known = {UNMATCHED: GREY, **params.colors}
    own = dict(zip(names, colors_of(list(names)), strict=True))
    return [known.get(name, own[name]) for name in names]


def open_axes(axes: Axes) -> None:
    """Without the frame's upper and right line."""
    axes.spines[["top", "right"]].set_visible(False)
