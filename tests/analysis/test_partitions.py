import numpy as np
import pytest
from anndata import AnnData
from hypothesis import given
from hypothesis import strategies as st
from scipy import sparse

from napari_gluer.analysis.partitions import group_connectivities, strongest_tree


def brute_force(links: np.ndarray, codes: np.ndarray, n_groups: int) -> np.ndarray:
    """Pair by pair, from the definition."""
    n = int((codes >= 0).sum())
    found = np.zeros((n_groups, n_groups))
    for a in range(n_groups):
        for b in range(n_groups):
            if a == b:
                continue
            one, other = codes == a, codes == b
            between = links[np.ix_(one, other)].sum() + links[np.ix_(other, one)].sum()
            known = codes >= 0
            e_a, e_b = links[np.ix_(one, known)].sum(), links[np.ix_(other, known)].sum()
            chance = (e_a * other.sum() + e_b * one.sum()) / (n - 1)
            if between:
                found[a, b] = min(between / chance, 1)
    return found


@given(st.integers(0, 2**16))
def test_connectivities_are_links_over_those_of_chance(seed: int) -> None:
    rng = np.random.default_rng(seed)
    links = rng.random((24, 24)) < 0.15
    np.fill_diagonal(links, False)
    codes = rng.integers(-1, 4, 24)
    found = group_connectivities(sparse.csr_matrix(links.astype(float)), codes, 5)
    np.testing.assert_allclose(found.toarray(), brute_force(links, codes, 5), atol=1e-12)


def test_it_is_what_scanpy_finds() -> None:
    pytest.importorskip("igraph")
    sc = pytest.importorskip("scanpy")
    rng = np.random.default_rng(0)
    codes = np.arange(200) % 4
    table = AnnData(np.zeros((200, 1), np.float32))
    table.obsm["X"] = codes[:, None] * [1.5, 0, 0] + rng.normal(size=(200, 3))
    table.obs["group"] = codes.astype(str)
    table.obs["group"] = table.obs["group"].astype("category")
    sc.pp.neighbors(table, 10, use_rep="X")
    sc.tl.paga(table, "group")
    found = group_connectivities(table.obsp["distances"], codes, 4)
    expected = table.uns["paga"]
    np.testing.assert_allclose(found.toarray(), expected["connectivities"].toarray())
    np.testing.assert_allclose(
        strongest_tree(found).toarray(), expected["connectivities_tree"].toarray()
    )


def test_the_tree_keeps_the_strongest_links() -> None:
    links = np.array([[0, 0.9, 0.8, 0], [0.9, 0, 0.1, 0], [0.8, 0.1, 0, 0], [0, 0, 0, 0]])
    tree = strongest_tree(sparse.csr_matrix(links)).toarray()
    np.testing.assert_allclose(tree + tree.T, np.where(links == 0.1, 0, links))
    assert np.count_nonzero(tree) == 2
