"""Which genes of a reference a feature stands for, and how they were found."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from napari_gluer.nomenclature.antigens import Antigen, find_antigen
from napari_gluer.nomenclature.genes import (
    ALIAS,
    AS_WRITTEN,
    EDITED,
    ENSEMBL,
    LETTER_CASE,
    ORTHOLOGUE,
    PREVIOUS,
    GeneNames,
    is_symbol,
)

GIVEN = "given genes"
_FARTHEST = (LETTER_CASE, ORTHOLOGUE, ENSEMBL, PREVIOUS)

_Lookup = Callable[[str], tuple[str, str] | None]


@dataclass(frozen=True)
class Feature:
    """A feature of the cells and the genes that it is said to stand for.

    Attributes
    ----------
    name
        Of the column.
    genes
        From ``var["genes"]``; empty where none are said.
    edited
        Whether a person said so: then nothing else is tried.
    """

    name: str
    genes: tuple[str, ...] = ()
    edited: bool = False

    @property
    def wanted(self) -> tuple[str, ...]:
        """Its genes, else its own name."""
        return self.genes if self.genes or self.edited else (self.name,)


@dataclass(frozen=True)
class Match:
    """Genes as the reference spells them, and how they were found; no genes, no ``found``."""

    genes: tuple[str, ...] = ()
    found: str = ""


def match(feature: Feature, known: GeneNames) -> Match:
    """Genes of the reference that the feature stands for.

    In this order, the first that finds any: the very genes under any of their names (as written,
    Ensembl id, previous symbol); the genes that the antigen of that name has in the other species,
    and one-to-one orthologues; names that differ only in letter case; the antigen's genes.
    """
    if feature.name in feature.wanted and all(gene in known.exact for gene in feature.wanted):
        own = EDITED if feature.edited else AS_WRITTEN
        return Match(tuple(dict.fromkeys(feature.wanted)), own)
    antigen = None if feature.edited else find_antigen(feature.name)
    said = _source(feature, antigen)
    if antigen is not None and not feature.genes and not is_symbol(feature.name):
        written = _hits(feature.wanted, known.as_written, said)
        by_antigen = written if written.genes else _of_antigen(antigen, known, ALIAS)
        if by_antigen.genes:
            return by_antigen
    tries: tuple[Callable[[], Match], ...] = (
        lambda: _hits(feature.wanted, known.same_gene, said),
        lambda: _in_other_species(feature, antigen, known),
        lambda: _hits(feature.wanted, known.orthologue, said),
        lambda: _hits(feature.wanted, known.letter_case, said),
        lambda: Match() if antigen is None else _of_antigen(antigen, known, ALIAS),
        lambda: Match() if antigen is None else _hits(antigen.genes, known.letter_case, ALIAS),
    )
    return next((found for attempt in tries if (found := attempt()).genes), Match())


def _source(feature: Feature, antigen: Antigen | None) -> str:
    """What the link is called where the genes are found as they are written."""
    if feature.edited:
        return EDITED
    if feature.name in feature.wanted:
        return AS_WRITTEN
    wanted = set(feature.wanted)
    listed = antigen is not None and wanted in ({*antigen.human}, {*antigen.mouse})
    return ALIAS if listed else GIVEN


def _hits(wanted: Sequence[str], lookup: _Lookup, said: str) -> Match:
    hits = [hit for name in wanted if (hit := lookup(name)) is not None]
    ways = {way for _, way in hits}
    found = next((way for way in _FARTHEST if way in ways), said)
    return Match(tuple(dict.fromkeys(name for name, _ in hits)), found if hits else "")


def _in_other_species(feature: Feature, antigen: Antigen | None, known: GeneNames) -> Match:
    """What the antigen's other species has, where the feature stands for the one's genes."""
    if antigen is None:
        return Match()
    wanted = set(feature.wanted)
    for own, other in ((antigen.human, antigen.mouse), (antigen.mouse, antigen.human)):
        if wanted <= set(own):
            genes = _hits(other, known.same_gene, ORTHOLOGUE).genes
            return Match(genes, ORTHOLOGUE if genes else "")
    return Match()


def _of_antigen(antigen: Antigen, known: GeneNames, said: str) -> Match:
    """The antigen's genes in the species that has more of them."""
    human, mouse = (_hits(genes, known.same_gene, said) for genes in (antigen.human, antigen.mouse))
    return mouse if len(mouse.genes) > len(human.genes) else human
