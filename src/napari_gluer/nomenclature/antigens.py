"""The table of antigens: what an antibody's name stands for, however it is written."""

import csv
import re
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

from napari_gluer.nomenclature.decorations import plain, undecorated
from napari_gluer.nomenclature.genes import MOUSE, genes_named, split

HISTONE_NOTE = "no gene: a mark on a histone"
PHOSPHO_NOTE = "weak: the phosphorylated form; the gene counts all"
_TOGETHER = "several antigens in one channel"

_PHOSPHO = re.compile(r"(?:[Pp]hospho(?:rylated)?[ _-]*|p[ _-]+|p(?=[A-Z]))(?P<base>.+)")
_SITE = re.compile(r"(?P<base>.+?)[ _\-(\[]+(?:phospho|p-?(?:S(?:er)?|T(?:hr)?|Y|Tyr)-?\d+.*)")
_HISTONE = re.compile(
    r"(?:ubi?|p)?(?:histone)?h(?:1|2[ab]x?|3|4)[kstr]\d{1,3}(?:me[123]?|ac|a|ph|p|ub\d?)?"
)
_LISTED = re.compile(r"\s*[/,;+&|]\s*")
_JOINED = re.compile(r"[-_]")
_TWO_NUMBERS = re.compile(r"CD\d+[^0-9A-Za-z]+\d+", re.IGNORECASE)


@dataclass(frozen=True)
class Antigen:
    """What an antibody binds.

    Attributes
    ----------
    name
        As it is usually written; combined names for several in one channel.
    human, mouse
        Current symbols of its genes; empty where the species has none or none is known.
    role
        ``marker`` or ``ignore``.
    note
        ``weak: …``, ``no gene: …`` or another thing to know; mostly "".
    """

    name: str
    human: tuple[str, ...]
    mouse: tuple[str, ...]
    role: str
    note: str

    @property
    def genes(self) -> tuple[str, ...]:
        """Human genes, or the mouse's where only it has the antigen."""
        return self.human or self.mouse


@cache
def find_antigen(name: str) -> Antigen | None:
    """The antigen that `name` means, None where it means none that is known.

    Case, punctuation, Greek letters, dyes, isotopes, clones, species, cycles and barcodes around
    the name do not matter (`undecorated`). ``A/B`` and ``A-B`` are both antigens where both are
    known; ``pX`` and ``X pS10`` are phosphorylated X.
    """
    for text in undecorated(name):
        found = _listed(text)
        if _is_spelt_as_gene(text) and (found is None or _is_only_alike(text, found)):
            return None
        found = found or _combined(text) or _phosphorylated(text)
        if found is not None:
            return found
    return None


def find_gene(name: str) -> str:
    """The gene symbol in `name` (human in capitals, or mouse with a digit), "" where none is.

    Hyphens and blanks in it do not matter where it has a digit (MMP-13).
    """
    for text in undecorated(name):
        joined = re.sub(r"[ -]", "", text)
        for spelling in (text, joined) if re.search(r"\d", text) else (text,):
            if _is_spelt_as_gene(spelling):
                return spelling
    return ""


def _is_only_alike(text: str, found: Antigen) -> bool:
    """Whether a mouse gene merely shares its name with an antigen that no mouse has."""
    return bool(found.human) and not found.mouse and not text.isupper()


def _listed(text: str) -> Antigen | None:
    """The antigen of this very name; CD4.1 is no CD41, but a second CD4."""
    key = plain(text)
    if _TWO_NUMBERS.fullmatch(text) and key not in _names_of_two_numbers():
        return None
    found = antigens().get(key)
    if found is None and _HISTONE.fullmatch(key):
        return Antigen(text, (), (), "marker", HISTONE_NOTE)
    return found


def _is_spelt_as_gene(text: str) -> bool:
    if len(text) < 3 or not (text.isupper() or re.search(r"\d", text)):
        return False
    return any(gene.symbol == text for gene in genes_named(text))


def _combined(text: str) -> Antigen | None:
    """The antigens of ``A/B``, or of ``A-B``, as one."""
    for between in (_LISTED, _JOINED):
        parts = [part for part in between.split(text) if part]
        found = [_listed(part) for part in parts]
        if len(parts) > 1 and all(
            _is_marker(part, one) for part, one in zip(parts, found, strict=True)
        ):
            return _united([one for one in found if one is not None])
    return None


def _is_marker(part: str, found: Antigen | None) -> bool:
    return found is not None and found.role == "marker" and len(part) > 1


def _united(found: list[Antigen]) -> Antigen:
    if all(one.human == found[0].human and one.mouse == found[0].mouse for one in found):
        return found[0]
    notes = [one.note for one in found if one.note]
    return Antigen(
        "/".join(one.name for one in found),
        _unique(gene for one in found for gene in one.human),
        _unique(gene for one in found for gene in one.mouse),
        found[0].role,
        "; ".join(dict.fromkeys([_TOGETHER, *notes])),
    )


def _unique(genes: Iterable[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(genes))


def _phosphorylated(text: str) -> Antigen | None:
    """The phosphorylated form of an antigen or a gene."""
    match = _SITE.fullmatch(text) or _PHOSPHO.fullmatch(text)
    if match is None:
        return None
    base = match["base"]
    found = antigens().get(plain(f"p{base}")) or antigens().get(plain(base))
    if found is None and _is_spelt_as_gene(base):
        gene = genes_named(base)[0]
        pair = (base,), split(gene.orthologue)
        human, mouse = pair[::-1] if gene.species == MOUSE else pair
        found = Antigen(base, human, mouse, "marker", "")
    if found is None or found.role != "marker" or not found.genes:
        return None
    name = found.name if found.note == PHOSPHO_NOTE else f"p{found.name}"
    return Antigen(name, found.human, found.mouse, found.role, PHOSPHO_NOTE)


@cache
def antigens() -> dict[str, Antigen]:
    """Every antigen under every one of its names, as `plain` writes them.

    A gene that makes an antigen by itself names it too, where no antigen is listed under its name.
    """
    table: dict[str, Antigen] = {}
    listed = []
    for row in _rows():
        human, mouse = split(row["human"]), split(row["mouse"])
        antigen = Antigen(row["antigen"], human, mouse, row["role"], row["note"])
        listed.append(antigen)
        for name in (row["antigen"], *split(row["aliases"])):
            table[plain(name)] = antigen
    for antigen in listed:
        for genes in (antigen.human, antigen.mouse):
            if len(genes) == 1 and not antigen.note.startswith("weak"):
                table.setdefault(plain(genes[0]), antigen)
    return table


@cache
def _names_of_two_numbers() -> frozenset[str]:
    names = (name for row in _rows() for name in (row["antigen"], *split(row["aliases"])))
    return frozenset(plain(name) for name in names if _TWO_NUMBERS.fullmatch(name))


def _rows() -> list[dict[str, str]]:
    text = files(__package__).joinpath("marker_genes.csv").read_text("utf-8")
    return list(csv.DictReader(text.splitlines()))
