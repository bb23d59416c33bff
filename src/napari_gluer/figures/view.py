"""A view of the tissue at print size: picture, scale bar, colour bar or legend."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from matplotlib.axes import Axes
from matplotlib.cm import ScalarMappable
from matplotlib.colors import ListedColormap, PowerNorm
from matplotlib.figure import Figure
from matplotlib.patches import Patch, Rectangle
from matplotlib.patheffects import withStroke
from numpy.typing import NDArray

from napari_gluer.errors import InputError
from napari_gluer.figures.canvas import (
    INCH,
    POINTS,
    legend_outside,
    new_figure,
    readable,
    settle,
    styled,
)
from napari_gluer.figures.params import DOUBLE_COLUMN, FigureParams

_BAR_SHARE = 0.25  # of the picture's width, at most
_BAR_MM, _MARGIN_MM = 1.0, 2.5
_ROUND = (1, 2, 5)


@dataclass(frozen=True, eq=False)
class Picture:
    """Pixels and their size.

    Attributes
    ----------
    pixels
        uint8 ``(y, x, 3 or 4)``.
    pixel
        Width of a pixel in `unit`; None where it is not known, then no scale bar is drawn.
    unit
        Of lengths.
    """

    pixels: NDArray[np.uint8]
    pixel: float | None = None
    unit: str = "µm"


@dataclass(frozen=True, eq=False, kw_only=True)
class ColorKey:
    """How values are coloured.

    Attributes
    ----------
    colors
        ``(n, 3 or 4)`` on [0, 1]: from the lowest value to the highest, before `gamma`.
    limits
        Values of the first and the last colour.
    gamma
        A value's share of the limits, to this power, is its place in `colors`.
    label
        Beside the colour bar: what it is, and its unit.
    """

    colors: NDArray[np.floating]
    limits: tuple[float, float]
    gamma: float = 1.0
    label: str = ""


@dataclass(frozen=True, kw_only=True)
class GroupKey:
    """A colour that stands for a group of cells.

    Attributes
    ----------
    name, color
        The group; ``#rrggbb``.
    count
        Its cells; None where they were not counted.
    """

    name: str
    color: str
    count: int | None = None


def round_length(width: float) -> float:
    """The greatest of 1, 2, 5, 10, 20, … that is at most a quarter of `width`.

    Raises
    ------
    InputError
        If `width` is not above 0.
    """
    if not width > 0 or not np.isfinite(width):
        raise InputError(f"A picture {width} wide has no scale.")
    most = width * _BAR_SHARE
    power = np.floor(np.log10(most))
    found = max(step * 10**power for step in _ROUND if step * 10**power <= most * (1 + 1e-9))
    return float(f"{found:g}")


def view_figure(
    picture: Picture,
    *,
    title: str = "",
    values: ColorKey | None = None,
    groups: Sequence[GroupKey] = (),
    params: FigureParams = DOUBLE_COLUMN,
) -> Figure:
    """A picture with what is needed to read it.

    Parameters
    ----------
    picture
        Embedded pixel by pixel.
    title
        Above the picture.
    values
        Drawn as a colour bar.
    groups
        Drawn as a legend.
    params
        Size.

    Raises
    ------
    InputError
        If the picture is none.
    """
    pixels = picture.pixels
    if pixels.ndim != 3 or pixels.shape[2] not in (3, 4) or not pixels.size:
        raise InputError(f"A picture has shape (y, x, 3 or 4); this has {pixels.shape}.")
    rows, columns = pixels.shape[:2]
    with styled(params):
        figure = new_figure(params, 1, params.width_mm * rows / columns)
        axes = figure.subplots()
        axes.imshow(pixels, interpolation="none", aspect="auto")
        axes.set_xticks([])
        axes.set_yticks([])
        axes.spines[:].set_visible(False)
        letters = int(params.width_mm / INCH * POINTS / (0.56 * params.font_size)) - 2
        axes.set_title(readable(title, letters), loc="left", pad=3)
        if values is not None:
            _colorbar(figure, axes, values)
        if groups:
            legend_outside(figure, _patches(groups), params)
        _settle(figure, axes, rows / columns)
        if picture.pixel is not None:
            _scale_bar(axes, picture, picture.pixel, params)
    return figure


def _settle(figure: Figure, axes: Axes, height_of_width: float) -> None:
    """Give the picture its own proportions: its width depends on what stands beside it."""
    for _ in range(2):
        figure.draw_without_rendering()
        width_mm = axes.get_window_extent().width / figure.dpi * INCH
        settle(figure, axes, width_mm * height_of_width)


def _colorbar(figure: Figure, axes: Axes, key: ColorKey) -> None:
    low, high = key.limits
    scale = ScalarMappable(PowerNorm(key.gamma, low, high), ListedColormap(key.colors))
    bar = figure.colorbar(scale, ax=axes, aspect=24, pad=0.015, fraction=0.03)
    bar.set_label(readable(key.label, 60))
    bar.outline.set_visible(False)
    bar.ax.minorticks_off()


def _patches(groups: Sequence[GroupKey]) -> list[Patch]:
    return [
        Patch(
            facecolor=group.color,
            label=group.name if group.count is None else f"{group.name} ({group.count:,})",
        )
        for group in groups
    ]


def _scale_bar(axes: Axes, picture: Picture, pixel: float, params: FigureParams) -> None:
    """Black or white, whichever stands out from the picture's corner."""
    rows, columns = picture.pixels.shape[:2]
    length = round_length(columns * pixel)
    per_mm = columns / (axes.get_window_extent().width / params.dpi * INCH)
    margin, thick = _MARGIN_MM * per_mm, _BAR_MM * per_mm
    wide = length / pixel
    corner = picture.pixels[int(rows * 0.85) :, : max(int(wide), 1), :3]
    ink, around = ("black", "white") if corner.mean() > 127 else ("white", "black")
    top = rows - margin - thick
    edge = withStroke(linewidth=1.2, foreground=around)
    bar = Rectangle((margin, top), wide, thick, facecolor=ink, linewidth=0, gid="scale bar")
    bar.set_path_effects([edge])
    axes.add_patch(bar)
    axes.text(
        margin + wide / 2,
        top - thick * 0.6,
        f"{length:g} {picture.unit}",
        color=ink,
        ha="center",
        va="bottom",
        bbox={"facecolor": around, "alpha": 0.45, "linewidth": 0, "pad": 1.0},
    )  # no outline: text with one is drawn as curves in SVG and PDF
