"""`integrate` with `preset="paper"`, step by step, beside a plain transcription of the paper."""

from typing import Any, NamedTuple

import numpy as np
import pandas as pd
import pytest
from anndata import AnnData
from scipy import sparse

from napari_gluer.integration.gluer import integrate
from napari_gluer.integration.imputation import impute
from napari_gluer.integration.network import fit_map
from napari_gluer.integration.params import IntegrateParams

SEED, RANK, ITERATIONS, EPOCHS = 3, 20, 200, 4
PARAMS = IntegrateParams(preset="paper", network={"max_epochs": EPOCHS})
N_REFERENCE, SIZES, N_GENES, N_LINKED = 120, (80, 50), 45, 25


class Case(NamedTuple):
    """Inputs, what came out, and the linked values as the paper normalises them."""

    reference: AnnData
    logs: np.ndarray
    linked: list[np.ndarray]
    results: list[AnnData]


def counts(rng: np.random.Generator, n: int, programmes: np.ndarray) -> np.ndarray:
    return rng.poisson(rng.gamma(0.7, 1, (n, len(programmes))) @ programmes).astype(np.float32)


@pytest.fixture(scope="module", params=[np.asarray, sparse.csr_matrix], ids=["dense", "sparse"])
def case(request: pytest.FixtureRequest) -> Case:
    rng = np.random.default_rng(1)
    programmes = rng.gamma(0.5, 2, (6, N_GENES))
    genes = pd.DataFrame(index=[f"GENE{i}" for i in range(N_GENES)])
    values = counts(rng, N_REFERENCE, programmes)
    reference = AnnData(
        request.param(values),
        obs=pd.DataFrame(index=[f"r{i}" for i in range(N_REFERENCE)]),
        var=genes,
    )
    logs = np.log1p(values / values.sum(axis=1, keepdims=True) * 1e4)
    tables, linked = [], [logs[:, :N_LINKED]]
    for n in SIZES:
        measured = np.log1p(counts(rng, n, programmes[:, :N_LINKED]))
        linked.append(measured)
        tables.append(
            AnnData(
                request.param(measured),
                obs=pd.DataFrame(index=[f"c{i}" for i in range(n)]),
                var=pd.DataFrame({"genes": genes.index[:N_LINKED]}, index=genes.index[:N_LINKED]),
                uns={"gluer": {"kind": "log1p"}},
            )
        )
    return Case(reference, logs, linked, integrate(tables, reference, PARAMS, seed=SEED))


def factors_of(case: Case, i: int) -> tuple[np.ndarray, np.ndarray]:
    result = case.results[i]
    return result.uns["gluer"]["reference_unmapped"], result.obsm["X_gluer_unmapped"]


def test_factors_are_the_printed_updates_from_a_uniform_start(case: Case) -> None:
    rng = np.random.default_rng(SEED)
    G = rng.random((N_LINKED, RANK))
    Hs = [rng.random((len(X), RANK)) for X in case.linked]
    Xs = [X.T.astype(float) for X in case.linked]  # genes × cells, as printed
    for _ in range(ITERATIONS):
        top = sum(X @ H for X, H in zip(Xs, Hs, strict=True))
        G = G * top / (G @ sum(H.T @ H for H in Hs))
        Hs = [
            H * (X.T @ G + H) / (H @ G.T @ G + 2 * H @ H.T @ H) for X, H in zip(Xs, Hs, strict=True)
        ]
    for i in range(len(SIZES)):
        for found, truth in zip(factors_of(case, i), (Hs[0], Hs[i + 1]), strict=True):
            np.testing.assert_allclose(found, truth, atol=1e-3 * truth.max())


def cosines(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    a, b = (side.astype(float) for side in (a, b))
    lengths = np.linalg.norm(a, axis=1)[:, None] * np.linalg.norm(b, axis=1)
    return a @ b.T / lengths


def mutual(like: np.ndarray, k: int) -> np.ndarray:
    """Whether column j is among the k best of row i and the reverse."""
    of_rows = (-like).argsort(axis=1).argsort(axis=1) < k
    of_columns = (-like).argsort(axis=0).argsort(axis=0) < k
    return of_rows & of_columns


def anchors(factors: tuple[np.ndarray, np.ndarray], features: Any) -> np.ndarray:
    """30 mutual neighbours in factors, 50 in features, then 3 partners on either side."""
    like = cosines(*factors)
    both = mutual(like, 30) & mutual(cosines(*features), 50)
    ranked = np.where(both, like, -np.inf)
    few = both
    for axis in (0, 1):
        few = few & ((-ranked).argsort(axis=axis).argsort(axis=axis) < 3)
    return np.argwhere(few)


@pytest.mark.parametrize("i", range(len(SIZES)))
def test_anchors_and_map_are_those_of_the_paper(case: Case, i: int) -> None:
    factors = factors_of(case, i)
    pairs = anchors(factors, (case.linked[0], case.linked[i + 1]))
    info = case.results[i].uns["gluer"]
    assert info["n_anchors"] == len(pairs) > 20
    np.testing.assert_array_equal(info["reference_factors"], factors[0])
    # each table has a map of its own; the training is written out in test_paper_network.py
    mapped = fit_map(factors, pairs, PARAMS.network, seed=SEED + i + 1).cells
    np.testing.assert_allclose(case.results[i].obsm["X_gluer"], mapped, atol=1e-6 * mapped.max())


@pytest.mark.parametrize("i", range(len(SIZES)))
def test_weights_and_imputed_genes_are_those_of_the_paper(case: Case, i: int) -> None:
    result = case.results[i]
    embedding, known = result.obsm["X_gluer"], result.uns["gluer"]["reference_factors"]
    distances = np.linalg.norm(embedding[:, None].astype(float) - known, axis=2)
    imputed = np.zeros((len(embedding), N_GENES))
    for cell, row in enumerate(distances):
        near = np.argsort(row)[:20]
        weights = np.exp(-row[near]) / np.exp(-row[near]).sum()
        imputed[cell] = weights @ case.logs[near]
    found = impute(result, case.reference, list(case.reference.var_names))
    np.testing.assert_allclose(found, imputed, atol=1e-4)
