"""What people bring by mistake: refused in words, or handled and said."""

from collections.abc import Callable, Iterable
from typing import Any

import numpy as np
import pandas as pd
import pytest
from anndata import AnnData
from scipy import sparse

import napari_gluer as ng

QUICK = ng.IntegrateParams(network={"max_epochs": 5})
QUICK_PAPER = ng.IntegrateParams(
    preset="paper", factorize={"max_iter": 20}, network={"max_epochs": 3}
)
BOTH = pytest.mark.parametrize("params", [QUICK, QUICK_PAPER], ids=["default", "paper"])
# human, Ensembl, mouse
GENES = """CD3E ENSG00000198851 Cd3e|CD8A ENSG00000153563 Cd8a|MS4A1 ENSG00000156738 Ms4a1|\
CD19 ENSG00000177455 Cd19|CD4 ENSG00000010610 Cd4|CD68 ENSG00000129226 Cd68|\
ITGAX ENSG00000140678 Itgax|FOXP3 ENSG00000049768 Foxp3"""
SYMBOLS, ENSEMBL, MOUSE = zip(*(line.split() for line in GENES.split("|")), strict=True)


def dense(matrix: Any) -> np.ndarray:
    return matrix.toarray() if sparse.issparse(matrix) else np.asarray(matrix)


def outcome(result: AnnData) -> str:
    return str(result.uns["gluer"]["outcome"])


def right(result: AnnData, reference: AnnData, types: np.ndarray) -> float:
    found = ng.transfer_labels(result, reference, "cell_type")["cell_type_transferred"]
    return float((found.to_numpy(str) == types).mean())


def sound(result: AnnData, reference: AnnData) -> None:
    """What every result promises."""
    assert result.obsm["gluer_weights"].shape == (result.n_obs, reference.n_obs)
    np.testing.assert_allclose(dense(result.obsm["gluer_weights"]).sum(axis=1), 1, atol=1e-5)
    assert np.isfinite(result.obsm["X_gluer"]).all()
    assert result.obs["gluer_confidence"].between(0, 1).all()


def named(typed: Any, cells: Iterable[str], reference: Iterable[str]) -> tuple[AnnData, AnnData]:
    """The first eight features, called as given; the others of the reference are its own."""
    own = typed.cells[:, :8].copy()
    own.var = pd.DataFrame(index=list(cells))
    known = typed.reference.copy()
    known.var_names = [*reference, *(f"OTHER{i}" for i in range(known.n_vars - 8))]
    return own, known


def test_no_shared_feature(typed: Any) -> None:
    cells, reference = named(typed, [f"m{i}" for i in range(8)], SYMBOLS)
    with pytest.raises(ng.InputError, match=r"No feature of the cells.*m0, m1.*CD3E, CD8A"):
        ng.integrate(cells, reference, QUICK)


@pytest.mark.parametrize(
    ("n", "says"),
    [
        (1, "1 linked feature tells few kinds of cells apart"),
        (2, "2 linked features tell few kinds of cells apart"),
        (5, "5 linked features tell few kinds of cells apart"),
        (6, ""),
    ],
)
@BOTH
def test_few_features_work_and_are_said(
    typed: Any, n: int, says: str, params: ng.IntegrateParams
) -> None:
    cells = typed.cells[:, :n].copy()
    if n == 1:  # counts of one feature are all the same once depth is divided out
        cells.uns["gluer"] = {"kind": "log1p"}
        cells.X = np.log1p(cells.X)
    result = ng.integrate(cells, typed.reference, params)
    sound(result, typed.reference)
    assert result.uns["gluer"]["rank"] == (n if params is QUICK else 20)
    assert ("few kinds of cells" in outcome(result)) == bool(says)
    assert says in outcome(result)


def test_one_feature_whose_depth_is_divided_out_tells_nothing(typed: Any) -> None:
    """What is left of it is the rounding of float32."""
    cells = typed.cells[:, :1].copy()
    cells.X = cells.X + 1
    with pytest.raises(ng.InputError, match="one value for all cells"):
        ng.integrate(cells, typed.reference, QUICK)


@pytest.mark.parametrize(
    ("cells", "reference", "says"),
    [
        (ENSEMBL, SYMBOLS, "8 features link through Ensembl ids"),
        (SYMBOLS, ENSEMBL, ""),
        (MOUSE, SYMBOLS, "8 features link to human orthologues"),
        (SYMBOLS, MOUSE, "8 features link to mouse orthologues"),
        (ENSEMBL, MOUSE, "8 features link to mouse orthologues"),
        ([name.lower() for name in SYMBOLS], SYMBOLS, ""),
    ],
    ids=["ids-symbols", "symbols-ids", "mouse-human", "human-mouse", "ids-mouse", "lower"],
)
def test_names_of_another_kind_link_the_same_genes(
    typed: Any, cells: list[str], reference: list[str], says: str
) -> None:
    own, known = named(typed, cells, reference)
    result = ng.integrate(own, known, QUICK)
    truth = ng.integrate(*named(typed, SYMBOLS, SYMBOLS), QUICK)
    assert says in outcome(result)
    np.testing.assert_array_equal(result.obsm["X_gluer"], truth.obsm["X_gluer"])


def test_constant_features_are_left_out_and_said(typed: Any) -> None:
    cells = typed.cells.copy()
    cells.X[:, [3, 8]] = 0
    result = ng.integrate(cells, typed.reference, QUICK)
    assert "2 of one value only are left out (Protein3, Protein8)" in outcome(result)
    without = typed.cells[:, [i for i in range(24) if i not in (3, 8)]].copy()
    truth = ng.integrate(without, typed.reference, QUICK)
    np.testing.assert_allclose(result.obsm["X_gluer"], truth.obsm["X_gluer"], atol=1e-4)


@BOTH
def test_nothing_but_constant_features(typed: Any, params: ng.IntegrateParams) -> None:
    cells = typed.cells.copy()
    cells.X[:] = 7
    with pytest.raises(ng.InputError, match=r"24 features link.*one value for all cells"):
        ng.integrate(cells, typed.reference, params)


def test_repeated_gene_names(typed: Any) -> None:
    """In the reference the first counts; in the cells nobody can tell which is meant."""
    reference = typed.reference.copy()
    names = list(reference.var_names)
    names[30] = names[2]
    reference.var_names = names
    result = ng.integrate(typed.cells, reference, QUICK)
    truth = ng.integrate(typed.cells, typed.reference, QUICK)
    np.testing.assert_array_equal(result.obsm["X_gluer"], truth.obsm["X_gluer"])
    cells = typed.cells.copy()
    cells.var_names = ["Protein0", "Protein0", *cells.var_names[2:]]
    with pytest.raises(ng.InputError, match="names of their own; repeated: Protein0"):
        ng.integrate(cells, typed.reference, QUICK)


def test_repeated_names_of_reference_cells(typed: Any) -> None:
    reference = typed.reference.copy()
    reference.obs_names = ["same", "same", *reference.obs_names[2:]]
    with pytest.raises(ng.InputError, match=r"reference\.obs_names_make_unique\(\)"):
        ng.integrate(typed.cells, reference, QUICK)


@BOTH
def test_empty_cells_on_both_sides(typed: Any, params: ng.IntegrateParams) -> None:
    cells, reference = typed.cells.copy(), typed.reference.copy()
    cells.X[[0, 41]] = 0
    counts = dense(reference.X)
    counts[[5, 149]] = 0
    reference.X = sparse.csr_matrix(counts)
    result = ng.integrate(cells, reference, params)
    sound(result, reference)
    assert list(np.flatnonzero(result.obs["gluer_unmatched"])) == [0, 41]
    assert not result.obs["gluer_confidence"].iloc[[0, 41]].any()
    assert not dense(result.obsm["gluer_weights"])[:, [5, 149]].any()
    assert ng.transfer_labels(result, reference, "cell_type").iloc[[0, 41], 0].isna().all()


def test_all_cells_empty(typed: Any) -> None:
    cells = typed.cells.copy()
    cells.X[:] = 0
    with pytest.raises(ng.InputError):
        ng.integrate(cells, typed.reference, QUICK)


def logs(table: AnnData) -> np.ndarray:
    counts = dense(table.X)
    return np.asarray(np.log1p(counts / counts.sum(axis=1, keepdims=True) * 1e4), np.float32)


def as_kind(typed: Any, kind: str | None, values: np.ndarray) -> AnnData:
    cells = typed.cells.copy()
    cells.X, cells.uns = values, {"gluer": {"kind": kind}} if kind else {}
    return cells


@pytest.mark.parametrize("stored", [np.asarray, sparse.csr_matrix])
@pytest.mark.parametrize("said", ["log1p", "counts", None])
@pytest.mark.parametrize("given", ["log1p", "counts"])
def test_counts_for_logs_and_logs_for_counts_in_the_cells(
    typed: Any, said: str | None, given: str, stored: Any
) -> None:
    values = typed.cells.X if given == "counts" else logs(typed.cells)
    result = ng.integrate(as_kind(typed, said, stored(values)), typed.reference, QUICK)
    truth = ng.integrate(as_kind(typed, given, values), typed.reference, QUICK)
    np.testing.assert_allclose(result.obsm["X_gluer"], truth.obsm["X_gluer"], atol=1e-3)
    told = outcome(result).partition("the values of the cells were said to be ")[2]
    largest = values.max()
    expected = {
        ("log1p", "counts"): f"log1p values but counts up to {largest:,.4g}: taken as counts",
        ("counts", "log1p"): f"counts but fractions of at most {largest:.3g}: taken as log1p",
    }
    assert told.startswith(expected.get((said or given, given), ""))
    assert bool(told) == ((said or given) != given)


def test_fractions_that_are_no_logarithms_are_activities(typed: Any) -> None:
    """Whoever means fractional counts can say so."""
    fractions = (typed.cells.X / 100).astype(np.float32)
    result = ng.integrate(as_kind(typed, "activity", fractions), typed.reference, QUICK)
    truth = ng.integrate(as_kind(typed, "counts", typed.cells.X), typed.reference, QUICK)
    np.testing.assert_allclose(result.obsm["X_gluer"], truth.obsm["X_gluer"], atol=1e-3)
    assert "said to be" not in outcome(result)


def test_values_that_only_say_yes_are_believed(typed: Any) -> None:
    yes = (np.median(typed.cells.X, axis=0) < typed.cells.X).astype(np.float32)
    result = ng.integrate(as_kind(typed, "log1p", yes), typed.reference, QUICK)
    assert "said to be" not in outcome(result)


def in_layer(reference: AnnData, values: np.ndarray) -> AnnData:
    reference.layers["counts"] = sparse.csr_matrix(values)
    return reference


def in_x(reference: AnnData, values: np.ndarray) -> AnnData:
    reference.X, reference.uns = values, {"gluer": {"kind": "log1p"}}
    return reference


def test_logs_in_the_counts_of_the_reference(typed: Any) -> None:
    truth = ng.integrate(typed.cells, typed.reference, QUICK)
    wrong = in_layer(typed.reference.copy(), logs(typed.reference))
    result = ng.integrate(typed.cells, wrong, QUICK)
    np.testing.assert_allclose(result.obsm["X_gluer"], truth.obsm["X_gluer"], atol=1e-3)
    says = "the values of the reference were said to be counts but fractions of at most"
    assert says in outcome(result)
    assert "said to be" not in outcome(truth)


def test_counts_in_a_reference_that_was_read_as_logs(typed: Any) -> None:
    truth = ng.integrate(typed.cells, typed.reference, QUICK)
    wrong = in_x(typed.reference.copy(), dense(typed.reference.X))
    result = ng.integrate(typed.cells, wrong, QUICK)
    np.testing.assert_allclose(result.obsm["X_gluer"], truth.obsm["X_gluer"], atol=1e-3)
    assert "the values of the reference were said to be log1p values but counts" in outcome(result)
    # what is imputed later is of the same values
    np.testing.assert_allclose(
        ng.impute(result, wrong, "GENE30"), ng.impute(truth, typed.reference, "GENE30"), atol=0.05
    )
    read = in_x(typed.reference.copy(), logs(typed.reference))
    assert "said to be" not in outcome(ng.integrate(typed.cells, read, QUICK))


@pytest.mark.parametrize("bad", [-1.0, np.nan, np.inf])
def test_values_that_cannot_be(typed: Any, bad: float) -> None:
    cells = typed.cells.copy()
    cells.X[4, 4] = bad
    with pytest.raises(ng.InputError, match="negative, NaN or infinite"):
        ng.integrate(cells, typed.reference, QUICK)


def test_labels_with_nan(typed: Any) -> None:
    """Reference cells without a label have no say; the others say the same as before."""
    reference = typed.reference.copy()
    gone = np.arange(reference.n_obs) % 4 == 0
    reference.obs["cell_type"] = reference.obs["cell_type"].astype(object).where(~gone, np.nan)
    result = ng.integrate(typed.cells, reference, QUICK)
    assert right(result, reference, typed.types) > 0.95
    found = ng.transfer_labels(result, reference, "cell_type")
    assert set(found["cell_type_transferred"].cat.categories) == set(typed.types)
    weight = dense(result.obsm["gluer_weights"])[:, ~gone].sum(axis=1)
    assert (found["cell_type_probability"].to_numpy() <= weight + 1e-6).all()


def test_a_reference_of_fifty_cells(typed_of: Callable[..., Any]) -> None:
    typed = typed_of(3, n_reference=50)
    result = ng.integrate(typed.cells, typed.reference, QUICK)
    sound(result, typed.reference)
    assert right(result, typed.reference, typed.types) > 0.95


@pytest.mark.parametrize(("n_reference", "n_cells"), [(3000, 30), (30, 3000)])
def test_a_hundred_times_more_cells_on_one_side(
    typed_of: Callable[..., Any], n_reference: int, n_cells: int
) -> None:
    typed = typed_of(4, n_reference=n_reference, n_cells=n_cells)
    result = ng.integrate(typed.cells, typed.reference, QUICK)
    sound(result, typed.reference)
    assert right(result, typed.reference, typed.types) > 0.95
