"""Gene activity: how accessible each gene is, from peaks or fragments and an annotation."""

import gzip
import os
from collections.abc import Iterator, Sequence
from itertools import takewhile
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import pandas as pd
from anndata import AnnData
from annotated_types import Ge, Le
from numpy.typing import NDArray
from scipy import sparse

from napari_gluer import slots
from napari_gluer.analysis.builds import LEAST_ENRICHMENT, require_same_build
from napari_gluer.analysis.intervals import (
    CHROMOSOME,
    END,
    GENE,
    START,
    STRAND,
    checked_annotation,
    overlap_matrix,
    peak_table,
    plain_chromosome,
    require_shared,
)
from napari_gluer.errors import InputError
from napari_gluer.params import Params
from napari_gluer.track import Track, silently

_CHUNK = 1_000_000
_FRAGMENT_COLUMNS = [CHROMOSOME, START, END, "barcode"]


class ActivityParams(Params):
    """Which reads count for a gene."""

    upstream_bp: Annotated[int, Ge(0), Le(1_000_000)] = 2500
    """Bases before the transcription start that belong to a gene, on its strand."""

    gene_body: bool = True
    """The whole gene counts too, not only what lies upstream of its start."""

    least_overlap_bp: Annotated[int, Ge(1), Le(100_000)] = 1
    """A peak or fragment counts if it shares at least this many bases."""

    least_enrichment: Annotated[float, Ge(0), Le(100)] = LEAST_ENRICHMENT
    """Peaks must lie at transcription starts this many times as often as shifted ones do, else the
    annotation is of another genome build; 0 does not ask."""

    least_fragments: Annotated[int, Ge(1), Le(10_000_000)] = 1000
    """Barcodes of a fragment file with fewer fragments are no cells, where cells are not named."""


def gene_activity(
    source: AnnData | str | os.PathLike[str],
    annotation: pd.DataFrame,
    params: ActivityParams = ActivityParams(),  # noqa: B008 - frozen
    *,
    barcodes: Sequence[str] | None = None,
    track: Track = silently,
) -> AnnData:
    """Reads in the 2.5 kb upstream of a gene and in its body, for every cell.

    Peng et al., bioRxiv 2021.01.25.427845, "Data preprocessing". Loci of one gene name are joined,
    and a peak or fragment that meets several of them counts once.

    Parameters
    ----------
    source
        Cells × peaks, counts, columns named ``chr1:100-200`` or ``chr1-100-200``; or a file of
        fragments (``.tsv``, ``.tsv.gz`` of chromosome, start, end, barcode; read in pieces).
    annotation
        Of `read_annotation`. Chromosomes match with and without ``chr``.
    params
        Upstream, body, checks.
    barcodes
        Cells of a fragment file, in this order; None takes those with enough fragments.
    track
        Wraps the loop over pieces of the file.

    Returns
    -------
    AnnData
        ``X`` CSR float32 ``(n_cells, n_genes)``, genes in the annotation's order, those without a
        peak 0; ``obs`` as in the table; ``var["n_peaks"]`` for peaks; ``uns["gluer"]["kind"]`` =
        ``activity`` and ``uns["gluer"]["activity"]``: ``params`` and ``outcome``.

    Raises
    ------
    InputError
        If columns are no peaks, counts are negative, no chromosome is in both, or peaks do not lie
        at transcription starts more often than by chance (another genome build).
    """
    regions = gene_regions(checked_annotation(annotation), params)
    if isinstance(source, AnnData):
        result, words = _of_peaks(source, regions, annotation, params)
    else:
        path = Path(source)
        result, words = _of_fragments(path, regions, (annotation, barcodes), params, track)
    empty = int((np.asarray(result.X.sum(axis=0)).ravel() == 0).sum())
    outcome = f"Activity of {result.n_vars:,} genes in {result.n_obs:,} cells; {words}"
    outcome += f"; {empty:,} genes have no read" if empty else ""
    slots.note(
        result,
        **{slots.KIND: slots.ACTIVITY},
        activity={"params": params.model_dump_json(), "outcome": outcome},
    )
    return result


def gene_regions(annotation: pd.DataFrame, params: ActivityParams) -> pd.DataFrame:
    """What counts for each gene: its body and what lies upstream, by strand.

    Returns
    -------
    pandas.DataFrame
        ``gene``, ``chromosome`` (plain), ``start``, ``end``; one row for each locus.
    """
    first, last = annotation[START].to_numpy(np.int64), annotation[END].to_numpy(np.int64)
    forward = (annotation[STRAND] == "+").to_numpy()
    upstream = params.upstream_bp
    if not (upstream or params.gene_body):
        raise InputError("Neither the gene's body nor anything upstream counts; choose one.")
    start = np.where(forward, first - upstream, first if params.gene_body else last)
    end = np.where(forward, last if params.gene_body else first, last + upstream)
    return pd.DataFrame(
        {
            GENE: annotation[GENE].astype(str).to_numpy(),
            CHROMOSOME: [plain_chromosome(str(name)) for name in annotation[CHROMOSOME]],
            START: np.maximum(start, 0),
            END: end,
        }
    )


def _of_peaks(
    table: AnnData, regions: pd.DataFrame, annotation: pd.DataFrame, params: ActivityParams
) -> tuple[AnnData, str]:
    peaks, counts = peak_table(table)
    strange = require_shared(peaks, regions[CHROMOSOME])
    build = require_same_build(peaks, annotation, params.least_enrichment)
    genes, locus_gene = _genes_of(regions)
    member = _once(overlap_matrix(peaks, regions, params.least_overlap_bp) @ locus_gene)
    result = AnnData(
        sparse.csr_matrix(counts @ member),
        obs=table.obs.copy(),
        var=pd.DataFrame({"n_peaks": np.asarray(member.sum(axis=0)).ravel().astype(int)}, genes),
    )
    for key in table.obsm:
        result.obsm[key] = table.obsm[key].copy()
    unread = int(peaks[CHROMOSOME].isna().sum())
    met = int((member.getnnz(axis=1) > 0).sum())
    parts = [f"{met:,} of {len(peaks):,} peaks lie in a gene"]
    parts += [f"{unread:,} columns are no peaks"] if unread else []
    parts += [f"{strange:,} peaks lie on chromosomes without a gene"] if strange else []
    parts += [build] if build else []
    return result, "; ".join(parts)


def _genes_of(regions: pd.DataFrame) -> tuple[pd.Index, sparse.csr_matrix]:
    """Names of genes in their order, and which locus is of which."""
    codes, genes = pd.factorize(regions[GENE])
    ones = np.ones(len(codes), np.float32)
    member = sparse.csr_matrix((ones, (np.arange(len(codes)), codes)), (len(codes), len(genes)))
    return pd.Index(genes, name=None), member


def _once(member: sparse.csr_matrix) -> sparse.csr_matrix:
    """What meets several loci of a gene counts once."""
    once = sparse.csr_matrix(member)
    once.data[:] = 1
    return once


def _of_fragments(
    path: Path,
    regions: pd.DataFrame,
    wanted: tuple[pd.DataFrame, Sequence[str] | None],
    params: ActivityParams,
    track: Track,
) -> tuple[AnnData, str]:
    annotation, barcodes = wanted
    if barcodes is None:
        barcodes = _frequent(path, params, track)
    names = pd.Index([str(name) for name in barcodes])
    if not names.is_unique:
        raise InputError("Barcodes must have names of their own; some are repeated.")
    genes, locus_gene = _genes_of(regions)
    total = sparse.csr_matrix((len(names), len(genes)), dtype=np.float32)
    counted = seen = 0
    build = ""
    for piece in track(_pieces(path), "Counting fragments"):
        if not seen:
            require_shared(piece, regions[CHROMOSOME])
            build = require_same_build(piece, annotation, params.least_enrichment)
        seen += len(piece)
        cell = names.get_indexer(pd.Index(piece["barcode"]))
        own = piece[cell >= 0]
        counted += len(own)
        member = _once(overlap_matrix(own, regions, params.least_overlap_bp) @ locus_gene)
        ones = np.ones(len(own), np.float32)
        rows = (cell[cell >= 0], np.arange(len(own)))
        total = total + sparse.csr_matrix((ones, rows), (len(names), len(own))) @ member
    if not counted:
        raise InputError(f"{path.name} holds no fragment of these {len(names):,} barcodes.")
    result = AnnData(sparse.csr_matrix(total), pd.DataFrame(index=names), pd.DataFrame(index=genes))
    words = f"{counted:,} of {seen:,} fragments are of these cells"
    return result, f"{words}; {build}" if build else words


def _frequent(path: Path, params: ActivityParams, track: Track) -> list[str]:
    """Barcodes with enough fragments, in alphabetical order."""
    counts: dict[str, int] = {}
    for piece in track(_pieces(path), "Counting barcodes"):
        for name, number in piece["barcode"].value_counts().items():
            counts[str(name)] = counts.get(str(name), 0) + int(number)
    kept = sorted(name for name, number in counts.items() if number >= params.least_fragments)
    if not kept:
        most = max(counts.values(), default=0)
        raise InputError(
            f"No barcode of {path.name} has {params.least_fragments:,} fragments (the most is "
            f"{most:,}); lower least_fragments, or name the cells."
        )
    return kept


def _pieces(path: Path) -> Iterator[pd.DataFrame]:
    """A million fragments at a time."""
    types: Any = {CHROMOSOME: str, START: np.int64, END: np.int64, "barcode": str}
    try:
        with pd.read_csv(
            path,
            sep="\t",
            header=None,
            usecols=[0, 1, 2, 3],
            names=_FRAGMENT_COLUMNS,
            # comment="#" would cut barcodes such as sample1#AAAC, and make one cell of many
            skiprows=_header_lines(path),
            keep_default_na=False,
            compression="gzip" if _is_gzip(path) else None,
            dtype=types,
            chunksize=_CHUNK,
        ) as pieces:
            for piece in pieces:
                plain = {name: plain_chromosome(name) for name in piece[CHROMOSOME].unique()}
                piece[CHROMOSOME] = piece[CHROMOSOME].map(plain)
                _refuse_backwards(piece, path)
                yield piece.reset_index(drop=True)
    except (ValueError, EOFError, OSError, pd.errors.ParserError) as error:
        if isinstance(error, InputError):
            raise
        raise InputError(f"{path.name} cannot be read as fragments: {error}") from error


def _is_gzip(path: Path) -> bool:
    with path.open("rb") as file:
        return file.read(2) == b"\x1f\x8b"


def _header_lines(path: Path) -> int:
    """How many lines at the head begin with #."""
    with gzip.open(path, "rb") if _is_gzip(path) else path.open("rb") as lines:
        return sum(1 for _ in takewhile(lambda line: line.startswith(b"#"), lines))


def _refuse_backwards(piece: pd.DataFrame, path: Path) -> None:
    backwards: NDArray[np.bool_] = (piece[START] >= piece[END]).to_numpy()
    if backwards.any():
        line = piece[backwards].iloc[0]
        raise InputError(
            f"{path.name}: {int(backwards.sum()):,} fragments end before they start, "
            f"{line[CHROMOSOME]}:{line[START]}-{line[END]} for instance."
        )
