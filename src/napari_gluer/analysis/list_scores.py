"""How well lists of genes fit groups of cells, and how well random lists would."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
Genes = NDArray[np.integer]
_ROUNDING = 1e-9


@dataclass(frozen=True, eq=False)
class ListScores:
    """Each ``(n_groups, n_lists)``.

    Attributes
    ----------
    score
        Mean of the list's genes less that of genes like them.
    p
        Share of random draws in which any of the lists, its genes replaced by like ones, stands out
        from its draws as much as this one does.
    """

    score: Array
    p: Array


def list_scores(
    means: Array,
    bins: Genes,
    lists: Sequence[tuple[Genes, Genes]],
    *,
    n_draws: int,
    rng: np.random.Generator,
) -> ListScores:
    """Score lists of genes in every group.

    The score is that of Seurat's AddModuleScore and scanpy's score_genes (Tirosh et al. 2016,
    doi:10.1126/science.aad0501), per group: mean of the genes less the mean of their bins. Genes
    that the type lacks count with the opposite sign. In each draw the genes of a bin change their
    names at random, so that lists keep their sizes, overlaps and expression; p is corrected for the
    number of lists by the largest of all lists (Westfall and Young, single step).

    Parameters
    ----------
    means
        ``(n_groups, n_genes)``: mean standardised expression.
    bins
        ``(n_genes,)`` from 0: genes of like expression.
    lists
        For each list the genes shown and those lacking; not both empty.
    n_draws
        Random draws.
    rng
        Of the draws.
    """
    counts = np.bincount(bins)
    in_bin = np.array([np.bincount(bins, row) for row in means]) / np.maximum(counts, 1)
    relative = means - in_bin[:, bins]
    score = np.column_stack([_sum(relative, one) for one in lists])
    drawn = _renamed(bins, n_draws, rng)
    null = np.stack([_drawn_scores(relative, one, drawn) for one in lists], axis=1)
    centre, spread = null.mean(axis=2), null.std(axis=2)
    spread = np.where(spread > _ROUNDING, spread, np.inf)  # genes without others like them
    largest = ((null - centre[..., None]) / spread[..., None]).max(axis=1)
    standard = (score - centre) / spread
    standard = np.where(np.isfinite(spread), standard, -np.inf)
    reached = largest[:, None, :] >= standard[..., None] - _ROUNDING
    return ListScores(score, (1 + reached.sum(axis=2)) / (1 + n_draws))


def _sum(relative: Array, one: tuple[Genes, Genes]) -> Array:
    sides = [relative[:, genes].mean(axis=1) if len(genes) else 0.0 for genes in one]
    return np.asarray(sides[0] - sides[1])


def _renamed(bins: Genes, n_draws: int, rng: np.random.Generator) -> NDArray[np.int32]:
    """``(n_draws, n_genes)``: the gene that stands in for each one, of the same bin."""
    drawn = np.empty((n_draws, len(bins)), np.int32)
    for one in np.unique(bins):
        genes = np.flatnonzero(bins == one).astype(np.int32)
        drawn[:, genes] = rng.permuted(np.tile(genes, (n_draws, 1)), axis=1)
    return drawn


def _drawn_scores(relative: Array, one: tuple[Genes, Genes], drawn: NDArray[np.int32]) -> Array:
    """``(n_groups, n_draws)``."""
    total = np.zeros((len(relative), len(drawn)))
    for sign, genes in zip((1, -1), one, strict=True):
        for gene in genes:
            total += sign / len(genes) * relative[:, drawn[:, gene]]
    return total


def expression_bins(mean: Array, n_bins: int) -> NDArray[np.int64]:
    """Bins of as many genes each, by mean expression; ``(n_genes,)`` from 0."""
    order = np.argsort(np.argsort(mean, kind="stable"), kind="stable")
    return np.asarray(order * n_bins // max(len(mean), 1), np.int64)
