"""The figure of ``docs/accuracy.md``: every method on every problem, mean and spread."""

import numpy as np
from benchmarks.accuracy.datasets import DATASETS
from benchmarks.accuracy.registry import METHODS, ROOT
from benchmarks.accuracy.report import HEADLINES, OURS, PUBLISHED, Headline, Kept
from matplotlib import rc_context
from matplotlib.axes import Axes
from matplotlib.figure import Figure

PICTURE = ROOT / "docs" / "images" / "accuracy.svg"
SHOWN = (HEADLINES[0], HEADLINES[1], HEADLINES[3])
# Okabe and Ito's colours, told apart by the colour-blind; shapes say the same
STYLES = {
    "default": ("#D55E00", "o"),
    "paper": ("#000000", "x"),
    "cosine": ("#999999", "s"),
    "joint_svd": ("#56B4E9", "D"),
    "harmony": ("#0072B2", "^"),
    "seurat": ("#009E73", "v"),
    "liger": ("#CC79A7", "P"),
    "maxfuse": ("#E69F00", "<"),
    "tangram": ("#7A5230", ">"),
}


def write_figure() -> None:
    """One panel a measure, one row a problem, one mark a method; bars are standard deviations."""
    kept = Kept()
    heights = [len(headline.problems) for headline in SHOWN]
    figure = Figure(figsize=(8.2, 1.6 + 0.62 * sum(heights)), layout="constrained")
    panels = figure.subplots(len(SHOWN), 1, height_ratios=heights)
    for axes, headline in zip(panels, SHOWN, strict=True):
        _panel(axes, headline, kept)
    handles = {
        label: handle
        for axes in panels
        for handle, label in zip(*axes.get_legend_handles_labels(), strict=True)
    }
    figure.legend(
        handles.values(), handles.keys(), loc="outside upper center", ncols=3, frameon=False
    )
    PICTURE.parent.mkdir(parents=True, exist_ok=True)
    metadata = {"Date": None, "Creator": "benchmarks/accuracy"}
    with rc_context({"svg.hashsalt": "accuracy"}):
        figure.savefig(PICTURE, metadata=metadata)


def _panel(axes: Axes, headline: Headline, kept: Kept) -> None:
    lanes = np.linspace(-0.32, 0.32, len(METHODS))
    for lane, method in zip(lanes, METHODS, strict=True):
        color, marker = STYLES[method]
        for row, problem in enumerate(headline.problems):
            values = kept.best(method, problem, headline.names)
            if not values:
                continue
            axes.errorbar(
                np.mean(values),
                row + lane,
                xerr=np.std(values, ddof=1) if len(values) > 1 else None,
                color=color,
                marker=marker,
                markersize=8 if method == OURS else 5,
                linewidth=1,
                linestyle="none",
                label=METHODS[method].title.strip("*`"),
                zorder=3 if method in (OURS, PUBLISHED) else 2,
            )
    axes.set_yticks(range(len(headline.problems)))
    axes.set_yticklabels([DATASETS[problem].title for problem in headline.problems])
    axes.set_ylim(len(headline.problems) - 0.5, -0.5)
    axes.grid(axis="x", color="#dddddd", linewidth=0.6)
    axes.set_axisbelow(True)
    for row in range(1, len(headline.problems)):
        axes.axhline(row - 0.5, color="#dddddd", linewidth=0.6)
    axes.spines[["top", "right", "left"]].set_visible(False)
    axes.tick_params(axis="y", length=0)
    axes.set_title(headline.title, loc="left", fontsize=10, fontweight="bold")
