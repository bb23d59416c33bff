import csv
import re
from collections import Counter
from importlib.resources import files

import pytest
from hypothesis import given
from hypothesis import strategies as st

from napari_gluer.nomenclature.genes import (
    AS_WRITTEN,
    ENSEMBL,
    LETTER_CASE,
    ORTHOLOGUE,
    PREVIOUS,
    GeneNames,
    genes_named,
    is_symbol,
    species_of,
    split,
)

TSV = files("napari_gluer.nomenclature").joinpath("gene_names.tsv").read_text("utf-8")
ROWS = list(csv.DictReader(TSV.splitlines(), delimiter="\t"))
PAIRS = [row for row in ROWS if row["human"] and row["mouse"]]
RENAMED = [row for row in ROWS if row["human_previous"]]
WITH_ID = [row for row in ROWS if row["human_ensembl"]]


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("FAM46C", "TENT5C"),
        ("CECR1", "ADA2"),
        ("GUCY1A3", "GUCY1A1"),
        ("PVRL2", "NECTIN2"),
        ("H3F3A", "H3-3A"),
        ("HIST1H4C", "H4C3"),
        ("MARCH1", "MARCHF1"),
        ("TMEM173", "STING1"),
        ("Fam46c", "Tent5c"),
        ("Gucy1a3", "Gucy1a1"),
        ("Pvrl2", "Nectin2"),
        ("Tmem173", "Sting1"),
    ],
)
def test_old_and_new_symbols_find_each_other(old: str, new: str) -> None:
    assert GeneNames([new, "ACTB"]).same_gene(old) == (new, PREVIOUS)
    assert GeneNames([old, "ACTB"]).same_gene(new) == (old, PREVIOUS)
    assert is_symbol(new)
    assert not is_symbol(old)


@pytest.mark.parametrize(
    ("number", "symbol"),
    [
        ("ENSG00000010610", "CD4"),
        ("ENSG00000010610.9", "CD4"),
        ("ENSG00000153563.15", "CD8A"),
        ("ENSG00000156738", "MS4A1"),
        ("ENSG00000148773", "MKI67"),
        ("ENSMUSG00000023274.14", "Cd4"),
        ("ENSMUSG00000026395", "Ptprc"),
        ("ENSMUSG00000073421", "H2-Ab1"),
    ],
)
def test_ensembl_ids_and_symbols_find_each_other(number: str, symbol: str) -> None:
    assert GeneNames([number]).same_gene(symbol) == (number, ENSEMBL)
    assert GeneNames([symbol]).same_gene(number) == (symbol, ENSEMBL)


def test_an_id_of_another_version_is_the_same_gene() -> None:
    assert GeneNames(["ENSG00000010610.9"]).same_gene("ENSG00000010610.12") == (
        "ENSG00000010610.9",
        ENSEMBL,
    )


@pytest.mark.parametrize(
    ("human", "mouse"),
    [("CD4", "Cd4"), ("TP53", "Trp53"), ("PTPRC", "Ptprc"), ("TENT5C", "Tent5c"), ("MYC", "Myc")],
)
def test_orthologues(human: str, mouse: str) -> None:
    assert GeneNames([mouse, "Actb"]).orthologue(human) == (mouse, ORTHOLOGUE)
    assert GeneNames([human, "ACTB"]).orthologue(mouse) == (human, ORTHOLOGUE)


def test_orthologues_are_found_by_every_name() -> None:
    assert GeneNames(["Fam46c"]).orthologue("FAM46C") == ("Fam46c", ORTHOLOGUE)
    assert GeneNames(["ENSMUSG00000023274"]).orthologue("CD4") == ("ENSMUSG00000023274", ORTHOLOGUE)


@pytest.mark.parametrize("human", ["FCGR3A", "HLA-A", "CEACAM8", "CXCL8"])
def test_no_orthologue_is_made_up(human: str) -> None:
    assert GeneNames([human.capitalize(), "Actb"]).orthologue(human) is None


def test_what_the_reference_has_comes_first() -> None:
    both = GeneNames(["TENT5C", "FAM46C", "ENSG00000183508", "Tent5c"])
    assert both.same_gene("FAM46C") == ("FAM46C", AS_WRITTEN)
    assert both.same_gene("TENT5C") == ("TENT5C", AS_WRITTEN)


def test_letter_case_only_where_it_is_unambiguous() -> None:
    names = GeneNames(["CD4", "Abc", "ABC"])
    assert names.letter_case("cd4") == ("CD4", LETTER_CASE)
    assert names.letter_case("abc") is None
    assert names.same_gene("cd4") is None


def test_unknown_names_are_nobody() -> None:
    assert genes_named("unheard of") == ()
    assert genes_named("") == ()
    names = GeneNames(["CD4", ""])
    assert names.same_gene("NOGENE1") is None
    assert names.orthologue("NOGENE1") is None


def test_a_symbol_of_both_species_is_two_genes() -> None:
    assert {gene.species for gene in genes_named("C3")} == {"human", "mouse"}
    assert GeneNames(["ENSG00000125730"]).same_gene("C3") == ("ENSG00000125730", ENSEMBL)
    assert GeneNames(["ENSMUSG00000024164"]).same_gene("C3") == ("ENSMUSG00000024164", ENSEMBL)


@pytest.mark.parametrize(
    ("names", "species"),
    [
        (["CD4", "CD8A", "x"], "human"),
        (["Cd4", "Cd8a", "C3"], "mouse"),
        (["ENSMUSG00000023274"], "mouse"),
        (["CD4", "Cd4"], ""),
        ([], ""),
    ],
)
def test_species(names: list[str], species: str) -> None:
    assert species_of(names) == species


@given(st.sampled_from(PAIRS))
def test_orthologues_lead_back(row: dict[str, str]) -> None:
    if row["human"] == row["mouse"]:
        return
    mouse = GeneNames([row["mouse"]]).orthologue(row["human"])
    human = GeneNames([row["human"]]).orthologue(row["mouse"])
    assert (mouse, human) == ((row["mouse"], ORTHOLOGUE), (row["human"], ORTHOLOGUE))


@given(st.sampled_from(RENAMED))
def test_every_previous_symbol_is_found(row: dict[str, str]) -> None:
    for old in split(row["human_previous"]):
        assert GeneNames([row["human"]]).same_gene(old) == (row["human"], PREVIOUS)
        assert GeneNames([old]).same_gene(row["human"]) == (old, PREVIOUS)


@given(st.sampled_from(WITH_ID), st.integers(1, 30))
def test_every_id_is_found_in_any_version(row: dict[str, str], version: int) -> None:
    for number in split(row["human_ensembl"]):
        written = f"{number}.{version}"
        assert row["human"] in {gene.symbol for gene in genes_named(written)}
        assert GeneNames([written]).same_gene(row["human"]) == (written, ENSEMBL)


def test_the_table_is_sound() -> None:
    for species, number in (("human", r"ENSG\d{11}"), ("mouse", r"ENSMUSG\d{11}")):
        symbols = [row[species] for row in ROWS if row[species]]
        assert len(symbols) == len(set(symbols)) > 19_000
        previous = Counter(old for row in ROWS for old in split(row[f"{species}_previous"]))
        assert max(previous.values()) == 1, "a previous symbol of two genes says nothing"
        assert not previous.keys() & set(symbols), "a previous symbol that is another gene's now"
        ids = [one for row in ROWS for one in split(row[f"{species}_ensembl"])]
        assert all(re.fullmatch(number, one) for one in ids)
    assert len(PAIRS) > 16_000
