"""Which peaks near a gene go with its expression: the paper's regulatory use."""

from collections.abc import Sequence
from typing import Annotated, Any

import numpy as np
import pandas as pd
from anndata import AnnData
from annotated_types import Ge, Le
from numpy.typing import NDArray
from scipy import sparse
from scipy.stats import false_discovery_control, rankdata

from napari_gluer import slots
from napari_gluer.analysis.intervals import (
    CHROMOSOME,
    END,
    GENE,
    START,
    STRAND,
    peak_intervals,
    plain_chromosome,
)
from napari_gluer.errors import InputError, listed
from napari_gluer.neighbours import nearest_by_distance, neighbour_matrix
from napari_gluer.params import Params
from napari_gluer.track import Track, silently

Array = NDArray[np.float64]

_LEAST_GROUPS = 10


class PeakLinkParams(Params):
    """Which peaks are tried, and on what."""

    reach_bp: Annotated[int, Ge(1), Le(10_000_000)] = 100_000
    """Peaks whose middle lies within this many bases of the transcription start are tried."""

    cells_in_group: Annotated[int, Ge(1), Le(10_000)] = 30
    """Like cells whose values are averaged before they are correlated, since a single nucleus shows
    a peak once or not at all; 1 takes single cells."""

    groups: Annotated[int, Ge(10), Le(100_000)] = 500
    """Such groups, around cells drawn by the seed."""

    permutations: Annotated[int, Ge(0), Le(1_000_000)] = 1000
    """Random pairings of groups that the p-value is told by."""


def gene_peak_links(  # noqa: PLR0913 - a public step: two tables, places, what, how
    peaks: AnnData,
    expression: AnnData | pd.DataFrame,
    annotation: pd.DataFrame,
    params: PeakLinkParams = PeakLinkParams(),  # noqa: B008 - frozen
    *,
    genes: Sequence[str] | None = None,
    seed: int = 0,
    track: Track = silently,
) -> pd.DataFrame:
    """Correlate genes with the peaks near their transcription start.

    Peng et al., bioRxiv 2021.01.25.427845, "Regulatory relationships". Cells are pooled into groups
    of like cells: those nearest in ``peaks.obsm["X_gluer"]``, where the table has it, else random
    ones. The p-value is the share of random pairings of groups with a correlation as far from 0
    (two-sided, the found one counted in); the false discovery rate is Benjamini & Hochberg's over
    all pairs.

    Parameters
    ----------
    peaks
        Cells × peaks, counts; reads ``X``, the names of cells and ``obsm["X_gluer"]``.
    expression
        The same cells × genes, by name: measured (AnnData) or imputed (``DataFrame`` indexed by
        cell, one column a gene). Names are ``obs["cell_id"]`` where a table has it (as `read_cells`
        keeps those of the file), else ``obs_names``.
    annotation
        Of `read_annotation`.
    params
        Reach, groups, permutations.
    genes
        Which genes; None takes all that both know.
    seed
        Of groups and permutations.
    track
        Wraps the loop over genes.

    Returns
    -------
    pandas.DataFrame
        ``gene``, ``peak``, ``distance`` (bases from the transcription start to the peak's middle,
        below 0 upstream on the gene's strand), ``pearson``, ``spearman``, ``p``, ``fdr``, NaN for
        what is constant; by gene, then by place. ``attrs["outcome"]``: what was done.

    Raises
    ------
    InputError
        If cells differ, a gene is not known, or there are fewer than ten groups.
    """
    values = _same_cells(peaks, expression)
    places = peak_intervals(peaks.var_names)
    starts = _starts(annotation, values, genes)
    pooling = _groups(peaks, params, seed)
    pooled_genes = np.asarray(pooling @ values.to_numpy(np.float64))
    counts = sparse.csr_matrix(peaks.X, dtype=np.float64)
    pooled_peaks = sparse.csc_matrix(pooling @ counts)
    n_groups, random = pooling.shape[0], np.random.default_rng(seed)
    shuffles = np.empty((params.permutations, n_groups), np.intp)
    for row in shuffles:
        row[:] = random.permutation(n_groups)
    tables = []
    for gene, own in track(list(starts.groupby(GENE, sort=False)), "Linking genes and peaks"):
        near = _near(own, places, params.reach_bp)
        if len(near):
            expressed = pooled_genes[:, values.columns.get_loc(gene)]
            accessible = pooled_peaks[:, near.index.to_numpy()].toarray()
            tables.append(_linked(str(gene), near, expressed, accessible, shuffles))
    columns = [GENE, "peak", "distance", "pearson", "spearman", "p"]
    found = pd.concat(tables, ignore_index=True) if tables else pd.DataFrame(columns=columns)
    found["fdr"] = _rates(found["p"].to_numpy(float))
    kind = "like cells" if slots.EMBEDDING in peaks.obsm else "random cells"
    found.attrs["outcome"] = (
        f"{len(found):,} pairs of {starts[GENE].nunique():,} genes and peaks within "
        f"{params.reach_bp:,} bases, over {pooling.shape[0]:,} groups of {params.cells_in_group} "
        f"{kind}; {int((found['fdr'] < 0.05).sum()):,} with a false discovery rate below 5 %"
    )
    return found


def _same_cells(peaks: AnnData, expression: AnnData | pd.DataFrame) -> pd.DataFrame:
    """Expression, dense, in the order of the peaks' cells."""
    own = slots.cell_names(peaks)
    table: Any = expression
    if isinstance(expression, AnnData):
        table = expression.to_df().set_axis(slots.cell_names(expression), axis=0)
    if not (table.index.is_unique and table.columns.is_unique):
        raise InputError("Cells and genes must have names of their own; some are repeated.")
    missing = own.difference(table.index)
    if len(missing):
        raise InputError(
            f"{len(missing):,} of {peaks.n_obs:,} cells of the peaks have no expression, "
            f"{listed(missing, 3)} for instance; both tables must hold the same cells."
        )
    found: pd.DataFrame = table.loc[own]
    if not np.isfinite(found.to_numpy(np.float64)).all():
        raise InputError("The expression holds NaN or infinite values.")
    return found


def _starts(
    annotation: pd.DataFrame, values: pd.DataFrame, genes: Sequence[str] | None
) -> pd.DataFrame:
    """Transcription starts of the genes that are asked for."""
    known = set(annotation[GENE].astype(str)) & set(map(str, values.columns))
    wanted = known if genes is None else set(genes)
    unknown = sorted(wanted - known)
    if unknown or not wanted:
        where = "annotation and expression share no gene"
        if known:
            where = f"in both are {listed(sorted(known), 6)}"
        raise InputError(f"Not in annotation and expression: {listed(unknown)}; {where}.")
    own = annotation[annotation[GENE].isin(wanted)]
    forward = (own[STRAND] == "+").to_numpy()
    return pd.DataFrame(
        {
            GENE: own[GENE].astype(str).to_numpy(),
            CHROMOSOME: [plain_chromosome(str(name)) for name in own[CHROMOSOME]],
            "at": np.where(forward, own[START], own[END] - 1).astype(np.int64),
            "sign": np.where(forward, 1, -1),
        }
    )


def _groups(peaks: AnnData, params: PeakLinkParams, seed: int) -> sparse.csr_matrix:
    """Averaging over groups, CSR ``(n_groups, n_cells)``."""
    n = peaks.n_obs
    size = min(params.cells_in_group, n)
    number = n if size == 1 else min(params.groups, n)
    if number < _LEAST_GROUPS:
        raise InputError(f"{n} cells make {number} groups; {_LEAST_GROUPS} or more are needed.")
    random = np.random.default_rng(seed)
    centres = np.sort(random.permutation(n)[:number])
    if size == 1:
        near = centres[:, None]
    elif slots.EMBEDDING in peaks.obsm:
        space = np.asarray(peaks.obsm[slots.EMBEDDING], np.float32)
        near, _ = nearest_by_distance(space[centres], space, size)
    else:
        near = np.stack([random.permutation(n)[:size] for _ in range(number)])
    return neighbour_matrix(near, n, np.full(near.shape, 1 / size, np.float32))


def _near(starts: pd.DataFrame, places: pd.DataFrame, reach: int) -> pd.DataFrame:
    """Columns of the peaks near any start of one gene, and their distance from the nearest."""
    middle = (places[START] + places[END]).to_numpy() // 2
    best = np.full(len(places), np.iinfo(np.int64).max, np.int64)
    chromosomes, at, sign = (starts[name].to_numpy() for name in (CHROMOSOME, "at", "sign"))
    for i in range(len(starts)):
        same = (places[CHROMOSOME] == chromosomes[i]).to_numpy()
        apart = (middle - at[i]) * sign[i]
        nearer = same & (np.abs(apart) < np.abs(best))
        best[nearer] = apart[nearer]
    columns = np.flatnonzero(np.abs(best) <= reach)
    table = pd.DataFrame({"peak": places.index[columns], "distance": best[columns]}, index=columns)
    return table.assign(middle=middle[columns]).sort_values("middle", kind="stable")


def _linked(
    gene: str,
    near: pd.DataFrame,
    expressed: Array,
    accessible: Array,
    shuffles: NDArray[np.integer],
) -> pd.DataFrame:
    unit, units = _unit(expressed[:, None])[:, 0], _unit(accessible)
    pearson = unit @ units
    spearman = _unit(rankdata(expressed)[:, None])[:, 0] @ _unit(rankdata(accessible, axis=0))
    by_chance = np.abs(unit[shuffles] @ units) >= np.abs(pearson) - 1e-12
    p = (1 + by_chance.sum(axis=0)) / (1 + len(shuffles))
    constant = ~(np.any(unit) & units.any(axis=0))
    table = pd.DataFrame(
        {
            GENE: gene,
            "peak": near["peak"].to_numpy(),
            "distance": near["distance"].to_numpy(),
            "pearson": pearson,
            "spearman": spearman,
            "p": p,
        }
    )
    table.loc[constant, ["pearson", "spearman", "p"]] = np.nan
    return table


def _unit(values: Array) -> Array:
    """Columns centred and of length 1; constant ones are 0."""
    centred = values - values.mean(axis=0)
    lengths = np.linalg.norm(centred, axis=0)
    enough = lengths > 1e-12 * np.abs(values).max(axis=0, initial=0)
    return np.asarray(np.divide(centred, lengths, out=np.zeros_like(centred), where=enough))


def _rates(p: Array) -> Array:
    """False discovery rates; NaN where there is no p-value."""
    rates = np.full(len(p), np.nan)
    there = np.isfinite(p)
    if there.any():
        rates[there] = false_discovery_control(p[there])
    return rates
