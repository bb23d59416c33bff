"""Intervals that imputed values are in, by conformal calibration on cells whose truth is known."""

from dataclasses import dataclass

import numpy as np
import pandas as pd
from anndata import AnnData
from numpy.typing import NDArray

from napari_gluer.correlating import dense
from napari_gluer.errors import InputError, listed
from napari_gluer.expression import expression
from napari_gluer.integration.imputation import checked_weights
from napari_gluer.integration.linking import linked_features, reference_features
from napari_gluer.trust.held_out import GeneValidation
from napari_gluer.trust.within import reference_left_out

Array = NDArray[np.float32]

LEVEL = 0.9
_FOLDS = 5
_PER_GROUP, _MOST_GROUPS = 50, 10
_CALIBRATED_ON = 3000


@dataclass(frozen=True, eq=False)
class Bands:
    """Result of `calibrated`: one interval for each group of predicted values.

    Attributes
    ----------
    edges
        Predicted values between groups, ``(n_groups - 1,)``.
    low, high
        ``(n_groups,)``.
    """

    edges: NDArray[np.float64]
    low: NDArray[np.float64]
    high: NDArray[np.float64]

    def of(self, predicted: NDArray[np.floating]) -> tuple[Array, Array]:
        """Bounds for predicted values, float32 ``(n,)`` each."""
        group = np.searchsorted(self.edges, predicted, side="right")
        return self.low[group].astype(np.float32), self.high[group].astype(np.float32)


def least_expressed(level: float) -> int:
    """Calibration cells that must express a gene: with fewer no bound is sure enough."""
    return int(np.ceil(round(2 / (1 - level), 6)))


def calibrated(
    predicted: NDArray[np.floating], measured: NDArray[np.floating], level: float = LEVEL
) -> Bands:
    """Calibrate intervals in groups of like predicted values.

    Split-conformal, label-conditional and Mondrian (Vovk, Gammerman & Shafer, *Algorithmic Learning
    in a Random World*, 2005, ch. 4): in every group the bounds are order statistics of what was
    measured, so that neither the scales of both nor how they depend on each other matter. Most
    values of most genes are 0, and any interval that holds 0 would cover those. So where more than
    ``(1 - level) / 2`` of a group's values are 0 the interval goes from 0 to a bound that `level`
    of the *expressed* values stay below; elsewhere it has two bounds and covers `level` of all.

    Parameters
    ----------
    predicted, measured
        ``(n_cells,)``; measured values are 0 or more. Their scales may differ.
    level
        Share of expressed values to be covered, above 0 and below 1.

    Raises
    ------
    InputError
        If too few cells express the gene.
    """
    if not 0 < level < 1:
        raise InputError(f"The level of an interval lies between 0 and 1; {level} does not.")
    expressed = measured > 0
    n_expressed, least = int(expressed.sum()), least_expressed(level)
    if n_expressed < least:
        raise InputError(
            f"{n_expressed} calibration cells express the gene; for intervals of {level:.0%} "
            f"{least} are needed."
        )
    n_groups = int(np.clip(n_expressed // max(_PER_GROUP, least), 1, _MOST_GROUPS))
    inner = np.arange(1, n_groups) / n_groups
    edges = np.unique(np.quantile(predicted[expressed], inner)) if n_groups > 1 else np.zeros(0)
    group = np.searchsorted(edges, predicted, side="right")
    # predictions that are all alike leave groups empty
    there = [np.sort(measured[group == g]) for g in range(len(edges) + 1)]
    whole = np.sort(measured)
    bounds = [_bounds(v if (v > 0).sum() >= least else whole, level) for v in there]
    return Bands(edges, *np.array(bounds, np.float64).T)


def _bounds(values: NDArray[np.floating], level: float) -> tuple[float, float]:
    """Of sorted values."""
    beside = (1 - level) / 2
    if (values <= 0).mean() > beside:
        expressed = values[values > 0]
        return 0.0, float(expressed[int(np.ceil((len(expressed) + 1) * level)) - 1])
    n = len(values)
    low = max(int(np.floor((n + 1) * beside)), 1)
    return float(values[low - 1]), float(values[min(n + 1 - low, n) - 1])


def cross_calibrated(
    predicted: NDArray[np.floating],
    measured: NDArray[np.floating],
    level: float = LEVEL,
    *,
    seed: int = 0,
) -> tuple[Array, Array]:
    """Bounds for every cell, each calibrated on the other four fifths of the cells."""
    order = np.random.default_rng(seed).permutation(len(predicted))
    fold = np.empty(len(predicted), np.int64)
    # cells that express it are spread evenly, so that none of the five has too few
    fold[order[np.argsort(measured[order] > 0, kind="stable")]] = np.arange(len(order)) % _FOLDS
    low, high = np.zeros(len(predicted), np.float32), np.zeros(len(predicted), np.float32)
    for i in range(_FOLDS):
        own = fold == i
        bands = calibrated(predicted[~own], measured[~own], level)
        low[own], high[own] = bands.of(predicted[own])
    return low, high


def covered(
    low: NDArray[np.floating], high: NDArray[np.floating], measured: NDArray[np.floating]
) -> tuple[float, float]:
    """Share of all values, and of expressed values, that lie in their intervals, bounds counted."""
    inside = (measured >= low) & (measured <= high)
    return float(inside.mean()), float(inside[measured > 0].mean())


def interval_coverage(validation: GeneValidation, level: float = LEVEL) -> pd.DataFrame:
    """Coverage of the intervals of every validated feature, each cell's made without it.

    Returns
    -------
    pandas.DataFrame
        Indexed by feature: ``covered``, share of all cells whose measured value lies in its
        interval; ``covered_expressed``, of cells in which it was measured; ``n_expressed``;
        ``width``, the mean width over that of one interval for all cells: near 1, the prediction
        narrows nothing. Features that too few cells express are left out.
    """
    rows = {}
    for name in validation.genes.index:
        predicted = validation.predicted[name].to_numpy(np.float64)
        measured = validation.truth[name].to_numpy(np.float64)
        if (measured > 0).sum() < least_expressed(level) * _FOLDS / (_FOLDS - 1) + _FOLDS:
            continue
        low, high = cross_calibrated(predicted, measured, level, seed=validation.seed)
        flat = calibrated(np.zeros(len(measured)), measured, level)
        every, expressed = covered(low, high, measured)
        rows[name] = {
            "covered": every,
            "covered_expressed": expressed,
            "n_expressed": int((measured > 0).sum()),
            "width": float((high - low).mean() / max(flat.high[0] - flat.low[0], 1e-12)),
        }
    columns = ["covered", "covered_expressed", "n_expressed", "width"]
    return pd.DataFrame.from_dict(rows, orient="index", columns=columns)


def prediction_intervals(
    cells: AnnData,
    reference: AnnData,
    gene: str,
    *,
    validation: GeneValidation | None = None,
    level: float = LEVEL,
    seed: int = 0,
) -> tuple[Array, Array]:
    """Bounds of a gene's value in every cell; `calibrated` says what they cover.

    A feature that was validated: calibrated on its measured values, and on their scale (as the
    integration normalises them); the cells of the validation have bounds made without them.

    Any other gene: calibrated within the reference, reference cells being predicted from the others
    by their linked features; log1p of counts per 10,000. How much worse cells of another modality
    are placed than reference cells is not in it. With a validation, bounds are moved away from the
    imputed value by `GeneValidation.gap`, what such scatter amounts to for validated features; that
    is a rough correction, and no guarantee (docs/trust.md says what it reaches).

    Parameters
    ----------
    cells
        Integrated cells; reads ``obsm["gluer_weights"]`` and ``uns["gluer"]``.
    reference
        The very reference of the integration, its cells in the same order.
    gene
        A gene of the reference, or a validated feature.
    validation
        Of these cells with this reference.
    level
        Share of expressed values to be covered.
    seed
        Of the cells that it is calibrated on.

    Returns
    -------
    low, high
        float32 ``(n_cells,)``. Unmatched cells have bounds too; do not trust them.

    Raises
    ------
    InputError
        If the cells are not integrated, the reference or the validation is of other cells, the
        reference lacks the gene, or too few cells express it.
    """
    expressed = expression(reference)
    weights = checked_weights(cells, reference, expressed)
    feature = None if validation is None else _validated(validation, gene)
    if validation is not None and feature is not None:
        rows = _rows_of(validation, cells)
        links = linked_features(cells, reference, least_detected=0).loc[[feature]]
        imputed = dense(weights @ reference_features(expressed, links))[:, 0]
        return _of_validated(validation, feature, rows, imputed, level)
    imputed = np.asarray(weights @ expressed.columns([gene]))[:, 0]
    left = reference_left_out(cells, expressed, max_cells=_CALIBRATED_ON, seed=seed)
    truth = expressed.columns([gene])[:, 0]
    bands = calibrated(left.weights @ truth, truth[left.rows], level)
    low, high = bands.of(imputed)
    return widened(low, high, imputed, 1.0 if validation is None else validation.gap)


def widened(low: Array, high: Array, centre: Array, factor: float) -> tuple[Array, Array]:
    """Bounds moved away from `centre` by a factor from 1; below 0 is 0."""
    below, above = np.minimum(low, centre), np.maximum(high, centre)
    lower = np.where(low < centre, np.maximum(centre - factor * (centre - below), 0), low)
    upper = np.where(high > centre, centre + factor * (above - centre), high)
    return lower.astype(np.float32), upper.astype(np.float32)


def _validated(validation: GeneValidation, gene: str) -> str | None:
    """The validated feature of that name, or else of that gene."""
    if gene in validation.genes.index:
        return gene
    own = [name for name, genes in validation.genes["genes"].items() if gene in genes.split(";")]
    return str(own[0]) if own else None


def _rows_of(validation: GeneValidation, cells: AnnData) -> NDArray[np.intp]:
    """Rows of the validated cells, refused if the table is another."""
    rows, names = validation.rows, validation.truth.index
    if len(rows) and (rows.max() >= cells.n_obs or (cells.obs_names[rows] != names).any()):
        raise InputError(
            "The validation is of other cells, or of these in another order: it has "
            f"{listed(names, 4)}. Validate the genes of this table: ng.validate_genes."
        )
    return rows


def _of_validated(
    validation: GeneValidation, feature: str, rows: NDArray[np.intp], imputed: Array, level: float
) -> tuple[Array, Array]:
    predicted = validation.predicted[feature].to_numpy()
    measured = validation.truth[feature].to_numpy()
    low, high = calibrated(predicted, measured, level).of(imputed)
    low[rows], high[rows] = cross_calibrated(predicted, measured, level, seed=validation.seed)
    return low, high
