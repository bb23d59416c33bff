from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import sparse

import napari_gluer as ng
from napari_gluer.errors import InputError
from napari_gluer.integration.quality import QualityParams, quality_of


def log_normalised(counts: np.ndarray) -> sparse.csr_matrix:
    total = counts.sum(axis=1, keepdims=True)
    return sparse.csr_matrix(np.log1p(1e4 * counts / np.where(total > 0, total, 1)))


def table(n_genes: int) -> tuple[np.ndarray, pd.Index]:
    """Five cells: good, poor in genes, rich in genes, dying, empty."""
    counts = np.zeros((5, n_genes))
    counts[0, : n_genes // 4] = 2
    counts[1, :3] = 9
    counts[2, : n_genes - 5] = 1
    counts[3, : n_genes // 4] = 1
    counts[3, -1] = n_genes
    names = [f"G{i}" for i in range(n_genes - 1)] + ["mt-Nd1"]
    return counts, pd.Index(names)


def test_without_bounds_every_cell_is_usable() -> None:
    counts, genes = table(100)
    found = quality_of(log_normalised(counts), genes)
    assert found.usable.all()
    assert found.text == ""


def test_each_bound_finds_its_cell() -> None:
    counts, genes = table(20_000)
    params = QualityParams(least_genes=200, most_genes=10_000, most_mitochondrial=0.5)
    found = quality_of(log_normalised(counts), genes, params)
    assert list(found.usable) == [True, False, False, False, False]
    assert found.reasons == {"too few genes": 2, "too many genes": 1, "mitochondrial": 1}
    assert found.text == (
        "4 poor reference cells have no say (too few genes 2, too many genes 1, mitochondrial 1)"
    )


def test_bounds_shrink_with_the_panel() -> None:
    """200 of 20,000 genes are 1 of 100: a panel does not lose its cells."""
    counts, genes = table(100)
    found = quality_of(log_normalised(counts), genes, QualityParams(least_genes=200))
    assert list(found.usable) == [True, True, True, True, False]


@given(st.integers(0, 10_000), st.floats(0.5, 200))
def test_the_mitochondrial_share_is_that_of_the_counts(seed: int, depth: float) -> None:
    rng = np.random.default_rng(seed)
    counts = rng.poisson(2, (30, 12)) * depth
    genes = pd.Index([*(f"G{i}" for i in range(9)), "MT-CO1", "MT-ND1", "MTOR"])
    total = np.maximum(counts.sum(axis=1), 1)
    share = counts[:, 9:11].sum(axis=1) / total
    bound = float(np.median(share)) + 1e-6
    found = quality_of(log_normalised(counts), genes, QualityParams(most_mitochondrial=bound))
    np.testing.assert_array_equal(found.usable, share <= bound)


def test_no_cell_left_is_an_error_that_says_what_was_found() -> None:
    counts, genes = table(100)
    with pytest.raises(InputError, match=r"None of the 5 reference cells.*too few genes 5.*least"):
        quality_of(log_normalised(counts), genes, QualityParams(least_genes=100_000))


def test_dying_reference_cells_have_no_say(typed: Any) -> None:
    reference = typed.reference.copy()
    reference.var_names = [*reference.var_names[:-1], "MT-CO1"]
    counts = reference.X.toarray()
    dying = np.arange(0, reference.n_obs, 10)
    counts[:, -1] = 0
    counts[dying, -1] = 2 * counts[dying].sum(axis=1)
    reference.X = sparse.csr_matrix(counts)
    weights = ng.integrate(typed.cells, reference).obsm["gluer_weights"]
    assert weights.shape == (typed.cells.n_obs, reference.n_obs)
    assert weights[:, dying].nnz == 0
    np.testing.assert_allclose(weights.sum(axis=1), 1, rtol=1e-5)
    all_cells = ng.IntegrateParams(quality={"most_mitochondrial": 1.0, "least_genes": 0})
    assert ng.integrate(typed.cells, reference, all_cells).obsm["gluer_weights"][:, dying].nnz > 0


def test_the_matrix_is_left_as_it_is() -> None:
    """Also the order of its entries, which a comparison by SciPy would sort."""
    indices, data = np.array([3, 0, 1, 2]), np.array([1.0, 2.0, 0.0, 4.0])
    matrix = sparse.csr_matrix((data, indices, np.array([0, 2, 2, 4])), (3, 4))
    genes = pd.Index(["A", "B", "C", "MT-1"])
    found = quality_of(matrix, genes, QualityParams(least_genes=5000, most_mitochondrial=0.9))
    assert list(found.usable) == [True, False, True]
    np.testing.assert_array_equal(matrix.indices, [3, 0, 1, 2])
    np.testing.assert_array_equal(matrix.data, data)
