"""Maps of a co-embedding in two dimensions."""

import warnings
from typing import Annotated, Literal

import numpy as np
from annotated_types import Ge, Gt, Le
from numpy.typing import NDArray

from napari_gluer.neighbours import nearest_by_cosine
from napari_gluer.params import Params
from napari_gluer.track import Track, silently


class Umap(Params):
    """UMAP (McInnes et al., arXiv:1802.03426), with GLUER's released settings."""

    kind: Literal["umap"] = "umap"
    """Name of the layout in stored parameters."""

    n_neighbors: Annotated[int, Ge(2), Le(500)] = 40
    """Neighbours by cosine: more show the whole, fewer the detail."""

    min_dist: Annotated[float, Ge(0), Le(1)] = 0.1
    """How closely points are packed."""


class Tsne(Params):
    """t-SNE (van der Maaten & Hinton 2008), Barnes–Hut; slow above 100,000 cells."""

    kind: Literal["tsne"] = "tsne"
    """Name of the layout in stored parameters."""

    perplexity: Annotated[float, Gt(1), Le(500)] = 30.0
    """How many neighbours a cell is to keep near; at most a third of the cells."""

    max_iter: Annotated[int, Ge(250), Le(100_000)] = 1000
    """Steps of the optimisation."""


def laid_out(
    embedding: NDArray[np.float32], layout: Umap | Tsne, *, seed: int = 0, track: Track = silently
) -> NDArray[np.float32]:
    """Positions of all cells in two dimensions, float32 ``(n_cells, 2)``."""
    match layout:
        case Umap():
            return _umap(embedding, layout, seed, track)
        case Tsne():
            return _tsne(embedding, layout, seed, track)


def _umap(
    embedding: NDArray[np.float32], layout: Umap, seed: int, track: Track
) -> NDArray[np.float32]:
    """UMAP over our own neighbours, which are exact and quicker to find."""
    with warnings.catch_warnings():
        # it misses TensorFlow, which only parametric UMAP needs
        warnings.simplefilter("ignore", ImportWarning)
        from umap import UMAP  # noqa: PLC0415 - its import compiles for seconds

    k = min(layout.n_neighbors, len(embedding) - 1)
    indices, cosines = nearest_by_cosine(embedding, embedding, k, track=track, desc="UMAP")
    model = UMAP(
        n_neighbors=k,
        min_dist=layout.min_dist,
        metric="cosine",
        random_state=seed,
        n_jobs=1,
        precomputed_knn=(indices, np.maximum(1 - cosines, 0)),
    )
    with warnings.catch_warnings():
        # without a search index UMAP cannot place new points later; nothing here asks it to
        warnings.filterwarnings("ignore", message="precomputed_knn", category=UserWarning)
        return np.asarray(model.fit_transform(embedding), np.float32)


def _tsne(
    embedding: NDArray[np.float32], layout: Tsne, seed: int, track: Track
) -> NDArray[np.float32]:
    from sklearn.manifold import TSNE  # noqa: PLC0415 - only this layout needs it

    model = TSNE(
        perplexity=min(layout.perplexity, (len(embedding) - 1) / 3),
        max_iter=layout.max_iter,
        init="pca",
        random_state=seed,
    )
    for _ in track(range(1), "t-SNE"):
        placed = model.fit_transform(embedding)
    return np.asarray(placed, np.float32)
