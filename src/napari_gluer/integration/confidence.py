"""How far the place of each cell may be trusted, and which cells have no place."""

from dataclasses import dataclass

import numpy as np
from anndata import AnnData
from numpy.typing import NDArray
from scipy import sparse

from napari_gluer.integration.absence import Absence, absent_cells
from napari_gluer.integration.params import AbsenceParams, IntegrateParams
from napari_gluer.integration.readout import best_types, codes_of
from napari_gluer.integration.transfer import membership, usual_type_column
from napari_gluer.integration.weights import Weighed, support
from napari_gluer.track import Track, silently

Array = NDArray[np.float32]


@dataclass(frozen=True, eq=False)
class Placement:
    """Where one table of cells came to lie; pairs of arrays are of reference and cells.

    Attributes
    ----------
    reference
        float32 ``(n_reference, k)``: in the co-embedding.
    unmapped
        Factors before any map.
    scores
        Joint singular scores of the standardised linked features.
    weighed
        Weights and distances of each cell's reference cells.
    anchors
        int64 ``(n_anchors, 2)``.
    usable
        bool: cells with signal enough.
    """

    reference: Array
    unmapped: tuple[Array, Array]
    scores: tuple[Array, Array]
    weighed: Weighed
    anchors: NDArray[np.int64]
    usable: tuple[NDArray[np.bool_], NDArray[np.bool_]]


@dataclass(frozen=True, eq=False)
class Confidence:
    """What speaks for each cell, each ``(n_cells,)``.

    Attributes
    ----------
    confidence
        The chance that the cell's most probable type is its own, where the reference has types;
        else `support`.
    support
        How ordinary the cell's distance to the reference is, of `weights.support`; NaN without
        signal.
    anchored
        Share of the cell's weights on reference cells that are anchors.
    unmatched
        Cells without signal, or of a type that the reference lacks.
    column
        Column of types that was used; empty if there was none.
    absence
        How absent types were looked for; None where they were not.
    """

    confidence: Array
    support: Array
    anchored: Array
    unmatched: NDArray[np.bool_]
    column: str
    absence: Absence | None

    @property
    def text(self) -> str:
        """What a person should know of it."""
        if self.absence is not None:
            return self.absence.text
        return (
            "" if self.column else "absent types were not looked for: no column of types is known"
        )


def confidence_of(
    placement: Placement,
    reference: AnnData,
    params: IntegrateParams,
    *,
    seed: int = 0,
    track: Track = silently,
) -> Confidence:
    """Judge the place of each cell.

    Parameters
    ----------
    placement
        Of one table.
    reference
        Reads the column of types in ``obs``, if there is one.
    params
        Of the integration.
    """
    usable, weights = placement.usable, placement.weighed.weights
    near = support(
        placement.reference,
        placement.weighed.distances,
        usable[0],
        device=params.device,
        track=track,
    )
    is_anchor = np.zeros(weights.shape[1], np.float32)
    is_anchor[placement.anchors[:, 0]] = 1
    anchored = np.asarray(weights @ is_anchor, np.float32)
    column = params.absence.label_column or usual_type_column(reference)
    chance, absence = near, None
    if column:
        chance, absence = _by_types(placement, membership(reference, column), params.absence, seed)
    unmatched = ~usable[1] if absence is None else ~usable[1] | absence.absent
    heard = usable[1].astype(np.float32)
    near = np.where(usable[1], near, np.float32(np.nan))
    return Confidence(chance * heard, near, anchored * heard, unmatched, column, absence)


def _by_types(
    placement: Placement,
    membership: tuple[list[str], sparse.csr_matrix],
    params: AbsenceParams,
    seed: int,
) -> tuple[Array, Absence | None]:
    """Chance that each cell's most probable type is its own, and which cells have no type here."""
    types, has_type = membership
    usable = placement.usable
    best = best_types(placement.weighed.weights, placement.unmapped, has_type)
    if not params.max_cells:
        return best.chance, None
    codes = np.where(usable[0], codes_of(has_type), -1)
    called = np.where(usable[1], best.codes, -1)
    return best.chance, absent_cells(placement.scores, codes, called, types, params, seed=seed)
