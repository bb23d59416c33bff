"""Pictures of how every marker was split into ground and signal."""

import os
from collections.abc import Sequence
from io import BytesIO
from pathlib import Path

import matplotlib as mpl
import numpy as np
from anndata import AnnData
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from napari_gluer.errors import InputError
from napari_gluer.histograms import Histogram, marker_histograms

_GROUND, _SIGNAL, _BARS, _LINE = "#0072B2", "#D55E00", "#C8CCD0", "#222222"  # Okabe & Ito
_COLUMNS = 4
_WIDTH, _ROW, _HEAD = 7.2, 1.45, 0.45  # inches: two columns of a journal's page
_ALONE = (3.6, 2.7)
_SUFFIXES = (".png", ".pdf", ".svg")
_DOTS = 200
_TOLD = 0.2  # share of zeros, whose bar is cut


def mixture_figure(cells: AnnData, markers: Sequence[str] | None = None) -> Figure:
    """Histogram, both components and threshold of every marker, one small picture each.

    Where intensities are skewed the axis is linear up to the marker's median and logarithmic above
    (inverse hyperbolic sine). The two components are Gaussians on intensities as measured, drawn as
    the cells that they expect in every bin. The line marks the intensity at which both are equally
    likely. Titles of markers whose components do not stand apart say so.

    Parameters
    ----------
    cells
        A table that a mixture cleaned; `marker_histograms` says what is read.
    markers
        Which; all fitted ones when None.

    Raises
    ------
    InputError
        If the table holds no fits, or none of one of `markers`.
    """
    histograms = marker_histograms(cells, markers)
    columns = min(_COLUMNS, len(histograms))
    rows = -(-len(histograms) // columns)
    size = _ALONE if len(histograms) == 1 else (_WIDTH, _HEAD + _ROW * rows)
    with mpl.rc_context({"font.family": "DejaVu Sans", "axes.linewidth": 0.6}):
        figure = Figure(figsize=size, layout="constrained")
        FigureCanvasAgg(figure)
        grid = figure.subplots(rows, columns, squeeze=False)
        for axes, histogram in zip(grid.flat, histograms, strict=False):
            _draw(axes, histogram)
        for axes in grid.flat[len(histograms) :]:
            axes.set_visible(False)
        _legend(figure, grid.flat[0], columns)
        figure.supxlabel("Mean intensity of the cell", fontsize=8)
        figure.supylabel("Cells", fontsize=8)
    return figure


def save_mixtures(
    cells: AnnData, path: str | os.PathLike[str], markers: Sequence[str] | None = None
) -> None:
    """Write `mixture_figure` as PNG, PDF or SVG, by the name's suffix.

    Raises
    ------
    InputError
        If there is nothing to draw, or the suffix is another.
    """
    target = Path(path)
    if target.suffix.lower() not in _SUFFIXES:
        raise InputError(f"{target.name}: choose a name that ends in {', '.join(_SUFFIXES)}.")
    drawn = BytesIO()
    kind = target.suffix.lower().removeprefix(".")
    with mpl.rc_context({"font.family": "DejaVu Sans"}):
        mixture_figure(cells, markers).savefig(drawn, dpi=_DOTS, format=kind)
    partial = target.with_name(f".partial-{target.name}")
    partial.write_bytes(drawn.getvalue())
    partial.replace(target)


def _draw(axes: Axes, histogram: Histogram) -> None:
    edges = histogram.scaled(histogram.edges)
    axes.stairs(histogram.counts, edges, fill=True, color=_BARS, label="cells")
    middles = (edges[:-1] + edges[1:]) / 2
    for part, color, dashes, label in (
        (histogram.ground, _GROUND, "--", "ground"),
        (histogram.signal, _SIGNAL, "-", "signal"),
    ):
        axes.plot(middles, part, color=color, ls=dashes, lw=1.1, label=label)
    if histogram.threshold is not None:
        at = float(histogram.scaled(histogram.threshold))
        axes.axvline(at, color=_LINE, lw=0.8, ls=":", label="equally likely")
    axes.set_ylim(0, _height(histogram))
    axes.set_xlim(edges[0], edges[-1])
    _ticks(axes, histogram)
    axes.set_title(histogram.name, fontsize=7.5, loc="left", fontweight="bold", pad=3)
    if not histogram.separated:
        axes.set_title("not separated", fontsize=6, loc="right", color="#555555", pad=3)
    if histogram.zeros >= _TOLD:
        share = "over 99%" if 0.99 < histogram.zeros < 1 else f"{histogram.zeros:.0%}"
        text = f"{share} are 0"
        axes.text(0.98, 0.96, text, transform=axes.transAxes, ha="right", va="top", fontsize=6)
    axes.spines[["top", "right"]].set_visible(False)
    axes.tick_params(labelsize=6, length=2, width=0.6, pad=1.5)


def _height(histogram: Histogram) -> float:
    """Top of the axis: a spike of cells at one end may be cut, so that the rest is seen."""
    ordered = np.sort(histogram.counts)
    top = float(ordered[-1])
    return 1.08 * min(top, 2.5 * float(ordered[-3])) if ordered[-3] else 1.08 * top


def _ticks(axes: Axes, histogram: Histogram) -> None:
    if histogram.cofactor is None:
        axes.locator_params(axis="x", nbins=4)
        axes.locator_params(axis="y", nbins=3)
        return
    low, high = histogram.edges[[0, -1]]
    tens = [10.0**power for power in range(-9, 10)]
    shown = [at for at in (0.0, *tens) if low <= at <= high and at not in _crowded(tens, histogram)]
    axes.set_xticks(histogram.scaled(shown), [_written(at) for at in shown])
    axes.locator_params(axis="y", nbins=3)


def _crowded(tens: list[float], histogram: Histogram) -> set[float]:
    """Powers of ten too near to 0 on the axis to be read; none where 0 is not shown."""
    if histogram.edges[0] > 0:
        return set()
    ends = histogram.scaled(histogram.edges[[0, -1]])
    return {at for at in tens if histogram.scaled(at) < 0.14 * (ends[1] - ends[0])}


def _written(value: float) -> str:
    if value == 0 or 0.01 <= value < 10_000:
        return f"{value:g}"
    return f"$10^{{{round(np.log10(value))}}}$"


def _legend(figure: Figure, axes: Axes, columns: int) -> None:
    handles, labels = axes.get_legend_handles_labels()
    figure.legend(
        handles,
        labels,
        loc="outside upper center",
        ncols=len(labels) if columns > 1 else 2,
        frameon=False,
        fontsize=7,
        handlelength=1.8,
    )
