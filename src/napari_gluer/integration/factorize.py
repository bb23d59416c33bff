"""Joint non-negative matrix factorisation of several data sets over the same features."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import sparse
from sklearn.utils.extmath import randomized_svd

from napari_gluer.errors import InputError
from napari_gluer.expression import stored_values
from napari_gluer.integration.params import (
    CoordinateDescent,
    FactorizeParams,
    Multiplicative,
    SingularVectors,
)
from napari_gluer.products import Products
from napari_gluer.track import Track, silently

Array = NDArray[Any]
_Improve = Callable[[Array, Array, Array], Array]


@dataclass(frozen=True, eq=False)
class Factors:
    """Result of `joint_nmf`.

    Attributes
    ----------
    G
        ``(n_features, rank)``: the factors, shared by all data sets.
    H
        One ``(n_cells, rank)`` per data set: how much of each factor a cell has.
    loss
        float64 ``(n_iterations,)``: J after each iteration.
    """

    G: Array
    H: list[Array]
    loss: NDArray[np.float64]


def joint_nmf(
    matrices: Sequence[Any],
    params: FactorizeParams = FactorizeParams(),  # noqa: B008 - frozen
    *,
    init: tuple[Array, Sequence[Array]] | None = None,
    seed: int = 0,
    device: str = "cpu",
    track: Track = silently,
) -> Factors:
    """Factorise several data sets with one set of factors.

    Minimises J = Σ_i ( ‖X_i − H_i Gᵀ‖² + α ‖H_iᵀH_i − I‖² ) over G, H_i ≥ 0, where X_i is
    cells × features (Peng et al., bioRxiv 2021.01.25.427845, "Joint NMF").

    Parameters
    ----------
    matrices
        One non-negative ``(n_cells, n_features)`` array or CSR matrix per data set, the features
        the same. Computed in float64 if the first one is float64, else in float32.
    params
        Rank, weight of orthogonality, iterations, update.
    init
        ``(G, [H_0, …])`` to start from, in place of ``params.start``.
    seed
        Of the random start.
    device
        Where products with the data are computed: ``cpu``, ``cuda``, ``mps`` or ``auto``.
    track
        Wraps the loop over iterations.

    Raises
    ------
    InputError
        If the data sets do not have the same features, or hold negative or NaN values.
    """
    dtype = np.float64 if matrices[0].dtype == np.float64 else np.float32
    data = [_checked(matrix, dtype) for matrix in matrices]
    if len({matrix.shape[1] for matrix in data}) != 1:
        shapes = ", ".join(str(matrix.shape) for matrix in data)
        raise InputError(f"Data sets to factorise must have the same features; shapes: {shapes}.")
    G, H = init or _start(data, params, seed)
    G, H = np.array(G, dtype), [np.array(h, dtype) for h in H]
    squared = sum(_squared_norm(X) for X in data)
    products = [Products(X, device) for X in data]
    return _iterate(products, squared, (G, H), params, track)


def _checked(matrix: Any, dtype: Any) -> Any:
    data = (
        sparse.csr_matrix(matrix, dtype=dtype)
        if sparse.issparse(matrix)
        else np.asarray(matrix, dtype)
    )
    values = stored_values(data)
    if values.size and not values.min() >= 0:
        raise InputError("The factorisation needs values of 0 or more, without NaN.")
    return data


def _iterate(
    data: list[Products],
    squared: float,
    start: tuple[Array, list[Array]],
    params: FactorizeParams,
    track: Track,
) -> Factors:
    """Update G, then every H_i, until done; the loss costs no product of its own."""
    improve_G, improve_H = _updates(params)
    G, H = start
    HH = [h.T @ h for h in H]
    loss: list[float] = []
    for _ in track(range(params.max_iter), "Joint factorisation"):
        XH = sum(X.transposed_times(h) for X, h in zip(data, H, strict=True))
        G = improve_G(G, np.asarray(XH, G.dtype), sum(HH, start=np.zeros_like(HH[0])))
        GG, cross = G.T @ G, 0.0
        for i, X in enumerate(data):
            XG = X.times(G)
            H[i] = improve_H(H[i], XG, GG)
            HH[i] = H[i].T @ H[i]
            cross += float(np.vdot(XG, H[i]))
        loss.append(squared - 2 * cross + sum(_inner(GG, hh) for hh in HH))
        loss[-1] += sum(params.alpha * _off_identity(hh) for hh in HH)
        if params.tolerance and _stands_still(loss, params.tolerance):
            break
    return Factors(G, H, np.array(loss))


def _stands_still(loss: list[float], tolerance: float) -> bool:
    return len(loss) > 1 and loss[-2] - loss[-1] < tolerance * abs(loss[-2])


def _inner(a: Array, b: Array) -> float:
    return float(np.vdot(a.astype(np.float64), b.astype(np.float64)))


def _squared_norm(X: Any) -> float:
    return float(np.square(stored_values(X), dtype=np.float64).sum())


def _off_identity(HH: Array) -> float:
    return float(np.square(HH.astype(np.float64) - np.eye(len(HH))).sum())


def _updates(params: FactorizeParams) -> tuple[_Improve, _Improve]:
    """How to improve G and H, each called as ``(current, X·other, otherᵀ·other)``."""
    match params.update:
        case CoordinateDescent():
            return _coordinate, _coordinate
        case Multiplicative(constant=c):
            return _multiplicative, _orthogonal(params.alpha, c)
        case SingularVectors():
            raise InputError("Singular vectors are no update; use joint_singular_factors.")


def _multiplicative(current: Array, product: Array, gram: Array) -> Array:
    return current * product / _positive(current @ gram)


def _orthogonal(alpha: float, c: int) -> _Improve:
    """H ← H ∘ (XᵀG + cαH) / (H GᵀG + 2αH HᵀH), as printed (c = 1) or as the gradient asks (2)."""

    def improve(H: Array, XG: Array, GG: Array) -> Array:
        # Python floats keep float32 arrays float32
        top = XG + (c * alpha) * H
        bottom = H @ GG + (2 * alpha) * (H @ (H.T @ H))
        return H * top / _positive(bottom)

    return improve


def _coordinate(current: Array, product: Array, gram: Array) -> Array:
    """Solve for one column after the other, the others held (HALS)."""
    improved = current.copy()
    for k in range(improved.shape[1]):
        if gram[k, k] > 0:
            step = (product[:, k] - improved @ gram[:, k]) / gram[k, k]
            improved[:, k] = np.maximum(improved[:, k] + step, 0)
    return improved


def _positive(denominator: Array) -> Array:
    positive: Array = np.maximum(denominator, np.finfo(denominator.dtype).tiny)
    return positive


def _start(data: list[Any], params: FactorizeParams, seed: int) -> tuple[Array, list[Array]]:
    sizes = [X.shape[0] for X in data]
    if params.start == "uniform":
        random = np.random.default_rng(seed)
        G = random.random((data[0].shape[1], params.rank))
        return G, [random.random((size, params.rank)) for size in sizes]
    stack = sparse.vstack if any(sparse.issparse(X) for X in data) else np.concatenate
    H, G = _nndsvd(stack(data), params.rank, seed)
    return G, np.split(H, np.cumsum(sizes)[:-1])


def _nndsvd(X: Any, rank: int, seed: int) -> tuple[Array, Array]:
    """Non-negative double SVD (Boutsidis & Gallopoulos 2008), zeros filled with the mean."""
    U, S, Vt = randomized_svd(X, min(rank, *X.shape), n_iter=4, random_state=seed)
    H = np.zeros((X.shape[0], rank), U.dtype)
    G = np.zeros((X.shape[1], rank), U.dtype)
    for k in range(len(S)):
        u, v = max(
            ((np.maximum(s * U[:, k], 0), np.maximum(s * Vt[k], 0)) for s in (1, -1)),
            key=lambda sides: np.linalg.norm(sides[0]) * np.linalg.norm(sides[1]),
        )
        norm_u, norm_v = np.linalg.norm(u), np.linalg.norm(v)
        if norm_u * norm_v > 0:
            H[:, k] = u * np.sqrt(S[k] * norm_v / norm_u)
            G[:, k] = v * np.sqrt(S[k] * norm_u / norm_v)
    fill = np.sqrt(X.mean() / rank)
    return np.where(H > 0, H, fill), np.where(G > 0, G, fill)
