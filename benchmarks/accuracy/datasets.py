"""The data sets and what is asked of them. Types called `unknown` or `Mis` are left out."""

import os
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np
from anndata import AnnData
from benchmarks.accuracy.problems import (
    Problem,
    Truth,
    dense,
    hidden_features,
    hidden_transcriptomes,
    make,
)

import napari_gluer as ng
from napari_gluer.expression import expression

ROOT = Path(__file__).resolve().parents[2]
DATA = Path(os.environ.get("NAPARI_GLUER_SHARED_DATA", ROOT.parent / "shared" / "data"))
NUCLEI = 3000
GENE_FOLDS, CELL_FOLDS = 5, 3
NO_TYPES = ("unknown", "Mis")


@dataclass(frozen=True)
class Dataset:
    """One column of the tables."""

    title: str
    make: Callable[[int], Problem]
    seeds: tuple[int, ...] = (0, 1, 2)
    timing_only: bool = False


@cache
def _snareseq() -> tuple[AnnData, AnnData]:
    folder = DATA / "snareseq_mouse_cortex"
    reference = ng.read_reference(folder / "rna.h5ad")
    return _typed(reference, ng.read_cells(folder / "gene_activity.h5ad", kind="activity"))


@cache
def citeseq() -> tuple[AnnData, AnnData]:
    folder = DATA / "citeseq_pbmc_bremsc"
    return _typed(ng.read_reference(folder / "rna.h5ad"), ng.read_cells(folder / "adt.h5ad"))


@cache
def _seqfish() -> tuple[AnnData, AnnData]:
    folder = DATA / "seqfish_zhu_tasic"
    return (
        ng.read_reference(folder / "tasic_scrna_113.h5ad"),
        ng.read_cells(folder / "seqfish_113.h5ad"),
    )


def _typed(reference: AnnData, cells: AnnData) -> tuple[AnnData, AnnData]:
    if list(reference.obs_names) != list(cells.obs["cell_id"]):
        raise ValueError("The two tables do not hold the same cells in the same order.")
    kept = ~reference.obs["cell_type"].astype(str).isin(NO_TYPES).to_numpy()
    return reference[kept].copy(), cells[kept].copy()


def some_nuclei(seed: int) -> tuple[AnnData, AnnData]:
    reference, cells = _snareseq()
    rng = np.random.default_rng(seed)
    kept = np.sort(rng.choice(reference.n_obs, NUCLEI, replace=False))
    return reference[kept].copy(), cells[kept].copy()


def _paired(reference: AnnData, cells: AnnData) -> Problem:
    types = _types(reference)
    same = np.arange(reference.n_obs)
    return make(reference, cells, Truth(types=types, pairs=np.column_stack([same, same])))


def _seqfish_types(cells: AnnData) -> np.ndarray:
    return np.asarray(cells.obs["svm_label"].astype(str), str)


def simulated(seed: int) -> tuple[AnnData, AnnData, AnnData]:
    """Reference, cells on their true masks, and row by row the truth about them."""
    tissue = ng.sample_tissue(seed)
    cells = ng.clean(ng.measure(tissue.image, tissue.labels))
    place = {int(label): i for i, label in enumerate(tissue.truth.obs["label"])}
    return tissue.reference, cells, tissue.truth[[place[int(v)] for v in cells.obs["label"]]]


def typed_tables(name: str, seed: int) -> tuple[AnnData, AnnData, np.ndarray]:
    """Reference, cells and the true type of each cell."""
    if name == "sample":
        reference, cells, true = simulated(seed)
        return reference, cells, _types(true)
    if name == "seqfish":
        reference, cells = _seqfish()
        return reference, cells, _seqfish_types(cells)
    reference, cells = some_nuclei(seed) if name == "snareseq" else citeseq()
    return reference, cells, _types(reference)


def _types(table: AnnData) -> np.ndarray:
    return np.asarray(table.obs["cell_type"].astype(str), str)


def _sample(seed: int) -> Problem:
    """The simulated tissue on its true masks; genes that the panel does not measure are judged."""
    reference, cells, true = simulated(seed)
    links = ng.linked_features(cells, reference, least_detected=0)
    linked = {gene for genes in links["genes"] for gene in genes}
    known = set(expression(reference).genes) - linked
    values = dense(true.X)
    judged = ((values > 0).mean(axis=0) >= 0.1) & true.var_names.isin(known)
    targets = [[str(gene)] for gene in true.var_names[judged]]
    truth = Truth(types=_types(true), targets=values[:, judged])
    return make(reference, cells, truth, targets=targets)


def _mibi(_seed: int) -> Problem:
    folder = DATA / "mibi_dcis_simpleseg"
    image = ng.read_image(folder / "Point2203_pt1072_31606.ome.tif")
    labels = ng.read_labels(folder / "Point2203_pt1072_31606_mask_simpleseg.tif")
    return make(citeseq()[0], ng.measure(image, labels), Truth())


def _codex(_seed: int) -> Problem:
    cells = ng.read_cells(DATA / "codex_human_spleen" / "codex_spleen_10000x28.h5ad")
    return make(citeseq()[0], cells, Truth())


DATASETS: dict[str, Dataset] = {
    "snareseq": Dataset("SNARE-seq, 3,000 nuclei", lambda seed: _paired(*some_nuclei(seed))),
    "snareseq_all": Dataset("SNARE-seq, all nuclei", lambda _seed: _paired(*_snareseq())),
    "citeseq": Dataset("CITE-seq, 10 proteins", lambda _seed: _paired(*citeseq())),
    "seqfish": Dataset(
        "seqFISH ← Tasic",
        lambda _seed: make(*_seqfish(), Truth(types=_seqfish_types(_seqfish()[1]))),
    ),
    "sample": Dataset("simulated tissue", _sample),
    "snareseq_hidden": Dataset(
        "SNARE-seq, hidden transcriptomes",
        lambda seed: hidden_transcriptomes(*some_nuclei(0), (seed, CELL_FOLDS)),
    ),
    "citeseq_hidden": Dataset(
        "CITE-seq, hidden transcriptomes",
        lambda seed: hidden_transcriptomes(*citeseq(), (seed, CELL_FOLDS)),
    ),
    "seqfish_genes": Dataset(
        "seqFISH, held-out genes",
        lambda seed: hidden_features(
            *_seqfish(), _seqfish_types(_seqfish()[1]), (seed, GENE_FOLDS)
        ),
        tuple(range(GENE_FOLDS)),
    ),
    "citeseq_genes": Dataset(
        "CITE-seq, held-out proteins",
        lambda seed: hidden_features(*citeseq(), None, (seed, GENE_FOLDS)),
        tuple(range(GENE_FOLDS)),
    ),
    "snareseq_genes": Dataset(
        "SNARE-seq, held-out genes",
        lambda seed: hidden_features(*some_nuclei(0), None, (seed, GENE_FOLDS)),
    ),
    "mibi": Dataset("MIBI breast ← PBMC", _mibi, (0,), timing_only=True),
    "codex": Dataset("CODEX spleen ← PBMC", _codex, (0,), timing_only=True),
}
