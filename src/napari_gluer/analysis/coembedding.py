"""Reference and cells together: one AnnData that scanpy plots at once."""

from collections.abc import Mapping, Sequence
from typing import Annotated

import numpy as np
import pandas as pd
from anndata import AnnData
from numpy.typing import NDArray
from pydantic import Field
from scipy import sparse

from napari_gluer import slots
from napari_gluer.analysis.clustering import ClusterParams, leiden
from napari_gluer.analysis.layouts import Tsne, Umap, laid_out
from napari_gluer.errors import InputError
from napari_gluer.expression import expression, require_same_reference
from napari_gluer.params import Params
from napari_gluer.track import Track, silently

_REMEDY = "Integrate the cells first: ng.integrate(cells, reference)."
REFERENCE = "reference"


class CoembedParams(Params):
    """Map of reference and cells in two dimensions, and their clusters."""

    layout: Annotated[Umap | Tsne, Field(discriminator="kind")] = Umap()
    """How cells are laid out."""

    cluster: ClusterParams = ClusterParams()
    """Leiden clusters."""


def coembed(
    cells: AnnData | Sequence[AnnData] | Mapping[str, AnnData],
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
        Integrated cells; reads ``obsm["X_gluer"]``, ``obsm["X_gluer_unmapped"]`` where it is there,
        and ``uns["gluer"]["reference_factors"]``. Several tables (tissue sections), by name or in a
        list, must have been integrated in one call.
    reference
        The reference of the integration, its cells in the same order.
    params
        UMAP (40 neighbours, cosine, as GLUER released) or t-SNE, and clusters.

    Returns
    -------
    AnnData
        Without ``X``; the reference's rows first. ``obsm["X_gluer"]``, ``obsm["X_umap"]`` or
        ``obsm["X_tsne"]``, ``obsm["X_gluer_unmapped"]`` (the factors before any map),
        ``obs["source"]`` (``reference``; ``cells``, the names given, or ``cells 1``, ``cells 2``
        …), ``obs["cluster"]``, ``obs["gluer_unmatched"]``, and the ``obs`` columns of all.

    Raises
    ------
    InputError
        If cells are not integrated, with another reference, or not together.
    """
    tables = _named(cells)
    expressed = expression(reference)
    for table in tables.values():
        slots.require(table, "obsm", slots.EMBEDDING, _REMEDY)
        require_same_reference(table, reference, expressed)
    embedding = _stacked(tables, slots.EMBEDDING, slots.REFERENCE_FACTORS)
    obs = _observations(tables, reference)
    numbers = leiden(embedding, params.cluster, seed=seed, track=track)
    obs[slots.CLUSTER] = pd.Categorical.from_codes(
        numbers, pd.Index([str(i + 1) for i in range(numbers.max() + 1)])
    )
    joint = AnnData(sparse.csr_matrix((len(obs), 0), dtype=np.float32), obs=obs)
    joint.obsm[slots.EMBEDDING] = embedding
    if all(slots.UNMAPPED in table.obsm for table in tables.values()):
        joint.obsm[slots.UNMAPPED] = _stacked(tables, slots.UNMAPPED, slots.REFERENCE_UNMAPPED)
    joint.obsm[f"X_{params.layout.kind}"] = laid_out(
        embedding, params.layout, seed=seed, track=track
    )
    return joint


def _named(cells: AnnData | Sequence[AnnData] | Mapping[str, AnnData]) -> dict[str, AnnData]:
    if isinstance(cells, AnnData):
        return {"cells": cells}
    if isinstance(cells, Mapping):
        named = dict(cells)
    else:
        named = {f"cells {i}": table for i, table in enumerate(cells, start=1)}
    if not named:
        raise InputError("There is no table of cells to show.")
    if REFERENCE in named:
        raise InputError(f"No table of cells can be called {REFERENCE!r}; give it another name.")
    return named


def _stacked(tables: dict[str, AnnData], key: str, of_reference: str) -> NDArray[np.float32]:
    """The reference's rows, then those of every table; refused where they lie in two spaces."""
    known = [np.asarray(slots.info(table)[of_reference]) for table in tables.values()]
    for name, other in zip(tables, known, strict=True):
        if not np.array_equal(known[0], other):
            raise InputError(
                f"{next(iter(tables))!r} and {name!r} were not integrated in one call, so they lie "
                "in different spaces. Integrate them together: ng.integrate([…], reference)."
            )
    sides = [known[0], *(np.asarray(table.obsm[key]) for table in tables.values())]
    return np.concatenate(sides).astype(np.float32)


def _observations(tables: dict[str, AnnData], reference: AnnData) -> pd.DataFrame:
    """``obs`` of all, with names that cannot collide and where each row comes from."""
    own = [table.obs.drop(columns=slots.CLUSTER, errors="ignore") for table in tables.values()]
    # missing on one side, plain booleans would become objects, which no file takes
    sides = [side.astype(dict.fromkeys(side.select_dtypes(bool), "boolean")) for side in own]
    every: pd.DataFrame = pd.concat([reference.obs, *sides])
    obs = every.drop(columns=slots.UNMATCHED, errors="ignore")
    sizes = [reference.n_obs, *(table.n_obs for table in tables.values())]
    words = [REFERENCE, *("cell" if name == "cells" else name for name in tables)]
    names = [reference.obs_names, *(table.obs_names for table in tables.values())]
    obs.index = pd.Index(
        [f"{word}_{name}" for word, side in zip(words, names, strict=True) for name in side]
    )
    obs[slots.UNMATCHED] = np.concatenate(
        [np.zeros(sizes[0], bool), *(slots.unmatched(table) for table in tables.values())]
    )
    sources = [REFERENCE, *tables]
    obs["source"] = pd.Categorical(np.repeat(sources, sizes), categories=sources)
    return obs
