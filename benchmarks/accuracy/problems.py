"""A problem: what methods may see, and apart from it the truth that they are judged by."""

import hashlib
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from anndata import AnnData
from benchmarks.accuracy.exchange import Inputs, Names, read_names, write_names
from numpy.typing import NDArray
from scipy import sparse

import napari_gluer as ng
from napari_gluer.expression import Expression, expression
from napari_gluer.integration.linking import cell_features, reference_features

Array = NDArray[np.float32]


@dataclass(frozen=True, eq=False)
class Truth:
    """What is known of the cells; None where it is not.

    Attributes
    ----------
    types
        True type of each cell, ``(n_cells,)``; empty where unknown.
    pairs
        ``(n_pairs, 2)``: rows of reference and cells that are one cell.
    targets
        True values of the targets, ``(n_cells, n_targets)``.
    """

    types: NDArray[np.str_] | None = None
    pairs: NDArray[np.int64] | None = None
    targets: Array | None = None

    def write(self, folder: Path) -> None:
        """Write what is known."""
        folder.mkdir(parents=True, exist_ok=True)
        for name in ("pairs", "targets"):
            if getattr(self, name) is not None:
                np.save(folder / f"{name}.npy", getattr(self, name))
        if self.types is not None:
            write_names(folder / "types.txt", self.types)

    @classmethod
    def read(cls, folder: Path) -> "Truth":
        """Read what `write` wrote."""
        arrays = {
            name: np.load(folder / f"{name}.npy")
            for name in ("pairs", "targets")
            if (folder / f"{name}.npy").exists()
        }
        types = folder / "types.txt"
        return cls(**arrays, types=np.array(read_names(types), str) if types.exists() else None)


@dataclass(frozen=True, eq=False)
class Problem:
    """One task for all methods."""

    inputs: Inputs
    truth: Truth

    def write(self, folder: Path) -> None:
        """Write inputs, truth and, last, sizes and the digest of all files."""
        self.inputs.write(folder / "inputs")
        self.truth.write(folder / "truth")
        digest = hashlib.sha256()
        for path in sorted(folder.glob("*/*")):
            digest.update(path.name.encode() + path.read_bytes())
        sizes = {
            "reference": len(self.inputs.reference),
            "cells": len(self.inputs.cells),
            "features": len(self.inputs.features),
            "targets": len(self.inputs.targets),
            "types": len(set(self.inputs.reference_types)),
        }
        meta = {"digest": digest.hexdigest(), "sizes": sizes}
        (folder / "problem.json").write_text(json.dumps(meta), encoding="utf-8")


def make(
    reference: AnnData,
    cells: AnnData,
    truth: Truth,
    *,
    targets: list[Names] | None = None,
    column: str | None = "cell_type",
) -> Problem:
    """All linked features that vary on both sides, normalised as `integrate` does."""
    expressed = expression(reference)
    links = ng.linked_features(cells, reference, least_detected=0)
    sides = [dense(reference_features(expressed, links)), dense(cell_features(cells, links))]
    varying = np.all([side.std(axis=0) > 0 for side in sides], axis=0)
    links = links.loc[varying]
    types = reference.obs[column].astype(str).to_numpy(str) if column else np.array([], str)
    inputs = Inputs(
        reference=sides[0][:, varying],
        cells=sides[1][:, varying],
        features=[str(name) for name in links.index],
        genes_of_features=[list(genes) for genes in links["genes"]],
        expression=expressed.matrix,
        genes=[str(gene) for gene in expressed.genes],
        reference_types=types,
        targets=targets or [],
    )
    return Problem(inputs, truth)


def hidden_features(
    reference: AnnData, cells: AnnData, types: NDArray[np.str_] | None, fold: tuple[int, int]
) -> Problem:
    """Hide every `fold[1]`-th of the shuffled linked features; the truth is as measured."""
    number, n_folds = fold
    links = ng.linked_features(cells, reference, least_detected=0)
    order = np.random.default_rng(number // n_folds).permutation(len(links))
    hidden = np.sort(order[number % n_folds :: n_folds])
    measured = dense(cell_features(cells, links))[:, hidden]
    varying = measured.std(axis=0) > 0
    hidden, measured = hidden[varying], measured[:, varying]
    targets = [list(genes) for genes in links["genes"].iloc[hidden]]
    left = cells[:, ~cells.var_names.isin(links.index[hidden])].copy()
    return make(reference, left, Truth(types=types, targets=measured), targets=targets)


def hidden_transcriptomes(
    reference: AnnData, cells: AnnData, fold: tuple[int, int], n_genes: int = 500
) -> Problem:
    """One fold of paired cells is only the query, the other cells are only the reference.

    The truth is the query cells' own RNA: the `n_genes` most variable genes that at least 5 % of
    them express.
    """
    number, n_folds = fold
    order = np.random.default_rng(number // n_folds).permutation(reference.n_obs)
    query = np.sort(order[number % n_folds :: n_folds])
    others = np.setdiff1d(order, query)
    own = expression(reference[query].copy())
    names, values = variable_genes(own, expression(reference[others].copy()), n_genes)
    types = reference.obs["cell_type"].astype(str).to_numpy(str)[query]
    truth = Truth(types=types, targets=values)
    left, hidden = reference[others].copy(), cells[query].copy()
    return make(left, hidden, truth, targets=[[name] for name in names])


def variable_genes(
    own: Expression, known: Expression, n_genes: int, *, least: float = 0.05
) -> tuple[Names, Array]:
    """Most variable of the genes that enough cells express and the reference has too."""
    elsewhere = set(known.genes)
    shared = [str(gene) for gene in own.genes if gene in elsewhere]
    matrix = own.matrix[:, own.genes.get_indexer(pd.Index(shared))]
    values = dense(matrix)
    enough = (values > 0).mean(axis=0) >= least
    ranked = np.argsort(-values.var(axis=0) * enough, kind="stable")[:n_genes]
    chosen = np.sort(ranked[enough[ranked] & (values[:, ranked].std(axis=0) > 0)])
    return [shared[i] for i in chosen], values[:, chosen]


def dense(matrix: Any) -> Array:
    """Float32, not sparse."""
    return np.asarray(matrix.toarray() if sparse.issparse(matrix) else matrix, np.float32)
