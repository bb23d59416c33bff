"""The linear map of anchors against brute force and what canonical correlation promises."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.linalg import eigh, sqrtm
from sklearn.cross_decomposition import CCA

from napari_gluer.integration.canonical import canonical_map


def anchored(seed: int, n: int = 400, k: int = 5, noise: float = 0.4) -> tuple[np.ndarray, ...]:
    """Two views of the same cells, turned and shifted against each other."""
    rng = np.random.default_rng(seed)
    own = rng.normal(size=(n, k)) * np.linspace(2, 0.5, k)
    turn = np.linalg.qr(rng.normal(size=(k, k)))[0]
    reference = own + 3
    cells = own @ turn + noise * rng.normal(size=(n, k)) - 1
    return reference.astype(np.float32), cells.astype(np.float32)


def with_ridge(side: np.ndarray, ridge: float) -> tuple[np.ndarray, np.ndarray]:
    centred = side - side.mean(axis=0, dtype=float)
    covariance = centred.T @ centred / len(side)
    return centred, covariance + ridge * np.trace(covariance) / len(covariance) * np.eye(
        len(covariance)
    )


def regularised_correlations(A: np.ndarray, B: np.ndarray, ridge: float) -> np.ndarray:
    """Roots of the generalised eigenproblem that canonical correlation is commonly written as."""
    (a, Ca), (b, Cb) = with_ridge(A, ridge), with_ridge(B, ridge)
    shared, zero = a.T @ b / len(a), np.zeros((len(Ca), len(Cb)))
    roots = eigh(
        np.block([[zero, shared], [shared.T, zero.T]]),
        np.block([[Ca, zero], [zero.T, Cb]]),
        eigvals_only=True,
    )
    return np.asarray(roots[::-1][: len(Ca)])


@given(st.integers(0, 2**16), st.sampled_from([0.01, 0.5, 5.0]))
def test_each_direction_counts_by_its_correlation(seed: int, ridge: float) -> None:
    A, B = anchored(seed, n=150)
    of_reference, of_cells = canonical_map(A, B, ridge)
    correlations = regularised_correlations(A, B, ridge)
    for side, turn in ((A, of_reference), (B, of_cells)):
        _, covariance = with_ridge(side, ridge)
        directions = turn.directions.astype(float)
        np.testing.assert_allclose(
            directions.T @ covariance @ directions, np.diag(correlations**2), atol=2e-3
        )
    a, b = A - A.mean(axis=0), B - B.mean(axis=0)
    across = of_reference.directions.T @ (a.T @ b / len(a)) @ of_cells.directions
    np.testing.assert_allclose(across, np.diag(correlations**3), atol=2e-3)


def test_equals_whitening_by_square_roots() -> None:
    """Any whitening gives the same spaces: here the symmetric one."""
    A, B = anchored(1)
    (a, Ca), (b, Cb) = with_ridge(A, 0.5), with_ridge(B, 0.5)
    Wa, Wb = (np.linalg.inv(sqrtm(C).real) for C in (Ca, Cb))
    U, S, Vt = np.linalg.svd(Wa @ (a.T @ b / len(a)) @ Wb)
    truth = np.concatenate([a @ Wa @ U * S, b @ Wb @ Vt.T * S])
    truth /= np.linalg.norm(truth, axis=1, keepdims=True)
    turns = canonical_map(A, B, 0.5)
    found = np.concatenate([turns[0].of(A), turns[1].of(B)])
    np.testing.assert_allclose(found @ found.T, truth @ truth.T, atol=2e-3)


def test_without_a_ridge_correlations_are_those_of_scikit_learn() -> None:
    A, B = anchored(2)
    x, y = CCA(n_components=3, max_iter=5000, tol=1e-10).fit_transform(A, B)
    truth = [np.corrcoef(x[:, i], y[:, i])[0, 1] for i in range(3)]
    turns = canonical_map(A, B, 1e-9)
    a, b = (A - turns[0].centre) @ turns[0].directions, (B - turns[1].centre) @ turns[1].directions
    found = [np.corrcoef(a[:, i], b[:, i])[0, 1] for i in range(3)]
    np.testing.assert_allclose(found, truth, atol=2e-3)


@given(st.integers(0, 2**16))
def test_no_other_direction_correlates_more(seed: int) -> None:
    A, B = anchored(3)
    turns = canonical_map(A, B, 1e-9)
    best = np.corrcoef((A @ turns[0].directions)[:, 0], (B @ turns[1].directions)[:, 0])[0, 1]
    rng = np.random.default_rng(seed)
    tried = [np.corrcoef(A @ rng.normal(size=5), B @ rng.normal(size=5))[0, 1] for _ in range(20)]
    assert max(np.abs(tried)) <= best + 1e-4


def test_a_planted_rotation_is_undone() -> None:
    """Cells that no anchor held find their partners, of which they knew nothing before."""
    A, B = anchored(4, noise=0.02)
    turns = canonical_map(A[:300], B[:300], 0.01)
    unseen = slice(300, None)

    def found_again(a: np.ndarray, b: np.ndarray) -> float:
        apart = np.linalg.norm(a[:, np.newaxis] - b[np.newaxis], axis=2)
        return float((apart.argmin(axis=1) == np.arange(len(a))).mean())

    assert found_again(turns[0].of(A[unseen]), turns[1].of(B[unseen])) > 0.95
    assert found_again(A[unseen], B[unseen]) < 0.1


def test_directions_that_do_not_agree_fade() -> None:
    rng = np.random.default_rng(5)
    shared = rng.normal(size=(2000, 1))
    A, B = (np.concatenate([shared, rng.normal(size=(2000, 1))], axis=1) for _ in range(2))
    turns = canonical_map(A, B, 0.5)
    for side, turn in zip((A, B), turns, strict=True):
        spread = ((side - turn.centre) @ turn.directions).std(axis=0)
        assert spread[1] < 0.1 * spread[0]


@pytest.mark.parametrize("scale", [1e-4, 1e3])
def test_units_of_a_side_do_not_matter(scale: float) -> None:
    A, B = anchored(6)
    plain, scaled = canonical_map(A, B, 0.5), canonical_map(A * scale, B, 0.5)
    np.testing.assert_allclose(scaled[0].of(A * scale), plain[0].of(A), atol=1e-3)
    np.testing.assert_allclose(scaled[1].of(B), plain[1].of(B), atol=1e-3)


def test_mapped_cells_have_length_one() -> None:
    A, B = anchored(7)
    for side, turn in zip((A, B), canonical_map(A, B, 0.5), strict=True):
        mapped = turn.of(side)
        assert mapped.dtype == np.float32
        np.testing.assert_allclose(np.linalg.norm(mapped, axis=1), 1, atol=1e-5)


def test_anchors_that_are_all_alike_give_numbers() -> None:
    A = np.ones((20, 3), np.float32)
    for turn in canonical_map(A, A * 2, 0.5):
        assert np.isfinite(turn.of(A)).all()
