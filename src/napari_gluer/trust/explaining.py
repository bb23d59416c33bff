"""Why a cell got what it got: its reference neighbours, and the features that spoke for them."""

import json
from dataclasses import dataclass

import numpy as np
import pandas as pd
from anndata import AnnData
from numpy.typing import NDArray
from scipy import sparse

from napari_gluer import slots
from napari_gluer.backed import in_memory
from napari_gluer.errors import InputError, listed
from napari_gluer.expression import expression
from napari_gluer.integration.imputation import INTEGRATE, checked_weights
from napari_gluer.integration.linked import reference_batches
from napari_gluer.integration.linking import cell_features, linked_features, reference_features
from napari_gluer.integration.standard import Standardized, standardized

Array = NDArray[np.float32]

_NAMED = 3


@dataclass(frozen=True, eq=False)
class CellExplanation:
    """Result of `explain_cell`.

    Attributes
    ----------
    label
        Of the cell, in the labels image.
    name
        Its name in ``obs_names``.
    neighbours
        Indexed by names of reference cells, the weightiest first: ``weight`` (they sum to 1),
        ``distance`` in the co-embedding, ``likeness`` (cosine of the standardised linked features,
        from -1 to 1) and, if a column was given, its value.
    types
        Indexed by value of the column: ``weight``, summed over the neighbours. Empty without one.
    features
        Indexed by linked feature, the strongest in favour first: ``genes``; ``cell`` and
        ``neighbours``, standardised values of the cell and the weighted mean of the neighbours
        (0 is the mean of each data set, 1 a standard deviation); ``spoke_for``, the feature's part
        of the likeness: the column adds up to the neighbours' weighted mean likeness, and features
        that speak against them are below 0.
    text
        The same in two sentences.
    """

    label: int
    name: str
    neighbours: pd.DataFrame
    types: pd.DataFrame
    features: pd.DataFrame
    text: str


class Explainer:
    """Explains cells of one table; what all of them need is made once.

    Parameters
    ----------
    cells
        Integrated cells.
    reference
        The very reference of the integration.
    column
        Column of ``reference.obs`` that neighbours are named by; empty for none.
    """

    def __init__(self, cells: AnnData, reference: AnnData, column: str = "") -> None:
        cells, reference = in_memory(cells), in_memory(reference)
        self._cells, self._names = cells, reference.obs_names
        expressed = expression(reference)
        self._weights = checked_weights(cells, reference, expressed)
        self._labels = slots.cell_labels(cells)
        self._types = (
            slots.require(reference, "obs", column, "Choose one of these.") if column else None
        )
        self._column = column
        self._links = integrated_links(cells, reference)
        asked = json.loads(slots.info(cells)["params"]).get("reference_batch", "")
        batch = reference_batches(reference, asked)
        self._reference = standardized(reference_features(expressed, self._links), batch)
        self._values = standardized(cell_features(cells, self._links))

    def explain(self, label: int) -> CellExplanation:
        """The cell of that label.

        Raises
        ------
        InputError
            If no cell has it.
        """
        found = np.flatnonzero(self._labels == label)
        if not len(found):
            raise InputError(
                f"No cell has the label {label}; the {len(self._labels):,} cells have labels from "
                f"{self._labels.min()} to {self._labels.max()}."
            )
        row = int(found[0])
        near, weight = _weightiest(self._weights, row)
        cell = _rows(self._values, np.array([row]))[0]
        others = _rows(self._reference, near)
        parts = contributions(cell, others)
        neighbours = self._neighbours(row, near, weight, parts.sum(axis=1))
        features = self._features(cell, weight @ others, weight @ parts)
        types = self._types_of(neighbours)
        return CellExplanation(
            int(label),
            str(self._cells.obs_names[row]),
            neighbours,
            types,
            features,
            _text(self._cells, row, features, types),
        )

    def _neighbours(
        self, row: int, near: NDArray[np.intp], weight: Array, likeness: Array
    ) -> pd.DataFrame:
        points = np.asarray(slots.info(self._cells)[slots.REFERENCE_FACTORS])[near]
        own = np.asarray(slots.require(self._cells, "obsm", slots.EMBEDDING, INTEGRATE))[row]
        columns = {
            "weight": weight,
            "distance": np.linalg.norm(points - own, axis=1).astype(np.float32),
            "likeness": likeness,
        }
        table = pd.DataFrame(columns, index=self._names[near])
        if self._types is not None:
            table[self._column] = self._types.astype("string").to_numpy()[near]
        return table

    def _types_of(self, neighbours: pd.DataFrame) -> pd.DataFrame:
        if self._types is None:
            return pd.DataFrame({"weight": np.array([], np.float32)})
        weights = neighbours.groupby(self._column, dropna=True)["weight"].sum()
        return weights.sort_values(ascending=False, kind="stable").to_frame()

    def _features(self, cell: Array, others: Array, spoke: Array) -> pd.DataFrame:
        genes = [";".join(genes) for genes in self._links["genes"]]
        columns = {"genes": genes, "cell": cell, "neighbours": others, "spoke_for": spoke}
        table = pd.DataFrame(columns, index=self._links.index)
        return table.sort_values("spoke_for", ascending=False, kind="stable")


def explain_cell(
    cells: AnnData, reference: AnnData, label: int, *, column: str = ""
) -> CellExplanation:
    """Explain where one cell was placed.

    The likeness of a cell and a reference cell is the cosine of their linked features, standardised
    within each data set; a cosine is a sum over features, so each has its part in it. For many
    cells of one table make one `Explainer`.

    Parameters
    ----------
    cells
        Integrated cells; reads ``X``, ``obs["label"]``, ``obsm["gluer_weights"]``,
        ``obsm["X_gluer"]`` and ``uns["gluer"]``.
    reference
        The very reference of the integration, its cells in the same order.
    label
        Value of the cell in the labels image.
    column
        Column of ``reference.obs`` that neighbours are named by, types for instance.

    Raises
    ------
    InputError
        If no cell has the label, the cells are not integrated, what links them has changed since,
        the reference is another one, or the column is not there.
    """
    return Explainer(cells, reference, column).explain(label)


def contributions(cell: Array, others: Array) -> Array:
    """Part of every feature in the cosines of a cell with others, ``(n_others, n_features)``."""
    lengths = np.linalg.norm(cell) * np.linalg.norm(others, axis=1, keepdims=True)
    product = others * cell
    parts: Array = np.divide(product, lengths, out=np.zeros_like(product), where=lengths > 0)
    return parts


def integrated_links(cells: AnnData, reference: AnnData) -> pd.DataFrame:
    """The links that the integration used, as `linked_features` gives them.

    Raises
    ------
    InputError
        If the table or its genes have changed since.
    """
    slots.require(cells, "obsm", slots.WEIGHTS, INTEGRATE)
    stored: dict[str, str] = json.loads(slots.info(cells)["links"])
    links = linked_features(cells, reference, least_detected=0)
    now = {name: ";".join(genes) for name, genes in links["genes"].items()}
    changed = [name for name, genes in stored.items() if now.get(name) != genes]
    if changed:
        raise InputError(
            f"Links changed since the integration: {listed(changed, 5)}. Integrate again, or undo "
            "the change of var['genes'] or var['role']."
        )
    return links.loc[list(stored)]


def _weightiest(weights: sparse.csr_matrix, row: int) -> tuple[NDArray[np.intp], Array]:
    part = slice(weights.indptr[row], weights.indptr[row + 1])
    near, weight = weights.indices[part], weights.data[part]
    order = np.lexsort((near, -weight))
    return near[order].astype(np.intp), weight[order]


def _rows(side: Standardized, rows: NDArray[np.intp]) -> Array:
    return side.rows(rows).dense()


def _text(cells: AnnData, row: int, features: pd.DataFrame, types: pd.DataFrame) -> str:
    start = f"Cell {cells.obs_names[row]}"
    names, shares = [str(name) for name in types.index], types["weight"].to_numpy(float)
    if slots.unmatched(cells)[row]:
        start += " is unmatched; the reference cells nearest to it"
        start += f" are most often {names[0]}" if names else " follow"
    elif names:
        start += f" lies among reference cells of {names[0]} ({shares[0]:.0%})"
        if len(names) > 1:
            start += f", then {names[1]} ({shares[1]:.0%})"
    else:
        start += f" is alike its reference cells by {features['spoke_for'].sum():.2f} of 1"
    spoke = features["spoke_for"]
    favour = [str(name) for name in features.index[:_NAMED][spoke.iloc[:_NAMED] > 0]]
    against = [str(name) for name in features.index[::-1][:_NAMED][spoke[::-1][:_NAMED] < 0]]
    words = [f"for them speak {listed(favour)}"] if favour else []
    words += [f"against them {listed(against)}"] if against else []
    told = ", ".join(words) or "no linked feature tells anything of it"
    return f"{start}. {told[0].upper()}{told[1:]}."
