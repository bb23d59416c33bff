"""What is integrated and how: computed in a process without a window, so nothing here knows one."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from anndata import AnnData

import napari_gluer as ng
from napari_gluer import slots
from napari_gluer._napari.cells.edits import left_out
from napari_gluer._napari.references.columns import label_columns
from napari_gluer.track import Track


@dataclass(frozen=True, eq=False)
class Plan:
    """Which sections are integrated with which reference, and how.

    Attributes
    ----------
    tables
        Cells of each section.
    reference
        One for all.
    """

    tables: Sequence[AnnData]
    reference: AnnData
    params: ng.IntegrateParams
    seed: int
    cluster: bool

    def run(self, track: Track) -> list[AnnData]:
        """Integrate the sections, in one factorisation; types and clusters with it."""
        together: Any = self.tables[0] if len(self.tables) == 1 else list(self.tables)
        params = self._without_left_out()
        found = ng.integrate(together, self.reference, params, seed=self.seed, track=track)
        results = [found] if isinstance(found, AnnData) else list(found)
        for result in results:
            with_types(result, self.reference)
        return clustered(results, self.seed, track) if self.cluster else results

    def _without_left_out(self) -> ng.IntegrateParams:
        """The parameters, with the markers that a person left out of any section."""
        out = {name for table in self.tables for name in left_out(table)}
        if not out:
            return self.params
        links = ng.linked_features(list(self.tables), self.reference, least_detected=0)
        without = tuple(str(name) for name in links.index if name in out)
        features = self.params.features.model_copy(update={"without": without})
        return self.params.model_copy(update={"features": features})


def clustered(results: Sequence[AnnData], seed: int, track: Track) -> list[AnnData]:
    """Cluster the cells of all sections together: a cluster is the same in each."""
    if len(results) == 1:
        return [ng.cluster(results[0], ng.ClusterParams(), seed=seed, track=track)]
    unmatched = np.concatenate([slots.unmatched(one) for one in results])
    every = pd.DataFrame(
        {slots.UNMATCHED: unmatched}, index=pd.RangeIndex(len(unmatched)).astype(str)
    )
    embedding = np.concatenate([one.obsm[slots.EMBEDDING] for one in results])
    together = AnnData(obs=every, obsm={slots.EMBEDDING: embedding})
    found = ng.cluster(together, ng.ClusterParams(), seed=seed, track=track)
    known, start = slots.info(found), 0
    for result in results:
        result.obs[slots.CLUSTER] = found.obs[slots.CLUSTER].array[start : start + result.n_obs]
        slots.note(result, **{key: known[key] for key in ("cluster_params", "cluster_seed")})
        start += result.n_obs
    return list(results)


def with_types(cells: AnnData, reference: AnnData) -> None:
    """Add the reference's label columns, transferred, to the ``obs`` of cells just integrated."""
    for column in label_columns(reference):
        transferred: pd.DataFrame = ng.transfer_labels(cells, reference, column)
        for name, values in transferred.items():
            cells.obs[name] = values
