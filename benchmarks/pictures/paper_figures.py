"""Every figure of `napari_gluer.figures`, drawn from real data.

    OMP_NUM_THREADS=1 python benchmarks/pictures/paper_figures.py OUT_DIR

SNARE-seq (3,000 nuclei, RNA and gene activity) and CITE-seq (proteins and RNA; two thirds of the
cells are the reference, the others have proteins only). The data lie in the folder that
NAPARI_GLUER_SHARED_DATA names, or in ../shared/data. Writes PNG, SVG and PDF;
matplotlib's warnings on the layout are errors.
"""

import os
import sys
import warnings
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from anndata import AnnData
from matplotlib.figure import Figure
from numpy.typing import NDArray

import napari_gluer as ng
from napari_gluer.analysis.layouts import Umap, laid_out
from napari_gluer.expression import expression
from napari_gluer.figures.accuracies import accuracy_figure
from napari_gluer.figures.coverage import coverage_figure
from napari_gluer.figures.dot_figure import dot_plot_figure
from napari_gluer.figures.dots import dot_plot
from napari_gluer.figures.embedding import embedding_figure
from napari_gluer.figures.files import save_figure
from napari_gluer.figures.held_out import held_out_figure
from napari_gluer.figures.params import SINGLE_COLUMN
from napari_gluer.figures.reliability import reliability_figure
from napari_gluer.figures.violins import violin_figure
from napari_gluer.integration.linking import cell_features, linked_features

ROOT = Path(__file__).resolve().parents[2]
DATA = Path(os.environ.get("NAPARI_GLUER_SHARED_DATA", ROOT.parent / "shared" / "data"))
TYPE = "cell_type"
NUCLEI, SEED = 3000, 0
MARKERS = ["CD3E", "CD4", "CD8A", "NKG7", "CD19", "MS4A1", "CD14", "FCGR3A", "ITGAX", "IL7R"]
PROTEINS = ["CD3", "CD4", "CD8a", "CD56", "CD19", "CD14", "CD16", "CD11c", "CD127"]
LEVELS = (0.5, 0.7, 0.8, 0.9, 0.95)
SHAPES = (".png", ".svg", ".pdf")


@dataclass(frozen=True, eq=False)
class Data:
    """A reference, integrated cells, and what the cells truly are."""

    reference: AnnData
    cells: AnnData
    truth: AnnData


def main(out: Path) -> None:
    nuclei, blood = snareseq(), citeseq()
    drawn = {
        **embeddings(nuclei),
        "accuracy": accuracy(nuclei),
        "dots": dots(blood),
        **violins(blood),
        "reliability_citeseq": reliability(blood),
        "reliability_snareseq": reliability(nuclei),
        "held_out": held_out(nuclei),
        "coverage": coverage(blood),
    }
    for name, figure in drawn.items():
        for suffix in SHAPES:
            save_figure(figure, out / f"{name}{suffix}")
        width, height = figure.get_size_inches() * 25.4
        sizes = [f"{(out / (name + suffix)).stat().st_size / 1e3:,.0f} kB" for suffix in SHAPES]
        print(f"{name}: {width:.0f} x {height:.0f} mm, {', '.join(sizes)}")


def snareseq() -> Data:
    folder = DATA / "snareseq_mouse_cortex"
    reference = ng.read_reference(folder / "rna.h5ad")
    cells = ng.read_cells(folder / "gene_activity.h5ad", kind="activity")
    known = np.flatnonzero((reference.obs[TYPE] != "Mis").to_numpy())
    rows = np.sort(np.random.default_rng(SEED).choice(known, NUCLEI, replace=False))
    reference, cells = reference[rows].copy(), cells[rows].copy()
    return Data(reference, ng.integrate(cells, reference, seed=SEED), reference)


def citeseq() -> Data:
    folder = DATA / "citeseq_pbmc_bremsc"
    rna, adt = ng.read_reference(folder / "rna.h5ad"), ng.read_cells(folder / "adt.h5ad")
    known = np.flatnonzero((rna.obs[TYPE] != "unknown").to_numpy())
    order = np.random.default_rng(SEED).permutation(known)
    query, others = np.sort(order[::3]), np.sort(np.setdiff1d(order, order[::3]))
    reference, truth = rna[others].copy(), rna[query].copy()
    cells = ng.integrate(adt[query].copy(), reference, seed=SEED)
    return Data(reference, cells, truth)


def embeddings(data: Data) -> dict[str, Figure]:
    joint = ng.coembed(data.cells, data.reference, seed=SEED)
    joint.obsm["X_umap_before"] = laid_out(joint.obsm["X_gluer_unmapped"], Umap(), seed=SEED)
    gene = "Slc1a2"
    known = expression(data.reference).columns([gene])[:, 0]
    imputed = ng.impute(data.cells, data.reference, gene)
    joint.obs[f"{gene}, log1p (measured in reference, imputed in cells)"] = [*known, *imputed]
    bases = {"before": "X_umap_before", "after": "X_umap"}
    return {
        "embedding_source": embedding_figure(joint, basis=bases),
        "embedding_types": embedding_figure(joint, TYPE, basis=bases),
        "embedding_gene": embedding_figure(joint, joint.obs.columns[-1]),
        "embedding_joint": embedding_figure(
            joint, basis=bases, panels="joint", params=SINGLE_COLUMN
        ),
    }


def accuracy(data: Data) -> Figure:
    n = data.cells.n_obs
    pairs = np.column_stack([np.arange(n), np.arange(n)])
    known = data.cells.uns["gluer"]
    default = (known["reference_factors"], data.cells.obsm["X_gluer"])
    unmapped = (known["reference_unmapped"], data.cells.obsm["X_gluer_unmapped"])
    links = linked_features(data.cells, data.reference)
    activity = zscores(cell_features(data.cells, links))
    genes = [names[0] for names in links["genes"]]
    features = (zscores(expression(data.reference).columns(genes)), activity)
    found = {
        name: ng.integration_accuracies(*sides, pairs)
        for name, sides in (
            ("napari-gluer", default),
            ("before the map", unmapped),
            ("standardised features", features),
        )
    }
    return accuracy_figure(found, ng.compare_accuracies(found))


def dense(matrix: Any) -> NDArray[np.float64]:
    return np.asarray(matrix.toarray() if hasattr(matrix, "toarray") else matrix, np.float64)


def zscores(matrix: Any) -> NDArray[np.float64]:
    values = dense(matrix)
    spread = values.std(axis=0)
    return (values - values.mean(axis=0)) / np.where(spread > 0, spread, 1)


def dots(data: Data) -> Figure:
    types = data.truth.obs[TYPE].astype(str)
    rna = pd.DataFrame(expression(data.truth).columns(MARKERS), types.index, MARKERS)
    counts = np.log1p(dense(data.cells[:, PROTEINS].X))
    protein = pd.DataFrame(counts - counts.mean(axis=1, keepdims=True), types.index, PROTEINS)
    return dot_plot_figure({"RNA": dot_plot(rna, types), "protein": dot_plot(protein, types)})


def violins(data: Data) -> dict[str, Figure]:
    genes = ["CD3E", "NKG7", "MS4A1", "CD14", "LYZ", "IL7R"]
    names = data.cells.obs_names
    measured = pd.DataFrame(expression(data.truth).columns(genes), names, genes)
    imputed = pd.DataFrame(ng.impute(data.cells, data.reference, genes), names, genes)
    types = pd.Series(data.truth.obs[TYPE].to_numpy(), names)
    two = ["CD3E", "LYZ"]
    return {
        "violins_genes": violin_figure(measured, imputed, params=SINGLE_COLUMN),
        "violins_types": violin_figure(measured[two], imputed[two], types),
    }


def reliability(data: Data) -> Figure:
    found = ng.transfer_labels(data.cells, data.reference, TYPE)
    called = found[f"{TYPE}_transferred"].astype(object).to_numpy()
    right = called == data.truth.obs[TYPE].astype(str).to_numpy()
    return reliability_figure(found[f"{TYPE}_probability"].to_numpy(), right)


def held_out(data: Data) -> Figure:
    """A fifth of the linked genes is left out; null: the names of all other genes are shuffled."""
    links = linked_features(data.cells, data.reference)
    rng = np.random.default_rng(SEED)
    hidden = rng.permutation(links.index.to_numpy())[::5]
    hidden = hidden[(dense(data.cells[:, hidden].X) > 0).mean(axis=0) > 0.02]
    measured = dense(data.cells[:, hidden].X)
    bare = data.cells[:, ~data.cells.var_names.isin(hidden)].copy()
    real = correlations(bare, data.reference, hidden, measured)
    shuffled = bare.copy()
    shuffled.var_names = rng.permutation(bare.var_names.to_numpy())
    null = np.nanquantile(correlations(shuffled, data.reference, hidden, measured), [0.05, 0.95])
    grade = np.select(
        [real > 0.2, real > 0.1, real > null[1]], ["good", "fair", "weak"], "no better than chance"
    )
    table = pd.DataFrame({"gene": hidden, "correlation": real, "grade": grade})
    return held_out_figure(table, null=(float(null[0]), float(null[1])))


def correlations(
    cells: AnnData, reference: AnnData, genes: NDArray[np.object_], measured: NDArray[np.floating]
) -> NDArray[np.float64]:
    found = ng.impute(ng.integrate(cells, reference, seed=SEED), reference, list(genes))
    ranks = [pd.DataFrame(side).rank() for side in (found, measured)]
    return ranks[0].corrwith(ranks[1]).to_numpy()


def coverage(data: Data) -> Figure:
    """Split conformal intervals: widths from one half of the cells, judged on the other."""
    own = expression(data.truth)
    often = (dense(own.matrix) > 0).mean(axis=0) > 0.2
    genes = [gene for gene in own.genes[often] if gene in set(data.reference.var_names)][:200]
    measured, imputed = own.columns(genes), ng.impute(data.cells, data.reference, genes)
    half = np.random.default_rng(SEED).random(len(measured)) < 0.5
    residuals = np.abs(measured - imputed)
    rows = []
    for level in LEVELS:
        rank = min(int(np.ceil((half.sum() + 1) * level)), half.sum())
        width = np.sort(residuals[half], axis=0)[rank - 1]
        inside = residuals[~half] <= width
        expressed = measured[~half] > 0
        for j, gene in enumerate(genes):
            for kind, held in (
                ("all values", np.ones(len(inside), bool)),
                ("expressed values", expressed[:, j]),
            ):
                rows.append((gene, kind, level, inside[held, j].mean(), held.sum()))
    return coverage_figure(pd.DataFrame(rows, columns=["gene", "kind", "asked", "found", "n"]))


if __name__ == "__main__":
    warnings.filterwarnings("error", category=UserWarning, message=".*(layout|Glyph)")
    main(Path(sys.argv[1]))
