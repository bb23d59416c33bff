"""Reliability curves of all development sets in one figure, for docs/trust.md.

python -m benchmarks.trust.confidence --out confidence.json
python benchmarks/pictures/reliability_curves.py confidence.json docs/images/reliability.svg
"""

import argparse
import json
from pathlib import Path

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from napari_gluer.figures.canvas import legend_outside, new_figure, open_axes, settle, styled
from napari_gluer.figures.files import save_figure
from napari_gluer.figures.params import FigureParams
from napari_gluer.figures.statistics import reliability_curve

TITLES = {
    "citeseq": "CITE-seq, 10 proteins",
    "snareseq": "SNARE-seq, 3,000 nuclei",
    "seqfish": "seqFISH ← Tasic",
    "sample": "simulated tissue",
}
LOOK = FigureParams(width_mm=110, font_size=8)
COLORS = ("#E69F00", "#0072B2", "#009E73", "#CC79A7")  # Okabe & Ito (2008)
LEAST = 30  # cells of a point


def drawn(runs: list[dict[str, object]]) -> Figure:
    """One curve a data set, all seeds together."""
    names = [name for name in TITLES if any(run["data"] == name for run in runs)]
    with styled(LOOK):
        figure = new_figure(LOOK, 1, 70)
        axes = figure.add_subplot()
        axes.plot([0, 1], [0, 1], color="#555555", lw=0.8, ls="--", label="chance as stated")
        for name, color in zip(names, COLORS, strict=False):
            own = [run for run in runs if run["data"] == name]
            confidence = np.concatenate([np.asarray(run["confidence"], float) for run in own])
            right = np.concatenate([np.asarray(run["right"], bool) for run in own])
            curve: pd.DataFrame = reliability_curve(confidence, right, 10)
            curve = curve[curve["n"] >= LEAST]
            reach = np.clip(
                [curve["right"] - curve["low"], curve["high"] - curve["right"]], 0, None
            )
            axes.errorbar(
                curve["confidence"], curve["right"], reach, color=color, marker="o", ms=3, lw=1,
                elinewidth=0.6, label=TITLES[name],
            )  # fmt: skip
        axes.set_xlabel("Stated chance that a label is right")
        axes.set_ylabel("Share of labels that are right")
        axes.set_xlim(0, 1.02)
        axes.set_ylim(0, 1.02)
        open_axes(axes)
        legend_outside(figure, axes.get_legend_handles_labels()[0], LOOK)
        settle(figure, axes, 70)
    return figure


def main() -> None:
    """Draw."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("confidences", type=Path)
    parser.add_argument("out", type=Path)
    given = parser.parse_args()
    save_figure(drawn(json.loads(given.confidences.read_text(encoding="utf-8"))), given.out)


if __name__ == "__main__":
    main()
