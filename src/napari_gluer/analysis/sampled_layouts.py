"""Maps of very many cells: a sample is laid out, the others are placed among their neighbours."""

from typing import Annotated

import numpy as np
from annotated_types import Ge
from numpy.typing import NDArray
from pydantic import Field

from napari_gluer.analysis.layouts import Tsne, Umap, laid_out
from napari_gluer.neighbours import nearest_by_cosine
from napari_gluer.params import Params
from napari_gluer.track import Track, silently

_AMONG = 5  # laid-out neighbours between which a further cell is placed


class SampledLayoutParams(Params):
    """A map in two dimensions of any number of cells."""

    layout: Annotated[Umap | Tsne, Field(discriminator="kind")] = Umap()
    """How cells are laid out."""

    max_cells: Annotated[int, Ge(100)] = 100_000
    """Of more cells a random sample is laid out, the others are placed among their neighbours."""


def sampled_layout(
    embedding: NDArray[np.float32],
    params: SampledLayoutParams = SampledLayoutParams(),  # noqa: B008 - frozen
    seed: int = 0,
    track: Track = silently,
) -> tuple[NDArray[np.float32], int]:
    """Positions of all cells in two dimensions.

    A cell outside the sample lies at the median, in x and in y, of its 5 nearest cells of the
    sample by cosine, so that it stays in one of the clouds where these are two.

    Parameters
    ----------
    embedding
        float32 ``(n_cells, k)``.
    params
        The layout, and how many cells are laid out at most.
    seed
        Of the sample and of the layout.
    track
        Reports progress, and cancels.

    Returns
    -------
    positions
        float32 ``(n_cells, 2)``.
    n_laid_out
        How many of the cells the layout itself placed.
    """
    n = len(embedding)
    if n <= params.max_cells:
        return laid_out(embedding, params.layout, seed=seed, track=track), n
    random = np.random.default_rng(seed)
    sample = np.sort(random.choice(n, params.max_cells, replace=False))
    positions = np.empty((n, 2), np.float32)
    positions[sample] = laid_out(embedding[sample], params.layout, seed=seed, track=track)
    others = np.setdiff1d(np.arange(n), sample)
    nearest, _ = nearest_by_cosine(
        embedding[others], embedding[sample], _AMONG, track=track, desc="Placing the other cells"
    )
    positions[others] = np.median(positions[sample][nearest], axis=1)
    return positions, len(sample)
