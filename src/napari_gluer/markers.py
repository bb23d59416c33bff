"""Which genes a channel stands for, and whether it shows a marker, nuclei, a blank or nothing."""

import csv
import re
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

import pandas as pd

from napari_gluer import slots

_NUCLEAR = tuple(  # families in order of trust
    re.compile(pattern)
    for pattern in (
        r".*dapi.*",
        r".*hoechst.*",
        r".*draq[57].*",
        r"(sytox|syto|yoyo|toto|topro).*",
        r"(dna|dnair|iridium|ir|ir19[13]|19[13]ir)(dna)?\d{0,3}",
        r"(hh3|histoneh?3?|h3)(total)?",
        r"(nuc|nuclei|nuclear|nucleus)\d{0,2}",
    )
)
_BLANK = re.compile(r"(blank|empty|negctrl|negcontrol|negprb|negativecontrol|isotype).*")
_TAGS = (
    re.compile(r"^\d{2,3}[A-Z][a-z]?[_ .-]+"),  # isotope first: 141Pr_CD3
    re.compile(r"^anti[_ .-]+", re.IGNORECASE),
    re.compile(r"[_ .-]*total[_ .-]?seq[_ .-]?[abcd]?$", re.IGNORECASE),
    re.compile(r"[_ .-]+(prot|protein|adt|antibody)$", re.IGNORECASE),
    re.compile(r"\s*\(.*\)$"),
)


@dataclass(frozen=True)
class _Antigen:
    human: tuple[str, ...]
    mouse: tuple[str, ...]
    role: str
    note: str


def genes_of(name: str, known_genes: Collection[str] | None = None) -> str:
    """Gene symbols that the antigen `name` stands for, ``;``-separated, "" where none is known.

    Parameters
    ----------
    name
        A channel or protein: case, punctuation and common tags (``anti-``, ``141Pr_``,
        ``_TotalSeqB``) do not matter.
    known_genes
        Genes of the reference. Human or mouse genes are taken, whichever of them it holds; a name
        that no antigen has but a gene has stands for that gene. Human genes when None.
    """
    antigen = _find(name)
    if known_genes is None:
        return ";".join(antigen.human or antigen.mouse) if antigen else ""
    if antigen:
        human, mouse = (
            [gene for gene in genes if gene in known_genes]
            for genes in (antigen.human, antigen.mouse)
        )
        return ";".join(mouse if len(mouse) > len(human) else human)
    return name if name in known_genes else ""


def note_of(name: str) -> str:
    """What to know of the antigen's genes: ``weak: …`` where the RNA says little; mostly ""."""
    antigen = _find(name)
    return antigen.note if antigen else ""


def role_of(name: str) -> str:
    """``nuclear``, ``blank``, ``ignore`` or, for every other name, ``marker``."""
    if nuclear_family(name) is not None:
        return slots.NUCLEAR
    if is_blank(name):
        return slots.BLANK
    antigen = _find(name)
    return antigen.role if antigen else slots.MARKER


def nuclear_family(name: str) -> int | None:
    """Rank of the nuclear stain that `name` says, 0 the most trusted; None for other channels."""
    plain = _plain(name)
    return next((rank for rank, stain in enumerate(_NUCLEAR) if stain.fullmatch(plain)), None)


def annotate(names: Iterable[str], kind: str = slots.INTENSITY) -> pd.DataFrame:
    """Genes and role of every column of a table of cells.

    Parameters
    ----------
    names
        Names of channels, proteins or genes.
    kind
        Kind of the table. Columns of an ``intensity`` table are antigens: an unknown name stands
        for no gene (where the reference has a gene of that name it is matched by name). Columns
        of other tables are genes, each its own, unless at least half are known antigens (counts
        of antibodies); an antigen whose name is a gene's symbol stays that gene.

    Returns
    -------
    Columns ``genes`` and ``role``, one row a name.
    """
    index = pd.Index([str(name) for name in names])
    if kind == slots.INTENSITY:
        roles = [role_of(name) for name in index]
        genes = [genes_of(name) for name in index]
    else:
        roles = [slots.BLANK if is_blank(name) else slots.MARKER for name in index]
        known = sum(_find(name) is not None for name in index)
        genes = [_own_or_antigen(name) if 2 * known >= len(index) else name for name in index]
    pairs = zip(genes, roles, strict=True)
    genes = [found if role == slots.MARKER else "" for found, role in pairs]
    return pd.DataFrame({slots.GENES: genes, slots.ROLE: roles}, index=index)


def is_blank(name: str) -> bool:
    """Whether `name` says that nothing is shown: blank, empty, negative control, isotype."""
    return _BLANK.fullmatch(_plain(name)) is not None


def _own_or_antigen(name: str) -> str:
    antigen = _find(name)
    if antigen is None:
        return name
    symbols = antigen.human + antigen.mouse
    lower = name.islower() and name in {symbol.casefold() for symbol in symbols}
    return name if lower or name in symbols else genes_of(name) or name


def _plain(name: str) -> str:
    greek = name.replace("α", "a").replace("β", "b").replace("γ", "g").replace("δ", "d")
    return re.sub(r"[^0-9a-z]", "", greek.casefold())


def _find(name: str) -> _Antigen | None:
    known = _table()
    bare = name.strip()
    for tag in _TAGS:
        bare = tag.sub("", bare)
    return known.get(_plain(name)) or known.get(_plain(bare))


@cache
def _table() -> dict[str, _Antigen]:
    text = files("napari_gluer").joinpath("marker_genes.csv").read_text("utf-8")
    table = {}
    for row in csv.DictReader(text.splitlines()):
        human, mouse = (_split(row[species]) for species in ("human", "mouse"))
        antigen = _Antigen(human, mouse, row["role"], row["note"])
        for name in (row["antigen"], *_split(row["aliases"])):
            table[_plain(name)] = antigen
    return table


def _split(cell: str) -> tuple[str, ...]:
    return tuple(part for part in cell.split(";") if part)
