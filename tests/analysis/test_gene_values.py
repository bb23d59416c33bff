import numpy as np
import pytest
from anndata import AnnData
from scipy import sparse

from napari_gluer.analysis import gene_values as module
from napari_gluer.analysis.gene_values import gene_values
from napari_gluer.errors import InputError
from napari_gluer.expression import expression

ROWS = np.array([3, 0, 7])


def counts() -> AnnData:
    rng = np.random.default_rng(0)
    cells = AnnData(rng.poisson(4, (12, 5)).astype(np.float32))
    cells.var_names = list("ABCDE")
    return cells


def test_imputed_values_are_weights_times_expression(cells: AnnData, reference: AnnData) -> None:
    values = gene_values(cells, reference, ROWS, ["G7", "G2"])
    every = cells.obsm["gluer_weights"].toarray() @ expression(reference).matrix.toarray()
    np.testing.assert_allclose(
        values.block(slice(None)).toarray(), every[np.ix_(ROWS, [7, 2])], rtol=1e-5
    )
    assert (list(values.genes), values.source, values.logged) == (["G7", "G2"], "imputed", True)


@pytest.mark.parametrize("imputed", [True, False])
def test_means_of_groups_need_no_block(imputed: bool, cells: AnnData, reference: AnnData) -> None:
    values = gene_values(cells, reference if imputed else None, ROWS)
    members = np.array([[True, False], [True, True], [False, True]])
    dense = values.block(slice(None)).toarray()
    expected = [dense[:2].mean(axis=0), dense[1:].mean(axis=0)]
    np.testing.assert_allclose(values.group_means(members), expected, rtol=1e-5)


def test_deviations_are_those_of_single_cells(cells: AnnData, reference: AnnData) -> None:
    imputed = gene_values(cells, reference, ROWS)
    expected = expression(reference).matrix.toarray().astype(float).std(axis=0)
    np.testing.assert_allclose(imputed.deviations(), expected, rtol=1e-5)
    measured = gene_values(cells, None, np.arange(90))
    np.testing.assert_allclose(
        measured.deviations(), np.asarray(cells.X, float).std(axis=0), rtol=1e-5
    )
    cells.X[:, 1] = 0.7
    assert gene_values(cells, None, np.arange(90)).deviations()[1] == 0


def test_counts_are_normalised_over_all_markers_and_others_stay() -> None:
    cells = counts()
    dense = np.asarray(cells.X)
    expected = np.log1p(dense / dense.sum(axis=1, keepdims=True) * 1e4)
    values = gene_values(cells, None, ROWS, ["D"])
    np.testing.assert_allclose(values.block([0]).toarray()[:, 0], expected[ROWS, 3], rtol=1e-5)
    assert values.logged
    cells.uns["gluer"] = {"kind": "intensity"}
    plain = gene_values(cells, None, ROWS, ["D"])
    np.testing.assert_array_equal(plain.block([0]).toarray()[:, 0], dense[ROWS, 3])
    assert not plain.logged


def test_only_markers_count_unless_another_column_is_named() -> None:
    cells = counts()
    cells.uns["gluer"] = {"kind": "intensity"}
    cells.var["role"] = ["marker", "nuclear", "marker", "blank", "ignore"]
    assert list(gene_values(cells, None, ROWS).genes) == ["A", "C"]
    np.testing.assert_array_equal(
        gene_values(cells, None, ROWS, ["D", "A"]).block(slice(None)).toarray(),
        np.asarray(cells.X)[np.ix_(ROWS, [3, 0])],
    )


def test_blocks_hold_every_gene_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_BLOCK_ELEMENTS", 7)
    blocks = gene_values(counts(), None, ROWS).blocks(np.arange(5))
    assert [block.tolist() for block in blocks] == [[0, 1], [2, 3], [4]]


@pytest.mark.parametrize("sparsely", [True, False])
def test_nan_is_refused_by_name_where_it_counts(sparsely: bool) -> None:
    cells = counts()
    cells.X[3, 1] = np.nan
    cells.uns["gluer"] = {"kind": "intensity"}
    cells.X = sparse.csr_matrix(cells.X) if sparsely else cells.X
    with pytest.raises(InputError, match="1 values are NaN or infinite, in B"):
        gene_values(cells, None, ROWS)
    assert gene_values(cells, None, np.array([0, 1])).n_rows == 2


def test_what_is_not_there(cells: AnnData, reference: AnnData) -> None:
    with pytest.raises(InputError, match=r"Not measured: G1.*give the reference too"):
        gene_values(cells, None, ROWS, ["G1"])
    with pytest.raises(InputError, match="Not in the reference: CD3"):
        gene_values(cells, reference, ROWS, ["CD3"])
    with pytest.raises(InputError, match="This is another reference"):
        gene_values(cells, reference[::-1].copy(), ROWS)
    with pytest.raises(InputError, match=r"ng\.integrate\(cells, reference\)"):
        gene_values(counts(), reference, ROWS)
    repeated = counts()
    repeated.var_names = list("ABABC")
    with pytest.raises(InputError, match="repeat: A, B"):
        gene_values(repeated, None, ROWS)
    blank = counts()
    blank.var["role"] = "blank"
    with pytest.raises(InputError, match="No gene to look at"):
        gene_values(blank, None, ROWS)
