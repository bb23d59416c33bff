import csv
from importlib.resources import files
from pathlib import Path

import anndata
import pytest

from napari_gluer.markers import annotate, genes_of, note_of, nuclear_family, role_of

CSV = files("napari_gluer").joinpath("marker_genes.csv").read_text("utf-8")
ROWS = list(csv.DictReader(CSV.splitlines()))
CODEX = [
    "CD31",
    "CD8",
    "CD20",
    "Ki67",
    "CD3e",
    "SMActin",
    "Podoplanin",
    "CD68",
    "PanCK",
    "CD21",
    "CD4",
    "Lyve1",
    "CD45RO",
    "CD11c",
    "CD35",
    "ECAD",
    "CD107a",
    "CD34",
    "CD44",
    "HLA.DR",
    "FoxP3",
    "CD163",
    "CollagenIV",
    "Vimentin",
    "CD15",
    "CD45",
    "CD5",
    "CD1c",
]
MIBI = [
    "AR",
    "CD11c",
    "CD14",
    "CD20",
    "CD3",
    "CD31",
    "CD36",
    "CD4",
    "CD44",
    "CD45",
    "CD56",
    "CD68",
    "CD8",
    "CK5",
    "CK7",
    "COLI",
    "COX2",
    "ECAD",
    "ER",
    "FAP",
    "FOXP3",
    "GLUT1",
    "GZMB",
    "HER2",
    "HIF1a",
    "HLADRDPDQ",
    "IDO1",
    "Ki67",
    "MMP9",
    "MPO",
    "P63",
    "PD1",
    "PDL1",
    "PanKRT",
    "SMA",
    "Tryptase",
    "VIM",
    "pS6",
]
ADT = ["CD154", "CD4", "CD56", "CD3", "CD19", "CD14", "CD11c", "CD8a", "CD16", "CD127"]


@pytest.mark.parametrize("name", sorted({*CODEX, *MIBI, *ADT}))
def test_every_protein_of_the_test_data_has_genes(name: str) -> None:
    assert genes_of(name)
    assert role_of(name) == "marker"


@pytest.mark.parametrize(
    ("name", "genes"),
    [
        ("CD45RO", "PTPRC"),
        ("COX2", "PTGS2"),
        ("COLI", "COL1A1;COL1A2"),
        ("P63", "TP63"),
        ("pS6", "RPS6"),
        ("HER2", "ERBB2"),
        ("SMA", "ACTA2"),
        ("CD154", "CD40LG"),
        ("HLA.DR", "HLA-DRA;HLA-DRB1"),
        ("hla-dr", "HLA-DRA;HLA-DRB1"),
        ("E-cadherin", "CDH1"),
        ("PD-L1 (E1L3N)", "CD274"),
        ("anti-CD4", "CD4"),
        ("141Pr_CD20", "MS4A1"),
        ("CD19_TotalSeqB", "CD19"),
        ("β-Catenin", "CTNNB1"),
        ("unheard of", ""),
        ("HH3", ""),
    ],
)
def test_genes_of_known_names(name: str, genes: str) -> None:
    assert genes_of(name) == genes


def test_genes_follow_the_species_of_the_reference() -> None:
    assert genes_of("CD3", {"Cd3d", "Cd3e", "Actb"}) == "Cd3d;Cd3e"
    assert genes_of("CD3", {"CD3D", "ACTB"}) == "CD3D"
    assert genes_of("HLA-DR", {"H2-Aa", "H2-Ab1"}) == "H2-Aa;H2-Ab1"
    assert genes_of("CD3", {"ACTB"}) == ""
    assert genes_of("ACTB2", {"ACTB2"}) == "ACTB2"
    assert genes_of("unheard of", {"ACTB2"}) == ""


def test_weak_links_say_why() -> None:
    for name in ("CD45RO", "pS6", "CD15"):
        assert note_of(name).startswith("weak: ")
    assert note_of("CD4") == note_of("unheard of") == ""


@pytest.mark.parametrize(
    ("names", "role"),
    [
        (["DAPI", "dapi-2", "Hoechst 33342", "HH3", "Nuc", "DNA1", "Ir193", "DRAQ5"], "nuclear"),
        (["Blank", "blank-1", "Empty_c3", "NegPrb12", "negative control 2"], "blank"),
        (["P", "Au", "Background", "Autofluorescence"], "ignore"),
        (["CD3", "unheard of", "nucleolin", "DNAJB1", "H3K27me3"], "marker"),
    ],
)
def test_roles(names: list[str], role: str) -> None:
    assert {name: role_of(name) for name in names} == dict.fromkeys(names, role)


def test_nuclear_stains_are_ranked() -> None:
    ranks = [nuclear_family(name) for name in ("DAPI", "Hoechst", "DRAQ5", "DNA1", "HH3", "Nuc")]
    assert ranks == sorted(ranks)
    assert len(set(ranks)) == len(ranks)
    assert nuclear_family("CD3") is None


def test_columns_of_images_are_antigens() -> None:
    known = annotate(["CD3", "DAPI", "P", "unheard of"])
    assert list(known["genes"]) == ["CD3D;CD3E;CD3G", "", "", ""]
    assert list(known["role"]) == ["marker", "nuclear", "ignore", "marker"]
    assert list(known.index) == ["CD3", "DAPI", "P", "unheard of"]


def test_columns_of_counts_are_genes_unless_most_are_antigens() -> None:
    genes = annotate(["Gad1", "SI", "MUM1", "DNA2", "Blank-3", "Slc17a7", "Rorb"], "counts")
    assert list(genes["genes"]) == ["Gad1", "SI", "MUM1", "DNA2", "", "Slc17a7", "Rorb"]
    assert list(genes["role"]).count("blank") == 1
    proteins = annotate(["CD8a", "CD154", "CD4", "acta2", "unheard of"], "counts")
    assert list(proteins["genes"]) == ["CD8A;CD8B", "CD40LG", "CD4", "acta2", "unheard of"]


def test_the_table_is_sound() -> None:
    assert len(ROWS) >= 120
    plain = [
        "".join(c for c in name.casefold() if c.isalnum())
        for row in ROWS
        for name in {row["antigen"], *filter(None, row["aliases"].split(";"))}
    ]
    repeated = {name for name in plain if plain.count(name) > 1}
    own = {row["antigen"] for row in ROWS if len({row["antigen"], *row["aliases"].split(";")}) > 1}
    assert not {name for name in repeated if name not in {o.casefold() for o in own}}
    for row in ROWS:
        assert row["role"] in {"marker", "ignore"}
        assert (row["role"] == "ignore") == (not row["human"] and not row["mouse"])
        assert None not in row, "a comma too many"


@pytest.mark.shared_data
def test_human_symbols_exist(shared_data: Path) -> None:
    real = anndata.read_h5ad(shared_data / "citeseq_pbmc_bremsc/rna.h5ad", backed="r")
    known = set(real.var_names)
    real.file.close()
    used = {gene for row in ROWS for gene in row["human"].split(";") if gene}
    assert not used - known
