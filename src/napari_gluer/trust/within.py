"""Reference cells predicted from the other reference cells, as the integration predicts cells."""

import json
from dataclasses import dataclass

import numpy as np
from anndata import AnnData
from numpy.typing import NDArray
from scipy import sparse

from napari_gluer import slots
from napari_gluer.errors import InputError
from napari_gluer.expression import Expression
from napari_gluer.integration.imputation import INTEGRATE
from napari_gluer.integration.params import IntegrateParams, WeightParams
from napari_gluer.integration.quality import quality_of
from napari_gluer.integration.weights import neighbour_weights

LEAST_CELLS = 20


@dataclass(frozen=True, eq=False)
class LeftOut:
    """Reference cells that are left out, one by one.

    Attributes
    ----------
    rows
        Which, ``(n,)``: rows of the reference.
    weights
        CSR ``(n, n_reference)``, rows sum to 1: what each would draw on, never on itself.
    """

    rows: NDArray[np.intp]
    weights: sparse.csr_matrix


def reference_left_out(
    cells: AnnData, expressed: Expression, *, max_cells: int, max_reference: int = 0, seed: int = 0
) -> LeftOut:
    """Weights of reference cells on the others, in the co-embedding of an integration.

    The reference lies there by its linked features alone, as the cells do; so what these weights
    predict of a gene is what could be predicted of it if cells and reference were one experiment.

    Parameters
    ----------
    cells
        Integrated cells; reads ``uns["gluer"]``.
    expressed
        Of the very reference.
    max_cells
        Cells that are left out, drawn by the seed.
    max_reference
        Cells that they may draw on; 0: all.

    Raises
    ------
    InputError
        If the cells are not integrated, or fewer than 20 reference cells are usable.
    """
    known = slots.info(cells)
    if slots.REFERENCE_FACTORS not in known:
        raise InputError(f"The cells are not integrated. {INTEGRATE}")
    points = np.asarray(known[slots.REFERENCE_FACTORS], np.float32)
    params = IntegrateParams(**json.loads(known["params"]))
    usable = quality_of(expressed.matrix, expressed.genes, params.quality).usable
    usable &= (points != 0).any(axis=1)
    if usable.sum() < LEAST_CELLS:
        raise InputError(
            f"{int(usable.sum())} usable reference cells are too few to leave some out; "
            f"{LEAST_CELLS} are needed."
        )
    random = np.random.default_rng(seed)
    drawn = random.permutation(np.flatnonzero(usable))
    if max_reference:
        drawn = drawn[:max_reference]
    rows, others = np.sort(drawn[:max_cells]), np.zeros(len(points), bool)
    others[drawn] = True
    return LeftOut(rows, weights_of_others(points, rows, others, params.weights, params.device))


def weights_of_others(
    points: NDArray[np.float32],
    rows: NDArray[np.intp],
    usable: NDArray[np.bool_],
    params: WeightParams,
    device: str = "cpu",
) -> sparse.csr_matrix:
    """`neighbour_weights` of some points on the usable others, each without itself.

    Parameters
    ----------
    points
        ``(n_reference, k)``.
    rows
        Those that are left out.
    """
    one_more = params.model_copy(update={"n_neighbors": params.n_neighbors + 1})
    found = neighbour_weights(points, points[rows], usable, one_more, device=device)
    entries = found.weights.tocoo()
    others = entries.col != rows[entries.row]
    weights = sparse.csr_matrix(
        (entries.data[others], (entries.row[others], entries.col[others])), entries.shape
    )
    totals = np.asarray(weights.sum(axis=1)).ravel()
    # where the cell itself had all the weight there is, every other drawn on counts alike
    weights.data = np.where(
        np.repeat(totals, np.diff(weights.indptr)) > 0,
        weights.data / np.repeat(np.maximum(totals, 1e-30), np.diff(weights.indptr)),
        1 / np.repeat(np.maximum(np.diff(weights.indptr), 1), np.diff(weights.indptr)),
    ).astype(np.float32)
    return weights
