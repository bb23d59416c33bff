"""What is integrated and how: computed in a process without a window, so nothing here knows one."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import pandas as pd
from anndata import AnnData

import napari_gluer as ng
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
        if not self.cluster:
            return results
        clustered: list[AnnData] = ng.cluster(
            results, ng.ClusterParams(), seed=self.seed, track=track
        )
        return clustered

    def _without_left_out(self) -> ng.IntegrateParams:
        """The parameters, with the markers that a person left out of any section."""
        out = {name for table in self.tables for name in left_out(table)}
        if not out:
            return self.params
        links = ng.linked_features(list(self.tables), self.reference, least_detected=0)
        without = tuple(str(name) for name in links.index if name in out)
        features = self.params.features.model_copy(update={"without": without})
        return self.params.model_copy(update={"features": features})


def with_types(cells: AnnData, reference: AnnData) -> None:
    """Add the reference's label columns, transferred, to the ``obs`` of cells just integrated."""
    for column in label_columns(reference):
        transferred: pd.DataFrame = ng.transfer_labels(cells, reference, column)
        for name, values in transferred.items():
            cells.obs[name] = values
