"""Accuracy of `paper` while widths of its network vary: ``python benchmarks/robustness.py``.

The paper's Supplementary Figure 6 (Peng et al., bioRxiv 2021.01.25.427845) on SNARE-seq: 3,000
typed nuclei, drawn anew with every seed. For each seed the data are factorised and anchors are
found once, as `integrate` does; then one hidden layer of the network after the other is made a
quarter, half, twice and four times as wide, the others staying as published, and at last all of
them together. All else is the preset's (500 epochs). Prints Markdown and writes
``docs/images/robustness.svg``. Data are read from ``../shared/data`` beside the checkout, or from
the folder that ``NAPARI_GLUER_SHARED_DATA`` names.
"""

import argparse
import json
import os
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import matplotlib as mpl
import numpy as np
from matplotlib.axes import Axes
from matplotlib.backends.backend_svg import FigureCanvasSVG
from matplotlib.figure import Figure
from numpy.typing import NDArray

import napari_gluer as ng
from napari_gluer.integration.anchors import find_anchors
from napari_gluer.integration.factorize import joint_nmf
from napari_gluer.integration.linked import link
from napari_gluer.integration.network import fit_map

ROOT = Path(__file__).resolve().parents[1]
DATA = Path(os.environ.get("NAPARI_GLUER_SHARED_DATA", ROOT.parent / "shared" / "data"))
FIGURE = ROOT / "docs" / "images" / "robustness.svg"
NUCLEI = 3000
FACTORS = (0.25, 0.5, 1.0, 2.0, 4.0)
PAPER = ng.IntegrateParams(preset="paper")
PUBLISHED = PAPER.network.hidden
ALL = len(PUBLISHED)  # in place of a layer: all of them

Array = NDArray[np.float32]


@dataclass(frozen=True, eq=False)
class Prepared:
    """Factors of both sides and anchors of one seed."""

    reference: Array
    cells: Array
    pairs: NDArray[np.int64]


def prepared(seed: int) -> Prepared:
    """Nuclei of this seed, factorised and anchored as the preset says."""
    folder = DATA / "snareseq_mouse_cortex"
    reference = ng.read_reference(folder / "rna.h5ad")
    cells = ng.read_cells(folder / "gene_activity.h5ad", kind="activity")
    if list(reference.obs_names) != list(cells.obs["cell_id"]):
        raise ValueError("The two tables do not hold the same nuclei in the same order.")
    typed = np.flatnonzero(reference.obs["cell_type"] != "Mis")
    kept = np.sort(np.random.default_rng(seed).choice(typed, NUCLEI, replace=False))
    linked = link([cells[kept].copy()], reference[kept].copy(), PAPER)
    factors = joint_nmf(linked.matrices, PAPER.factorize, seed=seed).H
    sides = [
        np.where(usable[:, None], H, 0).astype(np.float32)
        for H, usable in zip(factors, linked.usable, strict=True)
    ]
    features = [np.asarray(X.toarray() if hasattr(X, "toarray") else X) for X in linked.matrices]
    pairs, _ = find_anchors((sides[0], sides[1]), (features[0], features[1]), PAPER.anchors)
    return Prepared(factors[0].astype(np.float32), factors[1].astype(np.float32), pairs)


def widths(layer: int, factor: float) -> tuple[int, ...]:
    """The published widths, one of them (or all) multiplied."""
    return tuple(
        max(1, round(width * factor)) if layer in (i, ALL) else width
        for i, width in enumerate(PUBLISHED)
    )


def accuracy(data: Prepared, hidden: tuple[int, ...], seed: int) -> float:
    params = PAPER.network.model_copy(update={"hidden": hidden})
    # integrate seeds the map of its first table with seed + 1
    mapped = fit_map((data.reference, data.cells), data.pairs, params, seed=seed + 1).cells
    same = np.arange(NUCLEI)
    return ng.integration_accuracy(data.reference, mapped, np.column_stack([same, same]))


def measured(seeds: list[int]) -> Iterator[tuple[int, int, float, float]]:
    """Seed, layer, factor and accuracy of every network."""
    for seed in seeds:
        start = time.perf_counter()
        data = prepared(seed)
        seconds = time.perf_counter() - start
        print(f"seed {seed}: {len(data.pairs):,} anchors, {seconds:.0f} s", file=sys.stderr)
        as_published = accuracy(data, PUBLISHED, seed)
        for layer in range(ALL + 1):
            for factor in FACTORS:
                hidden = widths(layer, factor)
                found = as_published if factor == 1 else accuracy(data, hidden, seed)
                print(seed, layer, hidden, f"{found:.4f}", file=sys.stderr, flush=True)
                yield seed, layer, factor, found


def name(layer: int) -> str:
    return "all layers" if layer == ALL else f"layer {layer + 1} ({PUBLISHED[layer]})"


def table(found: dict[tuple[int, float], list[float]]) -> str:
    head = " | ".join("as published" if f == 1 else f"× {f:g}" for f in FACTORS)
    lines = [f"| width of | {head} |", "|---" * (len(FACTORS) + 1) + "|"]
    for layer in range(ALL + 1):
        values = [found[layer, factor] for factor in FACTORS]
        cells = " | ".join(f"{np.mean(v):.3f} ± {np.std(v, ddof=1):.3f}" for v in values)
        lines.append(f"| {name(layer)} | {cells} |")
    return "\n".join(lines)


def draw(found: dict[tuple[int, float], list[float]], path: Path) -> None:
    """One panel a layer: every seed a dot, their mean a line."""
    figure = Figure(figsize=(9, 4.6), layout="constrained")
    FigureCanvasSVG(figure)
    axes = figure.subplots(2, 4, sharex=True, sharey=True)
    for layer, panel in enumerate(axes.flat):
        _panel(panel, layer, found)
    figure.supxlabel("width, as a multiple of the published one", fontsize=9)
    figure.supylabel("integration accuracy", fontsize=9)
    path.parent.mkdir(parents=True, exist_ok=True)
    with mpl.rc_context({"svg.hashsalt": path.stem}):  # the same file for the same numbers
        figure.savefig(path, metadata={"Date": None})


def _panel(panel: Axes, layer: int, found: dict[tuple[int, float], list[float]]) -> None:
    values = np.array([found[layer, factor] for factor in FACTORS])
    panel.plot(FACTORS, values.mean(axis=1), color="#0072b2", linewidth=1.5)
    for column in values.T:
        panel.plot(FACTORS, column, "o", color="#0072b2", markersize=3, alpha=0.5)
    panel.axhline(0.5, color="0.6", linewidth=0.8, linestyle=":")
    panel.set_xscale("log", base=2)
    panel.set_xticks(FACTORS, [f"{factor:g}" for factor in FACTORS], fontsize=8)
    panel.set_title(name(layer), fontsize=9)
    panel.tick_params(labelsize=8)
    panel.spines[["top", "right"]].set_visible(False)


def main(seeds: list[int], raw: Path | None) -> None:
    found: dict[tuple[int, float], list[float]] = {}
    for _, layer, factor, value in measured(seeds):
        found.setdefault((layer, factor), []).append(value)
    if raw:
        rows = [[layer, factor, values] for (layer, factor), values in found.items()]
        raw.write_text(json.dumps(rows), encoding="utf-8")
    print(f"SNARE-seq, {NUCLEI:,} nuclei, mean ± standard deviation over {len(seeds)} seeds\n")
    print(table(found))
    draw(found, FIGURE)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2])
    parser.add_argument("--raw", type=Path, help="also write every value, as JSON")
    given = parser.parse_args()
    main(given.seeds, given.raw)
