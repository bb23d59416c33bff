"""Which peaks near a gene go with its expression: the paper's regulatory use."""

from collections.abc import Sequence
from typing import Annotated

import numpy as np
import pandas as pd
from anndata import AnnData
from annotated_types import Ge, Le
from numpy.typing import NDArray
from scipy import sparse
from scipy.stats import false_discovery_control

from napari_gluer import slots
from napari_gluer.analysis.builds import LEAST_ENRICHMENT, require_same_build
from napari_gluer.analysis.intervals import (
    CHROMOSOME,
    END,
    GENE,
    START,
    STRAND,
    checked_annotation,
    peak_table,
    plain_chromosome,
    require_shared,
    transcription_starts,
)
from napari_gluer.analysis.pooling import (
    like_cells,
    memberships,
    peak_space,
    pooled_means,
    pooled_reads,
)
from napari_gluer.analysis.same_cells import Expressed, genes_in, same_cells
from napari_gluer.correlating import unit_columns, unit_ranks
from napari_gluer.errors import InputError, listed
from napari_gluer.params import Params
from napari_gluer.track import Track, silently

Array = NDArray[np.float64]

_LEAST_GROUPS = 10
_BLOCK = 4_000_000  # values of permuted groups at a time


class PeakLinkParams(Params):
    """Which peaks are tried, and on what."""

    reach_bp: Annotated[int, Ge(1), Le(10_000_000)] = 100_000
    """Peaks whose middle lies within this many bases of the transcription start are tried."""

    cells_in_group: Annotated[int, Ge(1), Le(10_000)] = 30
    """Like cells that are pooled before they are correlated, since a single nucleus shows a peak
    once or not at all; each cell is in one group. 1 takes single cells."""

    permutations: Annotated[int, Ge(0), Le(1_000_000)] = 1000
    """Random pairings of groups that the p-value is told by."""

    least_enrichment: Annotated[float, Ge(0), Le(100)] = LEAST_ENRICHMENT
    """Peaks must lie at transcription starts this many times as often as shifted ones do, else the
    annotation is of another genome build; 0 does not ask."""


def gene_peak_links(  # noqa: PLR0913 - a public step: two tables, places, what, how
    peaks: AnnData,
    expression: Expressed,
    annotation: pd.DataFrame,
    params: PeakLinkParams = PeakLinkParams(),  # noqa: B008 - frozen
    *,
    genes: Sequence[str] | None = None,
    seed: int = 0,
    track: Track = silently,
) -> pd.DataFrame:
    """Correlate genes with the peaks near their transcription start.

    Peng et al., bioRxiv 2021.01.25.427845, "Regulatory relationships". Cells are parted into groups
    of like cells, by ``obsm["X_gluer"]`` of either table, else by their peaks. Genes are averaged
    over a group; peaks are log1p of the group's reads per 10,000. The p-value is the share of
    random pairings of groups with Pearson's correlation as far from 0 (two-sided, the found one
    counted in; the same pairings for all genes); the false discovery rate is Benjamini &
    Hochberg's over all pairs. It says that gene and peak go together over the kinds of cells, as
    markers of one type do, not that the peak regulates the gene.

    Parameters
    ----------
    peaks
        Cells × all peaks (each cell's reads are taken in proportion to their total), counts; reads
        ``X``, the names of cells and ``obsm["X_gluer"]``.
    expression
        The same cells × genes, by name: measured (AnnData, counts become log1p of counts per
        10,000) or imputed (``DataFrame`` indexed by cell, one column a gene; or the array of
        `impute` for `genes`, its rows in the order of `peaks`). Cells are
        named by ``obs["cell_id"]`` where a table has it (as `read_cells` keeps the names of the
        file), else by ``obs_names``.
    annotation
        Of `read_annotation`.
    params
        Reach, size of groups, permutations.
    genes
        Which genes; None takes all that both know.
    seed
        Of the permutations.
    track
        Wraps the loop over genes.

    Returns
    -------
    pandas.DataFrame
        ``gene``, ``peak``, ``tss`` (the gene's nearest transcription start), ``distance`` (bases
        from there to the peak's middle, below 0 upstream on the gene's strand), ``pearson``,
        ``spearman``, ``p``, ``fdr``, NaN for what is constant; by gene, then by place.
        ``attrs["outcome"]``: what was done.

    Raises
    ------
    InputError
        If cells differ, a gene is not known, columns are no peaks or repeat, counts are negative,
        the annotation is of another genome build, or there are fewer than ten groups.
    """
    places, counts = peak_table(peaks)
    starts = _starts(checked_annotation(annotation), genes_in(expression, genes), genes)
    require_shared(places, map(plain_chromosome, annotation[CHROMOSOME].astype(str).unique()))
    require_same_build(places, annotation, params.least_enrichment)
    names = [str(gene) for gene in pd.unique(starts[GENE])]
    rows, values = same_cells(peaks, expression, names, genes)
    space, kind = _space(peaks, expression, rows, counts)
    pooling = _groups(space, params.cells_in_group)
    pooled_genes, pooled_peaks = (
        pooled_means(pooling, values),
        pooled_reads(pooling, counts).tocsc(),
    )
    n_groups, random = pooling.shape[0], np.random.default_rng(seed)
    shuffles = np.empty((params.permutations, n_groups), np.intp)
    for row in shuffles:
        row[:] = random.permutation(n_groups)
    tables = []
    for gene, own in track(list(starts.groupby(GENE, sort=False)), "Linking genes and peaks"):
        near = _near(own, places, params.reach_bp)
        if len(near):
            expressed = pooled_genes[:, names.index(str(gene))]
            accessible = pooled_peaks[:, near.index.to_numpy()].toarray()
            tables.append(_linked(str(gene), near, expressed, accessible, shuffles))
    columns = [GENE, "peak", "tss", "distance", "pearson", "spearman", "p"]
    found = pd.concat(tables, ignore_index=True) if tables else pd.DataFrame(columns=columns)
    found["fdr"] = _rates(found["p"].to_numpy(float))
    found.attrs["outcome"] = (
        f"{len(found):,} pairs of {starts[GENE].nunique():,} genes and peaks within "
        f"{params.reach_bp:,} bases, over {pooling.shape[0]:,} groups of {params.cells_in_group} "
        f"cells, {kind}; {int((found['fdr'] < 0.05).sum()):,} with a false discovery rate below 5 %"
    )
    return found


def _space(
    peaks: AnnData, expression: Expressed, rows: NDArray[np.intp], counts: sparse.csr_matrix
) -> tuple[NDArray[np.floating], str]:
    """What tells like cells, and its name."""
    for table, order in ((peaks, slice(None)), (expression, rows)):
        if isinstance(table, AnnData) and slots.EMBEDDING in table.obsm:
            space = np.asarray(table.obsm[slots.EMBEDDING])[order]
            if not np.isfinite(space).all():
                raise InputError(f"obsm[{slots.EMBEDDING!r}] holds NaN; integrate the cells again.")
            return space, "alike in the co-embedding"
    return peak_space(counts), "alike by their peaks"


def _starts(
    annotation: pd.DataFrame, measured: list[str], genes: Sequence[str] | None
) -> pd.DataFrame:
    """Transcription starts of the genes that are asked for."""
    known = set(annotation[GENE].astype(str)) & set(measured)
    wanted = known if genes is None else set(genes)
    unknown = sorted(wanted - known)
    if unknown or not wanted:
        where = "annotation and expression share no gene"
        if known:
            where = f"in both are {listed(sorted(known), 6)}"
        raise InputError(f"Not in annotation and expression: {listed(unknown)}; {where}.")
    own = annotation[annotation[GENE].astype(str).isin(wanted)]
    return pd.DataFrame(
        {
            GENE: own[GENE].astype(str).to_numpy(),
            CHROMOSOME: [plain_chromosome(str(name)) for name in own[CHROMOSOME]],
            "at": transcription_starts(own),
            "sign": np.where(own[STRAND] == "+", 1, -1),
        }
    )


def _groups(space: NDArray[np.floating], size: int) -> sparse.csr_matrix:
    """Which cells are in which group, ``(n_groups, n_cells)``."""
    n = len(space)
    if n // size < _LEAST_GROUPS:
        smaller = n // _LEAST_GROUPS
        advice = f" Set cells_in_group to {smaller} or less." if smaller else ""
        raise InputError(
            f"{n} cells make {n // size} groups of {size}; {_LEAST_GROUPS} or more are "
            f"needed.{advice}"
        )
    return memberships(like_cells(space, size))


def _near(starts: pd.DataFrame, places: pd.DataFrame, reach: int) -> pd.DataFrame:
    """Columns of the peaks near any start of one gene, and their distance from the nearest."""
    middle = (places[START] + places[END]).to_numpy() // 2
    best = np.full(len(places), np.iinfo(np.int64).max, np.int64)
    nearest = np.zeros(len(places), np.int64)
    chromosomes, at, sign = (starts[name].to_numpy() for name in (CHROMOSOME, "at", "sign"))
    for i in range(len(starts)):
        same = (places[CHROMOSOME] == chromosomes[i]).to_numpy()
        apart = (middle - at[i]) * sign[i]
        nearer = same & (np.abs(apart) < np.abs(best))
        best[nearer], nearest[nearer] = apart[nearer], at[i]
    columns = np.flatnonzero(np.abs(best) <= reach)
    table = pd.DataFrame(
        {"peak": places.index[columns], "tss": nearest[columns], "distance": best[columns]},
        index=columns,
    )
    return table.assign(middle=middle[columns]).sort_values("middle", kind="stable")


def _linked(
    gene: str,
    near: pd.DataFrame,
    expressed: Array,
    accessible: Array,
    shuffles: NDArray[np.integer],
) -> pd.DataFrame:
    unit, units = unit_columns(expressed[:, None])[:, 0], unit_columns(accessible)
    pearson = unit @ units
    spearman = unit_ranks(expressed[:, None])[:, 0] @ unit_ranks(accessible)
    as_far = np.zeros(len(pearson), np.int64)
    step = max(1, _BLOCK // len(unit))
    for i in range(0, len(shuffles), step):
        by_chance = np.abs(unit[shuffles[i : i + step]] @ units)
        as_far += (by_chance >= np.abs(pearson) - 1e-12).sum(axis=0)
    p = (1 + as_far) / (1 + len(shuffles))
    constant = ~(np.any(unit) & units.any(axis=0))
    table = pd.DataFrame(
        {
            GENE: gene,
            "peak": near["peak"].to_numpy(),
            "tss": near["tss"].to_numpy(),
            "distance": near["distance"].to_numpy(),
            "pearson": pearson,
            "spearman": spearman,
            "p": p,
        }
    )
    table.loc[constant, ["pearson", "spearman", "p"]] = np.nan
    return table


def _rates(p: Array) -> Array:
    """False discovery rates; NaN where there is no p-value."""
    rates = np.full(len(p), np.nan)
    there = np.isfinite(p)
    if there.any():
        rates[there] = false_discovery_control(p[there])
    return rates
