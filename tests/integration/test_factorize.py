import warnings
from collections.abc import Iterable, Iterator
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import sparse
from sklearn.decomposition import NMF
from sklearn.exceptions import ConvergenceWarning

from napari_gluer.errors import InputError
from napari_gluer.integration.factorize import joint_nmf
from napari_gluer.integration.params import CoordinateDescent, FactorizeParams, Multiplicative
from napari_gluer.track import Cancelled

ALL_ITERATIONS = 50
DENSE_AND_SPARSE = [np.asarray, sparse.csr_matrix]


def ordinary(seed: int, sizes: tuple[int, ...] = (30, 22), genes: int = 14) -> list[np.ndarray]:
    """Values as log1p per 10,000 has them: a few programmes, noise, many zeros."""
    rng = np.random.default_rng(seed)
    programmes = rng.gamma(1, 1, (4, genes))
    return [
        np.maximum(rng.gamma(1, 1, (n, 4)) @ programmes / 2 + rng.normal(0, 0.7, (n, genes)), 0)
        for n in sizes
    ]


def start(data: list[np.ndarray], rank: int, seed: int = 0) -> tuple[np.ndarray, list[np.ndarray]]:
    rng = np.random.default_rng(seed)
    return rng.random((data[0].shape[1], rank)), [rng.random((len(X), rank)) for X in data]


def as_printed(
    data: list[np.ndarray], G: np.ndarray, Hs: list[np.ndarray], alpha: float, c: int, n: int
) -> tuple[np.ndarray, list[np.ndarray]]:
    """DESIGN section 4, with X_i genes × cells, as the paper has it."""
    Xs = [X.T for X in data]
    Hs = list(Hs)
    for _ in range(n):
        top = sum(X @ H for X, H in zip(Xs, Hs, strict=True))
        G = G * top / (G @ sum(H.T @ H for H in Hs))
        for i, (X, H) in enumerate(zip(Xs, Hs, strict=True)):
            Hs[i] = H * (X.T @ G + c * alpha * H) / (H @ G.T @ G + 2 * alpha * H @ H.T @ H)
    return G, Hs


def naive_loss(data: list[Any], G: np.ndarray, Hs: list[np.ndarray], alpha: float) -> float:
    total = 0.0
    for X, H in zip(data, Hs, strict=True):
        X, H = np.asarray(X, float), np.asarray(H, float)  # noqa: PLW2901
        total += ((X.T - np.asarray(G, float) @ H.T) ** 2).sum()
        total += alpha * ((H.T @ H - np.eye(H.shape[1])) ** 2).sum()
    return total


@pytest.mark.parametrize("stored", DENSE_AND_SPARSE)
@pytest.mark.parametrize("alpha", [0.0, 1.0, 3.0])
@pytest.mark.parametrize("c", [1, 2])
def test_equals_the_printed_update(stored: Any, alpha: float, c: int) -> None:
    data = ordinary(1)
    G, Hs = start(data, 5)
    params = FactorizeParams(
        rank=5, alpha=alpha, max_iter=ALL_ITERATIONS, update=Multiplicative(constant=c)
    )
    expected_G, expected_Hs = as_printed(data, G, Hs, alpha, c, ALL_ITERATIONS)
    for dtype, relative, share in ((np.float64, 1e-5, 1e-12), (np.float32, 0, 1e-3)):
        given_data = [stored(X.astype(dtype)) for X in data]
        found = joint_nmf(given_data, params, init=(G, Hs))
        for ours, truth in zip([found.G, *found.H], [expected_G, *expected_Hs], strict=True):
            assert ours.dtype == dtype
            np.testing.assert_allclose(ours, truth, rtol=relative, atol=share * truth.max())


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
@pytest.mark.parametrize(
    "params",
    [
        FactorizeParams(rank=4, alpha=1),
        FactorizeParams(rank=4, alpha=0.5, update=Multiplicative(constant=2)),
        FactorizeParams(rank=4, alpha=0, update=CoordinateDescent()),
    ],
)
def test_loss_is_the_objective_after_each_iteration(params: FactorizeParams, dtype: Any) -> None:
    data = [X.astype(dtype) for X in ordinary(2)]
    init = start(data, 4)
    n = 12
    whole = joint_nmf(data, params.model_copy(update={"max_iter": n}), init=init)
    assert whole.loss.shape == (n,)
    for i in range(n):
        until = joint_nmf(data, params.model_copy(update={"max_iter": i + 1}), init=init)
        truth = naive_loss(data, until.G, until.H, params.alpha)
        np.testing.assert_allclose(whole.loss[i], truth, rtol=1e-9 if dtype == np.float64 else 1e-5)


def test_single_precision_keeps_the_loss_of_a_close_fit() -> None:
    rng = np.random.default_rng(0)
    G, H = rng.random((300, 8)), rng.random((4000, 8))
    data = [(H @ G.T + 0.2 * rng.random((4000, 300))).astype(np.float32)]
    params = FactorizeParams(rank=8, alpha=0, max_iter=3, update=CoordinateDescent())
    found = joint_nmf(data, params, init=(G, [H]))
    truth = naive_loss(data, found.G, found.H, 0)
    np.testing.assert_allclose(found.loss[-1], truth, rtol=2e-3)


@given(
    st.integers(0, 2**16),
    st.lists(st.integers(6, 40), min_size=1, max_size=3),
    st.integers(6, 30),
    st.integers(2, 6),
)
def test_loss_falls_with_the_gradients_constant(
    seed: int, sizes: list[int], genes: int, rank: int
) -> None:
    data = ordinary(seed, tuple(sizes), genes)
    params = FactorizeParams(rank=rank, max_iter=40, update=Multiplicative(constant=2))
    loss = joint_nmf(data, params, seed=seed).loss
    assert (np.diff(loss) <= 1e-9 * loss[:-1]).all()


@given(st.integers(0, 2**16), st.integers(1, 30), st.integers(2, 25), st.integers(1, 8))
def test_factors_stay_non_negative_and_finite(seed: int, n: int, genes: int, rank: int) -> None:
    rng = np.random.default_rng(seed)
    data = [rng.poisson(0.4, (m, genes)).astype(np.float32) for m in (n, 12)]
    data[0][0] = 0
    for update in (Multiplicative(), Multiplicative(constant=2), CoordinateDescent()):
        alpha = 0 if isinstance(update, CoordinateDescent) else 1
        for begin in ("uniform", "nndsvd"):
            params = FactorizeParams(
                rank=rank, alpha=alpha, max_iter=15, start=begin, update=update
            )
            found = joint_nmf(data, params, seed=seed)
            assert [H.shape for H in found.H] == [(n, rank), (12, rank)]
            assert found.G.shape == (genes, rank)
            for factor in (found.G, *found.H):
                assert np.isfinite(factor).all()
                assert (factor >= 0).all()


@given(st.integers(0, 2**16), st.integers(4, 40), st.integers(4, 20), st.integers(1, 5))
def test_coordinate_descent_falls_at_every_iteration(
    seed: int, n: int, genes: int, rank: int
) -> None:
    params = FactorizeParams(rank=rank, alpha=0, max_iter=30, update=CoordinateDescent())
    loss = joint_nmf(ordinary(seed, (n, 9), genes), params, seed=seed).loss
    assert (np.diff(loss) <= 1e-9 * loss[:-1]).all()


@pytest.mark.parametrize("seed", range(3))
def test_coordinate_descent_reaches_what_scikit_learn_reaches(seed: int) -> None:
    data = ordinary(seed, (60, 45), 25)
    G, Hs = start(data, 5, seed)
    params = FactorizeParams(rank=5, alpha=0, max_iter=300, update=CoordinateDescent())
    found = joint_nmf(data, params, init=(G, Hs))
    stacked = np.concatenate(data)
    model = NMF(5, init="custom", solver="cd", tol=1e-12, max_iter=300)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        W = model.fit_transform(stacked, W=np.concatenate(Hs), H=np.ascontiguousarray(G.T))
    theirs = ((stacked - W @ model.components_) ** 2).sum()
    assert found.loss[-1] <= 1.02 * theirs


@pytest.mark.parametrize("stored", DENSE_AND_SPARSE)
def test_nndsvd_starts_closer_than_chance(stored: Any) -> None:
    data = [stored(X) for X in ordinary(3, (40, 30), 20)]
    params = FactorizeParams(rank=4, alpha=0, max_iter=1, update=CoordinateDescent())
    chance = joint_nmf(data, params).loss[0]
    found = joint_nmf(data, params.model_copy(update={"start": "nndsvd"}))
    assert [H.shape for H in found.H] == [(40, 4), (30, 4)]
    assert found.G.shape == (20, 4)
    assert found.loss[0] < chance


def test_nndsvd_of_exact_rank_one_is_the_answer() -> None:
    rng = np.random.default_rng(0)
    h, g = rng.random(9) + 1, rng.random(6) + 1
    data = [np.outer(h[:5], g), np.outer(h[5:], g)]
    params = FactorizeParams(
        rank=1, alpha=0, max_iter=1, start="nndsvd", update=CoordinateDescent()
    )
    found = joint_nmf(data, params)
    np.testing.assert_allclose(found.H[1] @ found.G.T, data[1], rtol=1e-6)


def test_nndsvd_takes_dense_beside_sparse() -> None:
    first, second = ordinary(4)
    params = FactorizeParams(rank=3, alpha=0, max_iter=20, start="nndsvd")
    mixed = joint_nmf([sparse.csr_matrix(first), second], params)
    dense = joint_nmf([first, second], params)
    np.testing.assert_allclose(mixed.loss, dense.loss, rtol=1e-6)


def test_without_tolerance_all_iterations_run_even_where_the_loss_rises() -> None:
    data = [X / 10 for X in ordinary(5)]
    params = FactorizeParams(rank=4, alpha=50, max_iter=60)
    loss = joint_nmf(data, params).loss
    assert len(loss) == 60
    assert (np.diff(loss) > 0).any()


def test_tolerance_stops_where_the_loss_stands_still() -> None:
    data = ordinary(5)
    params = FactorizeParams(
        rank=4, alpha=0, max_iter=500, tolerance=1e-3, update=CoordinateDescent()
    )
    loss = joint_nmf(data, params).loss
    falls = -np.diff(loss) / loss[:-1]
    assert len(loss) < 500
    assert falls[-1] < 1e-3
    assert (falls[:-1] >= 1e-3).all()


def test_other_features_are_refused() -> None:
    with pytest.raises(InputError, match=r"\(5, 3\), \(5, 4\)"):
        joint_nmf([np.ones((5, 3)), np.ones((5, 4))])


@pytest.mark.parametrize("stored", DENSE_AND_SPARSE)
@pytest.mark.parametrize("bad", [-1e-3, np.nan])
def test_negative_and_nan_are_refused(stored: Any, bad: float) -> None:
    second = np.ones((4, 3))
    second[2, 1] = bad
    with pytest.raises(InputError, match="0 or more, without NaN"):
        joint_nmf([stored(np.ones((5, 3))), stored(second)])


@pytest.mark.parametrize("stored", DENSE_AND_SPARSE)
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_arguments_stay_as_they_were(stored: Any, dtype: Any) -> None:
    plain = [X.astype(dtype) for X in ordinary(6)]
    data = [stored(X.copy()) for X in plain]
    G, Hs = start(plain, 4)
    G, Hs = G.astype(dtype), [H.astype(dtype) for H in Hs]
    before = [G.copy(), *(H.copy() for H in Hs)]
    for update in (Multiplicative(), CoordinateDescent()):
        joint_nmf(data, FactorizeParams(rank=4, alpha=0, max_iter=5, update=update), init=(G, Hs))
    for X, same in zip(data, plain, strict=True):
        np.testing.assert_array_equal(X.toarray() if sparse.issparse(X) else X, same)
    for now, then in zip([G, *Hs], before, strict=True):
        np.testing.assert_array_equal(now, then)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("alpha", [0.0, 1.0])
def test_zeros_in_the_start_stay_zeros(dtype: Any, alpha: float) -> None:
    data = [(10 * X).astype(dtype) for X in ordinary(7)]
    G, Hs = start(data, 4)
    G[3] = 0
    Hs[1][5] = 0
    found = joint_nmf(data, FactorizeParams(rank=4, alpha=alpha, max_iter=5), init=(G, Hs))
    assert np.isfinite(found.G).all()
    assert np.isfinite(found.H[1]).all()
    np.testing.assert_array_equal(found.G[3], 0)
    np.testing.assert_array_equal(found.H[1][5], 0)


@pytest.mark.parametrize("begin", ["uniform", "nndsvd"])
def test_same_seed_same_result(begin: Any) -> None:
    data = ordinary(8)
    params = FactorizeParams(rank=4, max_iter=5, start=begin)
    once, again = (joint_nmf(data, params, seed=3) for _ in range(2))
    np.testing.assert_array_equal(once.G, again.G)
    np.testing.assert_array_equal(once.H[1], again.H[1])
    if begin == "uniform":
        assert not np.array_equal(once.G, joint_nmf(data, params, seed=4).G)


def test_cancelled_comes_through() -> None:
    def stop_at_the_third(items: Iterable[int], _desc: str) -> Iterator[int]:
        for i, item in enumerate(items):
            if i == 2:
                raise Cancelled
            yield item

    with pytest.raises(Cancelled):
        joint_nmf(ordinary(9), track=stop_at_the_third)
