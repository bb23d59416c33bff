"""Marker genes of groups of cells, measured or imputed."""

from collections.abc import Sequence
from typing import Annotated

import numpy as np
import pandas as pd
from anndata import AnnData
from annotated_types import Ge, Le
from numpy.typing import NDArray

from napari_gluer.analysis.gene_values import IMPUTED, GeneValues, gene_values
from napari_gluer.analysis.grouping import By, Groups, groups_of
from napari_gluer.analysis.rank_sums import Contrasts, adjusted, contrasts
from napari_gluer.errors import InputError, listed
from napari_gluer.params import Params
from napari_gluer.track import Track, silently

OPTIMISTIC = (
    "p-values of imputed values are optimistic: cells share reference cells, so their values are "
    "smoothed and not independent. Genes are ranked by the difference of means, an effect size."
)
SAME_CELLS = (
    "Where the groups were found from the same values, p-values are optimistic; rank by AUROC."
)


class MarkerParams(Params):
    """Marker genes of groups of cells."""

    n_genes: Annotated[int, Ge(0)] = 0
    """Genes to give for each group, the best first; 0 gives all."""

    min_cells: Annotated[int, Ge(2)] = 3
    """Groups of fewer cells are not tested, but belong to the rest of the others."""

    min_share: Annotated[float, Ge(0), Le(1)] = 0.0
    """Leave out genes that fewer cells show, in the group and in the rest alike."""


def marker_genes(
    cells: AnnData,
    by: By,
    *,
    reference: AnnData | None = None,
    genes: Sequence[str] | None = None,
    params: MarkerParams = MarkerParams(),  # noqa: B008 - frozen
    track: Track = silently,
) -> pd.DataFrame:
    """Genes that tell each group of cells from all other cells: Wilcoxon's rank-sum test.

    Unmatched cells, and cells without a group, are left out and counted.

    Parameters
    ----------
    cells
        Measured values: reads ``X`` (counts become log1p of counts per 10,000, log1p values and
        intensities stay as they are). Imputed ones: ``obsm["gluer_weights"]``, ``uns["gluer"]``.
    by
        An ``obs`` column (``cluster``, ``cell_type_transferred``), or a selection against the rest:
        booleans ``(n_cells,)``, labels, or names of cells.
    reference
        The very reference of the integration, to test imputed genes, block by block; None tests
        what was measured.
    genes
        Which genes; all (of measured columns the markers) where None.
    params
        How many genes are given, and which groups and genes are left out.

    Returns
    -------
    pandas.DataFrame
        One row per group and gene, in the order of the groups and, within one, from the best marker
        down (measured: by ``score``; imputed: by ``difference``, for smoothed values make much of
        small differences in every other column).

        - ``group``, ``gene``
        - ``score``: standardised rank sum, corrected for ties (that of scanpy's ``wilcoxon``)
        - ``auroc``: chance that a cell of the group has the higher value, 0.5 where nothing tells
          them apart; needs no assumption about how many independent cells there are
        - ``difference``: mean within less mean without
        - ``log2_fold_change``: of log1p values log2 of (expm1 of the mean + 1e-9) within over
          without, as scanpy defines it; of intensities log2 of the ratio of means
        - ``share_in``, ``share_out``: shares of cells above zero
        - ``p``, ``p_adjusted``: two-sided, normal approximation; Benjamini and Hochberg's over the
          genes of a group

        ``attrs``: ``values`` (``measured`` or ``imputed``), ``ranked_by``, ``n_cells``,
        ``n_unmatched``, ``n_untyped``, ``groups_left_out``, ``note`` on how far p-values may be
        believed, and ``outcome``, one line.

    Raises
    ------
    InputError
        If there are no two groups to compare, a gene is not there, values are NaN, or the
        reference is another one.
    """
    groups = groups_of(cells, by)
    values = gene_values(cells, reference, groups.rows, genes)
    tested = _tested(groups, params)
    found = contrasts_of(values, groups.members[:, tested], track, "Marker genes")
    names = [groups.names[i] for i in tested]
    table = tidy(found, names, values, params)
    small = [groups.names[i] for i in range(len(groups.names)) if i not in set(tested.tolist())]
    table.attrs |= {
        "n_cells": len(groups.rows),
        "n_unmatched": groups.n_unmatched,
        "n_untyped": groups.n_untyped,
        "groups_left_out": small,
        "outcome": _outcome(values, groups, names, small),
    }
    return table


def _tested(groups: Groups, params: MarkerParams) -> NDArray[np.intp]:
    """Groups that are large enough, and leave something to compare with."""
    n = len(groups.rows)
    if len(groups.names) == 1 and groups.sizes[0] == n:
        raise InputError(
            f"All {n:,} cells are {groups.names[0]!r}: there is nothing to compare it with."
        )
    large = np.minimum(groups.sizes, n - groups.sizes) >= params.min_cells
    if not large.any():
        sizes = zip(groups.names, groups.sizes.tolist(), strict=True)
        raise InputError(
            f"No group has {params.min_cells} cells or more on both sides of the comparison, of "
            f"{n:,} cells: {listed(f'{name} {size}' for name, size in sizes)}."
        )
    return np.flatnonzero(large)


def contrasts_of(
    values: GeneValues, members: NDArray[np.bool_], track: Track, desc: str
) -> Contrasts:
    """`contrasts` of all genes, block by block."""
    blocks = values.blocks(np.arange(len(values.genes)))
    parts = [contrasts(values.block(block), members) for block in track(blocks, desc)]
    return Contrasts(
        **{
            name: np.concatenate([getattr(part, name) for part in parts], axis=1)
            for name in Contrasts.__dataclass_fields__
        }
    )


def tidy(
    found: Contrasts, names: list[str], values: GeneValues, params: MarkerParams
) -> pd.DataFrame:
    """One row per group and gene, the best of every group first."""
    n_groups, n_genes = found.score.shape
    ranked_by = "difference" if values.source == IMPUTED else "score"
    columns = {
        "score": found.score,
        "auroc": found.auroc,
        "difference": found.mean_in - found.mean_out,
        "log2_fold_change": found.log2_fold_change(logged=values.logged),
        "share_in": found.share_in,
        "share_out": found.share_out,
        "p": found.p,
        "p_adjusted": adjusted(found.p),
    }
    table = pd.DataFrame(
        {
            "group": pd.Categorical.from_codes(
                np.repeat(np.arange(n_groups), n_genes), pd.Index(names)
            ),
            "gene": np.tile(values.genes.to_numpy(object), n_groups),
            **{name: column.ravel() for name, column in columns.items()},
        }
    )
    rank = np.lexsort((-table[ranked_by].to_numpy(), table["group"].cat.codes))
    table = table.iloc[rank]
    table = table[table[["share_in", "share_out"]].max(axis=1) >= params.min_share]
    if params.n_genes:
        table = table.groupby("group", observed=True, sort=False).head(params.n_genes)
    note = OPTIMISTIC if values.source == IMPUTED else SAME_CELLS
    table.attrs = {"values": values.source, "ranked_by": ranked_by, "note": note}
    return table.reset_index(drop=True)


def _outcome(values: GeneValues, groups: Groups, names: list[str], small: list[str]) -> str:
    left = f"; {groups.left_out}" if groups.left_out else ""
    few = f"; too few cells in {listed(small, 5)}" if small else ""
    return (
        f"{len(values.genes):,} {values.source} genes in {len(names):,} of {len(groups.names):,} "
        f"groups of {len(groups.rows):,} cells{left}{few}."
    )
