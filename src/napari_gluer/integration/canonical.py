"""The linear map of both sides that brings anchors together (regularised canonical correlation)."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from napari_gluer.neighbours import unit_rows

Array = NDArray[np.float32]


@dataclass(frozen=True, eq=False)
class Turn:
    """Centre and turn the factors of one side, and weigh the directions."""

    centre: Array
    directions: Array

    def of(self, factors: NDArray[np.floating]) -> Array:
        """``(n_cells, k)`` factors mapped, each cell scaled to length 1."""
        return unit_rows((factors - self.centre) @ self.directions)


def canonical_map(
    reference: NDArray[np.floating], cells: NDArray[np.floating], ridge: float
) -> tuple[Turn, Turn]:
    """Directions in which anchored cells agree, each weighed by how well they do.

    Canonical correlation analysis of the anchors with a ridge (Vinod 1976,
    doi:10.1016/0304-4076(76)90010-5): both sides are turned into directions of their own such that
    anchors correlate as much as they can, and each direction counts by its correlation.

    Parameters
    ----------
    reference, cells
        ``(n_anchors, k)``: factors of the two cells of each anchor.
    ridge
        Added to the covariances, in units of their mean variance.

    Returns
    -------
    Turn, Turn
        For the factors of the reference and for those of the cells.
    """
    centres = [side.mean(axis=0, dtype=np.float64) for side in (reference, cells)]
    A, B = (side - c for side, c in zip((reference, cells), centres, strict=True))
    whitening = [_whitening(side, ridge) for side in (A, B)]
    shared = whitening[0] @ (A.T @ B / len(A)) @ whitening[1].T
    left, correlations, right = np.linalg.svd(shared)
    # one sign on every machine
    signs = np.sign(left[np.abs(left).argmax(axis=0), np.arange(left.shape[1])])
    weights = np.clip(correlations, 0, 1) * np.where(signs < 0, -1, 1)
    turns = [whitening[0].T @ left * weights, whitening[1].T @ right.T * weights]
    return tuple(
        Turn(c.astype(np.float32), turn.astype(np.float32))
        for c, turn in zip(centres, turns, strict=True)
    )  # type: ignore[return-value] # two sides


def _whitening(side: NDArray[np.float64], ridge: float) -> NDArray[np.float64]:
    """Inverse of the Cholesky factor of the covariance with its ridge."""
    covariance = side.T @ side / len(side)
    mean_variance = float(np.trace(covariance)) / len(covariance) or 1.0
    factor = np.linalg.cholesky(covariance + ridge * mean_variance * np.eye(len(covariance)))
    return np.asarray(np.linalg.inv(factor))
