"""Products against NumPy in double precision, on the processor and on the path of a GPU."""

from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from scipy import sparse

from napari_gluer import products
from napari_gluer.errors import InputError
from napari_gluer.integration.factorize import joint_nmf
from napari_gluer.integration.params import FactorizeParams
from napari_gluer.integration.singular import joint_singular_factors
from napari_gluer.integration.standard import standardized
from napari_gluer.products import Products

STORED = st.sampled_from([np.asarray, sparse.csr_matrix])


DEVICES = pytest.mark.parametrize(
    "device", ["cpu", *(["cuda"] if torch.cuda.is_available() else [])]
)


def by_pytorch(patch: pytest.MonkeyPatch) -> None:
    """Take the path of a GPU, on PyTorch's `cpu` too."""
    patch.setattr(products, "_by_numpy", lambda _device, _matrix: False)


def values(seed: int, n: int, p: int, dtype: Any = np.float32) -> np.ndarray:
    rng = np.random.default_rng(seed)
    return rng.poisson(0.7, (n, p)).astype(dtype) * rng.random((n, p)).astype(dtype)


@given(
    seed=st.integers(0, 2**16),
    n=st.integers(0, 40),
    p=st.integers(1, 9),
    height=st.integers(1, 50),
    stored=STORED,
    there=st.booleans(),
)
def test_every_product_is_that_of_numpy(
    seed: int, n: int, p: int, height: int, stored: Any, there: bool
) -> None:
    X = values(seed, n, p)
    rng = np.random.default_rng(seed)
    wide, tall = rng.normal(size=(p, 3)), rng.normal(size=(n, 2))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(products, "_BLOCK_ROWS", height)
        if there:
            by_pytorch(patch)
        found = Products(stored(X))
        exact = X.astype(float)
        np.testing.assert_allclose(found.times(wide), exact @ wide, atol=1e-5)
        np.testing.assert_allclose(found.transposed_times(tall), exact.T @ tall, atol=1e-5)
        np.testing.assert_allclose(found.gram(), exact.T @ exact, atol=1e-5)
        assert found.times(wide).dtype == np.float32
        assert found.transposed_times(tall).dtype == found.gram().dtype == np.float64


def test_sums_over_many_blocks_are_in_double_precision(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(products, "_BLOCK_ROWS", 1)
    X = np.array([[2**24]] + [[1]] * 9, np.float32)  # in float32 a 1 more is lost
    found = Products(X).transposed_times(np.ones((10, 1), np.float32))
    assert found.item() == 2**24 + 9


@DEVICES
@pytest.mark.parametrize("stored", [np.asarray, sparse.csr_matrix])
def test_double_precision_stays_double(
    stored: Any, device: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    by_pytorch(monkeypatch)
    X = values(1, 30, 5, np.float64)
    right = np.random.default_rng(1).normal(size=(5, 2))
    found = Products(stored(X), device).times(right)
    assert found.dtype == np.float64
    np.testing.assert_allclose(found, X @ right, rtol=1e-13)


@DEVICES
@pytest.mark.parametrize("stored", [np.asarray, sparse.csr_matrix])
@pytest.mark.parametrize("update", ["coordinate", "multiplicative"])
def test_the_joint_nmf_is_the_same_there(
    stored: Any, update: str, device: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    data = [stored(values(2, n, 12)) for n in (40, 30)]
    params = FactorizeParams(rank=4, alpha=0, max_iter=20, update={"kind": update})
    here = joint_nmf(data, params, seed=3)
    by_pytorch(monkeypatch)
    there = joint_nmf(data, params, seed=3, device=device)
    np.testing.assert_allclose(there.G, here.G, atol=1e-3 * here.G.max())
    for H, truth in zip(there.H, here.H, strict=True):
        np.testing.assert_allclose(H, truth, atol=1e-3 * truth.max())
    np.testing.assert_allclose(there.loss, here.loss, rtol=1e-4)


@DEVICES
@pytest.mark.parametrize("stored", [np.asarray, sparse.csr_matrix])
@pytest.mark.parametrize("exact_up_to", [1000, 3])
def test_the_joint_singular_factors_are_the_same_there(
    stored: Any, exact_up_to: int, device: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("napari_gluer.integration.singular._EXACT_UP_TO", exact_up_to)
    data = [stored(values(4, n, 8)) for n in (60, 50)]
    here = joint_singular_factors([standardized(X) for X in data], 3, seed=1)
    by_pytorch(monkeypatch)
    there = joint_singular_factors([standardized(X, device=device) for X in data], 3, seed=1)
    np.testing.assert_allclose(there.G, here.G, atol=1e-4)
    for H, truth in zip(there.H, here.H, strict=True):
        np.testing.assert_allclose(H, truth, atol=1e-3)


@pytest.mark.filterwarnings("error")
def test_columns_of_a_sparse_row_may_come_in_any_order_and_twice(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    by_pytorch(monkeypatch)
    values, columns, begins = np.ones(4, np.float32), np.array([2, 0, 1, 1]), np.array([0, 2, 4])
    X = sparse.csr_matrix((values, columns, begins), (2, 3))
    right = np.array([[1.0], [10], [100]])
    np.testing.assert_array_equal(Products(X).times(right), [[101], [20]])
    assert X.nnz == 4


@pytest.mark.parametrize(
    ("device", "dtype", "stored", "here"),
    [
        ("cpu", np.float32, np.asarray, True),
        ("cuda", np.float64, sparse.csr_matrix, False),
        ("mps", np.float32, np.asarray, False),
        ("mps", np.float64, np.asarray, True),
        ("mps", np.float32, sparse.csr_matrix, True),
    ],
)
def test_what_a_device_cannot_do_stays_on_the_processor(
    device: str, dtype: Any, stored: Any, here: bool
) -> None:
    assert products._by_numpy(torch.device(device), stored(np.ones((2, 2), dtype))) == here


def test_a_device_that_is_not_there_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    with pytest.raises(InputError, match="offers no 'cuda'"):
        joint_nmf([values(0, 9, 4)], device="cuda")
