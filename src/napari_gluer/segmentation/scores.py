"""How well found objects match true ones."""

import numpy as np
from numpy.typing import ArrayLike
from scipy import sparse
from scipy.sparse.csgraph import maximum_bipartite_matching

from napari_gluer.errors import InputError
from napari_gluer.labels import checked_labels, compact


def f1_score(labels: ArrayLike, truth: ArrayLike, iou: float = 0.5) -> float:
    """F1 of the largest one-to-one matching of objects that overlap by at least `iou`.

    Parameters
    ----------
    labels, truth
        Labels images of one shape.
    iou
        Intersection over union from which two objects match, in (0, 1].

    Returns
    -------
    ``2 · matches / (found + true)``; 1 where both are empty.
    """
    found, found_ids = compact(checked_labels(labels))
    true, true_ids = compact(checked_labels(truth))
    if found.shape != true.shape:
        raise InputError(f"Labels {found.shape} and truth {true.shape} differ in shape.")
    if not found_ids.size + true_ids.size:
        return 1.0
    shape = (found_ids.size + 1, true_ids.size + 1)
    overlap = sparse.coo_matrix(
        (np.ones(found.size, np.int64), (found.ravel(), true.ravel())), shape
    )
    overlap = overlap.tocsr()[1:, 1:].tocoo()
    areas = np.bincount(found.ravel())[1:][overlap.row] + np.bincount(true.ravel())[1:][overlap.col]
    near = overlap.data >= iou * (areas - overlap.data)
    pairs = sparse.csr_matrix(
        (np.ones(near.sum()), (overlap.row[near], overlap.col[near])), overlap.shape
    )
    matches = int((maximum_bipartite_matching(pairs, perm_type="column") >= 0).sum())
    return 2 * matches / (found_ids.size + true_ids.size)
