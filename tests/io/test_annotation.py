"""Annotations: GTF and BED written out by hand, and files that are neither."""

import gzip
from pathlib import Path

import pytest

from napari_gluer.errors import InputError
from napari_gluer.io.annotation import read_annotation

GTF = """#!genome-build GRCm38
1\tx\tgene\t101\t900\t.\t+\t.\tgene_id "E1"; gene_name "Cd4"; gene_biotype "coding";
1\tx\ttranscript\t101\t900\t.\t+\t.\tgene_id "E1"; transcript_id "T1"; gene_name "Cd4";
1\tx\texon\t101\t300\t.\t+\t.\tgene_id "E1"; gene_name "Cd4";
MT\tx\tgene\t5\t6\t.\t-\t.\tgene_id "E2";
2\tx\tgene\t7\t8\t.\t.\t.\tgene_id "E3"; gene_name "No strand";
"""
PARTS = """chr1\tx\texon\t101\t300\t.\t-\t.\tgene_id "E1"; gene_name "Cd4";
chr1\tx\texon\t501\t900\t.\t-\t.\tgene_id "E1"; gene_name "Cd4";
chr2\tx\texon\t11\t20\t.\t+\t.\tgene_id "E2"; gene_name "Cd4";
"""
BED = """track name="genes"
chr1\t100\t900\tCd4\t0\t+\textra
chr2\t4\t6\tCd8a\t0\t-\textra
"""


def rows(path: Path) -> list[tuple[object, ...]]:
    table = read_annotation(path)
    assert list(table.columns) == ["gene", "chromosome", "start", "end", "strand"]
    return list(table.itertuples(index=False, name=None))


@pytest.mark.parametrize("name", ["a.gtf", "a.gtf.gz"])
def test_genes_of_a_gtf_count_from_zero(name: str, tmp_path: Path) -> None:
    path = tmp_path / name
    path.write_bytes(gzip.compress(GTF.encode()) if name.endswith("gz") else GTF.encode())
    assert rows(path) == [("Cd4", "1", 100, 900, "+"), ("E2", "MT", 4, 6, "-")]
    assert read_annotation(path).attrs["outcome"] == (
        f"2 genes in {name}; 1 without a strand are left out"
    )


def test_where_there_are_no_genes_exons_span_them_locus_by_locus(tmp_path: Path) -> None:
    path = tmp_path / "a.gtf"
    path.write_text(PARTS)
    assert rows(path) == [("Cd4", "chr1", 100, 900, "-"), ("Cd4", "chr2", 10, 20, "+")]


def test_a_bed_counts_from_zero_already(tmp_path: Path) -> None:
    path = tmp_path / "a.bed"
    path.write_text(BED)
    assert rows(path) == [("Cd4", "chr1", 100, 900, "+"), ("Cd8a", "chr2", 4, 6, "-")]


@pytest.mark.parametrize(
    ("name", "text", "says"),
    [
        ("a.txt", BED, "is no annotation"),
        ("a.bed", "", "holds no gene"),
        ("a.bed", "chr1\t100\t900\tCd4\n", "line 1: 4 columns between tabs, where 6 are needed"),
        ("a.bed", "chr1\t900\t100\tCd4\t0\t+\n", "end before they start, Cd4 at chr1:900-100"),
        ("a.bed", "chr1\tx\t100\tCd4\t0\t+\n", "1 of 1 genes"),
        ("a.bed", "chr1\t1\t100\tCd4\t0\t.\n", "no gene has a strand"),
        ("a.gtf", '1\tx\tCDS\t1\t9\t.\t+\t.\tgene_id "E";\n', "holds no gene"),
        ("a.gtf", "#\nonly one column\n", "line 2: 1 columns"),
    ],
)
def test_files_that_are_none(name: str, text: str, says: str, tmp_path: Path) -> None:
    path = tmp_path / name
    path.write_text(text)
    with pytest.raises(InputError, match=says):
        read_annotation(path)


def test_a_torn_file_and_one_that_is_not_there(tmp_path: Path) -> None:
    path = tmp_path / "a.gtf.gz"
    path.write_bytes(gzip.compress(GTF.encode() * 50)[:-20])
    with pytest.raises(InputError, match=r"a\.gtf\.gz cannot be read"):
        read_annotation(path)
    with pytest.raises(InputError, match="There is no file"):
        read_annotation(tmp_path / "b.gtf")


LOCI = """chr1\tx\ttranscript\t101\t300\t.\t-\t.\tgene_id "Mir"; transcript_id "T1";
chr1\tx\texon\t101\t300\t.\t-\t.\tgene_id "Mir"; transcript_id "T1";
chr1\tx\ttranscript\t250\t400\t.\t-\t.\tgene_id "Mir"; transcript_id "T2";
chr1\tx\ttranscript\t9001\t9100\t.\t-\t.\tgene_id "Mir"; transcript_id "T3";
chr1\tx\ttranscript\t301\t310\t.\t+\t.\tgene_id "Mir"; transcript_id "T4";
"""


@pytest.mark.parametrize("feature", ["transcript", "exon"])
def test_transcripts_apart_are_loci_of_their_own(feature: str, tmp_path: Path) -> None:
    path = tmp_path / "a.gtf"
    lines = [line for line in LOCI.splitlines() if "\texon" not in line]
    text = "\n".join(line.replace("transcript\t", f"{feature}\t") for line in lines)
    path.write_text(LOCI if feature == "transcript" else text)
    assert sorted(rows(path), key=lambda row: row[2]) == [
        ("Mir", "chr1", 100, 400, "-"),
        ("Mir", "chr1", 300, 310, "+"),
        ("Mir", "chr1", 9000, 9100, "-"),
    ]
