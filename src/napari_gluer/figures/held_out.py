"""Held-out genes by how well they were imputed."""

import numpy as np
import pandas as pd
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch
from numpy.typing import NDArray

from napari_gluer.errors import InputError, listed
from napari_gluer.figures.canvas import (
    DARK,
    NOTE,
    PALE,
    flowing,
    group_colors,
    legend_outside,
    new_figure,
    open_axes,
    readable,
    settle,
    styled,
)
from napari_gluer.figures.params import SINGLE_COLUMN, FigureParams

_LOW, _HIGH, _CHANCE = "null_low", "null_high", "by_chance"
# best first; shapes say the same as colours
_GRADES = {
    "good": ("#009E73", "o"),
    "fair": ("#0072B2", "s"),
    "weak": ("#E69F00", "^"),
    "no better than chance": ("#8A8A8A", "x"),
}
_SHAPES = "oDs^vP<>X*"
_HEIGHT, _MARGIN = 58.0, 34.0  # mm


def held_out_figure(
    genes: pd.DataFrame,
    *,
    correlation: str | None = None,
    null: tuple[float, float] | None = None,
    named: int = 5,
    params: FigureParams = SINGLE_COLUMN,
) -> Figure:
    """Correlation of imputed with measured values of every held-out gene, best first.

    The band is what permuted runs reach. Those at both ends are named beside the panel
    and ringed in it.

    Parameters
    ----------
    genes
        One row a gene, as in ``GeneValidation.genes`` of `validate_genes`: the index, or a column
        ``gene``; correlations on [-1, 1] (genes with NaN are left out and counted); ``grade``.
        Where they are there: ``<correlation>_by_chance``, what unrelated genes reach, a dash for
        every gene; ``null_low`` and ``null_high``, 5th and 95th percentile of the gene's permuted
        runs.
    correlation
        Column to rank by; when None ``correlation``, or else ``spearman``.
    null
        5th and 95th percentile of permuted runs, of all genes alike; in place of the columns.
    named
        How many genes at each end are named; 0 names none.
    params
        Size, and colours of grades.

    Raises
    ------
    InputError
        If a column is missing, a gene is there twice, or no gene has a correlation.
    """
    ranked, left_out = _ranked(genes, correlation)
    with styled(params):
        figure = new_figure(params, 1, _HEIGHT)
        axes = figure.add_subplot()
        axes.axhline(0, color=NOTE, lw=0.6)
        handles = _points(axes, ranked, params)
        band = _band(axes, ranked, null)
        if band is not None:
            handles.append(band)
        if _CHANCE in ranked:
            handles.append(_chance(axes, ranked))
        _names(axes, ranked, min(named, len(ranked) // 2 or 1) if named > 0 else 0)
        parts = [f"Genes by rank, n = {len(ranked):,}"]
        parts += [f"{left_out:,} without a correlation"] if left_out else []
        axes.set_xlabel(flowing(parts, params.width_mm - _MARGIN, params))
        axes.set_ylabel("Correlation, imputed with measured")
        axes.set_xlim(0.4 - 0.02 * len(ranked), len(ranked) * 1.02 + 0.6)
        axes.locator_params(axis="x", integer=True, nbins=5)
        open_axes(axes)
        legend_outside(figure, handles, params)
        settle(figure, axes, _HEIGHT)
    return figure


def _ranked(genes: pd.DataFrame, correlation: str | None) -> tuple[pd.DataFrame, int]:
    """Genes with a correlation, best first, ties by name; and how many have none."""
    table = _named_columns(genes, correlation)
    repeated = table["gene"][table["gene"].duplicated()]
    if len(repeated):
        raise InputError(f"Genes are there more than once: {listed(repeated, 5)}.")
    values = table["correlation"].to_numpy(np.float64, na_value=np.nan)
    known = np.isfinite(values)
    if not known.any():
        raise InputError("No gene has a correlation, so that there is no ranking to draw.")
    if np.abs(values[known]).max() > 1 + 1e-9:
        raise InputError("Correlations must lie from -1 to 1; some do not.")
    held = table.loc[known]
    order = np.lexsort((held["gene"].to_numpy(str), -values[known]))
    return held.iloc[order].reset_index(drop=True), int((~known).sum())


def _named_columns(genes: pd.DataFrame, correlation: str | None) -> pd.DataFrame:
    """Only what is drawn, under the names that are used here."""
    if correlation is None:
        correlation = "spearman" if "correlation" not in genes and "spearman" in genes else None
    column = correlation or "correlation"
    lacking = [name for name in (column, "grade") if name not in genes]
    if lacking:
        raise InputError(f"The table of genes lacks {listed(lacking)}; it has {listed(genes)}.")
    table = pd.DataFrame({"correlation": genes[column], "grade": genes["grade"]})
    for name, source in ((_LOW, _LOW), (_HIGH, _HIGH), (_CHANCE, f"{column}_{_CHANCE}")):
        if source in genes:
            table[name] = genes[source]
    table["gene"] = [str(name) for name in genes.get("gene", genes.index)]
    return table.reset_index(drop=True)


def _points(axes: Axes, ranked: pd.DataFrame, params: FigureParams) -> list[Artist]:
    grades = ranked["grade"].astype("string").fillna("no grade").astype(str)
    names = [name for name in _GRADES if (grades == name).any()]
    others = sorted(set(grades) - set(names))
    styles = {name: _GRADES[name] for name in names}
    styles |= {
        name: (color, _SHAPES[i % len(_SHAPES)])
        for i, (name, color) in enumerate(zip(others, group_colors(others, params), strict=True))
    }
    handles: list[Artist] = []
    size = float(np.clip(60 / np.sqrt(len(ranked)), 2.0, 4.5))
    for name, (color, marker) in styles.items():
        own = np.flatnonzero(grades == name)
        shown = params.colors.get(name, color)
        axes.plot(
            own + 1, ranked["correlation"].iloc[own], ls="", marker=marker, ms=size, color=shown,
            mew=0.8 if marker == "x" else 0, label=name,
        )  # fmt: skip
        handles.append(
            Line2D([], [], ls="", marker=marker, ms=4, color=shown,
                   mew=0.8 if marker == "x" else 0, label=f"{name} ({len(own):,})")
        )  # fmt: skip
    return handles


def _band(axes: Axes, ranked: pd.DataFrame, null: tuple[float, float] | None) -> Artist | None:
    """What permuted runs reach: one band, or a bar for every gene."""
    n = len(ranked)
    low, high = _null(ranked, null)
    if low is None or high is None:
        return None
    if (low > high).any():
        raise InputError("The 5th percentile of the permuted runs lies above the 95th.")
    known = np.isfinite(low) & np.isfinite(high)
    steps = np.arange(n + 1) + 0.5
    axes.fill_between(
        steps,
        np.append(low, low[-1]),
        np.append(high, high[-1]),
        where=np.append(known, known[-1]),
        step="post",
        color=PALE,
        linewidth=0,
        zorder=0,
    )
    return Patch(facecolor=PALE, label="permuted runs, 5–95%")


def _chance(axes: Axes, ranked: pd.DataFrame) -> Artist:
    """What genes that have nothing to do with a gene reach for it."""
    line = Line2D([], [], ls="", marker="_", ms=4, mew=0.7, color=NOTE, label="unrelated genes")
    axes.plot(
        ranked.index + 1, ranked[_CHANCE], ls="", marker="_", ms=2.5, mew=0.7, color=NOTE,
        zorder=1.5, label=_CHANCE,
    )  # fmt: skip
    return line


def _null(
    ranked: pd.DataFrame, null: tuple[float, float] | None
) -> tuple[NDArray[np.float64] | None, NDArray[np.float64] | None]:
    if null is not None:
        low, high = np.full((len(ranked), 2), null, np.float64).T
        return low, high
    if _LOW not in ranked or _HIGH not in ranked:
        return None, None
    low, high = (ranked[name].to_numpy(np.float64, na_value=np.nan) for name in (_LOW, _HIGH))
    if not (np.isfinite(low) & np.isfinite(high)).any():
        return None, None
    return low, high


def _names(axes: Axes, ranked: pd.DataFrame, named: int) -> None:
    """Highest genes beside the panel's upper end, lowest beside its lower end."""
    if not named:
        return
    ends = (("Highest", range(named), 1.0, "top"), ("Lowest", range(-named, 0), 0.0, "bottom"))
    for title, rows, height, align in ends[: 1 if len(ranked) == 1 else 2]:
        part = ranked.iloc[list(rows)]
        lines = [
            f"{readable(gene, 14, 1)}  {_written(value)}"
            for gene, value in zip(part["gene"], part["correlation"], strict=True)
        ]
        axes.text(1.03, height, "\n".join([title, *lines]), transform=axes.transAxes, va=align)
        axes.plot(
            part.index + 1, part["correlation"], ls="", marker="o", ms=6.5, mfc="none", mec=DARK,
            mew=0.5, label=title,
        )  # fmt: skip


def _written(value: float) -> str:
    """Two digits, without a minus before zero."""
    return f"{round(value, 2) + 0.0:.2f}".replace("-", "−")
