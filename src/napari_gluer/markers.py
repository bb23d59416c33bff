"""Which genes a channel stands for, and whether it shows a marker, nuclei, a blank or nothing."""

import re
from collections.abc import Collection, Iterable
from functools import lru_cache

import pandas as pd

from napari_gluer import slots
from napari_gluer.nomenclature.antigens import Antigen, find_antigen, find_gene
from napari_gluer.nomenclature.decorations import plain, undecorated
from napari_gluer.nomenclature.edits import edited, read_marker_table, with_marker_table
from napari_gluer.nomenclature.genes import is_symbol

__all__ = [
    "annotate",
    "edited",
    "genes_of",
    "is_blank",
    "note_of",
    "nuclear_family",
    "read_marker_table",
    "role_of",
    "with_marker_table",
]

_NUCLEAR = tuple(  # families in order of trust
    re.compile(pattern)
    for pattern in (
        r".*dapi.*",
        r".*hoechst.*|h33342|h33258|nucblue.*",
        r".*draq[57].*",
        r"(sytox|syto|yoyo|toto|topro|picogreen|7aad|propidiumiodide|hematoxylin|haematoxylin).*",
        r"(dsdna|dna|dnair|iridium|ir|ir19[13]|19[13]ir)((ds)?dna)?\d{0,3}(ir19[13])?(di)?",
        r"(hh3|histoneh?3?|h3)(total)?",
        r"(nuc|nuclei|nuclear|nucleus)\d{0,2}",
    )
)
_MOST_ANTIBODIES = 3000
_ANIMAL = r"(mouse|rat|hamster|armenianhamster|syrianhamster|rabbit|goat)"
_BLANK = re.compile(
    r"(blank|empty|negctrl|negcontrol|negprb|negprobe|negativecontrol|systemcontrol|falsecode|"
    r"unassignedcodeword|deprecatedcodeword|genomiccontrol|intergenicregion|antisense|isotype|unused|"
    r"secondaryonly|noprimary|noantibody).*|negative\d*|"
    rf".*isotype(ctrl|control|ctl)?|{_ANIMAL}igg\d?[abc]?[kl]?(ctrl|control)?|"
    rf"ig[gma]\d?[abc]?[kl]?(ctrl|control)|ig[gma]\d?[abc]?{_ANIMAL}[kl]?"
)
_ELEMENT = r"(ce|pr|nd|sm|eu|gd|tb|dy|ho|er|tm|yb|lu|la|in|xe|ba|cs|pt|rh|pd|te|sn|pb|hg|os|bi|i)"
_NO_ANTIGEN = re.compile(
    rf"{_ELEMENT}(1\d\d|20\d)(di)?|(1\d\d|20\d){_ELEMENT}(di)?|(80)?ar(80)?ar|89y|y89|"
    r"(hashtag|hto|cmo|streptavidin|multiseq)(total)?(a|b|c)?\d*|autofluor.*|background\d*"
)


def genes_of(name: str, known_genes: Collection[str] | None = None) -> str:
    """Gene symbols that the antigen `name` stands for, ``;``-separated, "" where none is known.

    Parameters
    ----------
    name
        A channel or protein as people write it: case, punctuation, dyes, isotopes, clones and the
        like do not matter (docs/markers.md). A gene's symbol stands for that gene.
    known_genes
        Genes of the reference. Human or mouse genes are taken, whichever of them it holds; a name
        that no antigen has but a gene has stands for that gene. Human genes when None.
    """
    antigen = find_antigen(name)
    if antigen is not None:
        return ";".join(_known(antigen, known_genes))
    if known_genes is not None and name in known_genes:
        return name
    gene = find_gene(name)
    return gene if known_genes is None or gene in known_genes else ""


def note_of(name: str) -> str:
    """What to know of the antigen's genes: ``weak: …`` where the RNA says little; mostly ""."""
    antigen = find_antigen(name)
    return antigen.note if antigen else ""


@lru_cache(maxsize=4096)  # panels come again, image after image
def role_of(name: str) -> str:
    """``nuclear``, ``blank``, ``ignore`` or, for every other name, ``marker``."""
    if is_blank(name):
        return slots.BLANK
    if nuclear_family(name) is not None:
        return slots.NUCLEAR
    antigen = find_antigen(name)
    if antigen is not None:
        return antigen.role
    empty = any(_NO_ANTIGEN.fullmatch(plain(text)) for text in undecorated(name))
    return slots.IGNORE if empty else slots.MARKER


def nuclear_family(name: str) -> int | None:
    """Rank of the nuclear stain that `name` says, 0 the most trusted; None for other channels."""
    texts = [plain(text) for text in undecorated(name)]
    ranks = (
        rank for rank, stain in enumerate(_NUCLEAR) if any(stain.fullmatch(text) for text in texts)
    )
    return next(ranks, None)


def annotate(names: Iterable[str], kind: str = slots.INTENSITY) -> pd.DataFrame:
    """Genes and role of every column of a table of cells.

    Parameters
    ----------
    names
        Names of channels, proteins or genes; empty and missing ones stand for nothing.
    kind
        Kind of the table. Columns of an ``intensity`` table are antigens: an unknown name stands
        for no gene (where the reference has a gene of that name it is matched by name). Columns
        of other tables are genes, each its own, unless at least half are known antigens (counts
        of antibodies); an antigen whose name is a gene's symbol stays that gene.

    Returns
    -------
    Columns ``genes`` and ``role``, one row a name. Antigens stand for their human genes, unless one
    of them is known in the mouse alone: then all stand for their mouse genes.
    """
    index = pd.Index(["" if pd.isna(name) else str(name) for name in names])
    if kind == slots.INTENSITY:
        roles = [role_of(name) for name in index]
        of_mouse = _has_mouse_only(index)
        genes = [_genes_of_channel(name, of_mouse=of_mouse) for name in index]
    else:
        roles = [slots.BLANK if is_blank(name) else slots.MARKER for name in index]
        antibodies = _are_antibodies(index)
        of_mouse = antibodies and _has_mouse_only(index)
        genes = [_own_or_antigen(name, of_mouse=of_mouse) if antibodies else name for name in index]
    pairs = zip(genes, roles, strict=True)
    genes = [found if role == slots.MARKER else "" for found, role in pairs]
    return pd.DataFrame({slots.GENES: genes, slots.ROLE: roles}, index=index)


def is_blank(name: str) -> bool:
    """Whether `name` says that nothing is shown: blank, empty, negative control, isotype."""
    return not name.strip() or _BLANK.fullmatch(plain(name)) is not None


def _known(antigen: Antigen, known_genes: Collection[str] | None) -> tuple[str, ...]:
    if known_genes is None:
        return antigen.genes
    human, mouse = (
        tuple(gene for gene in genes if gene in known_genes)
        for genes in (antigen.human, antigen.mouse)
    )
    return mouse if len(mouse) > len(human) else human


def _has_mouse_only(names: Iterable[str]) -> bool:
    found = (find_antigen(name) for name in names if not is_blank(name))
    return any(one is not None and one.mouse and not one.human for one in found)


def _genes_of_channel(name: str, *, of_mouse: bool) -> str:
    antigen = find_antigen(name)
    if of_mouse and antigen is not None:
        return ";".join(antigen.mouse or antigen.human)
    return genes_of(name)


def _are_antibodies(names: pd.Index) -> bool:
    """Whether columns of counts are antibodies: half are known, a quarter not as genes."""
    if len(names) > _MOST_ANTIBODIES:
        return False
    known = [name for name in names if find_antigen(name) is not None]
    no_genes = [name for name in known if not is_symbol(name)]
    return 2 * len(known) >= len(names) and 4 * len(no_genes) >= len(names) > 0


def _own_or_antigen(name: str, *, of_mouse: bool) -> str:
    antigen = find_antigen(name)
    if antigen is None or is_symbol(name):
        return name
    symbols = antigen.human + antigen.mouse
    lower = name.islower() and name in {symbol.casefold() for symbol in symbols}
    return name if lower else _genes_of_channel(name, of_mouse=of_mouse) or name
