from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from anndata import AnnData

from napari_gluer.analysis.naming import NONE_FITS, NameParams, name_clusters
from napari_gluer.errors import InputError

LISTS = {f"type {i}": [f"G{g}" for g in range(i, 30, 3)][:5] for i in range(3)}
RANDOM = {"other": ["G40", "G47", "G52", "G31", "G33"]}


def measured(n: int = 150, n_genes: int = 200) -> AnnData:
    """Counts of three clusters; genes ``5 c`` to ``5 c + 4`` are of cluster c."""
    rng = np.random.default_rng(0)
    clusters = np.arange(n) % 3
    mean = np.full((n, n_genes), 2.0)
    for one in range(3):
        mean[np.ix_(clusters == one, np.arange(5 * one, 5 * one + 5))] = 9
    cells = AnnData(rng.poisson(mean).astype(np.float32))
    cells.var_names = [f"G{i}" for i in range(n_genes)]
    cells.obs["cluster"] = (clusters + 1).astype(str)
    return cells


def genes(first: int, n: int = 5) -> list[str]:
    return [f"G{i}" for i in range(first, first + n)]


def test_planted_types_are_named() -> None:
    markers = {"a": genes(0), "b": genes(5), "c": genes(10), "d": genes(100)}
    found = name_clusters(measured(), "cluster", markers).set_index("group")
    assert found["name"].to_dict() == {"1": "a", "2": "b", "3": "c"}
    assert (found["p"] < 0.01).all()
    assert (found["n_cells"] == 50).all()
    assert (found["n_genes"] == 5).all()
    np.testing.assert_allclose(found["margin"], found["score"] - found["second_score"])
    assert found.attrs["scores"]["2"]["b"] == found.loc["2", "score"]
    assert found.attrs["outcome"].startswith("3 of 3 groups named by 4 types, from measured genes")


def test_score_is_the_mean_of_z_values_less_the_background() -> None:
    cells = measured()
    found = name_clusters(cells, "cluster", {"a": genes(0), "d": genes(100)}).set_index("group")
    counts = np.asarray(cells.X, float)
    values = np.log1p(counts / counts.sum(axis=1, keepdims=True) * 1e4)
    z = (values - values.mean(axis=0)) / values.std(axis=0)
    first = z[(cells.obs["cluster"] == "1").to_numpy()].mean(axis=0)
    order = np.argsort(np.argsort(values.mean(axis=0), kind="stable"), kind="stable")
    bins = order * 5 // 200
    expected = np.mean([first[g] - first[bins == bins[g]].mean() for g in range(5)])
    assert found.loc["1", "score"] == pytest.approx(expected, rel=1e-4)


def test_none_fits_where_no_list_is_beyond_chance() -> None:
    found = name_clusters(measured(), "cluster", {"x": genes(50), "y": genes(120)})
    assert (found["name"] == NONE_FITS).all()
    assert found["reason"].str.contains("random lists do as well|higher here than elsewhere").all()


def test_none_fits_where_the_second_fits_as_well() -> None:
    found = name_clusters(
        measured(), "cluster", {"a": genes(0), "same": genes(0)[::-1], "b": genes(5)}
    ).set_index("group")
    assert found["name"].to_dict() == {"1": NONE_FITS, "2": "b", "3": NONE_FITS}
    assert found.loc["1", "reason"] == "same fits as well"
    assert found.loc["1", "margin"] == pytest.approx(0)


def test_genes_that_a_type_lacks_part_like_types() -> None:
    cells = measured()
    cells.X[:, 150:155] = cells.X[:, :5] + cells.X[:, 5:10]  # of clusters 1 and 2 alike
    rows = [("one", gene, "+") for gene in genes(150)] + [("two", gene, "+") for gene in genes(150)]
    rows += [("one", gene, "-") for gene in genes(5)] + [("two", gene, "-") for gene in genes(0)]
    table = pd.DataFrame(rows, columns=["type", "gene", "direction"])
    found = name_clusters(cells, "cluster", table).set_index("group")
    assert found.loc["1", "name"] == "one"
    assert found.loc["2", "name"] == "two"
    assert found.loc["3", "name"] == NONE_FITS


def test_imputed_genes_and_lists_from_the_reference(cells: AnnData, reference: AnnData) -> None:
    given = name_clusters(cells, "truth", {**LISTS, **RANDOM}, reference=reference)
    assert list(given["name"]) == ["type 0", "type 1", "type 2"]
    assert given.attrs["values"] == "imputed"
    own = name_clusters(
        cells, "truth", "cell_type", reference=reference, params=NameParams(n_markers=6)
    )
    assert list(own["name"]) == ["type 0", "type 1", "type 2"]
    assert (own["n_genes"] == 6).all()


def test_a_file_of_lists(tmp_path: Path) -> None:
    path = tmp_path / "lists.csv"
    rows = [f"a,{gene}" for gene in genes(0)] + [f"d,{gene}" for gene in genes(100)]
    path.write_text("\n".join(["type,gene", *rows]), encoding="utf-8")
    for given in (path, str(path)):
        found = name_clusters(measured(), "cluster", given)
        assert list(found["name"]) == ["a", NONE_FITS, NONE_FITS]


def test_missing_genes_are_told() -> None:
    markers = {"a": [*genes(0), "FOXP3"], "b": ["CD19"], "d": genes(100)}
    found = name_clusters(measured(), "cluster", markers)
    assert found.attrs["missing"] == {"a": ["FOXP3"], "b": ["CD19"]}
    assert found.attrs["types_left_out"] == ["b"]
    assert "no gene there of b; 2 listed genes are not there" in found.attrs["outcome"]


def test_a_panel_too_small_for_chance_to_be_ruled_out() -> None:
    cells = measured()[:, :10].copy()
    found = name_clusters(cells, "cluster", {"a": ["G0"], "b": ["G5"]})
    assert (found["name"] == NONE_FITS).all()
    assert found["p"].min() >= 0.1
    assert "10 genes are too few to tell lists as short as a, b" in found.attrs["outcome"]


def test_same_seed_same_table_and_a_drawn_background() -> None:
    few = NameParams(n_background=100, n_draws=199)
    markers = {"a": genes(0), "d": genes(100)}
    once, again = (
        name_clusters(measured(), "cluster", markers, params=few, seed=4) for _ in range(2)
    )
    pd.testing.assert_frame_equal(once, again)
    assert once["name"][0] == "a"


def test_unmatched_cells_have_no_say() -> None:
    cells = measured()
    cells.obs["gluer_unmatched"] = np.arange(150) >= 120
    cells.X[120:] = 50
    found = name_clusters(cells, "cluster", {"a": genes(0), "d": genes(100)})
    alone = name_clusters(measured()[:120].copy(), "cluster", {"a": genes(0), "d": genes(100)})
    pd.testing.assert_frame_equal(found, alone)
    assert "30 unmatched cells left out" in found.attrs["outcome"]


def test_constant_genes_tell_nothing() -> None:
    cells = measured()
    cells.uns["gluer"] = {"kind": "intensity"}
    cells.X[:, 100:105] = 7
    found = name_clusters(cells, "cluster", {"a": genes(0), "constant": genes(100)})
    assert np.isfinite(found[["score", "second_score", "p"]].to_numpy(float)).all()
    assert list(found["name"]) == ["a", NONE_FITS, NONE_FITS]


def test_what_cannot_be_named(reference: AnnData, cells: AnnData) -> None:
    table = measured()
    with pytest.raises(InputError, match="None of the 1 marker genes is among the 200 measured"):
        name_clusters(table, "cluster", {"T": ["CD3E"]})
    table.obs["cluster"] = "1"
    with pytest.raises(InputError, match="one group only, '1'"):
        name_clusters(table, "cluster", {"a": genes(0)})
    with pytest.raises(InputError, match=r"no obs\['type'\]"):
        name_clusters(table, "type", {"a": genes(0)})
    with pytest.raises(InputError, match="give the reference too"):
        name_clusters(measured(), "cluster", "cell_type")
    with pytest.raises(InputError, match=r"no obs\['kind'\]"):
        name_clusters(cells, "truth", "kind", reference=reference)
