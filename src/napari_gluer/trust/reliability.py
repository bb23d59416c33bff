"""How well genes that were never measured can be expected to be imputed."""

from collections.abc import Sequence

import numpy as np
import pandas as pd
from anndata import AnnData

from napari_gluer.expression import expression
from napari_gluer.integration.imputation import checked_weights
from napari_gluer.track import Track, silently
from napari_gluer.trust.evidence import measured_features, reference_evidence
from napari_gluer.trust.held_out import GeneValidation, graded
from napari_gluer.trust.params import ValidateParams

# python -m benchmarks.trust.reliability
_INTERCEPT, _SLOPE = 0.025, 0.81
_SPREAD = 0.12  # of single genes, and of whole data sets, about that line
_NINETY = 1.645  # of a normal distribution, both tails
_CHANCE = 0.05


def gene_reliability(  # noqa: PLR0913 - a public step: what, how, and who is told
    cells: AnnData,
    reference: AnnData,
    genes: Sequence[str] | None = None,
    *,
    validation: GeneValidation | None = None,
    validate: ValidateParams = ValidateParams(),  # noqa: B008 - frozen
    seed: int = 0,
    track: Track = silently,
) -> pd.DataFrame:
    """Expected rank correlation of imputed genes with the truth, from what the reference knows.

    A gene that follows the linked features among the reference's own cells can be imputed; one that
    does not, cannot. Cells of the reference are predicted from their neighbours by the linked
    features, themselves left out, and the rank correlation with their own expression is brought to
    the scale of true correlations by a line fitted on data whose truth is known (docs/trust.md).
    What another modality loses beyond that differs between data sets, hence the wide interval; a
    validation tells it, and without one expect too much of cells that are hard to place.

    Parameters
    ----------
    cells
        Integrated cells; reads ``obsm["gluer_weights"]`` and ``uns["gluer"]``.
    reference
        The very reference of the integration, its cells in the same order.
    genes
        Which; None takes all of the reference.
    validation
        Of these cells: all expectations are multiplied by its `GeneValidation.transfer`, and genes
        that were held out get the correlation that was found.
    validate
        From which correlation a gene is good or fair.
    seed
        Of the reference cells that it is tried on, at most 2,000.
    track
        Reports progress, and stops between two blocks of 500 genes.

    Returns
    -------
    pandas.DataFrame
        Indexed by gene: ``predicted`` rank correlation, ``low`` and ``high`` (90 % of genes),
        ``grade`` (``no better than chance`` where 0.05 or less is expected), ``measured`` (whether
        a linked feature stands for it), ``held_out`` (the correlation found in the validation, else
        NaN), ``expressed`` (share of reference cells), ``within_reference``, ``nearest`` measured
        gene and ``nearest_correlation`` with it in the reference.

    Raises
    ------
    InputError
        If the cells are not integrated, the reference is another one or lacks a gene.
    """
    expressed = expression(reference)
    checked_weights(cells, reference, expressed)
    names = [str(gene) for gene in (expressed.genes if genes is None else genes)]
    expressed.require(names)
    table = reference_evidence(cells, expressed, names, seed=seed, track=track)
    within = table["within_reference"].fillna(0).to_numpy(float)
    predicted = expected_correlation(within)
    if validation is not None:
        predicted = predicted * validation.transfer
    linked = {gene for own in measured_features(cells).values() for gene in own}
    reach = _NINETY * _SPREAD
    return pd.DataFrame(
        {
            "predicted": predicted,
            "low": np.clip(predicted - reach, -1, 1),
            "high": np.clip(predicted + reach, -1, 1),
            "grade": graded(predicted, predicted > _CHANCE, validate),
            "measured": [name in linked for name in names],
            "held_out": _held_out(names, validation),
            "expressed": table["expressed"].to_numpy(float),
            "within_reference": within,
            "nearest": table["nearest"].to_numpy(),
            "nearest_correlation": table["nearest_correlation"].to_numpy(float),
        },
        index=pd.Index(names, name="gene"),
    )


def expected_correlation(within: np.ndarray) -> np.ndarray:
    """From a gene's correlation within the reference to the one to be expected of cells."""
    return np.asarray(np.clip(_INTERCEPT + _SLOPE * within, -1, 1))


def _held_out(names: Sequence[str], validation: GeneValidation | None) -> np.ndarray:
    if validation is None:
        return np.full(len(names), np.nan)
    table = validation.genes
    found = {
        gene: float(value)
        for genes, value in zip(table["genes"], table["spearman"], strict=True)
        for gene in genes.split(";")
    }
    return np.array([found.get(name, np.nan) for name in names])
