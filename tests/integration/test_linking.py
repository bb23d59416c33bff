import json

import numpy as np
import pandas as pd
import pytest
from anndata import AnnData
from scipy import sparse

from napari_gluer import slots
from napari_gluer.errors import InputError
from napari_gluer.expression import expression
from napari_gluer.integration.gluer import integrate
from napari_gluer.integration.link_words import translated
from napari_gluer.integration.linking import (
    cell_features,
    linked_features,
    links_between,
    marker_links,
    reference_features,
    require_links,
)
from napari_gluer.integration.params import IntegrateParams

CASE_ONLY = (
    "1 feature links only without regard to upper and lower case (xyz1): are both of one species?"
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


def test_what_was_translated_is_said() -> None:
    table = cells(
        np.ones((2, 5)), ["CD3", "CD4", "Fam46c", "xyz1", "CD19"], genes=["", "CD4", "", "", "CD19"]
    )
    genes = pd.Index(["Cd3d", "Cd3e", "Cd4", "Tent5c", "Xyz1", "ENSMUSG00000030724"])
    assert translated(links_between([table], genes)) == [
        "2 features link to mouse orthologues (CD4, CD19)",
        "1 feature links through older or newer symbols (Fam46c)",
        CASE_ONLY,
    ]
    human = links_between([table], pd.Index(["CD4", "ENSG00000177455"]))
    assert translated(human) == ["1 feature links through Ensembl ids (CD19)"]


def test_every_marker_and_what_becomes_of_it() -> None:
    names = ["CD20", "CD4", "CD15", "CD99", "mystery", "DAPI", "left"]
    table = cells(
        np.ones((3, 7)),
        names,
        genes=["MS4A1", "CD4", "FUT4", "CD99", "", "", ""],
        role=["marker"] * 5 + ["nuclear", "marker"],
        genes_source=["", "", "", "", "", "", "edited"],
    )
    counts = np.zeros((200, 4), np.float32)
    counts[:, 3], counts[:3, 0], counts[:1, 1], counts[:50, 2] = 5, 1, 1, 2
    other = AnnData(counts, var=pd.DataFrame(index=["MS4A1", "CD4", "FUT4", "ACTB"]))
    every = marker_links(table, other)
    assert every["state"].to_dict() == {
        "CD20": "linked",
        "CD4": "silent in the reference",
        "CD15": "linked",
        "CD99": "not in the reference",
        "mystery": "no gene known",
        "left": "no gene known",
    }
    np.testing.assert_allclose(every["detected"], [0.015, 0.005, 0.25, np.nan, np.nan, np.nan])
    assert every.at["CD20", "found"] == "alias"
    assert every.at["CD15", "note"].startswith("weak: a sugar")
    assert list(linked_features(table, other).index) == ["CD20", "CD15"]
    assert list(linked_features(table, other, least_detected=0).index) == ["CD20", "CD4", "CD15"]
    assert list(linked_features(table, other, least_detected=0.2).index) == ["CD15"]


def test_all_linked_or_none_linked_is_a_table_too() -> None:
    table = cells(COUNTS, ["A", "B", "C", "D"])
    assert list(marker_links(table, reference(*"ABCD"))["state"]) == ["linked"] * 4
    none = marker_links(table, reference("X", "Y"))
    assert list(none["state"]) == ["no gene known"] * 4
    assert list(none.columns) == ["genes", "found", "note", "detected", "state"]
    assert len(linked_features(table, reference("X"))) == 0


def test_markers_that_one_table_lacks_are_named() -> None:
    first = cells(COUNTS[:, :3], ["CD4", "CD19", "x"], genes=["CD4", "CD19", ""])
    second = cells(COUNTS[:, :2], ["CD4", "x"], genes=["CD4", ""])
    states = marker_links([first, second], reference("CD4", "CD19"))["state"].to_dict()
    assert states == {"CD4": "linked", "CD19": "not in all tables", "x": "no gene known"}


def test_edited_genes_are_final() -> None:
    edited = {"genes_source": ["edited", "edited", ""]}
    table = cells(COUNTS[:, :3], ["CD4", "CD8", "CD19"], genes=["", "CD8X", "CD19"], **edited)
    every = marker_links(table, reference("CD4", "CD8A", "CD19"))
    assert list(every["state"]) == ["no gene known", "not in the reference", "linked"]


def test_a_gene_counts_as_detected_if_any_of_an_antigens_is() -> None:
    table = cells(np.ones((3, 1)), ["CD8"], genes=["CD8A;CD8B"])
    counts = np.eye(100, 3, dtype=np.float32)
    counts[:, 2] = 1
    other = AnnData(counts, var=pd.DataFrame(index=["CD8A", "CD8B", "ACTB"]))
    assert marker_links(table, other).at["CD8", "detected"] == pytest.approx(0.02)


@pytest.mark.parametrize("name", ["", " ", np.nan, None])
def test_columns_without_a_name_are_no_feature(name: object) -> None:
    table = AnnData(np.ones((2, 2), np.float32))
    table.var.index = pd.Index([name, "A"], dtype=object)
    assert list(linked_features(table, reference("A", "nan", "None", ""))["genes"]) == [("A",)]


def test_silent_markers_stay_out_of_the_integration() -> None:
    rng = np.random.default_rng(1)
    names = [f"G{i}" for i in range(12)]
    counts = rng.poisson(4, (300, 12)).astype(np.float32)
    counts[:, 5] = 0
    counts[0, 5] = 1
    table = cells(rng.poisson(4, (80, 12)).astype(np.float32), names)
    other = AnnData(counts, var=pd.DataFrame(index=names))
    small = {"network": {"max_epochs": 1}, "factorize": {"rank": 3}}
    known = integrate(table, other, IntegrateParams(**small)).uns["gluer"]
    assert "G5" not in json.loads(known["links"])
    assert json.loads(known["unlinked"]) == {"G5": "silent in the reference"}
    details = json.loads(known["link_details"])
    assert details["G0"]["found"] == "as written"
    assert 0.9 < details["G0"]["detected"] <= 1
    assert "; 1 silent in the reference is left out (G5)" in known["outcome"]
    kept = IntegrateParams(**small, features={"least_detected": 0})
    assert "G5" in json.loads(integrate(table, other, kept).uns["gluer"]["links"])
    assert IntegrateParams(preset="paper").features.least_detected == 0
    assert IntegrateParams().features.least_detected == 0.01


def test_a_reference_in_which_all_is_silent_is_refused() -> None:
    counts = np.zeros((300, 2), np.float32)
    counts[:, 1], counts[0, 0] = 3, 1
    other = AnnData(counts, var=pd.DataFrame(index=["CD4", "ACTB"]))
    with pytest.raises(InputError, match=r"1 features link .*fewer than 1% of the reference cells"):
        integrate(cells(np.ones((5, 1)), ["CD4"]), other)


def test_repeated_names_are_refused_in_words() -> None:
    with pytest.warns(UserWarning, match="not unique"):
        table = cells(COUNTS, ["CD4", "CD4", "CD8", "x"])
    with pytest.raises(InputError, match="repeated: CD4"):
        marker_links(table, reference("CD4"))


def test_links_without_variation_are_an_error_of_their_own() -> None:
    flat = AnnData(np.ones((5, 2), np.float32))
    flat.var_names = ["CD4", "CD8A"]
    with pytest.raises(InputError, match=r"2 features link .*one value for all cells"):
        integrate(flat, flat.copy())
