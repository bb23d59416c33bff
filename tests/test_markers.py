import time

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from napari_gluer.markers import annotate, genes_of, note_of, nuclear_family, role_of

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
        (["191Ir_DNA1", "DNA1(Ir191Di)", "HOECHST1:Cyc_1_ch_1", "Histone H3(Yb176Di)"], "nuclear"),
        (["dsDNA", "SYTOX Green", "DAPI-01", "DAPI_cyc02", "H33342", "Iridium191"], "nuclear"),
        (["Blank", "blank-1", "Empty_c3", "NegPrb12", "negative control 2"], "blank"),
        (["antisense_PROKR2", "Intergenic_Region_26", "GenomicControlProbe_7"], "blank"),
        (["Negative01", "NegControlCodeword_0500", "UnassignedCodeword_0001"], "blank"),
        (
            ["IgG1 k Isotype Ctrl", "Mouse-IgG1", "IgG2a-Rat-k", "IgG-Hamster", "SystemControl1"],
            "blank",
        ),
        (
            ["80ArAr", "131Xe", "190BCKG", "Pb208", "Nd142", "Hashtag10", "Streptavidin-A0951"],
            "ignore",
        ),
        (["P", "Au", "Background", "Autofluorescence"], "ignore"),
        (["CD3", "unheard of", "nucleolin", "DNAJB1", "H3K27me3"], "marker"),
        (["144Nd_CD14", "141Pr_CD116", "pHH3", "IgG", "IgM", "K14", "P53", "AR", "Ki67"], "marker"),
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


# names as in public repositories; the last two were read only when the table was written, and
# Bendall's filled gaps in it
PANELS = {
    "Keren 2018 MIBI": (
        "Vimentin SMA B7H3 FoxP3 Lag3 CD4 CD16 CD56 OX40 PD1 CD31 PD-L1 EGFR Ki67 CD209 CD11c "
        "CD138 CD163 CD68 CSF-1R CD8 CD3 IDO Keratin17 CD63 CD45RO CD20 p53 Beta_catenin HLA-DR "
        "CD11b CD45 Pan-Keratin phospho-S6 MPO Keratin6 HLA_Class_1"
    ),
    "Ferguson 2022 IMC": (
        "panCK CD20 CD45RA CD8a podoplanin CD16 CADM1 IDO PDL1 CD13 CD68 VISTA CD31 CXCR3 pSTAT3 "
        "CCR7 CD14 FX111A FoxP3 PD1 CD45RO OX40 NFKBp65 CD66a Ki67 LAG3 CD3 granzB PDL2 CD4 HLADR "
        "ICOS TIM3"
    ),
    "Hickey 2023 CODEX intestine": (
        "MUC2 SOX9 MUC1 CD31 Synapto CD49f CD15 CHGA CDX2 ITLN1 CD4 CD127 Vimentin HLADR CD8 CD11c "
        "CD44 CD16 BCL2 CD3 CD123 CD38 CD90 aSMA CD21 NKG2D CD66 CD57 CD206 CD68 CD34 aDef5 CD7 "
        "CD36 CD138 CD45RO Cytokeratin CD117 CD19 Podoplanin CD45 CD56 CD69 Ki67 CD49a CD163 CD161 "
        "OLFM4 FAP CD25 CollIV CK7 MUC6"
    ),
    "Bendall 2011 CyTOF": (
        "115-CD45 139-CD45RA "
        "142-CD19 144-CD11b 145-CD4 146-CD8 148-CD34 147-CD20 158-CD33 160-CD123 "
        "167-CD38 170-CD90 110_114-CD3 141-pPLCgamma2 150-pSTAT5 152-Ki67 154-pSHP2 151-pERK1/2 "
        "153-pMAPKAPK2 156-pZAP70/Syk 159-pSTAT3 164-pSLP-76 165-pNFkB 166-IkBalpha 169-pP38 "
        "171-pBtk/Itk 172-pS6 174-pSrcFK 176-pCREB 175-pCrkL"
    ),
    "Danenberg 2022 IMC": (
        "PanCK CK8-18 CK5 ER CD15 CD57 CXCL12 CD31-vWF FSP1 SMA Caveolin-1 Podoplanin PDGFRB Ki-67 "
        "c-Caspase3c-PARP HLA-ABC B2M HLA-DR CD45RO CD45RA CD3 CD20 CD4 CD8 CD38 FoxP3 ICOS CD16"
    ),
    "Luecken 2021 CITE-seq": (
        "CD86 "
        "CD274 CD270 CD155 CD112 CD47 CD154 CD52 HLA-A-B-C CD105 CD194 CD279 TIGIT CD335 CD195 "
        "CD223 KLRG1 CD134 CD1c CD64 CD141 CD1d CD314 CD272 CD278 CD58 CX3CR1 CD24 CD79b CD244 "
        "integrinB7 CD268 CD42b CD54 CD62P CD119 TCR CD192 CD122 FceRIa CD41 CD124 CD226 CD303 "
        "CD172a CD158 CD93 TCRVa7.2 TCRVd2 LOX-1 CD158b CD158e1 CD142 CD319 CD352 CD94 CD162 CD85j "
        "CD328 HLA-E CD82 CD101 CD88 CD224"
    ),
}
GOLTSEV = (
    "CD45 Ly6C TCR Ly6G CD19 CD169 CD3 CD8a F480 CD11c CD27 CD31 CD4 IgM B220 ERTR7 MHCII CD35 "
    "CD2135 NKp46 CD1632 CD90 CD5 CD79b IgD CD11b CD106 CD71 TER119"
)


@pytest.mark.parametrize("panel", PANELS)
def test_published_panels(panel: str) -> None:
    known = annotate(PANELS[panel].split())
    assert list(known.index[known["genes"] == ""]) == []
    assert set(known["role"]) == {"marker"}


def test_a_panel_with_a_mouse_antigen_is_of_the_mouse() -> None:
    known = annotate(GOLTSEV.split())
    assert list(known.index[known["genes"] == ""]) == ["ERTR7"]
    assert known.at["CD3", "genes"] == "Cd3d;Cd3e;Cd3g"
    assert known.at["CD35", "genes"] == "Cr2"
    assert known.at["F480", "genes"] == "Adgre1"
    assert note_of("ERTR7") == "no gene is known for this antibody"


def test_a_name_that_no_antigen_has_may_be_a_gene() -> None:
    known = annotate(["STAT4", "MMP-13", "Rest", "CD3"])
    assert list(known["genes"]) == ["STAT4", "MMP13", "", "CD3D;CD3E;CD3G"]
    assert genes_of("STAT4", {"ACTB"}) == ""
    assert genes_of("STAT4", {"STAT4"}) == "STAT4"


@pytest.mark.parametrize("name", ["", " ", "\t", None, np.nan])
def test_columns_without_a_name_stand_for_nothing(name: object) -> None:
    known = annotate([name, "CD4"])  # type: ignore[list-item]
    assert list(known["genes"]) == ["", "CD4"]
    assert list(known["role"]) == ["blank", "marker"]


def test_columns_of_one_name_get_the_same() -> None:
    known = annotate(["CD4", "DAPI", "CD4"])
    assert list(known["genes"]) == ["CD4", "", "CD4"]
    assert list(known.index) == ["CD4", "DAPI", "CD4"]


def test_a_panel_of_genes_stays_genes() -> None:
    names = ["CD4", "CD8A", "MS4A1", "PTPRC", "EPCAM", "ACTA2", "CD3E"]
    assert list(annotate(names, "counts")["genes"]) == names


def test_many_genes_are_read_quickly() -> None:
    names = [f"Gm{i}" for i in range(30_000)] + ["CD4"]
    start = time.perf_counter()
    assert list(annotate(names, "counts")["genes"]) == names
    assert time.perf_counter() - start < 5


@given(st.text(max_size=30))
def test_every_name_has_a_role(name: str) -> None:
    role = role_of(name)
    assert role in {"marker", "nuclear", "blank", "ignore"}
    known = annotate([name])
    assert known["role"].item() == role
    assert role == "marker" or known["genes"].item() == ""
