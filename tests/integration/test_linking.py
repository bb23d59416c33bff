import numpy as np
import pandas as pd
import pytest
from anndata import AnnData
from scipy import sparse

from napari_gluer import slots
from napari_gluer.errors import InputError
from napari_gluer.expression import expression
from napari_gluer.integration.gluer import integrate
from napari_gluer.integration.linking import (
    cell_features,
    linked_features,
    reference_features,
    renamed,
    require_links,
)

COUNTS = np.array([[2, 0, 6, 2], [0, 5, 0, 0], [1, 1, 1, 1], [0, 0, 0, 0]], np.float32)


def per_ten_thousand(counts: np.ndarray) -> np.ndarray:
    totals = counts.sum(axis=1, keepdims=True)
    return np.log1p(counts / np.where(totals > 0, totals, 1) * 1e4)


def reference(*genes: str) -> AnnData:
    rng = np.random.default_rng(0)
    counts = rng.poisson(3, (6, len(genes))).astype(np.float32)
    return AnnData(sparse.csr_matrix(counts), var=pd.DataFrame(index=list(genes)))


def cells(values: object, names: list[str] | None = None, **var: list[str]) -> AnnData:
    width = values.shape[1]  # type: ignore[attr-defined]
    index = names or [f"M{i}" for i in range(width)]
    return AnnData(values, var=pd.DataFrame(var, index=index))


def links(table: AnnData | list[AnnData], *genes: str) -> dict[str, tuple[str, ...]]:
    return linked_features(table, reference(*genes))["genes"].to_dict()


def test_several_genes_of_one_antigen() -> None:
    table = cells(
        COUNTS, ["CD8", "CD3", "HLA-DR", "X"], genes=["CD8A;CD8B", "CD3E; CD3D;", "HLA-DRA", "NO"]
    )
    found = links(table, "CD3D", "CD8A", "CD3E", "HLA-DRA", "CD8B")
    assert found == {"CD8": ("CD8A", "CD8B"), "CD3": ("CD3E", "CD3D"), "HLA-DR": ("HLA-DRA",)}


def test_a_gene_that_the_reference_lacks_is_left_out_of_the_mean() -> None:
    assert links(cells(COUNTS[:, :1], ["CD8"], genes=["CD8A;CD8B"]), "CD8B") == {"CD8": ("CD8B",)}


def test_a_gene_named_twice_counts_once() -> None:
    table = cells(COUNTS[:, :1], ["CD8"], genes=["CD8A;cd8a;CD8A"])
    assert links(table, "CD8A") == {"CD8": ("CD8A",)}


def test_two_antigens_of_one_gene_stay_two() -> None:
    table = cells(COUNTS[:, :2], ["CD45RA", "CD45RO"], genes=["PTPRC", "PTPRC"])
    assert links(table, "PTPRC") == {"CD45RA": ("PTPRC",), "CD45RO": ("PTPRC",)}


def test_names_stand_for_themselves_where_no_genes_are_given() -> None:
    assert links(cells(COUNTS[:, :2], ["CD4", "Dapi"]), "CD4") == {"CD4": ("CD4",)}
    given = cells(COUNTS[:, :2], ["CD4", "MKI67"], genes=["", "MKI67"])
    assert links(given, "CD4", "MKI67") == {"CD4": ("CD4",), "MKI67": ("MKI67",)}
    missing = cells(COUNTS[:, :2], ["CD4", "MKI67"])
    missing.var["genes"] = [np.nan, "MKI67"]
    assert links(missing, "CD4", "MKI67") == {"CD4": ("CD4",), "MKI67": ("MKI67",)}


def test_case_matters_only_where_it_must() -> None:
    table = cells(COUNTS[:, :3], ["cd4", "Abc", "Tp53"])
    found = links(table, "CD4", "ABC", "abc", "TP53", "Tp53")
    assert found == {"cd4": ("CD4",), "Tp53": ("Tp53",)}


def test_only_markers_are_linked() -> None:
    roles = ["marker", "nuclear", "blank", "ignore"]
    table = cells(COUNTS, ["A", "B", "C", "D"], role=roles)
    assert links(table, "A", "B", "C", "D") == {"A": ("A",)}


def test_several_tables_link_what_all_have() -> None:
    first = cells(COUNTS, ["A", "B", "C", "D"])
    second = cells(COUNTS[:, :3], ["D", "B", "E"])
    third = cells(COUNTS, ["B", "C", "D", "E"], role=["marker", "marker", "blank", "marker"])
    assert list(links([first, second], *"ABCDE")) == ["B", "D"]
    assert list(links([first, second, third], *"ABCDE")) == ["B"]


def test_no_link_names_both_sides() -> None:
    table = cells(COUNTS, ["CD3", "CD8", "CD20", "Ki67"])
    genes = pd.Index(["Alb", "Apoa1"])
    with pytest.raises(InputError, match=r"CD3, CD8, CD20, Ki67; the reference has Alb, Apoa1"):
        require_links(linked_features(table, reference(*genes)), table, genes)


def test_feature_of_the_reference_is_the_mean_of_its_genes() -> None:
    table = cells(COUNTS[:, :2], ["CD8", "CD4"], genes=["CD8B;CD8A", "CD4"])
    other = AnnData(COUNTS, var=pd.DataFrame(index=["CD4", "CD8A", "B", "CD8B"]))
    found = reference_features(expression(other), linked_features(table, other))
    logs = per_ten_thousand(COUNTS)
    truth = np.column_stack([(logs[:, 1] + logs[:, 3]) / 2, logs[:, 0]])
    np.testing.assert_allclose(found.toarray(), truth, rtol=1e-5)


@pytest.mark.parametrize("stored", [np.asarray, sparse.csr_matrix, sparse.csc_matrix])
@pytest.mark.parametrize("kind", [None, "counts", "intensity", "activity"])
def test_totals_run_over_all_markers_not_only_linked_ones(stored: object, kind: str) -> None:
    roles = ["marker", "marker", "marker", "blank"]
    table = cells(stored(COUNTS), ["A", "B", "C", "D"], role=roles)  # type: ignore[operator]
    if kind:
        slots.note(table, kind=kind)
    found = cell_features(table, linked_features(table, reference("C", "A", "D")))
    dense = found.toarray() if sparse.issparse(found) else found
    np.testing.assert_allclose(dense, per_ten_thousand(COUNTS[:, :3])[:, [0, 2]], rtol=1e-5)


@pytest.mark.parametrize(
    "info", [{"kind": "log1p"}, {"kind": "intensity", "clean": "{}"}, {}], ids=str
)
def test_normalised_values_stay(info: dict[str, str]) -> None:
    values = COUNTS / 7
    table = cells(values, ["A", "B", "C", "D"])
    slots.note(table, **info)
    found = cell_features(table, linked_features(table, reference("B", "D")))
    np.testing.assert_array_equal(found, values[:, [1, 3]])


@pytest.mark.parametrize("bad", [-1.0, np.nan, np.inf])
@pytest.mark.parametrize("stored", [np.asarray, sparse.csr_matrix])
def test_values_that_cannot_be_used(bad: float, stored: object) -> None:
    values = COUNTS.copy()
    values[1, 1] = bad
    table = cells(stored(values), ["A", "B", "C", "D"])  # type: ignore[operator]
    with pytest.raises(InputError, match="negative, NaN or infinite"):
        cell_features(table, linked_features(table, reference("A")))


def test_a_bad_value_in_a_blank_does_no_harm() -> None:
    values = COUNTS.copy()
    values[0, 3] = np.nan
    table = cells(values, ["A", "B", "C", "D"], role=["marker", "marker", "marker", "blank"])
    found = cell_features(table, linked_features(table, reference("A")))
    assert np.isfinite(found.toarray()).all()


def test_markers_of_one_name_are_refused_in_words() -> None:
    with pytest.warns(UserWarning, match="not unique"):
        table = cells(COUNTS, ["A", "B", "A", "C"])
    with pytest.raises(InputError, match="A"):
        cell_features(table, linked_features(table, reference("A", "B")))


def test_cells_stay_as_they_were() -> None:
    table = cells(COUNTS.copy(), ["A", "B", "C", "D"])
    cell_features(table, linked_features(table, reference("A", "B")))
    np.testing.assert_array_equal(table.X, COUNTS)
    assert table.uns == {}


def test_features_that_link_only_by_folding_case_are_named() -> None:
    mouse = AnnData(np.ones((2, 3), np.float32))
    mouse.var_names = ["Cd4", "CD8A", "Xist"]
    human = AnnData(np.ones((2, 2), np.float32))
    human.var_names = ["CD4", "CD8A"]
    assert renamed(linked_features(mouse, human), mouse) == ["Cd4"]


def test_links_without_variation_are_an_error_of_their_own() -> None:
    flat = AnnData(np.ones((5, 2), np.float32))
    flat.var_names = ["CD4", "CD8A"]
    with pytest.raises(InputError, match=r"2 features link .*one value for all cells"):
        integrate(flat, flat.copy())
