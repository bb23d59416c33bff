"""Whether prediction intervals hold what they promise."""

from collections.abc import Mapping

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
    BLUE,
    DARK,
    INCH,
    NOTE,
    PALE,
    POINTS,
    VERMILLION,
    flowing,
    group_colors,
    legend_outside,
    new_figure,
    open_axes,
    settle,
    styled,
)
from napari_gluer.figures.params import SINGLE_COLUMN, FigureParams
from napari_gluer.figures.statistics import wilson

_REQUIRED = ("asked", "found")
_HEIGHT, _MARGIN = 55.0, 14.0  # mm
_TOLERANCE = 0.03
_TOLD = "all values"
_COVERED = {"covered": _TOLD, "covered_expressed": "expressed values"}


def coverage_figure(
    coverage: pd.DataFrame | Mapping[float, pd.DataFrame], *, params: FigureParams = SINGLE_COLUMN
) -> Figure:
    """Coverage found against coverage asked for, of every gene and of all together.

    Small points are genes. Large ones are all genes at one level: their pooled coverage with its
    95 % Wilson interval where numbers of cells are known, else their median and quartiles. Within
    the band coverage is at most 3 percentage points off.

    Parameters
    ----------
    coverage
        One row for every gene and level: ``asked`` and ``found``, on [0, 1]. Where they are there:
        ``n`` (cells judged), ``kind`` (such as all values and expressed values: one colour each).
        Rows with NaN are left out and counted. Or what `interval_coverage` returned, by level:
        ``{0.5: …, 0.9: …}``.
    params
        Size, and colours of kinds.

    Raises
    ------
    InputError
        If a column is missing, no row holds both numbers, or one lies outside [0, 1].
    """
    rows = coverage if isinstance(coverage, pd.DataFrame) else _by_level(coverage)
    table, left_out = _checked(rows)
    kinds = list(dict.fromkeys(table["kind"]))
    levels = np.unique(table["asked"])
    step = float(np.diff(levels).min()) if len(levels) > 1 else 0.1
    lanes = (np.arange(len(kinds)) - (len(kinds) - 1) / 2) * min(0.3 * step, 0.04)
    with styled(params):
        figure = new_figure(params, 1, _HEIGHT)
        axes = figure.add_subplot()
        _expected(axes, levels, step)
        handles: list[Artist] = []
        for kind, color, shape, lane in zip(
            kinds, _colors(kinds, params), _shapes(len(kinds)), lanes, strict=True
        ):
            own = table[table["kind"] == kind]
            _kind(axes, own, (color, shape), lane, 0.1 * step / len(kinds))
            handles.append(Line2D([], [], ls="", marker=shape, ms=4.5, color=color, label=kind))
        handles.append(Line2D([], [], color=NOTE, lw=0.7, ls="--", label="found as asked"))
        handles.append(Patch(facecolor=PALE, label="within 3 percentage points"))
        parts = ["Coverage asked"]
        parts += [f"{left_out:,} rows without a number left out"] if left_out else []
        axes.set_xlabel(flowing(parts, params.width_mm - _MARGIN, params))
        axes.set_ylabel("Coverage found")
        _ticks(axes, levels, params)
        low, high = axes.get_ylim()
        axes.set_ylim(max(low, -0.03), min(high, 1.03))
        open_axes(axes)
        legend_outside(figure, handles, params)
        settle(figure, axes, _HEIGHT)
    return figure


def _by_level(levels: Mapping[float, pd.DataFrame]) -> pd.DataFrame:
    """One row for every level, gene and kind of values."""
    if not levels:
        raise InputError("There is no coverage to draw.")
    parts = []
    for level, table in levels.items():
        kinds = {name: kind for name, kind in _COVERED.items() if name in table}
        if not kinds:
            raise InputError(f"Coverage at {level:g} lacks covered; it has {listed(table)}.")
        parts += [
            pd.DataFrame({"asked": float(level), "found": table[name].to_numpy(), "kind": kind})
            for name, kind in kinds.items()
        ]
    return pd.concat(parts, ignore_index=True)


def _checked(coverage: pd.DataFrame) -> tuple[pd.DataFrame, int]:
    lacking = [name for name in _REQUIRED if name not in coverage]
    if lacking:
        raise InputError(f"The table lacks {listed(lacking)}; it has {listed(coverage)}.")
    table = pd.DataFrame(
        {name: coverage[name].to_numpy(np.float64, na_value=np.nan) for name in _REQUIRED}
    )
    table["kind"] = [str(kind) for kind in coverage.get("kind", [_TOLD] * len(table))]
    table["n"] = np.asarray(coverage.get("n", np.full(len(table), np.nan)), np.float64)
    known = table[list(_REQUIRED)].notna().all(axis=1)
    held = table[known].reset_index(drop=True)
    if held.empty:
        raise InputError("No row tells both the coverage asked and the coverage found.")
    values = held[list(_REQUIRED)].to_numpy()
    if values.min() < 0 or values.max() > 1:
        raise InputError("Coverages must lie from 0 to 1 (0.9 for 90 %); some do not.")
    return held, int((~known).sum())


def _colors(kinds: list[str], params: FigureParams) -> list[str]:
    own = [BLUE, VERMILLION] if len(kinds) <= 2 else group_colors(kinds, params)
    return [params.colors.get(kind, color) for kind, color in zip(kinds, own, strict=False)]


def _shapes(n: int) -> list[str]:
    return [("o", "s", "^", "D", "v", "P")[i % 6] for i in range(n)]


def _expected(axes: Axes, levels: NDArray[np.float64], step: float) -> None:
    low, high = max(0.0, levels.min() - step), min(1.0, levels.max() + step)
    ends = np.array([low, high])
    axes.fill_between(ends, ends - _TOLERANCE, ends + _TOLERANCE, color=PALE, linewidth=0, zorder=0)
    axes.plot(ends, ends, color=NOTE, lw=0.7, ls="--", zorder=1)
    axes.set_xlim(low, high)


def _ticks(axes: Axes, levels: NDArray[np.float64], params: FigureParams) -> None:
    """Name every level; upright where names would touch."""
    axes.set_xticks(levels, [f"{level:.3g}" for level in levels])
    low, high = axes.get_xlim()
    closest = float(np.diff(levels).min()) if len(levels) > 1 else 1.0
    pitch = closest / (high - low) * (params.width_mm - _MARGIN) / INCH * POINTS
    if pitch < 2.4 * params.font_size:
        axes.tick_params(axis="x", labelrotation=90)


def _kind(
    axes: Axes, own: pd.DataFrame, style: tuple[str, str], lane: float, spread: float
) -> None:
    """Genes as a small cloud at every level, all of them as one point beside it."""
    color, shape = style
    for asked in np.unique(own["asked"]):
        rows = own[own["asked"] == asked]
        found = np.sort(rows["found"].to_numpy())
        middle, low, high = _together(rows)
        if len(found) > 1:
            # equal steps of the golden ratio: even, and the same every time
            places = (np.arange(len(found)) * 0.618033988749895) % 1 - 0.5
            axes.plot(
                asked + lane + 2 * spread * places, found, ls="", marker=".", ms=2.5,
                color=color, alpha=0.45, mew=0, rasterized=len(found) > 2000,
            )  # fmt: skip
        axes.errorbar(
            [asked + lane], [middle], yerr=[[middle - low], [high - middle]], color=DARK,
            marker=shape, ms=4.5, mfc=color, mec="white", mew=0.5, elinewidth=0.9, capsize=2,
            zorder=3,
        )  # fmt: skip


def _together(rows: pd.DataFrame) -> tuple[float, float, float]:
    """Coverage of all genes at a level and its interval: pooled over cells, or over genes."""
    n = rows["n"].to_numpy()
    if np.isfinite(n).all() and n.sum() > 0:
        hits = float((rows["found"].to_numpy() * n).sum())
        low, high = wilson(np.array([hits]), np.array([n.sum()]))
        return hits / float(n.sum()), float(low[0]), float(high[0])
    low_q, middle, high_q = np.percentile(rows["found"], [25, 50, 75])
    return float(middle), float(low_q), float(high_q)
