import numpy as np
import pandas as pd
import pytest
from anndata import AnnData
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy import sparse

from napari_gluer import slots
from napari_gluer.errors import InputError
from napari_gluer.expression import detect_kind, expression, fingerprint, gene_symbols

COUNTS = np.array([[1.0, 3.0, 0.0], [0.0, 0.0, 5.0], [0.0, 0.0, 0.0]], np.float32)
LOGS = np.log1p(np.array([[2500, 7500, 0], [0, 0, 1e4], [0, 0, 0]]))
SCALED = COUNTS - 1


def table(X: object = COUNTS, **layers: object) -> AnnData:
    names = pd.DataFrame(index=["CD3E", "CD8A", "CD8B"])
    return AnnData(X, var=names, layers=layers)


@pytest.mark.parametrize(
    ("values", "kind"),
    [
        (COUNTS, "counts"),
        (sparse.csr_matrix(COUNTS), "counts"),
        (COUNTS + 0.5, "log1p"),
        (COUNTS * 10 + 0.5, "counts"),
        (SCALED, None),
        (np.full_like(COUNTS, np.nan), None),
        (np.full_like(COUNTS, np.inf), None),
        (COUNTS * 0, None),
        (np.zeros((0, 3)), None),
    ],
)
def test_kinds(values: object, kind: str | None) -> None:
    assert detect_kind(values) == kind


def test_counts_become_log1p_per_ten_thousand_and_empty_cells_stay_empty() -> None:
    found = expression(table())
    np.testing.assert_allclose(found.matrix.toarray(), LOGS, rtol=1e-6)
    assert (found.kind, found.source, found.matrix.dtype) == ("counts", "X", np.float32)


def test_log1p_values_stay() -> None:
    found = expression(table(LOGS.astype(np.float32)))
    np.testing.assert_allclose(found.matrix.toarray(), LOGS, rtol=1e-6)
    assert found.kind == "log1p"


def test_slots_are_tried_in_order() -> None:
    both = table(SCALED, counts=COUNTS)
    assert expression(both).source == "layers['counts']"
    raw = table(COUNTS)
    raw.raw = raw.copy()
    raw.X = SCALED
    found = expression(raw)
    assert found.source == "raw"
    np.testing.assert_allclose(found.matrix.toarray(), LOGS, rtol=1e-6)
    negative_layer = table(COUNTS, counts=SCALED)
    assert expression(negative_layer).source == "X"


def test_whole_log1p_values_that_were_read_are_not_counts_again() -> None:
    again = table(COUNTS)
    slots.note(again, kind="log1p")
    np.testing.assert_array_equal(expression(again).matrix.toarray(), COUNTS)


def test_nothing_usable_names_every_slot() -> None:
    with pytest.raises(InputError, match=r"layers\['counts'\]: NaN; X: -1 to 4.*sc.pp.scale"):
        expression(table(SCALED, counts=np.full_like(COUNTS, np.nan)))


def test_the_input_is_left_as_it_is() -> None:
    given_table = table(sparse.csr_matrix(COUNTS))
    expression(given_table)
    np.testing.assert_array_equal(given_table.X.toarray(), COUNTS)


def test_ensembl_ids_are_mapped_and_repeats_numbered() -> None:
    ids = [f"ENSG9000000000{i}" for i in range(4)]  # nobody's
    var = pd.DataFrame({"feature_name": ["CD4", "CD4", None, "CD8A"]}, index=ids)
    assert list(gene_symbols(var)) == ["CD4", "CD4-1", ids[2], "CD8A"]
    assert list(gene_symbols(var[[]])) == ids
    known = pd.DataFrame(index=["ENSG00000010610.9", "ENSG00000153563", *ids, "ENSMUSG00000023274"])
    assert list(gene_symbols(known)) == ["CD4", "CD8A", *ids, "Cd4"]
    symbols = pd.DataFrame({"feature_name": ["x", "y"]}, index=["CD4", "CD8A"])
    assert list(gene_symbols(symbols)) == ["CD4", "CD8A"]


def test_columns_come_in_the_order_asked_and_unknown_ones_get_a_hint() -> None:
    found = expression(table())
    np.testing.assert_allclose(found.columns(["CD8B", "CD3E"]), LOGS[:, [2, 0]], rtol=1e-6)
    with pytest.raises(InputError, match=r"Not in the reference: cd3e. It has CD3E"):
        found.columns(["cd3e"])
    with pytest.raises(InputError, match="It has CD8A, CD8B"):
        found.columns(["CD8"])


@given(arrays(np.float32, (4, 3), elements=st.integers(0, 100).map(float)))
def test_every_filled_cell_sums_to_ten_thousand(counts: np.ndarray) -> None:
    if detect_kind(counts) is None:
        return
    totals = np.expm1(expression(table(counts)).matrix.toarray().astype(float)).sum(axis=1)
    filled = counts.sum(axis=1) > 0
    np.testing.assert_allclose(totals[filled], 1e4, rtol=1e-4)
    np.testing.assert_array_equal(totals[~filled], 0)


def test_fingerprint_knows_order_names_and_values() -> None:
    one = table()
    print_of = {"same": fingerprint(one, expression(one))}
    copy = table(sparse.csr_matrix(COUNTS))
    assert fingerprint(copy, expression(copy)) == print_of["same"]
    turned = one[[1, 0, 2]].copy()
    changed = table(COUNTS + np.eye(3, dtype=np.float32))
    renamed = table()
    renamed.obs_names = ["a", "b", "c"]
    for other in (turned, changed, renamed):
        assert fingerprint(other, expression(other)) != print_of["same"]
