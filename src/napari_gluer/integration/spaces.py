"""The parts of the co-embedding: factors, the same linearly mapped, and the transcriptome."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from napari_gluer.integration.anchors import find_anchors, sampled
from napari_gluer.integration.canonical import canonical_map
from napari_gluer.integration.params import IntegrateParams
from napari_gluer.track import Track, silently

Array = NDArray[np.float32]
Pairs = NDArray[np.int64]

PAIRS_A_DIRECTION = 5  # fewer anchors than this for each factor cannot hold a map of them


class Shares(NamedTuple):
    """How the co-embedding is made up, each on [0, 1].

    Attributes
    ----------
    transcriptome
        Share of the transcriptome part in squared distances.
    mapped
        Share of the linearly mapped factors in the rest.
    """

    transcriptome: float
    mapped: float


@dataclass(frozen=True, eq=False)
class Spaces:
    """Every part, for the reference and then for each table of cells, rows of length 1."""

    factors: list[Array]
    mapped: list[Array] | None = None
    transcriptome: list[Array] | None = None

    def present(self, shares: Shares) -> Shares:
        """`shares` of the parts that could be made; of the others none."""
        return Shares(
            shares.transcriptome if self.transcriptome is not None else 0.0,
            shares.mapped if self.mapped is not None else 0.0,
        )

    def blend(self, shares: Shares) -> list[Array]:
        """Parts side by side, such that squared distances add up by their shares."""
        told, turned = self.present(shares)
        parts = [
            ((1 - told) * (1 - turned), self.factors),
            ((1 - told) * turned, self.mapped),
            (told, self.transcriptome),
        ]
        used = [(np.float32(np.sqrt(w)), sides) for w, sides in parts if w > 0 and sides]
        return [
            np.concatenate([w * sides[i] for w, sides in used], axis=1)
            for i in range(len(self.factors))
        ]


@dataclass(frozen=True, eq=False)
class Anchoring:
    """How anchors between the reference and each table are had: given, or sought.

    Attributes
    ----------
    usable
        bool ``(n_cells,)`` for the reference and for each table: cells that may be anchors.
    pairs
        True pairs of each table, or None where they are sought.
    params
        How they are sought.
    seed
        Of the sample that they are sought in.
    """

    usable: list[NDArray[np.bool_]]
    pairs: list[Pairs | None]
    params: IntegrateParams
    seed: int = 0

    def between(
        self,
        sides: Sequence[Array],
        i: int,
        *,
        confirming: Sequence[Any] | None = None,
        track: Track = silently,
    ) -> Pairs:
        """Anchors of table `i` (from 1), int64 ``(n_pairs, 2)``: rows of reference and cells.

        Parameters
        ----------
        sides
            The space they are sought in, reference first.
        confirming
            Values of the features, in which anchors are confirmed; None confirms none.
        """
        given = self.pairs[i - 1]
        if given is not None:
            return given
        params, random = self.params.anchors, np.random.default_rng([self.seed, i])
        rows = [sampled(self.usable[j], params.max_cells, random) for j in (0, i)]
        spaces = (sides[0][rows[0]], sides[i][rows[1]])
        features = spaces
        if confirming is None:
            params = params.model_copy(update={"confirm_neighbors": 0})
        else:
            features = (_dense(confirming[0][rows[0]]), _dense(confirming[i][rows[1]]))
        found, _ = find_anchors(spaces, features, params, device=self.params.device, track=track)
        return np.column_stack([rows[0][found[:, 0]], rows[1][found[:, 1]]])


def _dense(matrix: Any) -> Array:
    return np.asarray(matrix.toarray() if sparse.issparse(matrix) else matrix, np.float32)


def mapped_factors(
    factors: list[Array], anchoring: Anchoring, track: Track = silently
) -> list[Array] | None:
    """All sides linearly mapped, one map for the reference and one for all tables of cells.

    Anchors are sought in the factors, the map is found, anchors are sought anew in the mapped
    space, and the map is found once more from the unmapped factors. None where anchors are too few.
    """
    params = anchoring.params.canonical
    mapped = None
    for _ in range(params.rounds):
        pairs = [
            anchoring.between(mapped or factors, i, track=track) for i in range(1, len(factors))
        ]
        if sum(map(len, pairs)) < PAIRS_A_DIRECTION * factors[0].shape[1]:
            break
        of_reference = np.concatenate([factors[0][p[:, 0]] for p in pairs])
        of_cells = np.concatenate(
            [cells[p[:, 1]] for cells, p in zip(factors[1:], pairs, strict=True)]
        )
        turn_reference, turn_cells = canonical_map(of_reference, of_cells, params.ridge)
        mapped = [
            turn_reference.of(factors[0]),
            *(turn_cells.of(cells) for cells in factors[1:]),
        ]
    return mapped
