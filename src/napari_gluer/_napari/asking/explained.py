"""Why a cell got what it got: computed by a job, with what all cells of a table share kept."""

from dataclasses import dataclass, field
from typing import Any

from anndata import AnnData

import napari_gluer as ng
from napari_gluer import slots
from napari_gluer.integration.transfer import usual_type_column
from napari_gluer.trust.explaining import CellExplanation, Explainer

Interval = tuple[float, float]


def named_column(cells: AnnData, reference: AnnData) -> str:
    """Column that names the reference's cells: the one that was transferred, else a usual one."""
    suffix = slots.transferred("")
    moved = [str(one).removesuffix(suffix) for one in cells.obs if str(one).endswith(suffix)]
    found = next((one for one in moved if one in reference.obs), "")
    return found or usual_type_column(reference)


@dataclass(eq=False)
class Explaining:
    """Explains cells; keeps what the last table and gene needed.

    Attributes
    ----------
    column
        That neighbours were named by last.
    """

    column: str = ""
    _about: tuple[Any, ...] = ()
    _explainer: Explainer | None = None
    _bounds: dict[str, Any] = field(default_factory=dict)

    def explain(self, cells: AnnData, reference: AnnData, label: int) -> CellExplanation:
        """`ng.explain_cell`, fast from the second cell of a table on."""
        self._turn_to(cells, reference)
        if self._explainer is None:
            self.column = named_column(cells, reference)
            self._explainer = Explainer(cells, reference, self.column)
        return self._explainer.explain(label)

    def interval(self, cells: AnnData, reference: AnnData, gene: str, row: int) -> Interval:
        """90 % interval of an imputed gene in a cell, fast from the second cell on."""
        self._turn_to(cells, reference)
        if gene not in self._bounds:
            self._bounds = {gene: ng.prediction_intervals(cells, reference, gene)}
        low, high = self._bounds[gene]
        return float(low[row]), float(high[row])

    def _turn_to(self, cells: AnnData, reference: AnnData) -> None:
        same = len(self._about) == 2 and self._about[0] is cells and self._about[1] is reference
        if not same:
            self._about, self._explainer, self._bounds = (cells, reference), None, {}
