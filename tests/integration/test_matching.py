import pytest
from hypothesis import given
from hypothesis import strategies as st

from napari_gluer.integration.matching import Feature, match
from napari_gluer.nomenclature.genes import GeneNames


def found(feature: Feature, *reference: str) -> tuple[tuple[str, ...], str]:
    hit = match(feature, GeneNames(reference))
    return hit.genes, hit.found


@pytest.mark.parametrize(
    ("feature", "reference", "genes", "how"),
    [
        (Feature("CD4"), ["CD4"], ("CD4",), "as written"),
        (Feature("CD4", ("CD4",)), ["CD4"], ("CD4",), "as written"),
        (Feature("CD20", ("MS4A1",)), ["MS4A1"], ("MS4A1",), "alias"),
        (Feature("CD20"), ["MS4A1"], ("MS4A1",), "alias"),
        (Feature("FITC-CD20"), ["Ms4a1"], ("Ms4a1",), "alias"),
        (Feature("CD8"), ["CD8A", "CD8B"], ("CD8A", "CD8B"), "alias"),
        (Feature("CD8"), ["CD8"], ("CD8",), "as written"),
        (Feature("Protein1", ("CD4",)), ["CD4"], ("CD4",), "given genes"),
        (Feature("CD20", ("CD19",)), ["CD19", "MS4A1"], ("CD19",), "given genes"),
        (Feature("CD20", ("CD19",), edited=True), ["CD19"], ("CD19",), "edited"),
        (Feature("x", ("TENT5C",)), ["FAM46C"], ("FAM46C",), "previous symbol"),
        (Feature("FAM46C"), ["TENT5C"], ("TENT5C",), "previous symbol"),
        (Feature("CD4", ("CD4",)), ["ENSG00000010610.9"], ("ENSG00000010610.9",), "Ensembl id"),
        (Feature("CD20"), ["ENSG00000156738"], ("ENSG00000156738",), "Ensembl id"),
        (Feature("ENSG00000010610"), ["CD4"], ("CD4",), "Ensembl id"),
        (Feature("CD4", ("CD4",)), ["Cd4"], ("Cd4",), "orthologue"),
        (Feature("Trp53"), ["TP53"], ("TP53",), "orthologue"),
        (Feature("x", ("TENT5C",)), ["Fam46c"], ("Fam46c",), "orthologue"),
        (
            Feature("CD16", ("FCGR3A", "FCGR3B")),
            ["Fcgr3", "Fcgr4"],
            ("Fcgr3", "Fcgr4"),
            "orthologue",
        ),
        (
            Feature("HLA-DR", ("HLA-DRA", "HLA-DRB1")),
            ["H2-Aa", "H2-Ab1", "H2-Ea"],
            ("H2-Aa", "H2-Ab1"),
            "orthologue",
        ),
        (Feature("CD3", ("Cd3e", "Cd3d")), ["CD3D", "CD3E"], ("CD3D", "CD3E"), "orthologue"),
        (Feature("CD4", ("CD4",)), ["ENSMUSG00000023274"], ("ENSMUSG00000023274",), "orthologue"),
        (Feature("acta2", ("acta2",)), ["Acta2"], ("Acta2",), "letter case"),
        (Feature("NOGENE1"), ["nogene1"], ("nogene1",), "letter case"),
        (Feature("CD20", ("CD20x",)), ["MS4A1"], ("MS4A1",), "alias"),
        (Feature("CD20", (), edited=True), ["MS4A1"], (), ""),
        (Feature("CD20", ("CD19",), edited=True), ["MS4A1"], (), ""),
        (Feature("unheard of"), ["CD4"], (), ""),
        (Feature("CD20", ("MS4A1",)), ["CD4"], (), ""),
    ],
)
def test_how_genes_are_found(
    feature: Feature, reference: list[str], genes: tuple[str, ...], how: str
) -> None:
    assert found(feature, *reference) == (genes, how)


def test_the_farthest_way_names_the_link() -> None:
    feature = Feature("x", ("CD4", "TENT5C"))
    assert found(feature, "CD4", "FAM46C") == (("CD4", "FAM46C"), "previous symbol")


def test_own_genes_win_over_the_other_species() -> None:
    feature = Feature("CD3", ("CD3D", "CD3E", "CD3G"))
    assert found(feature, "CD3D", "Cd3d", "Cd3e") == (("CD3D",), "alias")


GENES = ["CD4", "CD8A", "MS4A1", "Cd4", "Ms4a1", "FAM46C", "ENSG00000010610", "cd4", "XYZ"]


@given(st.lists(st.sampled_from(GENES), unique=True), st.lists(st.sampled_from(GENES), max_size=3))
def test_links_are_names_of_the_reference(reference: list[str], wanted: list[str]) -> None:
    hit = match(Feature("CD20", tuple(wanted)), GeneNames(reference))
    assert set(hit.genes) <= set(reference)
    assert len(set(hit.genes)) == len(hit.genes)
    assert bool(hit.genes) == bool(hit.found)
    assert set(wanted) & set(reference) <= set(hit.genes), "what is written is always taken"
