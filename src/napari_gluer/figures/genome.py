"""Peaks that go with a gene, drawn along the genome."""

from itertools import pairwise

import matplotlib as mpl
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.collections import LineCollection
from matplotlib.colors import TwoSlopeNorm
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from napari_gluer.errors import InputError, listed
from napari_gluer.figures.canvas import (
    DARK,
    NOTE,
    legend_outside,
    new_figure,
    open_axes,
    settle,
    styled,
)
from napari_gluer.figures.params import FigureParams
from napari_gluer.palette import GREY

_REQUIRED = ("gene", "peak", "distance", "pearson")
_HEIGHTS = (42.0, 12.0)  # mm: arcs, gene
_STEPS = 60  # points of an arc
_SURE = 0.05
_MAP = "RdBu_r"


def peak_links_figure(
    links: pd.DataFrame,
    annotation: pd.DataFrame,
    gene: str,
    *,
    params: FigureParams = FigureParams(),  # noqa: B008 - frozen
) -> Figure:
    """Arcs from the transcription start of one gene to the peaks near it.

    An arc ends at the peak's middle; its height is the correlation with the gene (below the line
    where it is negative), its colour the same, and it is drawn boldly where the false discovery
    rate is below 5 %. Underneath lies the gene with its direction.

    Parameters
    ----------
    links
        Of `gene_peak_links`: ``gene``, ``peak``, ``distance``, ``pearson`` and, where it is there,
        ``fdr`` and ``tss``. Peaks without a correlation are dots on the line.
    annotation
        Of `read_annotation`.
    gene
        Which gene; of several loci the one with most links.
    params
        Size.

    Raises
    ------
    InputError
        If a column is missing, or the gene is not in one of the tables.
    """
    own, locus = _checked(links, annotation, gene)
    start, sign = _start(locus)
    at = (start + sign * own["distance"].to_numpy(float)) / 1000
    heights = own["pearson"].to_numpy(float)
    sure = own["fdr"].to_numpy(float) < _SURE if "fdr" in own else np.ones(len(own), bool)
    most = max(float(np.nanmax(np.abs(heights), initial=0)), 0.05)
    with styled(params):
        figure = new_figure(params, 1, sum(_HEIGHTS))
        axes, below = figure.subplots(2, 1, sharex=True, height_ratios=_HEIGHTS)
        norm = TwoSlopeNorm(0, -most, most)
        _arcs(axes, (start / 1000, at, heights), sure, norm)
        axes.axhline(0, color=NOTE, lw=0.6)
        axes.set_ylim(*_limits(heights, most))
        axes.set_ylabel("Correlation with the gene")
        axes.set_title(f"{gene}: {len(own):,} peaks on {_spelt(locus)}")
        _gene(below, locus, gene)
        below.set_xlabel("Place, kb")
        below.ticklabel_format(axis="x", style="plain", useOffset=False)
        shown = mpl.cm.ScalarMappable(norm, _MAP)
        figure.colorbar(shown, ax=axes, label="Pearson's r", aspect=12, pad=0.02)
        handles = [Line2D([], [], color=DARK, lw=1.6, label="FDR below 5 %")]
        handles += [Line2D([], [], color=DARK, lw=0.5, label="not sure")] if not sure.all() else []
        legend_outside(figure, handles, params)
        open_axes(axes)
        settle(figure, axes, _HEIGHTS[0], _HEIGHTS[0] / sum(_HEIGHTS))
    return figure


def _checked(
    links: pd.DataFrame, annotation: pd.DataFrame, gene: str
) -> tuple[pd.DataFrame, pd.Series]:
    missing = [name for name in _REQUIRED if name not in links]
    if missing:
        raise InputError(
            f"The table of links lacks {listed(missing)}; take that of gene_peak_links."
        )
    own = links[links["gene"] == gene]
    loci = annotation[annotation["gene"] == gene]
    if own.empty or loci.empty:
        where = "table of links" if own.empty else "annotation"
        known = pd.unique(links["gene"])
        raise InputError(f"{gene!r} is not in the {where}; there are links of {listed(known, 6)}.")
    if "tss" in own:
        nearest = own["tss"].mode().iloc[0]
        own = own[own["tss"] == nearest]
        at = np.where(loci["strand"] == "+", loci["start"], loci["end"] - 1)
        loci = loci[at == nearest]
        if loci.empty:
            raise InputError(
                f"The annotation has no transcription start of {gene!r} at {nearest:,}, where the "
                "links were found; take the same annotation."
            )
    return own, loci.iloc[0]


def _spelt(locus: pd.Series) -> str:
    name = str(locus["chromosome"])
    return name if name.casefold().startswith("chr") else f"chromosome {name}"


def _start(locus: pd.Series) -> tuple[int, int]:
    """Transcription start and direction."""
    forward = locus["strand"] == "+"
    return (int(locus["start"]), 1) if forward else (int(locus["end"]) - 1, -1)


def _arcs(
    axes: Axes,
    drawn: tuple[float, np.ndarray, np.ndarray],
    sure: np.ndarray,
    norm: TwoSlopeNorm,
) -> None:
    """Half ellipses from the start to every peak; the highest last, on top."""
    start, places, heights = drawn
    turn = np.linspace(0, np.pi, _STEPS)
    known = np.flatnonzero(np.isfinite(heights))
    order = known[np.argsort(np.abs(heights[known]), kind="stable")]
    lines = [
        np.column_stack(
            [
                (start + places[i]) / 2 - (places[i] - start) / 2 * np.cos(turn),
                heights[i] * np.sin(turn),
            ]
        )
        for i in order
    ]
    widths = np.where(sure[order], 1.6, 0.5)
    arcs = LineCollection(lines, cmap=_MAP, norm=norm, linewidths=widths)
    arcs.set_array(heights[order])
    axes.add_collection(arcs)
    # pale colours are near white; this line is seen beneath them
    beneath = LineCollection(lines, colors=GREY, linewidths=widths + 0.5, zorder=arcs.zorder - 1)
    axes.add_collection(beneath)
    axes.plot(places, np.zeros(len(places)), "|", color=DARK, ms=4, mew=0.7, zorder=3)
    edges = np.r_[places, start]
    margin = max(0.03 * float(np.ptp(edges)), 0.5)
    axes.set_xlim(edges.min() - margin, edges.max() + margin)


def _limits(heights: np.ndarray, most: float) -> tuple[float, float]:
    low = float(np.nanmin(heights, initial=0))
    high = float(np.nanmax(heights, initial=0))
    return min(low, 0) - 0.08 * most, max(high, 0) + 0.08 * most


def _gene(axes: Axes, locus: pd.Series, gene: str) -> None:
    """The gene as a bar with arrows in its direction."""
    start, end = int(locus["start"]) / 1000, int(locus["end"]) / 1000
    low, high = axes.get_xlim()
    shown = max(start, low), min(end, high)
    axes.plot(shown, (0, 0), color=DARK, lw=2.2, solid_capstyle="butt")
    marker = ">" if locus["strand"] == "+" else "<"
    edges = np.linspace(shown[0], shown[1], 6)
    middles = [(a + b) / 2 for a, b in pairwise(edges)]
    axes.plot(middles, np.zeros(len(middles)), marker, color="white", ms=2.2, mew=0)
    at = _start(locus)[0] / 1000
    axes.plot([at, at], [0, 0.7], color=DARK, lw=0.8)
    axes.annotate(f"{gene}, transcription start", (at, 0.75), ha=_side(at, low, high), va="bottom")
    axes.set_ylim(-0.6, 2.2)
    axes.set_yticks([])
    axes.spines[["left", "top", "right"]].set_visible(False)


def _side(at: float, low: float, high: float) -> str:
    """Where a text at that place has room."""
    share = (at - low) / (high - low)
    return "left" if share < 0.25 else "right" if share > 0.75 else "center"
