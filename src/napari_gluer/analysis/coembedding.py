"""Reference and cells together: one AnnData that scanpy plots at once."""

import warnings
from typing import Annotated

import numpy as np
import pandas as pd
from anndata import AnnData
from annotated_types import Ge, Le
from numpy.typing import NDArray
from scipy import sparse

from napari_gluer import slots
from napari_gluer.analysis.clustering import ClusterParams, leiden
from napari_gluer.expression import expression, require_same_reference
from napari_gluer.neighbours import nearest_by_cosine
from napari_gluer.params import Params
from napari_gluer.track import Track, silently


class CoembedParams(Params):
    """Map of reference and cells in two dimensions, and their clusters."""

    n_neighbors: Annotated[int, Ge(2), Le(500)] = 40
    """Neighbours of the UMAP."""

    min_dist: Annotated[float, Ge(0), Le(1)] = 0.1
    """How closely the UMAP packs points."""

    cluster: ClusterParams = ClusterParams()
    """Leiden clusters."""


def coembed(
    cells: AnnData,
    reference: AnnData,
    params: CoembedParams = CoembedParams(),  # noqa: B008 - frozen
    *,
    seed: int = 0,
    track: Track = silently,
) -> AnnData:
    """Join reference and integrated cells in their co-embedding.

    Parameters
    ----------
    cells
        Integrated cells; reads ``obsm["X_gluer"]`` and ``uns["gluer"]["reference_factors"]``.
    reference
        The reference of the integration, its cells in the same order.
    params
        UMAP (40 neighbours, cosine, as GLUER released) and clusters.

    Returns
    -------
    AnnData
        Without ``X``; the reference's rows first. ``obsm["X_gluer"]``, ``obsm["X_umap"]``,
        ``obs["source"]`` (``reference`` or ``cells``), ``obs["cluster"]``, and the ``obs`` columns
        of both.

    Raises
    ------
    InputError
        If the cells are not integrated, or with another reference.
    """
    remedy = "Integrate the cells first: ng.integrate(cells, reference)."
    own = np.asarray(slots.require(cells, "obsm", slots.EMBEDDING, remedy), np.float32)
    known = slots.info(cells)
    require_same_reference(cells, reference, expression(reference))
    embedding = np.concatenate([np.asarray(known[slots.REFERENCE_FACTORS], np.float32), own])
    obs = pd.concat([reference.obs, cells.obs.drop(columns=slots.CLUSTER, errors="ignore")])
    obs = obs.drop(columns=slots.UNMATCHED, errors="ignore")
    sizes = [reference.n_obs, cells.n_obs]
    names = [f"reference_{n}" for n in reference.obs_names] + [f"cell_{n}" for n in cells.obs_names]
    obs.index = pd.Index(names)
    obs[slots.UNMATCHED] = np.concatenate([np.zeros(sizes[0], bool), slots.unmatched(cells)])
    obs["source"] = pd.Categorical(np.repeat(["reference", "cells"], sizes))
    numbers = leiden(embedding, params.cluster, seed=seed, track=track)
    obs[slots.CLUSTER] = pd.Categorical.from_codes(
        numbers, pd.Index([str(i + 1) for i in range(numbers.max() + 1)])
    )
    joint = AnnData(sparse.csr_matrix((len(obs), 0), dtype=np.float32), obs=obs)
    joint.obsm[slots.EMBEDDING] = embedding
    joint.obsm["X_umap"] = _umap(embedding, params, seed, track)
    return joint


def _umap(
    embedding: NDArray[np.float32], params: CoembedParams, seed: int, track: Track
) -> NDArray[np.float32]:
    """UMAP over our own neighbours, which are exact and quicker to find."""
    with warnings.catch_warnings():
        # it misses TensorFlow, which only parametric UMAP needs
        warnings.simplefilter("ignore", ImportWarning)
        from umap import UMAP  # noqa: PLC0415 - its import compiles for seconds

    k = min(params.n_neighbors, len(embedding) - 1)
    indices, cosines = nearest_by_cosine(embedding, embedding, k, track=track, desc="UMAP")
    model = UMAP(
        n_neighbors=k,
        min_dist=params.min_dist,
        metric="cosine",
        random_state=seed,
        n_jobs=1,
        precomputed_knn=(indices, np.maximum(1 - cosines, 0)),
    )
    with warnings.catch_warnings():
        # without a search index UMAP cannot place new points later; nothing here asks it to
        warnings.filterwarnings("ignore", message="precomputed_knn", category=UserWarning)
        return np.asarray(model.fit_transform(embedding), np.float32)
