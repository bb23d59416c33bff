import warnings

import numpy as np
import pandas as pd
import pytest
from anndata import AnnData
from scipy import sparse
from scipy.stats import mannwhitneyu

from napari_gluer.analysis import gene_values as values_module
from napari_gluer.analysis.marker_genes import MarkerParams, marker_genes
from napari_gluer.errors import InputError
from napari_gluer.integration.imputation import impute


def logged(n: int = 120, seed: int = 0) -> AnnData:
    """log1p values of three types; gene i below 9 marks type i % 3."""
    rng = np.random.default_rng(seed)
    types = rng.integers(0, 3, n)
    mean = np.full((n, 14), 1.0)
    for gene in range(9):
        mean[types == gene % 3, gene] = 4
    table = AnnData(sparse.csr_matrix(np.log1p(rng.poisson(mean) * 1.3).astype(np.float32)))
    table.var_names = [f"G{i}" for i in range(14)]
    table.obs["type"] = pd.Categorical(np.array(["first", "second", "third"])[types])
    return table


def test_scores_are_those_of_scanpy() -> None:
    sc = pytest.importorskip("scanpy")
    cells = logged()
    found = marker_genes(cells, "type").set_index(["group", "gene"])
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        sc.tl.rank_genes_groups(cells, "type", method="wilcoxon", tie_correct=True, pts=True)
        expected = sc.get.rank_genes_groups_df(cells, None).set_index(["group", "names"])
    assert len(found) == len(expected) == 3 * 14
    expected = expected.loc[[(str(group), str(gene)) for group, gene in found.index]]
    pairs = {
        "score": "scores",
        "log2_fold_change": "logfoldchanges",
        "share_in": "pct_nz_group",
        "share_out": "pct_nz_reference",
        "p": "pvals",
        "p_adjusted": "pvals_adj",
    }
    for ours, theirs in pairs.items():
        np.testing.assert_allclose(found[ours], expected[theirs], rtol=2e-5, atol=1e-12)


def test_order_groups_and_counts() -> None:
    cells = logged()
    found = marker_genes(cells, "type")
    assert list(found["group"].unique()) == ["first", "second", "third"]
    for index, (_, rows) in enumerate(found.groupby("group", observed=True)):
        assert (np.diff(rows["score"]) <= 0).all()
        assert set(rows["gene"][:3]) == {f"G{i}" for i in range(9) if i % 3 == index}
    assert found.attrs["values"] == "measured"
    assert found.attrs["ranked_by"] == "score"
    assert found.attrs["outcome"] == "14 measured genes in 3 of 3 groups of 120 cells."


def test_imputed_genes_by_the_difference_block_by_block(
    cells: AnnData, reference: AnnData, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(values_module, "_BLOCK_ELEMENTS", 90 * 7)
    seen: list[str] = []

    def track(items, desc, /):  # type: ignore[no-untyped-def]
        seen.append(desc)
        return items

    found = marker_genes(cells, "truth", reference=reference, track=track)
    assert seen == ["Marker genes"]
    assert len(found) == 3 * reference.n_vars
    assert found.attrs["ranked_by"] == "difference"
    assert "optimistic" in found.attrs["note"]
    inside = (cells.obs["truth"] == "type 1").to_numpy()
    rows = found[found["group"] == "type 1"]
    assert (np.diff(rows["difference"]) <= 0).all()
    assert set(rows["gene"][:10]) == {f"G{i}" for i in range(1, 30, 3)}
    for _, row in rows.iloc[[0, 20, 59]].iterrows():
        values = impute(cells, reference, row["gene"])
        test = mannwhitneyu(
            values[inside], values[~inside], use_continuity=False, method="asymptotic"
        )
        assert row["p"] == pytest.approx(test.pvalue, rel=1e-6)
        means = [float(values[side].mean()) for side in (inside, ~inside)]
        assert row["difference"] == pytest.approx(means[0] - means[1], abs=1e-5)
        assert row["auroc"] == pytest.approx(test.statistic / (inside.sum() * (~inside).sum()))


def test_a_selection_by_labels_is_the_same_as_by_booleans(
    cells: AnnData, reference: AnnData
) -> None:
    chosen = (cells.obs["truth"] == "type 2").to_numpy()
    once = marker_genes(cells, chosen, reference=reference, genes=["G2", "G40", "G0"])
    labels = cells.obs["label"].to_numpy()[chosen][::-1]
    again = marker_genes(cells, labels, reference=reference, genes=["G2", "G40", "G0"])
    pd.testing.assert_frame_equal(once, again)
    assert list(once["gene"][:1]) == ["G2"]
    assert set(once["group"]) == {"selection"}
    by_column = marker_genes(cells, "truth", reference=reference, genes=["G2"])
    assert by_column.set_index("group").loc["type 2", "score"] == once["score"][0]


def test_unmatched_cells_change_nothing_and_are_counted() -> None:
    cells = logged()
    extra = logged(20, seed=5)
    both = AnnData(
        sparse.vstack([cells.X, extra.X * 3]).tocsr(),
        obs=pd.concat([cells.obs, extra.obs], ignore_index=True).set_index(
            pd.Index([f"c{i}" for i in range(140)])
        ),
        var=cells.var,
    )
    both.obs["gluer_unmatched"] = np.arange(140) >= 120
    both.obs["type"] = pd.Categorical(both.obs["type"])
    found = marker_genes(both, "type")
    assert found.attrs["n_unmatched"] == 20
    assert "20 unmatched cells left out" in found.attrs["outcome"]
    pd.testing.assert_frame_equal(found, marker_genes(cells, "type"), check_like=True)


def test_parameters() -> None:
    cells = logged()
    best = marker_genes(cells, "type", params=MarkerParams(n_genes=2))
    every = marker_genes(cells, "type")
    assert best.groupby("group", observed=True).size().tolist() == [2, 2, 2]
    pd.testing.assert_frame_equal(
        best, every.groupby("group", observed=True).head(2).reset_index(drop=True)
    )
    cells.X = cells.X.multiply(np.arange(14) != 3).tocsr()
    shown = marker_genes(cells, "type", params=MarkerParams(min_share=0.01))
    assert set(every["gene"]) - set(shown["gene"]) == {"G3"}


def test_a_group_of_one_cell_is_not_tested_but_belongs_to_the_rest() -> None:
    cells = logged()
    types = cells.obs["type"].astype(str)
    types.iloc[0] = "alone"
    cells.obs["type"] = types.to_numpy()
    found = marker_genes(cells, "type")
    assert set(found["group"]) == {"first", "second", "third"}
    assert found.attrs["groups_left_out"] == ["alone"]
    chosen = (types == "first").to_numpy()
    rest = marker_genes(cells, chosen)
    np.testing.assert_array_equal(found.loc[found["group"] == "first", "score"], rest["score"])


def test_ten_cells_and_a_constant_gene() -> None:
    cells = AnnData(np.column_stack([np.full(10, 2.5), np.arange(10) / 4]).astype(np.float32))
    cells.var_names = ["same", "rising"]
    cells.obs["type"] = ["low"] * 5 + ["high"] * 5
    found = marker_genes(cells, "type").set_index(["group", "gene"])
    assert found.loc[("high", "rising"), "auroc"] == 1
    assert found.loc[("high", "same"), "p"] == 1
    assert found.loc[("high", "same"), "auroc"] == 0.5
    assert np.isfinite(found.to_numpy(float)).all()


def test_what_cannot_be_compared() -> None:
    cells = logged()
    cells.obs["one"] = "same"
    with pytest.raises(InputError, match="All 120 cells are 'same'"):
        marker_genes(cells, "one")
    cells.obs["alone"] = ["a"] + ["b"] * 119
    with pytest.raises(InputError, match=r"3 cells or more on both sides.*a 1, b 119"):
        marker_genes(cells, "alone")
    with pytest.raises(InputError, match=r"no obs\['cluster'\]"):
        marker_genes(cells, "cluster")
    cells.X = cells.X.toarray()
    cells.X[0, 0] = np.nan
    with pytest.raises(InputError, match="NaN or infinite, in G0"):
        marker_genes(cells, "type")
