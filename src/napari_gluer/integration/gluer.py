"""GLUER on AnnData: from cells and a reference to one co-embedding with weights."""

import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from anndata import AnnData
from numpy.typing import NDArray

from napari_gluer import slots
from napari_gluer.devices import one_blas_thread
from napari_gluer.errors import InputError
from napari_gluer.integration.choice import Choice, chosen_shares
from napari_gluer.integration.confidence import Confidence, Placement, confidence_of
from napari_gluer.integration.factorize import Factors, joint_nmf
from napari_gluer.integration.features import compared, parted, signed
from napari_gluer.integration.linked import Linked, link
from napari_gluer.integration.network import fit_map
from napari_gluer.integration.pairing import given_pairs
from napari_gluer.integration.params import FactorizeParams, IntegrateParams, SingularVectors
from napari_gluer.integration.provenance import outcome, provenance
from napari_gluer.integration.singular import joint_singular_factors, singular_scores
from napari_gluer.integration.spaces import Anchoring, Shares, Spaces, mapped_factors
from napari_gluer.integration.standard import Standardized, standardized
from napari_gluer.integration.transcriptome import components, told
from napari_gluer.integration.weights import neighbour_weights
from napari_gluer.neighbours import unit_rows
from napari_gluer.track import Timings, Track, silently

Array = NDArray[np.float32]


@one_blas_thread()  # eigenvectors of small matrices lose more to waiting threads than they gain
def integrate(
    cells: AnnData | Sequence[AnnData],
    reference: AnnData,
    params: IntegrateParams = IntegrateParams(),  # noqa: B008 - frozen
    *,
    pairs: Any = None,
    seed: int = 0,
    track: Track = silently,
) -> Any:
    """Integrate cells with a single-cell reference by GLUER.

    Peng et al., *GLUER: integrative analysis of single-cell omics and imaging data by deep neural
    network*, bioRxiv 2021.01.25.427845: joint non-negative factorisation, mutual nearest
    neighbours, a deep map of the cells' factors onto the reference's, one co-embedding.

    Parameters
    ----------
    cells
        Cells × features, non-negative. Reads ``X``, ``var["genes"]``, ``var["role"]`` and
        ``uns["gluer"]["kind"]``. Several tables (tissue sections) are factorised together, each
        with a map of its own.
    reference
        Single-cell RNA-seq, as `read_reference` gives it or any AnnData with counts or log1p
        values in ``layers["counts"]``, ``.raw`` or ``X``.
    params
        ``preset="default"`` or ``preset="paper"``, and any field of their parts.
    pairs
        True pairs, used in place of searched anchors: ``(n, 2)`` of reference and cell, names
        from ``obs_names`` or whole-number positions. For several tables one such list each.
    seed
        Of every random draw; stored with the result.
    track
        Wraps every long loop; raising `Cancelled` from it stops the work.

    Returns
    -------
    AnnData or list of AnnData
        Copies of the cells with ``obsm["X_gluer"]`` float32 ``(n_cells, k)``,
        ``obsm["X_gluer_unmapped"]`` (the factors before any map), ``obsm["gluer_weights"]`` CSR
        ``(n_cells, n_reference)`` whose rows sum to 1, and in ``obs`` on [0, 1]
        ``gluer_confidence`` (the chance that the cell's most probable type is its own, where the
        reference has a column of types, else the next), ``gluer_support`` (how ordinary its
        distance to the reference is; NaN without signal) and ``gluer_anchored`` (share of its
        weights on anchors), and ``gluer_unmatched`` (bool: without signal, or of a type that the
        reference lacks, where that can be told); in ``uns["gluer"]`` ``reference_factors``
        ``(n_reference, k)`` and ``reference_unmapped``, the names and fingerprint of the reference,
        ``links``, what was ``chosen``, ``params``, ``seed``, ``versions``, ``timings`` (s) and
        ``outcome``.

    Raises
    ------
    InputError
        If nothing links the two, values cannot be used, or no anchors are found.
    """
    tables = [cells] if isinstance(cells, AnnData) else list(cells)
    if not 0 <= seed < 2**31:
        raise InputError(f"A seed is a whole number from 0 to 2³¹ - 1; this one is {seed}.")
    if not tables:
        raise InputError("There is no table of cells to integrate.")
    one_table = isinstance(cells, AnnData)
    run = _Run(params, seed, track)
    linked = run.timed("features", lambda: link(tables, reference, params))
    given = _pairs_of_tables([pairs] if one_table else pairs, tables, reference)
    anchoring = Anchoring(linked.usable, given, params, seed)
    placed = _placed(linked, anchoring, run)
    results = [
        _integrated(table, i, linked, placed, run) for i, table in enumerate(tables, start=1)
    ]
    return results[0] if one_table else results


def _pairs_of_tables(
    pairs: Any, tables: list[AnnData], reference: AnnData
) -> list[NDArray[np.int64] | None]:
    """True pairs of each table as rows, or None where anchors are to be sought."""
    each = [None] * len(tables) if pairs is None else list(pairs)
    if len(each) != len(tables):
        raise InputError(
            f"{len(tables)} tables of cells want as many lists of pairs; there are {len(each)}."
        )
    return [
        None if given is None else given_pairs(given, reference.obs_names, table.obs_names)
        for given, table in zip(each, tables, strict=True)
    ]


class _Run:
    """Parameters, seed, tracker and the clock of one call."""

    def __init__(self, params: IntegrateParams, seed: int, track: Track) -> None:
        self.params, self.seed, self.track = params, seed, track
        self.timings = Timings()
        self.timed = self.timings.timed


@dataclass(frozen=True, eq=False)
class _Placed:
    """Reference and tables in one space before the deep map.

    Attributes
    ----------
    factors
        As factorised, of the reference and each table.
    scores
        Joint singular scores, likewise.
    space
        With the linear map and the transcriptome part.
    anchoring
        How anchors are had in it.
    rank
        Number of factors.
    choice
        Of the shares.
    """

    factors: list[Array]
    scores: list[Array]
    space: list[Array]
    anchoring: Anchoring
    rank: int
    choice: Choice


def _placed(linked: Linked, anchoring: Anchoring, run: _Run) -> _Placed:
    params = run.params
    if not params.features.standardize:
        found = run.timed(
            "factorisation", lambda: _joint_nmf(linked.matrices, params.factorize, run)
        )
        factors = [np.asarray(H, np.float32) for H in found.H]
        scores = _scores(_sides(linked, run), 0, run)[0] if params.absence.max_cells else factors
        rank = found.G.shape[1]
        return _Placed(factors, scores, factors, anchoring, rank, Choice(Shares(0, 0), {}))
    sides = _sides(linked, run)
    targets = run.timed("transcriptome", lambda: _targets(linked, run))
    choice = run.timed(
        "choice",
        lambda: chosen_shares(sides, targets, anchoring, seed=run.seed, track=run.track),
    )
    factors, scores, rank = run.timed("factorisation", lambda: _factorized(sides, run))
    spaces = run.timed(
        "linear map",
        lambda: Spaces(
            factors,
            mapped_factors(factors, anchoring, run.track) if choice.shares.mapped else None,
            told(sides, targets) if targets is not None and choice.shares.transcriptome else None,
        ),
    )
    made = replace(choice, shares=spaces.present(choice.shares))
    return _Placed(factors, scores, spaces.blend(made.shares), anchoring, rank, made)


def _sides(linked: Linked, run: _Run) -> list[Standardized]:
    batches = [linked.batch, *[None] * (len(linked.matrices) - 1)]
    return [
        standardized(X, batch, device=run.params.device)
        for X, batch in zip(linked.matrices, batches, strict=True)
    ]


def _targets(linked: Linked, run: _Run) -> Array | None:
    """Components of the reference's transcriptome, where it says more than the linked features."""
    params, matrix = run.params.transcriptome, linked.expressed.matrix
    rich = matrix.shape[1] >= params.times_richer * len(linked.links)
    if not params.share or not rich:
        return None
    return components(matrix, linked.batch, params, seed=run.seed, device=run.params.device)


def _factorized(sides: list[Standardized], run: _Run) -> tuple[list[Array], list[Array], int]:
    """Reference and cells where cosines mean likeness, their scores, and the number of factors."""
    params = run.params.factorize
    if isinstance(params.update, SingularVectors):
        scores, rank = _scores(sides, params.rank, run)
        return [unit_rows(side) for side in scores], scores, rank
    limited = params.model_copy(update={"rank": _rank(params, sides[0].shape[1])})
    nmf = _joint_nmf(parted(sides), limited, run)
    return compared(signed(nmf)), _scores(sides, 0, run)[0], limited.rank


def _scores(sides: list[Standardized], rank: int, run: _Run) -> tuple[list[Array], int]:
    found = joint_singular_factors(sides, rank, seed=run.seed, track=run.track)
    return singular_scores(found), found.G.shape[1] // 2


def _joint_nmf(matrices: list[Any], params: FactorizeParams, run: _Run) -> Factors:
    return joint_nmf(matrices, params, seed=run.seed, device=run.params.device, track=run.track)


def _rank(params: FactorizeParams, n_links: int) -> int:
    return min(params.rank, n_links) if params.start == "nndsvd" else params.rank


def _integrated(table: AnnData, i: int, linked: Linked, placed: _Placed, run: _Run) -> AnnData:
    """Map one table onto the reference and store what follows from it."""
    params, reference = run.params, placed.space[0]
    pairs = run.timed("anchors", lambda: _anchors(linked, placed, i, run))
    fitted = run.timed(
        "network",
        lambda: fit_map(
            (reference, placed.space[i]),
            pairs,
            params.network,
            seed=run.seed + i,
            device=params.device,
            track=run.track,
        ),
    )
    mapped = unit_rows(fitted.cells) if params.features.standardize else fitted.cells
    usable = (linked.usable[0], linked.usable[i])
    weighed = run.timed(
        "weights",
        lambda: neighbour_weights(
            reference, mapped, usable[0], params.weights, device=params.device, track=run.track
        ),
    )
    placement = Placement(
        reference,
        (placed.factors[0], placed.factors[i]),
        (placed.scores[0], placed.scores[i]),
        weighed,
        pairs,
        usable,
    )
    judged = run.timed(
        "confidence",
        lambda: confidence_of(placement, linked.reference, params, seed=run.seed, track=run.track),
    )
    result = table.copy()
    slots.drop_results(result)
    result.obsm[slots.EMBEDDING] = mapped
    result.obsm[slots.UNMAPPED] = placed.factors[i]
    result.obsm[slots.WEIGHTS] = weighed.weights
    _note_confidence(result, judged)
    slots.note(
        result,
        **{
            slots.REFERENCE_FACTORS: reference.copy(),
            slots.REFERENCE_UNMAPPED: placed.factors[0].copy(),
        },
        **provenance(linked, placed.choice, params, run.seed, run.timings),
        n_anchors=len(pairs),
        rank=placed.rank,
        n_tables=len(linked.matrices) - 1,
        table_number=i - 1,
    )
    if placed.anchoring.pairs[i - 1] is not None:
        slots.note(result, pairs=pairs)
    text = outcome(result, linked, placed.choice, (fitted.breakdown, judged.text))
    slots.note(result, outcome=text)
    return result


def _note_confidence(result: AnnData, judged: Confidence) -> None:
    result.obs[slots.CONFIDENCE] = judged.confidence
    result.obs[slots.SUPPORT] = judged.support
    result.obs[slots.ANCHORED] = judged.anchored
    result.obs[slots.UNMATCHED] = judged.unmatched
    known: dict[str, Any] = {"column": judged.column, "text": judged.text}
    if judged.absence is not None:
        known |= {"auroc": judged.absence.auroc, "detectable": judged.absence.detectable}
    slots.note(result, absence=json.dumps(known))


def _anchors(linked: Linked, placed: _Placed, i: int, run: _Run) -> NDArray[np.int64]:
    """Anchors between the reference and table `i`; cells without signal take no part."""
    params = run.params.anchors
    confirming = linked.matrices if params.confirm_neighbors else None
    return placed.anchoring.between(placed.space, i, confirming=confirming, track=run.track)
