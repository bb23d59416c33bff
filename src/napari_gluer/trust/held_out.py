"""Which genes can be predicted here: linked features held out, imputed, and compared."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from anndata import AnnData
from numpy.typing import NDArray
from scipy.stats import norm

from napari_gluer.correlating import unit_columns, unit_ranks
from napari_gluer.devices import one_blas_thread
from napari_gluer.errors import InputError, listed
from napari_gluer.integration.params import IntegrateParams
from napari_gluer.track import Track, silently
from napari_gluer.trust.folds import Predicted, Trial, folds_of, predicted_fold, trial_of
from napari_gluer.trust.params import ValidateParams

GRADES = ("good", "fair", "weak", "no better than chance")

_ALIKE, _UNRELATED, _CANDIDATES = 200, 50, 1000
_CHANCE = 0.975  # of each of two correlations, either of which is enough


@dataclass(frozen=True, eq=False)
class GeneValidation:
    """Result of `validate_genes`.

    Attributes
    ----------
    genes
        Indexed by feature, the best first: ``genes`` (``;`` between); ``spearman`` and ``pearson``
        over ``n_cells`` cells between measured and imputed values, with what unrelated genes reach
        (``spearman_by_chance``, ``pearson_by_chance``); ``expressed``, the share of cells that it
        was measured in; ``stand_in``, the measured feature most like it in the reference, and
        ``stand_in_correlation``, what that feature alone reaches; ``within_reference``, Pearson's
        correlation in the reference itself, predicted from the same features; ``grade``.
    predicted
        Imputed values, float32, cells × features: log1p of counts per 10,000.
    truth
        Measured values, likewise, as the integration normalises them.
    rows
        Rows of those cells in the table that was given.
    not_judged
        Features that could not be held out, and why.
    n_folds, n_reference, seed
        What was done.
    text
        The result in a few sentences.
    """

    genes: pd.DataFrame
    predicted: pd.DataFrame
    truth: pd.DataFrame
    rows: NDArray[np.intp]
    not_judged: dict[str, str]
    n_folds: int
    n_reference: int
    seed: int
    text: str

    @property
    def correlation(self) -> float:
        """Mean rank correlation of all held-out features."""
        return float(self.genes["spearman"].mean())

    @property
    def gap(self) -> float:
        """How much wider predictions of cells scatter than those of reference cells, from 1.

        The median over features of the ratio of what is left unexplained, as a standard deviation.
        """
        own = np.clip(self.genes["pearson"].to_numpy(), 0, None)
        within = np.clip(self.genes["within_reference"].to_numpy(), 0, 0.99)
        return float(np.median(np.maximum(np.sqrt((1 - own**2) / (1 - within**2)), 1)))

    @property
    def transfer(self) -> float:
        """Share of what the reference promises of its genes that cells keep, on [0, 1].

        The slope, through 0, of the features' correlations over the cells against those within the
        reference, both Pearson's: near 0, what links the two says little of the cells' genes.
        """
        own, within = (self.genes[name].to_numpy(float) for name in ("pearson", "within_reference"))
        squares = float(within @ within)
        return float(np.clip(own @ within / squares, 0, 1)) if squares > 0 else 0.0

    def to_dict(self) -> dict[str, Any]:
        """Everything but the values, as plain text and numbers that JSON holds."""
        columns = {name: self.genes[name].tolist() for name in self.genes}
        return {
            "genes": {"feature": self.genes.index.tolist()} | columns,
            "not_judged": dict(self.not_judged),
            "n_cells": len(self.rows),
            "n_reference": self.n_reference,
            "n_folds": self.n_folds,
            "seed": self.seed,
            "gap": self.gap,
            "transfer": self.transfer,
            "text": self.text,
        }


@one_blas_thread()
def validate_genes(  # noqa: PLR0913 - a public step: what, how, which
    cells: AnnData,
    reference: AnnData,
    params: IntegrateParams = IntegrateParams(),  # noqa: B008 - frozen
    validate: ValidateParams = ValidateParams(),  # noqa: B008 - frozen
    *,
    genes: Sequence[str] | None = None,
    seed: int = 0,
    track: Track = silently,
) -> GeneValidation:
    """Hold out linked features in folds, impute them, and compare with what was measured.

    Cells and reference are integrated anew for every fold, without its features; all decisions of
    the integration are made without them too. Takes ``validate.folds`` integrations of at most
    ``validate.max_cells`` cells and ``validate.max_reference`` reference cells.

    Grades: ``good`` from a rank correlation of 0.5, ``fair`` from 0.3 (`ValidateParams`), else
    ``weak``; ``no better than chance`` where neither correlation is above what unrelated genes
    reach. Cells shuffled at random would be no measure of chance, for any gene that follows the
    types of cells beats them; so it is taken from genes of the reference, expressed about as often,
    whose own imputed values have least to do with the feature's (`chance_level`).

    Parameters
    ----------
    cells
        As measured or cleaned; they need not be integrated. Reads what `integrate` reads.
    reference
        Single-cell RNA-seq.
    params
        Of the integration that is to be judged.
    validate
        Folds, cells, grades.
    genes
        Hold out only these features, by their names or those of their genes; None: all.
    seed
        Of cells, folds and integrations.
    track
        Wraps the loop over folds.

    Raises
    ------
    InputError
        If one feature links the two, fewer than 20 cells have signal, a gene is not linked, or
        no fold can be integrated.
    """
    trial = trial_of(cells, reference, params, validate, seed)
    folds = _asked(trial, folds_of(trial.links, validate.folds, seed), genes)
    others = _candidates(trial, seed)
    done: list[Predicted] = []
    failed: dict[str, str] = {}
    for hidden in track(folds, "Holding out genes"):
        try:
            done.append(predicted_fold(trial, hidden, params, others=others, seed=seed))
        except InputError as error:
            failed |= dict.fromkeys(hidden, f"without it nothing can be integrated: {error}")
    if not done:
        raise InputError(f"No gene can be held out: {next(iter(failed.values()))}")
    table = pd.concat([_judged(trial, fold, others, validate) for fold in done])
    table = table.sort_values("spearman", ascending=False, kind="stable")
    not_judged = trial.not_judged | failed
    names = list(table.index)
    places = trial.links.index.get_indexer(pd.Index(names))
    index = trial.cells.obs_names
    values = np.concatenate([fold.values for fold in done], axis=1)
    all_names = [name for fold in done for name in fold.names]
    return GeneValidation(
        table,
        pd.DataFrame(values, index=index, columns=all_names)[names],
        pd.DataFrame(trial.measured[:, places], index=index, columns=names),
        trial.rows,
        not_judged,
        len(folds),
        trial.reference.n_obs,
        seed,
        _text(table, not_judged, len(folds), trial),
    )


def _asked(trial: Trial, folds: list[list[str]], genes: Sequence[str] | None) -> list[list[str]]:
    """Folds that hold what was asked for; features of the same gene stay out beside them."""
    if genes is None:
        return folds
    wanted = [genes] if isinstance(genes, str) else list(genes)
    links = trial.links
    of_gene = {gene: str(name) for name, own in links["genes"].items() for gene in own}
    known = set(links.index) | set(of_gene)
    unknown = [name for name in wanted if name not in known]
    if unknown or not wanted:
        why = {
            name: trial.linked.unlinked[name] for name in unknown if name in trial.linked.unlinked
        }
        told = "".join(f" {name}: {reason}." for name, reason in why.items())
        raise InputError(
            f"Genes to hold out that link nothing: {listed(unknown)}.{told} Linked are "
            f"{listed(links.index, 8)}."
        )
    chosen = {name if name in links.index else of_gene[name] for name in wanted}
    return [fold for fold in folds if chosen & set(fold)]


def _candidates(trial: Trial, seed: int) -> list[str]:
    """Genes of the reference that chance is told by, at most 1,000, drawn by the seed."""
    detected = _detected(trial)
    there = np.flatnonzero(detected > 0)
    drawn = np.random.default_rng(seed).permutation(there)[:_CANDIDATES]
    return [str(gene) for gene in trial.expressed.genes[np.sort(drawn)]]


def _detected(trial: Trial) -> NDArray[np.float64]:
    matrix = trial.expressed.matrix
    return np.asarray(matrix.getnnz(axis=0) / max(matrix.shape[0], 1), np.float64)


def _judged(
    trial: Trial, fold: Predicted, others: list[str], validate: ValidateParams
) -> pd.DataFrame:
    """Rows of `GeneValidation.genes` for one fold."""
    places = trial.links.index.get_indexer(pd.Index(fold.names))
    truth = trial.measured[:, places]
    alike = _alike(trial, fold.names, others)
    columns: dict[str, Any] = {
        "genes": [";".join(genes) for genes in trial.links["genes"].iloc[places]],
        "n_cells": len(truth),
        "expressed": (truth > 0).mean(axis=0),
        "stand_in": fold.stand_in,
        "stand_in_correlation": fold.stand_in_correlation,
        "within_reference": fold.within,
    }
    better = np.zeros(len(places), bool)
    for name, unit in (("spearman", unit_ranks), ("pearson", unit_columns)):
        own, measured, imputed = unit(fold.values), unit(truth), unit(fold.others)
        found = (own * measured).sum(axis=0)
        chance = chance_level(measured.T @ imputed, own.T @ imputed, alike, len(truth))
        columns |= {name: found, f"{name}_by_chance": chance}
        better |= found > chance
    columns["grade"] = graded(columns["spearman"], better, validate)
    order = ["genes", "spearman", "spearman_by_chance", "pearson", "pearson_by_chance"]
    table = pd.DataFrame(columns, index=pd.Index(fold.names))
    return table[order + [name for name in table if name not in order]]


def _alike(trial: Trial, names: list[str], others: list[str]) -> NDArray[np.bool_]:
    """Which other genes are expressed about as often as each feature, bool ``(n, n_others)``."""
    detected = pd.Series(_detected(trial), index=trial.expressed.genes)
    index: pd.Index = pd.Index(others)
    of_others = np.log(detected.loc[index].to_numpy())
    found = np.zeros((len(names), len(others)), bool)
    for i, name in enumerate(names):
        own = list(trial.links["genes"].loc[name])
        apart = np.abs(of_others - np.log(max(float(detected.loc[own].max()), 1e-6)))
        apart[index.isin(own)] = np.inf
        nearest = np.argsort(apart, kind="stable")[: min(_ALIKE, int(np.isfinite(apart).sum()))]
        found[i, nearest] = True
    return found


def chance_level(
    reached: NDArray[np.float64],
    related: NDArray[np.float64],
    alike: NDArray[np.bool_],
    n_cells: int,
) -> NDArray[np.float64]:
    """Correlation that a gene reaches with values that it has nothing to do with.

    The 97.5 % quantile over the 50 genes whose own imputed values are least correlated with the
    feature's, or of correlations of independent values if that is more.

    Parameters
    ----------
    reached
        ``(n_features, n_others)``: correlation of measured features with other imputed genes.
    related
        Correlation of imputed features with other imputed genes, likewise.
    alike
        Which others count for a feature.
    n_cells
        That the correlations are over.
    """
    found = np.full(len(reached), norm.ppf(_CHANCE) / np.sqrt(n_cells - 1))
    for i, counted in enumerate(alike):
        there = np.flatnonzero(counted)
        unrelated = there[np.argsort(np.abs(related[i, there]), kind="stable")[:_UNRELATED]]
        if len(unrelated):
            found[i] = max(found[i], float(np.quantile(reached[i, unrelated], _CHANCE)))
    return found


def graded(
    spearman: NDArray[np.floating], better: NDArray[np.bool_], validate: ValidateParams
) -> list[str]:
    """Grade of each correlation, given whether it is better than chance."""
    conditions = [~better, spearman >= validate.good, spearman >= validate.fair]
    return [str(grade) for grade in np.select(conditions, [GRADES[3], *GRADES[:2]], GRADES[2])]


def _text(table: pd.DataFrame, not_judged: dict[str, str], n_folds: int, trial: Trial) -> str:
    n = len(table)
    counts = [f"{int((table['grade'] == grade).sum())} {grade}" for grade in GRADES]
    features = "1 linked feature was" if n == 1 else f"{n:,} linked features were"
    parts = [
        (
            f"{features} left out, in {n_folds} {'round' if n_folds == 1 else 'rounds'}, and "
            f"imputed for {trial.cells.n_obs:,} cells from the rest: {', '.join(counts)}."
        ),
        f"The median rank correlation with what was measured is {table['spearman'].median():.2f}.",
    ]
    if n > 1:
        parts.append(
            f"The best is {table.index[0]} ({table['spearman'].iloc[0]:.2f}), the worst "
            f"{table.index[-1]} ({table['spearman'].iloc[-1]:.2f})."
        )
    if not_judged:
        parts.append(f"Not judged: {listed(not_judged, 6)}.")
    return " ".join(parts)
