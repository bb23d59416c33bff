"""Peaks and genes as intervals: names, chromosomes as people write them, and what overlaps what.

All coordinates are 0-based and half-open, as in BED.
"""

import re
from collections.abc import Iterable

import numpy as np
import pandas as pd
from anndata import AnnData
from numpy.typing import NDArray
from scipy import sparse

from napari_gluer.errors import InputError, listed

CHROMOSOME, START, END, STRAND, GENE = "chromosome", "start", "end", "strand", "gene"

_PEAK = re.compile(r"^(.+)[:_-](\d[\d,]*)[_-](\d[\d,]*)(?::[-+.])?$")
_MOST_UNREAD = 0.5
_PLACE = [CHROMOSOME, START, END]


def plain_chromosome(name: str) -> str:
    """The chromosome's name without ``chr``; ``chrM`` and ``M`` are ``MT``."""
    plain = re.sub(r"^chr", "", name.strip(), flags=re.IGNORECASE)
    return "MT" if plain.upper() in {"M", "MT"} else plain


def peak_intervals(names: Iterable[str]) -> pd.DataFrame:
    """Intervals of peaks from their names, as ``chr1:100-200``, ``chr1-100-200``, ``chr1_100_200``.

    Returns
    -------
    pandas.DataFrame
        Indexed by name; ``chromosome`` (plain), ``start``, ``end``, missing where a name is none.

    Raises
    ------
    InputError
        If more than half of the names are no peaks.
    """
    known = [str(name) for name in names]
    found = [_PEAK.match(name) for name in known]
    rows = [
        (plain_chromosome(m[1]), int(m[2].replace(",", "")), int(m[3].replace(",", "")))
        if m
        else (None, -1, -1)
        for m in found
    ]
    table = pd.DataFrame(rows, index=pd.Index(known), columns=[CHROMOSOME, START, END])
    wrong = table[CHROMOSOME].isna() | (table[START] >= table[END])
    table.loc[wrong, CHROMOSOME] = None
    if not known or wrong.mean() > _MOST_UNREAD:
        raise InputError(
            f"{int(wrong.sum()):,} of {len(known):,} columns are not named as peaks, "
            f"{listed(table.index[wrong], 3)} for instance; chr1:100-200 would do."
        )
    return table


def peak_table(table: AnnData) -> tuple[pd.DataFrame, sparse.csr_matrix]:
    """Intervals and counts of cells × peaks.

    Returns
    -------
    pandas.DataFrame
        As `peak_intervals`.
    scipy.sparse.csr_matrix
        float32 ``(n_cells, n_peaks)``.

    Raises
    ------
    InputError
        If columns are no peaks, a peak is there twice, or counts are negative or not finite.
    """
    peaks = peak_intervals(table.var_names)
    twice = peaks.duplicated(_PLACE, keep=False) & peaks[CHROMOSOME].notna()
    twice |= peaks.index.duplicated(keep=False)
    if twice.any():
        raise InputError(
            f"Peaks would be counted twice: repeated are {listed(peaks.index[twice].unique(), 4)}. "
            "Keep one of each."
        )
    counts = sparse.csr_matrix(table.X, dtype=np.float32)
    if counts.nnz and not (np.isfinite(counts.data).all() and counts.data.min() >= 0):
        raise InputError(
            "Counts of peaks must be 0 or more; this table holds negative or NaN ones."
        )
    return peaks, counts


def checked_annotation(annotation: pd.DataFrame) -> pd.DataFrame:
    """Refuse what is no annotation: columns of `read_annotation`, strands + and -."""
    missing = [name for name in (GENE, *_PLACE, STRAND) if name not in annotation]
    if missing:
        raise InputError(
            f"The annotation lacks the columns {listed(missing)} (it has {listed(annotation)}). "
            "Read a GTF or BED with ng.read_annotation."
        )
    strange = ~annotation[STRAND].isin(["+", "-"])
    if strange.any():
        raise InputError(
            f"{int(strange.sum()):,} genes of the annotation have no strand (+ or -), "
            f"{listed(annotation.loc[strange, GENE], 3)} for instance; leave them out."
        )
    return annotation


def require_shared(intervals: pd.DataFrame, chromosomes: Iterable[str]) -> int:
    """Refuse where no chromosome is in both; else how many intervals lie on strange ones.

    Parameters
    ----------
    intervals
        As `peak_intervals`.
    chromosomes
        Of the annotation, plain.
    """
    own, theirs = set(intervals[CHROMOSOME].dropna()), set(chromosomes)
    if not own & theirs:
        raise InputError(
            f"No chromosome is in both: peaks lie on {listed(sorted(own), 4)}, genes on "
            f"{listed(sorted(theirs), 4)}."
        )
    return int((intervals[CHROMOSOME].notna() & ~intervals[CHROMOSOME].isin(theirs)).sum())


def overlapping(
    one: pd.DataFrame, other: pd.DataFrame, least: int = 1
) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Rows of both tables whose intervals share at least `least` bases, as pairs.

    Parameters
    ----------
    one, other
        With ``chromosome``, ``start``, ``end``; rows without a chromosome overlap nothing.
    """
    firsts, seconds = [], []
    groups = {name: rows.to_numpy() for name, rows in _rows_by_chromosome(other).items()}
    for name, rows in _rows_by_chromosome(one).items():
        if name in groups:
            own, theirs = rows.to_numpy(), groups[name]
            first, second = _pairs(_bounds(one, own), _bounds(other, theirs), least)
            firsts.append(own[first])
            seconds.append(theirs[second])
    empty = [np.empty(0, np.intp)]
    return np.concatenate([*firsts, *empty]), np.concatenate([*seconds, *empty])


def overlap_matrix(one: pd.DataFrame, other: pd.DataFrame, least: int = 1) -> sparse.csr_matrix:
    """CSR float32 of 0 and 1, ``(len(one), len(other))``: which intervals overlap."""
    rows, columns = overlapping(one, other, least)
    ones = np.ones(len(rows), np.float32)
    return sparse.csr_matrix((ones, (rows, columns)), (len(one), len(other)))


def _rows_by_chromosome(table: pd.DataFrame) -> dict[str, pd.Series]:
    places = pd.Series(np.arange(len(table)))
    names = table[CHROMOSOME].reset_index(drop=True)
    return {str(name): part for name, part in places.groupby(names)}


def _bounds(
    table: pd.DataFrame, rows: NDArray[np.intp]
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    return table[START].to_numpy(np.int64)[rows], table[END].to_numpy(np.int64)[rows]


def _pairs(
    one: tuple[NDArray[np.int64], NDArray[np.int64]],
    other: tuple[NDArray[np.int64], NDArray[np.int64]],
    least: int,
) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Pairs of overlapping intervals on one chromosome."""
    order = np.argsort(other[0], kind="stable")
    starts, ends = other[0][order], other[1][order]
    # of sorted intervals, all before the first that reaches so far end too early
    first = np.searchsorted(np.maximum.accumulate(ends), one[0] + least, side="left")
    last = np.searchsorted(starts, one[1] - least, side="right")
    counts = np.maximum(last - first, 0)
    rows = np.repeat(np.arange(len(counts)), counts)
    begin = np.repeat(np.cumsum(counts) - counts, counts)
    columns = np.arange(len(rows)) - begin + np.repeat(first, counts)
    shared = np.minimum(ends[columns], one[1][rows]) - np.maximum(starts[columns], one[0][rows])
    kept = shared >= least
    return rows[kept], order[columns[kept]]


def transcription_starts(annotation: pd.DataFrame) -> NDArray[np.int64]:
    """First base that is transcribed, by strand, ``(n_loci,)``."""
    forward = (annotation[STRAND] == "+").to_numpy()
    return np.where(forward, annotation[START], annotation[END] - 1).astype(np.int64)
