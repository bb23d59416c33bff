"""Integration accuracy of several methods, with the paired tests."""

from collections.abc import Mapping

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from numpy.typing import NDArray

from napari_gluer.errors import InputError, listed
from napari_gluer.figures.canvas import (
    BLUE,
    DARK,
    NOTE,
    PALE,
    flowing,
    legend_outside,
    named_ticks,
    new_figure,
    open_axes,
    readable,
    require_room,
    settle,
    styled,
)
from napari_gluer.figures.params import SINGLE_COLUMN, FigureParams

_WHISKERS = (5, 95)
_CHANCE = 0.5
_COMPARED = "compared with "
_HEIGHT, _MARGIN = 55.0, 17.0  # mm
_STEP = 0.075  # of the axis, between brackets


def accuracy_figure(
    accuracies: Mapping[str, NDArray[np.floating]] | pd.DataFrame,
    tests: pd.DataFrame | None = None,
    *,
    params: FigureParams = SINGLE_COLUMN,
) -> Figure:
    """Box plots of integration accuracy per cell, one for every method.

    Boxes span the quartiles, with the median; whiskers the 5th to the 95th percentile; diamonds are
    means, which is the accuracy of a method. The dashed line is chance, 0.5. Brackets hold the
    Bonferroni-adjusted p-values of the paired tests.

    Parameters
    ----------
    accuracies
        Name of the method → ``(n_pairs,)`` on [0, 1], as `integration_accuracies` returns them.
    tests
        As `compare_accuracies` returns it: an index of other methods, ``p_bonferroni``, and the
        name of the first in the index's name. No brackets when None.
    params
        Size and colours; ``colors`` by method.

    Raises
    ------
    InputError
        If there is no method, one has no accuracies or values that are none, or a test names a
        method that is not there.
    """
    values = {str(name): _checked(str(name), found) for name, found in accuracies.items()}
    if not values:
        raise InputError("There are no accuracies to draw.")
    room = params.width_mm - _MARGIN
    require_room(len(values), "methods", room, params, lines=3)
    first, p_values = _tests(tests, list(values))
    with styled(params):
        figure = new_figure(params, 1, _HEIGHT)
        axes = figure.add_subplot()
        _boxes(axes, values, first, params)
        _brackets(axes, list(values), first, p_values, params)
        letters = max(12, int(room / len(values) / 0.22 / params.font_size))
        names = [f"{readable(name, letters)}\nn = {len(found):,}" for name, found in values.items()]
        named_ticks(axes, names, params, room)
        axes.set_ylabel("Integration accuracy per cell")
        if p_values:
            told = [f"Paired tests against {readable(first, 30)}", "Bonferroni-adjusted"]
            axes.set_xlabel(flowing(told, room, params), color=NOTE)
        open_axes(axes)
        legend_outside(figure, _handles(), params, place="outside upper center")
        settle(figure, axes, _HEIGHT * (1 + 0.6 * _STEP * len(p_values)))
    return figure


def _checked(name: str, found: NDArray[np.floating] | pd.Series) -> NDArray[np.float64]:
    values = np.asarray(found, np.float64)
    if values.ndim != 1 or not len(values):
        raise InputError(f"Accuracies of {name!r} must be one number a pair, not {values.shape}.")
    if not np.isfinite(values).all() or values.min() < 0 or values.max() > 1:
        raise InputError(f"Accuracies of {name!r} must lie from 0 to 1; some do not, or are NaN.")
    return values


def _tests(tests: pd.DataFrame | None, methods: list[str]) -> tuple[str, dict[str, float]]:
    """The method that others are compared with, and adjusted p-values of the others."""
    if tests is None:
        return methods[0], {}
    named = str(tests.index.name or "")
    first = named.removeprefix(_COMPARED) if named.startswith(_COMPARED) else methods[0]
    others = [str(name) for name in tests.index]
    unknown = [name for name in (first, *others) if name not in methods]
    if unknown or first in others:
        raise InputError(
            f"The tests compare {listed([first, *others])}; there are accuracies of "
            f"{listed(methods)}. Give the table that compare_accuracies made of them."
        )
    if "p_bonferroni" not in tests:
        raise InputError("The tests hold no p_bonferroni; give what compare_accuracies returned.")
    return first, dict(zip(others, tests["p_bonferroni"].astype(float), strict=True))


def _boxes(
    axes: Axes, values: dict[str, NDArray[np.float64]], first: str, params: FigureParams
) -> None:
    drawn = axes.boxplot(
        list(values.values()),
        positions=range(len(values)),
        widths=0.55,
        whis=_WHISKERS,
        showfliers=False,
        showmeans=True,
        patch_artist=True,
        boxprops={"linewidth": 0.6, "edgecolor": DARK},
        medianprops={"linewidth": 1.2, "color": DARK},
        whiskerprops={"linewidth": 0.6, "color": DARK},
        capprops={"linewidth": 0.6, "color": DARK},
        meanprops={
            "marker": "D",
            "markersize": 3,
            "markerfacecolor": "white",
            "markeredgecolor": DARK,
            "markeredgewidth": 0.6,
        },
    )
    for name, box in zip(values, drawn["boxes"], strict=True):
        box.set_facecolor(params.colors.get(name, BLUE if name == first else PALE))
    axes.axhline(_CHANCE, color=NOTE, lw=0.7, ls="--", zorder=0.5)
    lowest = min(float(np.percentile(found, _WHISKERS[0])) for found in values.values())
    axes.set_ylim(max(-0.02, min(lowest, _CHANCE) - 0.04), 1.02)


def _brackets(
    axes: Axes,
    methods: list[str],
    first: str,
    p_values: dict[str, float],
    params: FigureParams,
) -> None:
    """Brackets above all boxes, the shortest lowest, each with its adjusted p-value."""
    bottom, top = axes.get_ylim()
    step = _STEP * (top - bottom) * params.font_size / 7
    start = methods.index(first)
    nearest = sorted(p_values, key=lambda name: abs(methods.index(name) - start))
    for place, name in enumerate(nearest):
        height, end = top + place * step * 1.25, methods.index(name)
        ticks = [height - 0.2 * step, height, height, height - 0.2 * step]
        axes.plot([start, start, end, end], ticks, color=DARK, lw=0.6, label=f"bracket {name}")
        text = _written(p_values[name])
        axes.text(
            (start + end) / 2, height + 0.1 * step, text, ha="center", va="bottom", color=DARK
        )
    if p_values:
        axes.set_ylim(bottom, top + (len(p_values) * 1.25 - 0.25) * step)
        axes.set_yticks([tick for tick in axes.get_yticks() if bottom <= tick <= 1])


def _written(p: float) -> str:
    if not np.isfinite(p):
        return "p not defined"
    if p < 0.001:
        return "p < 0.001"
    return "p = 1" if p >= 0.9995 else f"p = {p:.3f}"


def _handles() -> list[Line2D]:
    return [
        Line2D([], [], ls="", marker="D", ms=3, mfc="white", mec=DARK, mew=0.6, label="mean"),
        Line2D([], [], color=DARK, lw=1.2, label="median"),
        Line2D([], [], color=NOTE, lw=0.7, ls="--", label="chance"),
    ]
