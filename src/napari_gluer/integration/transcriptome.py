"""Where cells lie in the reference's whole transcriptome, as far as their linked features tell."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_gluer.integration.features import most_variable
from napari_gluer.integration.params import TranscriptomeParams
from napari_gluer.integration.singular import folded, joint_singular_factors
from napari_gluer.integration.standard import Standardized, standardized
from napari_gluer.neighbours import unit_rows

Array = NDArray[np.float32]

_PENALTIES = np.geomspace(1e-3, 10, 9)


def components(
    expression: Any,
    batch: NDArray[np.integer] | None = None,
    params: TranscriptomeParams = TranscriptomeParams(),  # noqa: B008 - frozen
    *,
    seed: int = 0,
    device: str = "cpu",
) -> Array:
    """Principal components of the reference's most variable genes, each cell scaled to length 1.

    Parameters
    ----------
    expression
        ``(n_reference, n_genes)``, log-normalised, dense or CSR.
    batch
        ``(n_reference,)``: genes are standardised within each batch.
    params
        How many genes and components.
    device
        Where products are computed.

    Returns
    -------
    numpy.ndarray
        float32 ``(n_reference, n_components)``.
    """
    kept = most_variable([expression], params.genes)
    side = standardized(expression[:, kept], batch, device=device)
    factors = joint_singular_factors([side], min(params.components, len(kept)), seed=seed)
    return folded(factors)[0]


@dataclass(frozen=True, eq=False)
class Prediction:
    """Linear prediction of the components from standardised linked features."""

    coefficients: Array

    def of(self, side: Standardized) -> Array:
        """Predicted components of a data set, each cell scaled to length 1."""
        return unit_rows(side.times(self.coefficients))


def told(sides: Sequence[Standardized], targets: Array) -> list[Array]:
    """The components of every data set as its linked features tell them, the reference first."""
    prediction = learnt(sides[0], targets)
    return [prediction.of(side) for side in sides]


def learnt(reference: Standardized, targets: Array) -> Prediction:
    """Ridge regression of the components on the linked features, within the reference.

    The penalty is the one of nine with the least generalised cross-validation error (Golub, Heath
    & Wahba 1979, doi:10.1080/00401706.1979.10489751), over all components at once.

    Parameters
    ----------
    reference
        Linked features of the reference.
    targets
        float32 ``(n_reference, n_components)``.
    """
    centred = targets - targets.mean(axis=0)
    squares, axes = np.linalg.eigh(reference.gram())
    squares = np.maximum(squares, 0)
    projected = axes.T @ reference.transposed_times(centred)
    told = np.square(projected).sum(axis=1)
    told = np.divide(told, squares, out=np.zeros_like(told), where=squares > 1e-9 * squares.max())
    total = float(np.square(centred, dtype=np.float64).sum())
    best_error, best = np.inf, 1.0
    for penalty in _PENALTIES * squares.mean():
        kept = squares / (squares + penalty)
        error = total - float(((2 - kept) * kept * told).sum())
        error /= max(reference.shape[0] - float(kept.sum()), 1.0) ** 2
        if error < best_error:
            best_error, best = error, penalty
    coefficients = axes @ (projected / (squares + best)[:, None])
    return Prediction(coefficients.astype(np.float32))
