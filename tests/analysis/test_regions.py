import numpy as np
import pandas as pd
import pytest
from anndata import AnnData
from scipy.stats import false_discovery_control, fisher_exact, mannwhitneyu

from napari_gluer.analysis.regions import RegionParams, compare_regions
from napari_gluer.errors import InputError
from napari_gluer.integration.imputation import impute
from napari_gluer.polygons import Polygon, Regions


@pytest.fixture
def tissue_cells(cells: AnnData) -> AnnData:
    """The cells in two halves; type 0 is mostly in the left one."""
    rng = np.random.default_rng(3)
    left = np.where(cells.obs["truth"] == "type 0", rng.random(90) < 0.9, rng.random(90) < 0.4)
    cells.obsm["spatial"] = np.column_stack([np.where(left, 20.0, 70.0), rng.random(90) * 90])
    cells.uns["gluer"] |= {"spatial_unit": "px", "kind": "intensity"}
    cells.obs["left"] = left
    return cells


def halves(name: str = "left") -> Regions:
    ring = np.array([[-1.0, -1.0], [-1.0, 50.0], [100.0, 50.0], [100.0, -1.0]])
    return Regions((Polygon((ring,), name=name),))


def test_composition_by_counting(tissue_cells: AnnData) -> None:
    found = compare_regions(tissue_cells, halves(), by="truth")
    table = found.composition.set_index(["region", "type"])
    left = tissue_cells.obs["left"].to_numpy()
    truth = tissue_cells.obs["truth"].to_numpy()
    for kind in ("type 0", "type 1", "type 2"):
        a, c = (truth[left] == kind).sum(), (truth[~left] == kind).sum()
        row = table.loc[("left", kind)]
        assert (row["n"], row["total"]) == (a, left.sum())
        assert row["share"] == pytest.approx(a / left.sum())
        assert row["share_low"] < row["share"] < row["share_high"]
        expected = fisher_exact([[a, left.sum() - a], [c, (~left).sum() - c]])
        assert row["p"] == pytest.approx(expected.pvalue)
        assert row["odds_ratio"] == pytest.approx(expected.statistic)
    np.testing.assert_allclose(table["p_adjusted"], false_discovery_control(table["p"]))
    assert table.loc[("left", "type 0"), "odds_ratio"] > 3
    assert found.independence.p < 0.01
    assert found.regions.set_index("region")["n_cells"].to_dict() == {
        "left": left.sum(),
        "outside": (~left).sum(),
    }
    assert len(found.expression) == 0
    assert "not independent samples" in found.composition.attrs["note"]


def test_every_way_to_say_where_gives_the_same(tissue_cells: AnnData) -> None:
    tissue_cells.obs["half"] = np.where(tissue_cells.obs["left"], "left", "")
    expected = compare_regions(tissue_cells, halves(), by="truth").composition
    for where in ("half", {"left": tissue_cells.obs["left"]}):
        found = compare_regions(tissue_cells, where, by="truth").composition
        pd.testing.assert_frame_equal(found, expected)


def test_imputed_expression(tissue_cells: AnnData, reference: AnnData) -> None:
    tissue_cells.obs["gluer_unmatched"] = np.arange(90) < 6
    found = compare_regions(tissue_cells, halves(), genes=["G3", "G41"], reference=reference)
    table = found.expression.set_index(["region", "feature"])
    kept = np.arange(90) >= 6
    left = tissue_cells.obs["left"].to_numpy()
    values = impute(tissue_cells, reference, "G3")
    inside, outside = values[left & kept], values[~left & kept]
    row = table.loc[("left", "G3")]
    test = mannwhitneyu(inside, outside, use_continuity=False, method="asymptotic")
    assert (row["n_in"], row["n_out"]) == (len(inside), len(outside))
    assert row["mean_in"] == pytest.approx(inside.mean(), rel=1e-5)
    assert row["p"] == pytest.approx(test.pvalue, rel=1e-6)
    assert row["auroc"] > 0.6
    np.testing.assert_allclose(
        found.expression["p_adjusted"], false_discovery_control(found.expression["p"])
    )
    assert found.expression.attrs["values"] == "imputed"
    assert "optimistic" in found.expression.attrs["note"]
    assert len(found.composition) == 0


def test_measured_expression_and_other_values(tissue_cells: AnnData) -> None:
    times = pd.Series(np.arange(90.0), tissue_cells.obs_names)
    times.iloc[:30] = np.nan
    found = compare_regions(tissue_cells, halves(), genes="all", values={"pseudotime": times[::-1]})
    table = found.expression.set_index(["region", "feature"])
    assert list(table.loc["left"].index) == ["CD3", "CD4", "CD8", "CD20", "pseudotime"]
    left = tissue_cells.obs["left"].to_numpy()
    row = table.loc[("left", "pseudotime")]
    assert row["n_in"] == left[30:].sum()
    assert row["mean_in"] == pytest.approx(np.arange(90)[left & (np.arange(90) >= 30)].mean())
    column = np.asarray(tissue_cells.X)[:, 1]
    assert table.loc[("left", "CD4"), "mean_in"] == pytest.approx(column[left].mean(), rel=1e-6)
    expected = np.log2(column[left].mean() / column[~left].mean())
    assert table.loc[("left", "CD4"), "log2_fold_change"] == pytest.approx(expected, abs=1e-6)


def test_cells_in_several_regions_count_in_each(tissue_cells: AnnData) -> None:
    where = {"left": tissue_cells.obs["left"].to_numpy(), "first": np.arange(90) < 50}
    found = compare_regions(tissue_cells, where, by="truth", genes="all")
    shared = int((where["left"] & where["first"]).sum())
    assert f"{shared} in several regions, counted in each" in found.outcome
    sizes = found.regions.set_index("region")["n_cells"]
    assert sizes.sum() == 90 + shared
    assert np.isnan(found.independence.p)
    alone = compare_regions(tissue_cells, where["first"], by="truth").composition
    both = found.composition
    np.testing.assert_array_equal(
        both[both["region"] == "first"]["p"], alone[alone["region"] == "inside"]["p"]
    )


def test_areas_to_leave_out_and_cells_without_a_type(tissue_cells: AnnData) -> None:
    tissue_cells.obs["gluer_unmatched"] = np.arange(90) < 4
    tissue_cells.obs.loc[tissue_cells.obs_names[4:7], "truth"] = None
    low = np.array([[-1.0, -1.0], [-1.0, 100.0], [30.0, 100.0], [30.0, -1.0]])
    regions = Regions(halves().include, (Polygon((low,)),))
    found = compare_regions(tissue_cells, regions, by="truth")
    high = tissue_cells.obsm["spatial"][:, 1] > 30
    sizes = found.regions.set_index("region")
    assert sizes["n_cells"].sum() == high.sum()
    assert sizes["n_unmatched"].sum() == high[:4].sum()
    assert sizes["n_untyped"].sum() == high[4:7].sum()
    assert found.composition["n"].sum() == high[7:].sum()
    assert f"{(~high).sum()} in areas to leave out, 4 unmatched" in found.outcome


def test_a_region_that_holds_no_cell_and_one_that_holds_one(tissue_cells: AnnData) -> None:
    where = {
        "left": tissue_cells.obs["left"].to_numpy(),
        "none": np.zeros(90, bool),
        "one": np.arange(90) == 3,
    }
    found = compare_regions(tissue_cells, where, by="truth", genes="all")
    table = found.composition.set_index(["region", "type"])
    assert (table.loc["none", "n"] == 0).all()
    assert table.loc["none", ["share", "share_low", "p", "odds_ratio"]].isna().all(axis=None)
    assert table.loc["one", "share"].max() == 1
    assert set(found.expression["region"]) == {"left", "outside"}
    assert "no cell in none" in found.outcome
    few = RegionParams(min_cells=60)
    assert len(compare_regions(tissue_cells, where, genes="all", params=few).expression) == 0


def test_one_type_only(tissue_cells: AnnData) -> None:
    tissue_cells.obs["truth"] = "same"
    found = compare_regions(tissue_cells, halves(), by="truth")
    assert (found.composition["share"] == 1).all()
    assert np.isnan(found.independence.p)


def test_what_cannot_be_compared(tissue_cells: AnnData, reference: AnnData) -> None:
    with pytest.raises(InputError, match="Say what to compare"):
        compare_regions(tissue_cells, halves())
    with pytest.raises(InputError, match=r"no obs\['type'\]"):
        compare_regions(tissue_cells, halves(), by="type")
    with pytest.raises(InputError, match="Not in the reference: X"):
        compare_regions(tissue_cells, halves(), genes=["X"], reference=reference)
    with pytest.raises(InputError, match=r"'depth' have shape \(3,\)"):
        compare_regions(tissue_cells, halves(), values={"depth": np.ones(3)})
    with pytest.raises(InputError, match="'depth' are not indexed by these cells"):
        compare_regions(tissue_cells, halves(), values={"depth": pd.Series(np.ones(90))})
