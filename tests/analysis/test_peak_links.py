"""Gene-peak links: planted ones are found, and every number is that of another library."""

import numpy as np
import pandas as pd
import pytest
from anndata import AnnData
from scipy import sparse
from scipy.stats import pearsonr, spearmanr

from napari_gluer.analysis.peak_links import PeakLinkParams, gene_peak_links
from napari_gluer.errors import InputError

SINGLE = PeakLinkParams(cells_in_group=1, permutations=199)
ANNOTATION = pd.DataFrame(
    [("A", "chr1", 50_000, 60_000, "+"), ("B", "chr1", 300_000, 400_000, "-")],
    columns=["gene", "chromosome", "start", "end", "strand"],
)
NAMES = [
    "chr1:40000-40200",
    "chr1:49000-51000",
    "chr1:160001-160003",
    "chr1:399000-400000",
    "chr2:1-9",
]


def tables(n: int = 120, seed: int = 0) -> tuple[AnnData, pd.DataFrame]:
    """Peak 1 opens with gene A, peak 3 with gene B."""
    rng = np.random.default_rng(seed)
    state = rng.random((n, 2))
    counts = rng.poisson(1, (n, len(NAMES))).astype(np.float32)
    counts[:, 1] = rng.poisson(4 * state[:, 0])
    counts[:, 3] = rng.poisson(4 * state[:, 1])
    cells = pd.Index([f"c{i}" for i in range(n)])
    peaks = AnnData(sparse.csr_matrix(counts), pd.DataFrame(index=cells), pd.DataFrame(index=NAMES))
    values = pd.DataFrame(state + 0.05 * rng.normal(size=(n, 2)), index=cells, columns=["A", "B"])
    return peaks, values


def shares(peaks: AnnData) -> pd.DataFrame:
    """log1p of reads per 10,000 of the cell's."""
    counts = peaks.to_df().astype(float)
    totals = counts.sum(axis=1)
    return np.log1p(1e4 * counts.div(totals.where(totals > 0, 1), axis=0))


def test_single_cells_by_another_library() -> None:
    peaks, values = tables()
    found = gene_peak_links(peaks, values, ANNOTATION, SINGLE)
    assert found[["gene", "peak", "tss", "distance"]].to_numpy().tolist() == [
        ["A", NAMES[0], 50_000, 40_100 - 50_000],
        ["A", NAMES[1], 50_000, 0],
        ["B", NAMES[3], 399_999, 399_999 - 399_500],
    ]  # 110,002 bases are too far; upstream of B, on the other strand, lies to the right
    counts = shares(peaks)
    for row in found.itertuples():
        truth = pearsonr(values[row.gene], counts[row.peak])
        np.testing.assert_allclose(row.pearson, truth.statistic, atol=1e-9)
        np.testing.assert_allclose(row.p, truth.pvalue, atol=0.12)
        rank = spearmanr(values[row.gene], counts[row.peak]).statistic
        np.testing.assert_allclose(row.spearman, rank, atol=1e-9)
    assert found["p"].tolist()[1:] == [1 / 200, 1 / 200]
    by_hand = np.sort(found["p"].to_numpy()) * 3 / np.arange(1, 4)
    by_hand = np.minimum.accumulate(by_hand[::-1])[::-1]
    np.testing.assert_allclose(np.sort(found["fdr"]), by_hand)
    assert "3 pairs of 2 genes and peaks within 100,000 bases" in found.attrs["outcome"]


def test_groups_of_like_cells_raise_what_single_cells_hide() -> None:
    rng = np.random.default_rng(1)
    n = 1800
    state = rng.random(n)
    counts = np.zeros((n, 62), np.float32)
    counts[:, 0] = rng.random(n) < 0.1 * state
    counts[:, 1] = rng.random(n) < 0.05
    counts[:, 2:] = rng.random((n, 60)) < 0.2  # far away; a cell's reads are mostly others
    cells = pd.Index([f"c{i}" for i in range(n)])
    names = ["chr1:49000-50000", "chr1:52000-53000"]
    names += [f"chr2:{1000 * i}-{1000 * i + 200}" for i in range(60)]
    peaks = AnnData(sparse.csr_matrix(counts), pd.DataFrame(index=cells), pd.DataFrame(index=names))
    values = pd.DataFrame({"A": state}, index=cells)
    single = gene_peak_links(peaks, values, ANNOTATION, SINGLE).set_index("peak")["pearson"]
    peaks.obsm["X_gluer"] = state[:, None].astype(np.float32)
    pooled = gene_peak_links(peaks, values, ANNOTATION, PeakLinkParams(permutations=199))
    assert "60 groups of 30 cells, alike in the co-embedding" in pooled.attrs["outcome"]
    pooled = pooled.set_index("peak")
    assert 0 < single[names[0]] < 0.35
    assert pooled.loc[names[0], "pearson"] > max(0.4, 2 * single[names[0]])
    assert pooled.loc[names[0], "p"] == 1 / 200


def independent(n: int, seed: int) -> tuple[AnnData, pd.DataFrame]:
    """150 peaks and a gene that have nothing to do with each other, nor with the embedding."""
    rng = np.random.default_rng(seed)
    names = [f"chr1:{49_000 + 10 * i}-{49_005 + 10 * i}" for i in range(150)]
    cells = pd.Index([f"c{i}" for i in range(n)])
    counts = sparse.csr_matrix((rng.random((n, 150)) < 0.1).astype(np.float32))
    peaks = AnnData(counts, pd.DataFrame(index=cells), pd.DataFrame(index=names))
    return peaks, pd.DataFrame({"A": rng.normal(size=n)}, index=cells)


@pytest.mark.parametrize("embedded", [True, False])
def test_pooling_makes_no_links_of_chance(embedded: bool) -> None:
    shares = []
    for seed in range(6):
        peaks, values = independent(600, seed)
        if embedded:
            peaks.obsm["X_gluer"] = np.random.default_rng(seed + 99).normal(size=(600, 5))
        found = gene_peak_links(peaks, values, ANNOTATION, PeakLinkParams(permutations=199))
        shares.append((found["p"] < 0.05).mean())
    assert 0.02 < np.mean(shares) < 0.09  # groups that share cells came to 0.44 and 0.15


def test_what_only_shares_its_depth_is_not_linked() -> None:
    rng = np.random.default_rng(5)
    depth = rng.lognormal(0, 0.6, (400, 1))
    names = [f"chr1:{49_000 + 10 * i}-{49_005 + 10 * i}" for i in range(150)]
    cells = pd.DataFrame(index=[f"c{i}" for i in range(400)])
    counts = rng.poisson(0.3 * depth, (400, 150)).astype(np.float32)
    peaks = AnnData(sparse.csr_matrix(counts), cells, pd.DataFrame(index=names))
    genes = pd.DataFrame(index=["A", *(f"G{i}" for i in range(40))])
    rna = AnnData(rng.poisson(8 * depth, (400, 41)).astype(np.float32), cells, genes)
    params = PeakLinkParams(cells_in_group=10, permutations=199)
    found = gene_peak_links(peaks, rna, ANNOTATION, params)
    assert abs(found["pearson"].mean()) < 0.05
    assert (found["p"] < 0.05).mean() < 0.2


def test_the_embedding_may_be_in_either_table_and_imputed_values_an_array() -> None:
    peaks, values = independent(120, 3)
    space = np.random.default_rng(4).normal(size=(120, 3))
    params = PeakLinkParams(cells_in_group=6, permutations=49)
    there = peaks.copy()
    there.obsm["X_gluer"] = space
    once = gene_peak_links(there, values, ANNOTATION, params)
    shuffled = np.random.default_rng(6).permutation(120)
    table = AnnData(values.to_numpy(), values[[]], pd.DataFrame(index=["A"]))
    table.obsm["X_gluer"] = space
    pd.testing.assert_frame_equal(
        once, gene_peak_links(peaks, table[shuffled].copy(), ANNOTATION, params)
    )
    array = values.to_numpy()
    again = gene_peak_links(there, array, ANNOTATION, params, genes=["A"])
    pd.testing.assert_frame_equal(once, again)
    with pytest.raises(InputError, match=r"shape \(120, 1\); name one gene for each"):
        gene_peak_links(peaks, array, ANNOTATION, params)
    with pytest.raises(InputError, match="119 rows, and there are 120 cells"):
        gene_peak_links(peaks, array[:-1], ANNOTATION, params, genes=["A"])


def test_numbered_tables_are_joined_by_the_names_of_their_files() -> None:
    peaks, values = tables()
    truth = gene_peak_links(peaks, values, ANNOTATION, SINGLE)
    order = np.random.default_rng(0).permutation(120)
    numbers = [str(i + 1) for i in range(120)]
    named = pd.DataFrame({"cell_id": peaks.obs_names}, index=numbers)
    numbered = AnnData(peaks.X, named, peaks.var, uns={"gluer": {"numbered": True}})
    other = pd.DataFrame({"cell_id": values.index[order]}, index=numbers)
    table = AnnData(values.to_numpy()[order], other, pd.DataFrame(index=values.columns))
    table.uns["gluer"] = {"numbered": True}
    pd.testing.assert_frame_equal(truth, gene_peak_links(numbered, table, ANNOTATION, SINGLE))


def test_the_order_of_cells_does_not_matter_only_their_names() -> None:
    peaks, values = tables()
    once = gene_peak_links(peaks, values, ANNOTATION, SINGLE)
    again = gene_peak_links(peaks, values.iloc[::-1], ANNOTATION, SINGLE)
    pd.testing.assert_frame_equal(once, again)
    table = AnnData(values.to_numpy(), values[[]], pd.DataFrame(index=values.columns))
    pd.testing.assert_frame_equal(once, gene_peak_links(peaks, table, ANNOTATION, SINGLE))


def test_rows_that_were_only_numbered_are_not_joined_by_number() -> None:
    """Tables read without labels number their rows; their cells keep their names beside."""
    peaks, values = tables()
    truth = gene_peak_links(peaks, values, ANNOTATION, SINGLE)
    for turned in (False, True):
        numbered = peaks[::-1].copy() if turned else peaks.copy()
        numbered.obs["cell_id"] = numbered.obs_names.to_numpy()
        numbered.obs_names = [str(i) for i in range(1, 121)]
        found = gene_peak_links(numbered, values, ANNOTATION, SINGLE)
        np.testing.assert_allclose(found["pearson"], truth["pearson"])
    nameless = numbered.copy()
    del nameless.obs["cell_id"]
    nameless.uns["gluer"] = {"numbered": True}
    with pytest.raises(InputError, match="have no names, only numbers of its rows"):
        gene_peak_links(nameless, values, ANNOTATION, SINGLE)


def test_p_values_of_what_is_not_linked_are_even() -> None:
    rng = np.random.default_rng(2)
    names = [f"chr1:{49_000 + 10 * i}-{49_005 + 10 * i}" for i in range(150)]
    cells = pd.Index([f"c{i}" for i in range(60)])
    counts = sparse.csr_matrix(rng.poisson(2, (60, 150)).astype(np.float32))
    peaks = AnnData(counts, pd.DataFrame(index=cells), pd.DataFrame(index=names))
    values = pd.DataFrame({"A": rng.normal(size=60)}, index=cells)
    p = gene_peak_links(peaks, values, ANNOTATION, SINGLE)["p"]
    assert 0.4 < p.mean() < 0.6
    assert (p < 0.1).mean() < 0.2


def test_a_constant_gene_or_peak_has_no_correlation() -> None:
    peaks, values = tables()
    values["B"] = 3.0
    counts = peaks.X.tolil()
    counts[:, 0] = 0
    peaks.X = counts.tocsr()
    found = gene_peak_links(peaks, values, ANNOTATION, SINGLE).set_index("peak")
    columns = ["pearson", "spearman", "p", "fdr"]
    assert found.loc[[NAMES[0], NAMES[3]], columns].isna().all(axis=None)
    assert found.loc[NAMES[1], columns].notna().all()


def test_the_nearest_start_of_several_counts() -> None:
    peaks, values = tables()
    twice = pd.concat([ANNOTATION, ANNOTATION.iloc[:1].assign(start=41_000, end=43_000)])
    found = gene_peak_links(peaks, values, twice, SINGLE, genes=["A"]).set_index("peak")
    assert found.loc[NAMES[0], "distance"] == 40_100 - 41_000
    assert found.loc[NAMES[1], "distance"] == 0


def test_without_permutations_and_without_pairs() -> None:
    peaks, values = tables()
    none = PeakLinkParams(cells_in_group=1, permutations=0)
    assert (gene_peak_links(peaks, values, ANNOTATION, none)["p"] == 1).all()
    far = ANNOTATION.assign(chromosome="chr2", start=90_000_000, end=90_001_000)
    found = gene_peak_links(peaks, values, far, SINGLE)
    assert not len(found)
    assert list(found.columns) == [
        *("gene", "peak", "tss", "distance", "pearson", "spearman", "p", "fdr")
    ]


def test_what_does_not_match_is_refused() -> None:
    peaks, values = tables()
    with pytest.raises(InputError, match="1 of 120 cells of the peaks have no expression, c7"):
        gene_peak_links(peaks, values.drop("c7"), ANNOTATION, SINGLE)
    with pytest.raises(InputError, match="Not in annotation and expression: Z; in both are A, B"):
        gene_peak_links(peaks, values, ANNOTATION, SINGLE, genes=["A", "Z"])
    with pytest.raises(InputError, match="share no gene"):
        gene_peak_links(peaks, values.rename(columns={"A": "x", "B": "y"}), ANNOTATION, SINGLE)
    with pytest.raises(InputError, match="NaN"):
        gene_peak_links(peaks, values.mask(values > 0.9), ANNOTATION, SINGLE)
    with pytest.raises(InputError, match="9 cells make 9 groups of 1; 10 or more"):
        gene_peak_links(peaks[:9], values, ANNOTATION, SINGLE)
    with pytest.raises(InputError, match="names of their own"):
        gene_peak_links(peaks, pd.concat([values, values]), ANNOTATION, SINGLE)
    with pytest.raises(InputError, match="Set cells_in_group to 1 or less"):
        gene_peak_links(peaks[:10], values, ANNOTATION)
    with pytest.raises(InputError, match="peaks lie on 1, 2, genes on 9"):
        gene_peak_links(peaks, values, ANNOTATION.assign(chromosome="chr9"), SINGLE)
    negative = AnnData(-peaks.X, peaks.obs, peaks.var)
    with pytest.raises(InputError, match="0 or more"):
        gene_peak_links(negative, values, ANNOTATION, SINGLE)
    with pytest.raises(InputError, match="lacks the columns strand"):
        gene_peak_links(peaks, values, ANNOTATION.drop(columns="strand"), SINGLE)


def test_ten_cells_are_enough_as_single_cells() -> None:
    peaks, values = tables(10)
    found = gene_peak_links(peaks, values, ANNOTATION, SINGLE)
    assert len(found) == 3
    assert found["p"].between(1 / 200, 1).all()
