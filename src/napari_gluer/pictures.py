"""Painted tissue as PNG files, with colour bar or legend and a scale bar."""

from dataclasses import dataclass
from pathlib import Path

import matplotlib as mpl
import numpy as np
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.colors import ListedColormap
from matplotlib.figure import Figure
from matplotlib.patches import Patch
from numpy.typing import NDArray

from napari_gluer.palette import colors_of

_ROUND_LENGTHS = [n * 10.0**power for power in range(-1, 5) for n in (1, 2, 5)]


@dataclass(frozen=True)
class Caption:
    """What is written beside a picture.

    Attributes
    ----------
    title, note
        Above the picture, large and small.
    unit
        Beside the colour bar.
    pixel_size, length_unit
        Length of one pixel of the picture, for the scale bar; none is drawn where it is None.
    """

    title: str
    note: str = ""
    unit: str = ""
    pixel_size: float | None = None
    length_unit: str = "µm"


def save_values(picture: NDArray[np.floating], path: Path, caption: Caption) -> None:
    """Write one value per pixel as a PNG; NaN shows the dark ground.

    Colours span the 1st to the 99th percentile, as the colour bar says.
    """
    figure, axes = _canvas(caption)
    shown = picture[np.isfinite(picture)]
    low, high = np.percentile(shown, [1, 99]) if shown.size else (0.0, 1.0)
    drawn = axes.imshow(
        picture, cmap="viridis", vmin=low, vmax=max(high, low + 1e-6), interpolation="nearest"
    )
    bar = figure.colorbar(drawn, ax=axes, fraction=0.046, pad=0.02, extend="both")
    bar.set_label(caption.unit)
    _scale_bar(axes, caption)
    _write(figure, path)


def save_categories(
    codes: NDArray[np.integer], names: list[str], path: Path, caption: Caption
) -> None:
    """Write categories as a PNG: 0 shows the dark ground, ``i + 1`` is ``names[i]``."""
    figure, axes = _canvas(caption)
    colors = colors_of(names)
    masked = np.ma.masked_equal(codes, 0)
    axes.imshow(
        masked,
        cmap=ListedColormap(colors or ["black"]),
        vmin=0.5,
        vmax=max(len(names), 1) + 0.5,
        interpolation="nearest",
    )
    handles = [Patch(color=color, label=name) for color, name in zip(colors, names, strict=True)]
    columns = 1 + len(names) // 30
    figure.legend(handles=handles, loc="outside right upper", frameon=False, ncols=columns)
    _scale_bar(axes, caption)
    _write(figure, path)


def _canvas(caption: Caption) -> tuple[Figure, Axes]:
    figure = Figure(figsize=(9, 7.5), layout="constrained")
    FigureCanvasAgg(figure)
    axes = figure.add_subplot()
    axes.set_facecolor("#14161a")
    axes.set_xticks([])
    axes.set_yticks([])
    axes.set_title(caption.title, loc="left", fontweight="bold", fontsize=14, pad=22)
    axes.text(0, 1.01, caption.note, transform=axes.transAxes, fontsize=9, color="#444444")
    return figure, axes


def _scale_bar(axes: Axes, caption: Caption) -> None:
    """About a fifth of the width, a round number, below the picture."""
    if caption.pixel_size is None:
        return
    left, right = axes.get_xlim()
    width = (right - left) * caption.pixel_size
    length = max((n for n in _ROUND_LENGTHS if n <= width / 5), default=_ROUND_LENGTHS[0])
    share = length / width
    axes.plot(
        [0, share], [-0.02, -0.02], transform=axes.transAxes, color="black", lw=3, clip_on=False
    )
    text = f"{length:g} {caption.length_unit}"
    axes.text(share + 0.01, -0.02, text, transform=axes.transAxes, va="center", fontsize=9)


def _write(figure: Figure, path: Path) -> None:
    with mpl.rc_context({"font.family": "DejaVu Sans"}):
        figure.savefig(path, dpi=120, format="png")
