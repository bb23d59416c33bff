"""Where genes lie: GTF and BED files."""

import gzip
import os
import re
import zlib
from pathlib import Path

import numpy as np
import pandas as pd

from napari_gluer.errors import InputError, listed

_COLUMNS = ("gene", "chromosome", "start", "end", "strand")
_GTF = (".gtf", ".gtf.gz", ".gff2", ".gff2.gz")
_BED = (".bed", ".bed.gz")
_HEADS = ("#", "track", "browser")
_FROM_PARTS = ("transcript", "exon")
_STRANDS = ("+", "-")


def read_annotation(path: str | os.PathLike[str]) -> pd.DataFrame:
    """Read where genes lie.

    Parameters
    ----------
    path
        GTF (``.gtf``, ``.gtf.gz``): lines of genes, or where there are none what transcripts span
        that overlap, or their exons; named by ``gene_name``, else ``gene_id``. Or BED of six
        columns or more (``.bed``, ``.bed.gz``): chromosome, start, end, name, score, strand.

    Returns
    -------
    pandas.DataFrame
        ``gene``, ``chromosome`` (as written), ``start``, ``end`` (0-based, half-open), ``strand``
        (``+`` or ``-``). Genes without a strand are left out and counted in ``attrs["outcome"]``.

    Raises
    ------
    InputError
        If the file is neither, is damaged, or holds no gene.
    """
    source = Path(path)
    name = source.name.casefold()
    if not name.endswith(_GTF + _BED):
        raise InputError(
            f"{source.name} is no annotation; .gtf, .gtf.gz, .bed or .bed.gz would do."
        )
    if not source.is_file():
        raise InputError(f"There is no file {source}.")
    table = _from_gtf(source) if name.endswith(_GTF) else _from_bed(source)
    return _checked(table, source)


def _read(source: Path, columns: dict[str, int], features: tuple[str, ...] = ()) -> pd.DataFrame:
    """Columns of the lines that are neither comments nor heads.

    Where `features` are given, only lines of them, and none of those behind one that was found.
    """
    most, rows = max(columns.values()), []
    opened = gzip.open if source.name.casefold().endswith(".gz") else open
    try:
        with opened(source, "rt", encoding="utf-8") as lines:
            for number, line in enumerate(lines, start=1):
                if line.startswith(_HEADS) or not line.strip():
                    continue
                fields = line.rstrip("\r\n").split("\t")
                if len(fields) <= most:
                    raise InputError(
                        f"{source.name}, line {number}: {len(fields)} columns between tabs, where "
                        f"{most + 1} are needed."
                    )
                if features:
                    found = fields[columns["feature"]]
                    if found not in features:
                        continue
                    # what is less than a gene is of no use once genes are there
                    features = features[: features.index(found) + 1]
                rows.append([fields[place] for place in columns.values()])
    except (EOFError, OSError, UnicodeDecodeError, zlib.error) as error:
        raise InputError(f"{source.name} cannot be read: {error}.") from error
    return pd.DataFrame(rows, columns=list(columns), dtype=object)


def _from_gtf(source: Path) -> pd.DataFrame:
    columns = {"chromosome": 0, "feature": 2, "start": 3, "end": 4, "strand": 6, "attributes": 8}
    lines = _read(source, columns, ("gene", *_FROM_PARTS))
    if lines.empty:
        return lines
    named = _attribute(lines["attributes"], "gene_name")
    lines["gene"] = named.fillna(_attribute(lines["attributes"], "gene_id"))
    lines["id"] = _attribute(lines["attributes"], "gene_id").fillna(lines["gene"])
    for column in ("start", "end"):
        lines[column] = pd.to_numeric(lines[column], errors="coerce")
    lines["start"] -= 1  # a GTF counts from 1, its end inside
    genes = lines[lines["feature"] == "gene"]
    for feature in _FROM_PARTS:
        if genes.empty:
            genes = _loci(lines[lines["feature"] == feature].dropna(subset=["gene"]))
    return genes.loc[:, list(_COLUMNS)]


def _loci(parts: pd.DataFrame) -> pd.DataFrame:
    """What transcripts of a gene span that overlap each other; exons are joined to transcripts."""
    known = _attribute(parts["attributes"], "transcript_id").fillna(parts["id"])
    place = ["gene", "id", "chromosome", "strand"]
    whole = parts.assign(transcript=known).groupby([*place, "transcript"], sort=False)
    spans = whole.agg(start=("start", "min"), end=("end", "max")).reset_index()
    order = spans.sort_values([*place, "start"], kind="stable")
    reached = (
        order.groupby(place, sort=False)["end"]
        .cummax()
        .groupby([order[name] for name in place], sort=False)
    )
    apart = order["start"] > reached.shift().fillna(-1)
    loci = order.assign(locus=apart.cumsum()).groupby([*place, "locus"], sort=False)
    return loci.agg(start=("start", "min"), end=("end", "max")).reset_index()


def _attribute(attributes: pd.Series, key: str) -> pd.Series:
    """Value of ``key "value";`` in every line."""
    pattern = re.compile(rf'(?:^|;)\s*{key} "([^"]*)"')
    found = attributes.str.extract(pattern, expand=False)
    return found.where(found != "")


def _from_bed(source: Path) -> pd.DataFrame:
    lines = _read(source, {"chromosome": 0, "start": 1, "end": 2, "gene": 3, "strand": 5})
    for column in ("start", "end"):
        lines[column] = pd.to_numeric(lines[column], errors="coerce")
    return lines.loc[:, list(_COLUMNS)]


def _checked(table: pd.DataFrame, source: Path) -> pd.DataFrame:
    if table.empty:
        raise InputError(f"{source.name} holds no gene.")
    numbers = table[["start", "end"]].to_numpy(float)
    wrong = ~np.isfinite(numbers).all(axis=1) | table["gene"].isna() | table["chromosome"].isna()
    wrong |= (numbers[:, 0] < 0) | (numbers[:, 0] >= numbers[:, 1])
    if wrong.any():
        line = table[wrong].iloc[0]
        raise InputError(
            f"{source.name}: {int(wrong.sum()):,} of {len(table):,} genes have no name, no place "
            f"or end before they start, {listed([line['gene']])} at {line['chromosome']}:"
            f"{line['start']}-{line['end']} for instance."
        )
    stranded = table["strand"].isin(_STRANDS)
    if not stranded.any():
        raise InputError(f"{source.name}: no gene has a strand, + or -.")
    kept = table[stranded].astype({"start": np.int64, "end": np.int64}).reset_index(drop=True)
    left = (
        f"; {int((~stranded).sum()):,} without a strand are left out" if not stranded.all() else ""
    )
    kept.attrs["outcome"] = f"{len(kept):,} genes in {source.name}{left}"
    return kept
