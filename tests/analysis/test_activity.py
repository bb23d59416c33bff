"""Gene activity against sums over every peak and gene, by hand."""

import gzip
import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from anndata import AnnData
from hypothesis import given
from hypothesis import strategies as st
from scipy import sparse

from napari_gluer.analysis import activity
from napari_gluer.analysis.activity import (
    ActivityParams,
    gene_activity,
    gene_regions,
)
from napari_gluer.analysis.builds import start_enrichment, starts_of
from napari_gluer.analysis.intervals import peak_intervals
from napari_gluer.errors import InputError

ANYWHERE = ActivityParams(least_enrichment=0)


def genes(*rows: tuple[str, str, int, int, str]) -> pd.DataFrame:
    return pd.DataFrame(rows, columns=["gene", "chromosome", "start", "end", "strand"])


def peaks(counts: np.ndarray, names: list[str]) -> AnnData:
    cells = [f"c{i}" for i in range(len(counts))]
    obs = pd.DataFrame({"label": np.arange(1, len(counts) + 1)}, cells)
    return AnnData(sparse.csr_matrix(counts.astype(np.float32)), obs, pd.DataFrame(index=names))


def test_upstream_is_before_the_start_on_either_strand() -> None:
    annotation = genes(("A", "chr1", 10_000, 20_000, "+"), ("B", "chr1", 10_000, 20_000, "-"))
    found = gene_regions(annotation, ActivityParams())
    assert found[["start", "end"]].to_numpy().tolist() == [[7500, 20_000], [10_000, 22_500]]
    only = gene_regions(annotation, ActivityParams(gene_body=False))
    assert only[["start", "end"]].to_numpy().tolist() == [[7500, 10_000], [20_000, 22_500]]
    assert set(found["chromosome"]) == {"1"}


def test_a_gene_at_the_end_of_a_chromosome_begins_at_zero() -> None:
    assert gene_regions(genes(("A", "1", 100, 900, "+")), ANYWHERE)["start"].item() == 0


def test_activity_by_hand() -> None:
    names = ["chr1:7000-7600", "chr1:9000-9100", "chr1:22400-22600", "chr1:22500-22600", "chr2:5-9"]
    table = peaks(np.array([[1, 2, 4, 8, 16], [0, 1, 0, 0, 3]]), names)
    annotation = genes(
        ("A", "1", 10_000, 20_000, "+"),  # counts from 7,500 to 20,000
        ("B", "1", 10_000, 20_000, "-"),  # from 10,000 to 22,500
        ("C", "3", 10, 20, "+"),
    )
    found = gene_activity(table, annotation, ANYWHERE)
    assert list(found.var_names) == ["A", "B", "C"]
    np.testing.assert_array_equal(found.X.toarray(), [[3, 4, 0], [1, 0, 0]])
    assert found.var["n_peaks"].tolist() == [2, 1, 0]
    assert found.obs["label"].tolist() == [1, 2]
    assert found.uns["gluer"]["kind"] == "activity"
    said = found.uns["gluer"]["activity"]
    assert json.loads(said["params"])["upstream_bp"] == 2500
    assert "3 of 5 peaks lie in a gene; 1 peaks lie on chromosomes" in said["outcome"]
    assert "1 genes have no read" in said["outcome"]


def test_a_peak_in_two_loci_of_a_gene_counts_once() -> None:
    annotation = genes(("A", "1", 5000, 6000, "+"), ("A", "1", 5500, 9000, "+"))
    found = gene_activity(peaks(np.array([[3]]), ["1:5600-5700"]), annotation, ANYWHERE)
    np.testing.assert_array_equal(found.X.toarray(), [[3]])


@st.composite
def problems(draw: st.DrawFn) -> tuple[AnnData, pd.DataFrame, ActivityParams]:
    place = st.tuples(st.sampled_from(["chr1", "chr2"]), st.integers(0, 300), st.integers(1, 60))
    places = draw(st.lists(place, min_size=1, max_size=8, unique=True))
    names = [f"{name}-{start}-{start + length}" for name, start, length in places]
    counts = np.random.default_rng(draw(st.integers(0, 99))).poisson(1, (4, len(names)))
    locus = st.tuples(st.sampled_from("ABC"), place, st.sampled_from("+-"))
    loci = draw(st.lists(locus, min_size=1, max_size=6))
    annotation = genes(*[(g, c, s, s + n, strand) for g, (c, s, n), strand in loci])
    params = ActivityParams(
        upstream_bp=draw(st.sampled_from([1, 20, 2500])),
        gene_body=draw(st.booleans()),
        least_overlap_bp=draw(st.integers(1, 10)),
        least_enrichment=0,
    )
    return peaks(counts, list(dict.fromkeys(names))), annotation, params


@given(problems())
def test_activity_is_the_sum_over_peaks_that_overlap(
    problem: tuple[AnnData, pd.DataFrame, ActivityParams],
) -> None:
    table, annotation, params = problem
    if not set(annotation["chromosome"]) & {name.split("-")[0] for name in table.var_names}:
        return
    order = list(dict.fromkeys(annotation["gene"]))
    truth = np.zeros((table.n_obs, len(order)))
    for column, name in enumerate(table.var_names):
        chromosome, start, end = name.split("-")
        for j, gene in enumerate(order):
            for locus in annotation[annotation["gene"] == gene].itertuples():
                low, high = locus.start, locus.end
                if locus.strand == "+":
                    low, high = low - params.upstream_bp, high if params.gene_body else low
                else:
                    low, high = low if params.gene_body else high, high + params.upstream_bp
                shared = min(high, int(end)) - max(low, int(start), 0)
                if locus.chromosome == chromosome and shared >= params.least_overlap_bp:
                    truth[:, j] += table.X[:, [column]].toarray().ravel()
                    break
    found = gene_activity(table, annotation, params)
    assert list(found.var_names) == order
    np.testing.assert_array_equal(found.X.toarray(), truth)


def genome(seed: int = 0, n: int = 2000) -> tuple[pd.DataFrame, list[str]]:
    """Genes anywhere on 100 Mb; half of the peaks at their starts, as open chromatin lies."""
    rng = np.random.default_rng(seed)
    start = rng.integers(1_000_000, 100_000_000, n)
    annotation = pd.DataFrame(
        {
            "gene": [f"G{i}" for i in range(n)],
            "chromosome": "chr1",
            "start": start,
            "end": start + rng.integers(2000, 50_000, n),
            "strand": rng.choice(["+", "-"], n),
        }
    )
    at = np.where(annotation["strand"] == "+", annotation["start"], annotation["end"])
    middle = np.r_[at + rng.integers(-300, 300, n), rng.integers(1_000_000, 100_000_000, n)]
    return annotation, [f"chr1-{m - 150}-{m + 150}" for m in np.unique(middle)]


@pytest.mark.parametrize("shift", [30_000, -1_200_000, 7_654_321])
def test_another_genome_build_is_refused(shift: int) -> None:
    annotation, names = genome()
    table = peaks(np.ones((2, len(names))), names)
    gene_activity(table, annotation)
    moved = annotation.assign(
        start=annotation["start"] + shift + 9_000_000, end=annotation["end"] + shift + 9_000_000
    )
    with pytest.raises(InputError, match="another genome build or species"):
        gene_activity(table, moved)
    assert gene_activity(table, moved, ANYWHERE).n_vars == 2000


def test_enrichment_is_the_share_at_starts_and_of_moved_peaks() -> None:
    annotation, names = genome()

    found, expected = start_enrichment(peak_intervals(names), starts_of(annotation))
    assert found == pytest.approx(0.5, abs=0.05)
    assert expected < 0.05


def test_chromosomes_match_with_and_without_chr_and_none_in_common_is_refused() -> None:
    table = peaks(np.array([[5, 1]]), ["1:100-200", "MT:1-9"])
    annotation = genes(("A", "chr1", 50, 300, "+"), ("B", "chrM", 0, 20, "+"))
    np.testing.assert_array_equal(gene_activity(table, annotation, ANYWHERE).X.toarray(), [[5, 1]])
    with pytest.raises(InputError, match="peaks lie on 1, MT, genes on 7"):
        gene_activity(table, genes(("A", "chr7", 50, 300, "+")), ANYWHERE)


def test_bad_tables_of_peaks_are_refused() -> None:
    annotation = genes(("A", "chr1", 50, 300, "+"))
    with pytest.raises(InputError, match="0 or more"):
        gene_activity(peaks(np.array([[-1]]), ["1:100-200"]), annotation, ANYWHERE)
    twice = peaks(np.ones((1, 2)), ["1:100-200", "1:300-400"])
    twice.var_names = ["1:100-200", "1:100-200"]
    with pytest.raises(InputError, match=r"repeated are 1:100-200\. Keep one"):
        gene_activity(twice, annotation, ANYWHERE)
    with pytest.raises(InputError, match="choose one"):
        gene_activity(
            peaks(np.ones((1, 1)), ["1:100-200"]),
            annotation,
            ActivityParams(upstream_bp=0, gene_body=False),
        )


def fragments(path: Path, rows: list[tuple[str, int, int, str]]) -> Path:
    text = "# header\n" + "".join(f"{c}\t{s}\t{e}\t{b}\t1\n" for c, s, e, b in rows)
    if path.suffix == ".gz":
        path.write_bytes(gzip.compress(text.encode()))
    else:
        path.write_text(text)
    return path


@pytest.mark.parametrize("name", ["fragments.tsv", "fragments.tsv.gz"])
@pytest.mark.parametrize("chunk", [3, 1000])
def test_fragments_count_as_peaks_of_one_read(
    name: str, chunk: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(activity, "_CHUNK", chunk)
    rng = np.random.default_rng(3)
    start = rng.integers(0, 5000, 200)
    cells = rng.choice(["AA", "CC", "GG"], 200, p=[0.5, 0.45, 0.05])
    rows = [("chr1", int(s), int(s) + 150, str(b)) for s, b in zip(start, cells, strict=True)]
    annotation = genes(("A", "1", 3000, 4000, "+"), ("B", "1", 900, 1500, "-"))
    params = ActivityParams(upstream_bp=500, least_enrichment=0, least_fragments=50)
    found = gene_activity(fragments(tmp_path / name, rows), annotation, params)
    assert list(found.obs_names) == ["AA", "CC"]  # GG has too few
    truth = [
        [
            sum(b == barcode and s < 4000 and s + 150 > 2500 for _, s, _, b in rows),
            sum(b == barcode and s < 2000 and s + 150 > 900 for _, s, _, b in rows),
        ]
        for barcode in ("AA", "CC")
    ]
    np.testing.assert_array_equal(found.X.toarray(), truth)
    named = gene_activity(tmp_path / name, annotation, params, barcodes=["GG", "AA", "TT"])
    assert list(named.obs_names) == ["GG", "AA", "TT"]
    np.testing.assert_array_equal(named.X.toarray()[1], truth[0])
    assert not named.X.toarray()[2].any()


def test_bad_files_of_fragments_are_refused(tmp_path: Path) -> None:
    annotation = genes(("A", "1", 3000, 4000, "+"))
    good = fragments(tmp_path / "a.tsv", [("chr1", 5, 9, "AA")] * 3)
    with pytest.raises(InputError, match=r"1,000 fragments \(the most is 3\)"):
        gene_activity(good, annotation, ANYWHERE)
    with pytest.raises(InputError, match="no fragment of these 1 barcodes"):
        gene_activity(good, annotation, ANYWHERE, barcodes=["TT"])
    backwards = fragments(tmp_path / "b.tsv", [("chr1", 9, 5, "AA")])
    with pytest.raises(InputError, match="1 fragments end before they start, 1:9-5"):
        gene_activity(backwards, annotation, ANYWHERE, barcodes=["AA"])
    (tmp_path / "c.tsv").write_text("chr1\tx\t9\tAA\n")
    with pytest.raises(InputError, match=r"c\.tsv cannot be read as fragments"):
        gene_activity(tmp_path / "c.tsv", annotation, ANYWHERE, barcodes=["AA"])
    (tmp_path / "d.tsv.gz").write_bytes(gzip.compress(b"chr1\t1\t9\tAA\n" * 99)[:-12])
    with pytest.raises(InputError, match=r"d\.tsv\.gz cannot be read"):
        gene_activity(tmp_path / "d.tsv.gz", annotation, ANYWHERE, barcodes=["AA"])


def test_a_peak_spelt_in_two_ways_is_refused() -> None:
    table = peaks(np.ones((1, 3)), ["chr1:100-200", "1-100-200", "chr1_300_400"])
    with pytest.raises(InputError, match="repeated are chr1:100-200, 1-100-200"):
        gene_activity(table, genes(("A", "chr1", 50, 300, "+")), ANYWHERE)


def test_annotations_that_are_none_are_refused() -> None:
    table = peaks(np.ones((1, 1)), ["1:100-200"])
    with pytest.raises(InputError, match="lacks the columns strand"):
        gene_activity(table, genes(("A", "1", 5, 300, "+")).drop(columns="strand"), ANYWHERE)
    both = genes(("A", "1", 5, 300, "+"), ("B", "1", 5, 300, "."))
    with pytest.raises(InputError, match=r"1 genes of the annotation have no strand .*, B for"):
        gene_activity(table, both, ANYWHERE)


def test_barcodes_may_hold_a_hash_or_be_called_na(tmp_path: Path) -> None:
    path = tmp_path / "f.tsv"
    rows = [("chr1", 5, 90, name) for name in ("S1#AA", "S1#CC", "S1#CC", "NA")]
    annotation = genes(("A", "1", 0, 100, "+"))
    params = ActivityParams(least_fragments=1)
    found = gene_activity(fragments(path, rows), annotation, params)
    assert list(found.obs_names) == ["NA", "S1#AA", "S1#CC"]
    assert found.X.toarray().ravel().tolist() == [1, 1, 2]


def test_the_outcome_says_how_peaks_lie_at_starts() -> None:
    annotation, names = genome()
    table = peaks(np.ones((1, len(names))), names)
    said = gene_activity(table, annotation).uns["gluer"]["activity"]["outcome"]
    assert "times as many lie at transcription starts as moved elsewhere" in said
    few = gene_activity(peaks(np.ones((1, 1)), ["1:100-200"]), genes(("A", "1", 50, 300, "+")))
    assert "too few lie near transcription starts" in few.uns["gluer"]["activity"]["outcome"]
