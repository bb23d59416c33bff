"""Which shares the co-embedding takes: those that predict held-out linked features best."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from napari_gluer.integration.params import ChoiceParams, IntegrateParams
from napari_gluer.integration.singular import folded, joint_singular_factors
from napari_gluer.integration.spaces import Anchoring, Shares, Spaces, mapped_factors
from napari_gluer.integration.standard import Standardized
from napari_gluer.integration.transcriptome import told
from napari_gluer.neighbours import nearest_by_distance, neighbour_matrix
from napari_gluer.track import Track, silently

Array = NDArray[np.float32]

LEAST_FEATURES = 5


@dataclass(frozen=True, eq=False)
class Choice:
    """What was chosen, and by what.

    Attributes
    ----------
    shares
        Of the parts of the co-embedding.
    agreement
        For every candidate the mean correlation of held-out features with their prediction;
        empty where nothing was chosen.
    """

    shares: Shares
    agreement: dict[Shares, float]


def candidates(params: IntegrateParams, *, rich: bool) -> list[Shares]:
    """Shares to try: the transcriptome or not, none, half or all of the linear map."""
    most = params.canonical.share
    richer = [0.0, params.transcriptome.share] if rich and params.transcriptome.share else [0.0]
    turned = [0.0, most / 2, most] if most else [0.0]
    return [Shares(a, m) for a in richer for m in turned]


def chosen_shares(
    sides: Sequence[Standardized],
    targets: Array | None,
    anchoring: Anchoring,
    *,
    seed: int = 0,
    track: Track = silently,
) -> Choice:
    """Choose the shares by linked features that are held out.

    Features are hidden in folds; from the others every candidate space is made, and in it the mean
    of a cell's nearest neighbours on the other side predicts the hidden ones, in both directions.
    The greatest mean correlation wins; then more of the linear map is taken as long as it is not
    worse by more than one standard error over the features. No types or true pairs are looked at.

    Parameters
    ----------
    sides
        Linked features of the reference and of each table.
    targets
        Components of the reference's transcriptome, or None where it is not rich.
    anchoring
        How anchors are had; given pairs are used as they are.
    seed
        Of the folds and of the cells that it is tried on.
    track
        Wraps the loop over folds.
    """
    params = anchoring.params
    tried = candidates(params, rich=targets is not None)
    n_features = sides[0].shape[1]
    if not params.choice.folds or len(tried) == 1 or n_features < LEAST_FEATURES:
        return Choice(tried[-1], {})
    small, anchors, rows = _sample(sides, anchoring, seed)
    few = None if targets is None else targets[rows]
    scores = {shares: np.zeros(n_features) for shares in tried}
    order = np.random.default_rng(seed).permutation(n_features)
    n_folds = min(params.choice.folds, n_features)
    for fold in track(range(n_folds), "Choosing by held-out features"):
        hidden = order[fold::n_folds]
        kept = np.setdiff1d(order, hidden)
        spaces = spaces_of([side.columns(kept) for side in small], few, anchors, seed=seed)
        truth = [side.columns(hidden).dense() for side in small]
        for shares in tried:
            scores[shares][hidden] = _agreement(spaces.blend(shares), truth, params)
    return _best(scores, params.choice)


def spaces_of(
    sides: Sequence[Standardized], targets: Array | None, anchoring: Anchoring, *, seed: int = 0
) -> Spaces:
    """Every part of the co-embedding that the parameters ask for."""
    params = anchoring.params
    factors = folded(joint_singular_factors(sides, params.factorize.rank, seed=seed))
    return Spaces(
        factors,
        mapped_factors(factors, anchoring) if params.canonical.share else None,
        None if targets is None else told(sides, targets),
    )


def _sample(
    sides: Sequence[Standardized], anchoring: Anchoring, seed: int
) -> tuple[list[Standardized], Anchoring, NDArray[np.intp]]:
    """Some cells of every side, the pairs among them, and the rows of the reference's."""
    random = np.random.default_rng(seed)
    most = anchoring.params.choice.max_cells
    rows = [np.sort(random.permutation(side.shape[0])[:most]) for side in sides]
    paired = [p for p in anchoring.pairs if p is not None]
    if paired:
        # partners of the chosen cells, so that there are pairs to learn from
        rows[0] = np.unique(np.concatenate([p[:, 0] for p in paired]))
        rows[0] = np.sort(random.permutation(rows[0])[:most])
        for i, pairs in enumerate(anchoring.pairs, start=1):
            if pairs is not None:
                rows[i] = np.unique(pairs[np.isin(pairs[:, 0], rows[0]), 1])
    anchors = replace(
        anchoring,
        usable=[usable[r] for usable, r in zip(anchoring.usable, rows, strict=True)],
        pairs=[_renumbered(p, rows[0], rows[i]) for i, p in enumerate(anchoring.pairs, start=1)],
    )
    return [side.rows(r) for side, r in zip(sides, rows, strict=True)], anchors, rows[0]


def _renumbered(
    pairs: NDArray[np.int64] | None, reference: NDArray[np.intp], cells: NDArray[np.intp]
) -> NDArray[np.int64] | None:
    """Pairs among the chosen rows, by their places there."""
    if pairs is None:
        return None
    there = pairs[np.isin(pairs[:, 0], reference) & np.isin(pairs[:, 1], cells)]
    return np.column_stack(
        [np.searchsorted(reference, there[:, 0]), np.searchsorted(cells, there[:, 1])]
    ).astype(np.int64)


def _agreement(
    space: list[Array], truth: list[Array], params: IntegrateParams
) -> NDArray[np.float64]:
    """Correlation of hidden features with their prediction across, mean of both directions."""
    found = []
    for cells, values in zip(space[1:], truth[1:], strict=True):
        to_cells = _predicted(cells, space[0], truth[0], params)
        to_reference = _predicted(space[0], cells, values, params)
        found += [_correlation(to_cells, values), _correlation(to_reference, truth[0])]
    return np.asarray(np.mean(found, axis=0))


def _predicted(query: Array, points: Array, values: Array, params: IntegrateParams) -> Array:
    k = params.choice.n_neighbors
    near, _ = nearest_by_distance(query, points, k, device=params.device)
    share = np.full(near.shape, 1 / near.shape[1], np.float32)
    return np.asarray(neighbour_matrix(near, len(points), share) @ values)


def _correlation(A: Array, B: Array) -> NDArray[np.float64]:
    """Pearson correlation of each column; 0 where one is constant."""
    A, B = A - A.mean(axis=0), B - B.mean(axis=0)
    norms = np.linalg.norm(A, axis=0) * np.linalg.norm(B, axis=0)
    product = np.asarray((A * B).sum(axis=0), np.float64)
    return np.asarray(np.divide(product, norms, out=np.zeros_like(product), where=norms > 0))


def _best(scores: dict[Shares, NDArray[np.float64]], params: ChoiceParams) -> Choice:
    """The best, then more of the linear map within the standard error of the difference."""
    agreement = {shares: float(found.mean()) for shares, found in scores.items()}
    best = max(agreement, key=lambda shares: (agreement[shares], shares))
    taken = best
    for shares, found in scores.items():
        worse = scores[best] - found
        error = float(worse.std() / np.sqrt(len(worse)))
        stronger = shares.transcriptome == best.transcriptome and shares.mapped > taken.mapped
        if stronger and worse.mean() <= params.standard_errors * error:
            taken = shares
    return Choice(taken, agreement)
