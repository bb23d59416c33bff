"""Human and mouse genes: current and previous symbols, Ensembl ids, one-to-one orthologues."""

import csv
import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

HUMAN, MOUSE = "human", "mouse"

AS_WRITTEN = "as written"
ALIAS = "alias"
EDITED = "edited"
PREVIOUS = "previous symbol"
ENSEMBL = "Ensembl id"
ORTHOLOGUE = "orthologue"
LETTER_CASE = "letter case"

_ID = re.compile(r"(ENS(?:MUS)?G\d{11})(?:\.\d+)?(?:_PAR_Y)?")


@dataclass(frozen=True)
class Gene:
    """One gene of one species.

    Attributes
    ----------
    species
        ``human`` or ``mouse``.
    symbol
        Current symbol (HGNC, MGI).
    ensembl
        Ensembl ids without version; several where alternative loci have their own.
    previous
        Symbols that it alone bore before and that no gene bears now.
    orthologue
        Symbol of the one-to-one orthologue in the other species, "" where there is none.
    """

    species: str
    symbol: str
    ensembl: tuple[str, ...]
    previous: tuple[str, ...]
    orthologue: str


def genes_named(name: str) -> tuple[Gene, ...]:
    """Genes whose current symbol, Ensembl id (with or without version) or previous symbol it is.

    Current symbols come first and hide previous ones. Two genes where human and mouse share a
    symbol (C3); none where the name is not known.
    """
    known = _table()
    match = _ID.fullmatch(name)
    if match:
        return known.ids.get(match[1], ())
    return known.symbols.get(name) or known.previous.get(name, ())


def is_symbol(name: str) -> bool:
    """Whether a human or mouse gene is called so now."""
    return name in _table().symbols


def species_of(names: Iterable[str]) -> str:
    """``human`` or ``mouse``, as most of the names say that only one of them has; "" undecided."""
    votes = Counter(
        found[0].species
        for found in map(genes_named, names)
        if len({g.species for g in found}) == 1
    )
    human, mouse = votes[HUMAN], votes[MOUSE]
    return "" if human == mouse else HUMAN if human > mouse else MOUSE


class GeneNames:
    """The gene names of a reference, to match other names against.

    Parameters
    ----------
    names
        Symbols of any age, Ensembl ids, or both.
    """

    def __init__(self, names: Iterable[str]) -> None:
        known = [str(name) for name in names]
        self.exact = frozenset(known)
        self._by_id = {match[1]: name for name in known if (match := _ID.fullmatch(name))}
        folded: dict[str, list[str]] = defaultdict(list)
        for name in self.exact:
            folded[name.casefold()].append(name)
        self._folded = {key: found[0] for key, found in folded.items() if len(found) == 1}

    def as_written(self, name: str) -> tuple[str, str] | None:
        """The very name, if it is here."""
        return (name, AS_WRITTEN) if name in self.exact else None

    def same_gene(self, name: str) -> tuple[str, str] | None:
        """The name here of the very gene `name`, and how it was found; None where it is not."""
        by_id = _ID.fullmatch(name) is not None
        others = self._other_names(genes_named(name), by_id=by_id)
        return self.as_written(name) or next(others, None)

    def orthologue(self, name: str) -> tuple[str, str] | None:
        """The name here of the one-to-one orthologue of `name`."""
        others = [
            other
            for gene in genes_named(name)
            for other in genes_named(gene.orthologue)
            if gene.orthologue and other.species != gene.species
        ]
        for other in others:
            if other.symbol in self.exact:
                return other.symbol, ORTHOLOGUE
        found = next(self._other_names(others, by_id=False), None)
        return None if found is None else (found[0], ORTHOLOGUE)

    def letter_case(self, name: str) -> tuple[str, str] | None:
        """The one name here that differs only in upper and lower case."""
        found = self._folded.get(name.casefold())
        return None if found is None else (found, LETTER_CASE)

    def _other_names(self, genes: Sequence[Gene], *, by_id: bool) -> Iterator[tuple[str, str]]:
        for gene in genes:
            if gene.symbol in self.exact:
                yield gene.symbol, ENSEMBL if by_id else PREVIOUS
            for old in gene.previous:
                if old in self.exact:
                    yield old, PREVIOUS
            for number in gene.ensembl:
                if number in self._by_id:
                    yield self._by_id[number], ENSEMBL


@dataclass(frozen=True)
class _Table:
    symbols: dict[str, tuple[Gene, ...]]
    previous: dict[str, tuple[Gene, ...]]
    ids: dict[str, tuple[Gene, ...]]


@cache
def _table() -> _Table:
    symbols: dict[str, tuple[Gene, ...]] = {}
    previous: dict[str, tuple[Gene, ...]] = {}
    ids: dict[str, tuple[Gene, ...]] = {}
    for gene in _genes():
        symbols[gene.symbol] = (*symbols.get(gene.symbol, ()), gene)
        for old in gene.previous:
            previous[old] = (*previous.get(old, ()), gene)
        for number in gene.ensembl:
            ids[number] = (*ids.get(number, ()), gene)
    return _Table(symbols, previous, ids)


def _genes() -> Iterator[Gene]:
    text = files(__package__).joinpath("gene_names.tsv").read_text("utf-8")
    for row in csv.DictReader(text.splitlines(), delimiter="\t"):
        for species, other in ((HUMAN, MOUSE), (MOUSE, HUMAN)):
            if row[species]:
                numbers, old = row[f"{species}_ensembl"], row[f"{species}_previous"]
                yield Gene(species, row[species], split(numbers), split(old), row[other])


def split(cell: str) -> tuple[str, ...]:
    """Parts of a ``;``-separated cell, without blanks and empty ones."""
    return tuple(part.strip() for part in cell.split(";") if part.strip())
