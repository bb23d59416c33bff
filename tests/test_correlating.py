"""Correlations of columns against SciPy's, one by one."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from scipy import sparse
from scipy.stats import pearsonr, spearmanr

from napari_gluer.correlating import correlated, dense, rank_correlated, unit_columns


@given(st.integers(0, 2**16), st.integers(3, 40), st.integers(1, 5), st.booleans())
def test_every_column_is_that_of_scipy(seed: int, n: int, columns: int, counts: bool) -> None:
    rng = np.random.default_rng(seed)
    size = (2, n, columns)
    drawn = rng.poisson(0.7, size) if counts else rng.normal(size=size)
    a, b = drawn.astype(np.float32)
    pearson, spearman = correlated(a, b), rank_correlated(a, b)
    for i in range(columns):
        if np.ptp(a[:, i]) == 0 or np.ptp(b[:, i]) == 0:
            assert pearson[i] == spearman[i] == 0
        else:
            np.testing.assert_allclose(pearson[i], pearsonr(a[:, i], b[:, i])[0], atol=1e-5)
            np.testing.assert_allclose(spearman[i], spearmanr(a[:, i], b[:, i])[0], atol=1e-9)


def test_columns_that_vary_by_rounding_only_are_constant() -> None:
    values = np.full((10, 1), 1e6, np.float32)
    values[3] = np.nextafter(np.float32(1e6), np.float32(2e6))
    assert not unit_columns(values).any()


def test_dense_is_float32() -> None:
    matrix = sparse.csr_matrix(np.eye(3))
    assert dense(matrix).dtype == np.float32
    np.testing.assert_array_equal(dense(matrix), np.eye(3))
