from collections.abc import Callable

import numpy as np
import pandas as pd
import pytest
from anndata import AnnData
from scipy import sparse

from napari_gluer import slots
from napari_gluer.errors import InputError
from napari_gluer.expression import expression, fingerprint
from napari_gluer.integration.imputation import impute
from napari_gluer.integration.transfer import transfer_labels

GENES = ["CD3E", "CD8A", "CD8B", "MS4A1"]
COUNTS = np.array(
    [[4, 0, 6, 0], [0, 5, 0, 1], [1, 1, 1, 7], [2, 2, 0, 0], [0, 0, 3, 3]], np.float32
)
LOGS = np.log1p(COUNTS / COUNTS.sum(axis=1, keepdims=True) * 1e4)
WEIGHTS = np.array([[0.5, 0.5, 0, 0, 0], [0, 0, 0.2, 0.3, 0.5], [0, 1, 0, 0, 0]], np.float32)


def make_reference(labels: object = None) -> AnnData:
    obs = pd.DataFrame(index=[f"r{i}" for i in range(5)])
    table = AnnData(COUNTS.copy(), obs=obs, var=pd.DataFrame(index=GENES))
    if labels is not None:
        table.obs["type"] = labels
    return table


def make_cells(weights: np.ndarray = WEIGHTS) -> AnnData:
    reference = make_reference()
    cells = AnnData(np.ones((len(weights), 2), np.float32))
    cells.obsm[slots.WEIGHTS] = sparse.csr_matrix(weights)
    slots.note(
        cells,
        reference_names=np.array(reference.obs_names, object),
        reference_fingerprint=fingerprint(reference, expression(reference)),
    )
    return cells


def test_imputed_values_are_weighted_means_of_log_expression() -> None:
    found = impute(make_cells(), make_reference(), ["MS4A1", "CD8A"])
    assert found.shape == (3, 2)
    assert found.dtype == np.float32
    np.testing.assert_allclose(found, (WEIGHTS @ LOGS)[:, [3, 1]], rtol=1e-5)
    np.testing.assert_allclose(found[2], [np.log1p(1e4 / 6), np.log1p(5e4 / 6)], rtol=1e-5)


def test_one_gene_gives_one_number_a_cell() -> None:
    alone = impute(make_cells(), make_reference(), "CD8B")
    assert alone.shape == (3,)
    np.testing.assert_allclose(alone, WEIGHTS @ LOGS[:, 2], rtol=1e-5)
    listed = impute(make_cells(), make_reference(), ["CD8B"])
    assert listed.shape == (3, 1)
    np.testing.assert_array_equal(listed[:, 0], alone)


@pytest.mark.parametrize(
    ("gene", "says"),
    [
        ("cd8a", "Not in the reference: cd8a. It has CD8A"),
        ("CD8", "Not in the reference: CD8. It has CD8A, CD8B"),
        ("ALB", "Not in the reference: ALB. It has CD3E"),
    ],
)
def test_an_unknown_gene_names_those_that_are_near(gene: str, says: str) -> None:
    with pytest.raises(InputError, match=says):
        impute(make_cells(), make_reference(), gene)
    with pytest.raises(InputError, match=says):
        impute(make_cells(), make_reference(), ["CD3E", gene])


def reordered(reference: AnnData) -> AnnData:
    return reference[::-1].copy()


def shortened(reference: AnnData) -> AnnData:
    return reference[:4].copy()


def renamed(reference: AnnData) -> AnnData:
    reference.obs_names = ["r0", "r1", "x", "r3", "r4"]
    return reference


def edited(reference: AnnData) -> AnnData:
    reference.X[2, 2] += 1
    return reference


def with_fewer_genes(reference: AnnData) -> AnnData:
    return reference[:, :3].copy()


def with_genes_swapped(reference: AnnData) -> AnnData:
    reference.var_names = ["CD8A", "CD3E", "CD8B", "MS4A1"]
    return reference


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (reordered, r"same cells in another order \(cell 1 is 'r4', the integration used 'r0'\)"),
        (shortened, "it has 4 cells, the integration used 5"),
        (renamed, r"other cells \(cell 3 is 'x', the integration used 'r2'\)"),
        (edited, "other values or genes"),
        (with_fewer_genes, "other values or genes"),
        (with_genes_swapped, "other values or genes"),
    ],
)
def test_another_reference_is_refused(change: Callable[[AnnData], AnnData], says: str) -> None:
    other = change(make_reference(list("aabbb")))
    with pytest.raises(InputError, match=says):
        impute(make_cells(), other, "CD8B")
    with pytest.raises(InputError, match=says):
        transfer_labels(make_cells(), other, "type")


def test_a_new_column_of_the_reference_does_no_harm() -> None:
    impute(make_cells(), make_reference(list("aabbb")), "CD3E")


def test_cells_that_are_not_integrated() -> None:
    with pytest.raises(InputError, match=r"ng\.integrate\(cells, reference\)"):
        impute(AnnData(np.ones((2, 2), np.float32)), make_reference(), "CD3E")


def test_weights_without_their_reference_are_refused() -> None:
    cells = make_cells()
    del cells.uns["gluer"]
    with pytest.raises(InputError, match=r"uns_merge='first'"):
        impute(cells, make_reference(), "CD3E")
