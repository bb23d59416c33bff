"""How strongly groups of cells are connected: PAGA on a graph of nearest neighbours."""

import numpy as np
from numpy.typing import NDArray
from scipy import sparse
from scipy.sparse.csgraph import minimum_spanning_tree


def group_connectivities(
    neighbours: sparse.csr_matrix, codes: NDArray[np.integer], n_groups: int
) -> sparse.csr_matrix:
    """Links between groups, over those that chance would give.

    Partition-based graph abstraction (Wolf et al. 2019, doi:10.1186/s13059-019-1663-x), the model
    that scanpy calls v1.2: between groups a and b of n_a and n_b cells with e_a and e_b links going
    out of their cells (inner ones too), (links between a and b) / ((e_a n_b + e_b n_a) / (n - 1)),
    at most 1.

    Parameters
    ----------
    neighbours
        CSR ``(n_cells, n_cells)``: an entry wherever the column is a neighbour of the row.
    codes
        ``(n_cells,)``: group of each cell, -1 for cells to leave out.
    n_groups
        How many groups; those without a cell have no link.

    Returns
    -------
    scipy.sparse.csr_matrix
        float64 ``(n_groups, n_groups)`` on [0, 1], symmetric, nothing on the diagonal.
    """
    links = neighbours.tocoo()
    start, end = codes[links.row], codes[links.col]
    kept = (links.data != 0) & (start >= 0) & (end >= 0)
    flat = start[kept].astype(np.int64) * n_groups + end[kept]
    between = np.bincount(flat, minlength=n_groups**2).reshape(n_groups, n_groups).astype(float)
    sizes = np.bincount(codes[codes >= 0], minlength=n_groups)
    going_out = between.sum(axis=1)
    np.fill_diagonal(between, 0)
    found = between + between.T
    chance = np.outer(going_out, sizes)
    chance = (chance + chance.T) / max(sizes.sum() - 1, 1)
    shares = np.divide(found, chance, out=(found > 0).astype(float), where=chance > 0)
    return sparse.csr_matrix(np.minimum(shares, 1))


def strongest_tree(connectivities: sparse.csr_matrix) -> sparse.csr_matrix:
    """The tree of strongest links between groups, each link once, as scanpy stores it."""
    inverse = connectivities.copy()
    inverse.data = 1 / inverse.data
    tree = minimum_spanning_tree(inverse).tocsr()
    tree.data = 1 / tree.data
    return tree
