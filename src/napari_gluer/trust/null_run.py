"""Whether an integration is better than chance: the same with the names of features permuted."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from anndata import AnnData
from numpy.typing import NDArray
from scipy import sparse
from scipy.stats import t

from napari_gluer.correlating import rank_correlated
from napari_gluer.devices import one_blas_thread
from napari_gluer.errors import InputError
from napari_gluer.integration.params import IntegrateParams
from napari_gluer.track import Track, silently
from napari_gluer.trust.folds import Trial, folds_of, predicted_fold, trial_of
from napari_gluer.trust.params import ValidateParams

CLEARLY, PROBABLY, NO_BETTER, UNKNOWN = (
    "clearly better than chance",
    "probably better than chance",
    "no better than chance",
    "cannot be told from chance",
)
_CLEAR, _PROBABLE = 0.99, 0.95
_FEWEST_RUNS = 3
_TRIES = 1000


@dataclass(frozen=True, eq=False)
class NullRun:
    """Result of `null_run`.

    Attributes
    ----------
    real
        Mean rank correlation of held-out features with their prediction.
    null
        The same of every permuted run, ``(n,)``.
    bounds
        What a permuted run stays below with 95 and 99 % chance; infinite with fewer than 3 runs.
    n_features
        Features that were held out in the real run.
    seed
        Of everything drawn.
    verdict
        ``clearly better than chance`` (above the greater bound), ``probably better than chance``
        (above the smaller), ``no better than chance``, or ``cannot be told from chance`` where
        features are too few to be permuted 3 times.
    text
        The verdict with its numbers, for a person.
    """

    real: float
    null: NDArray[np.float64]
    bounds: tuple[float, float]
    n_features: int
    seed: int
    verdict: str
    text: str

    def to_dict(self) -> dict[str, Any]:
        """Plain text and numbers that JSON holds; bounds that do not exist are None."""
        bounds = [float(bound) if np.isfinite(bound) else None for bound in self.bounds]
        return {
            "real": self.real,
            "null": self.null.tolist(),
            "bounds": bounds,
            "n_features": self.n_features,
            "seed": self.seed,
            "verdict": self.verdict,
            "text": self.text,
        }


@one_blas_thread()
def null_run(  # noqa: PLR0913 - a public step: what, how, how often
    cells: AnnData,
    reference: AnnData,
    params: IntegrateParams = IntegrateParams(),  # noqa: B008 - frozen
    validate: ValidateParams = ValidateParams(),  # noqa: B008 - frozen
    *,
    seed: int = 0,
    n: int = 5,
    track: Track = silently,
) -> NullRun:
    """Hold out features as `validate_genes` does, with right and with wrong names.

    In a permuted run every linked feature of the cells bears another one's name. So cells keep
    everything that makes them types and gradients, but what is measured in them has nothing to do
    with the genes it is said to be. An integration that predicts features no better than such a
    run says nothing of the tissue. Takes ``(n + 1) × validate.folds`` integrations.

    Parameters
    ----------
    cells, reference, params, validate
        As in `validate_genes`.
    seed
        Of cells, folds, permutations and integrations.
    n
        Permuted runs; fewer where there are not so many ways to permute the names.

    Raises
    ------
    InputError
        As in `validate_genes`, or if n is below 1.
    """
    if n < 1:
        raise InputError(f"A null run wants at least 1 permuted run; {n} were asked for.")
    trial = trial_of(cells, reference, params, validate, seed)
    folds = folds_of(trial.links, validate.folds, seed)
    orders = list(permutations(len(trial.links), n, seed))
    found = []
    for order in track([None, *orders], "Comparing with permuted features"):
        run = trial if order is None else renamed(trial, order)
        found.append(_mean_correlation(run, folds, params, seed))
    if not len(found[0]):
        raise InputError("No gene can be held out: nothing can be integrated without it.")
    means = [float(each.mean()) if len(each) else 0.0 for each in found]
    return judged(means[0], np.array(means[1:]), len(found[0]), seed)


def judged(real: float, null: NDArray[np.float64], n_features: int, seed: int = 0) -> NullRun:
    """Compare a run with permuted ones: bounds for one more permuted run, by Student's t."""
    n = len(null)
    bounds = (np.inf, np.inf)
    centre = float(null.mean())
    spread = float(null.std(ddof=1)) if n > 1 else 0.0
    if n >= _FEWEST_RUNS:
        scale = spread * np.sqrt(1 + 1 / n)
        probable, clear = (float(centre + t.ppf(p, n - 1) * scale) for p in (_PROBABLE, _CLEAR))
        bounds = (probable, clear)
    verdict = UNKNOWN if n < _FEWEST_RUNS else NO_BETTER
    # the mean of permuted runs may happen to lie below 0; to beat that is no merit
    if real > max(bounds[0], 0):
        verdict = CLEARLY if real > bounds[1] else PROBABLY
    runs = f"{n} permuted {'run' if n == 1 else 'runs'}"
    numbers = f"{real:.2f} against {centre:.2f} ± {spread:.2f} in {runs}"
    if verdict == UNKNOWN:
        text = (
            f"Whether this integration predicts held-out features better than chance cannot be "
            f"told: names of {n_features} linked features can hardly be permuted ({numbers})."
        )
    else:
        text = f"This integration predicts held-out features {verdict} ({numbers})."
    return NullRun(real, null, bounds, n_features, seed, verdict, text)


def permutations(n_features: int, n: int, seed: int) -> Iterator[NDArray[np.intp]]:
    """At most `n` different orders in which no feature is at its own place, drawn by the seed."""
    random = np.random.default_rng([seed, 1])
    own = np.arange(n_features)
    seen: set[bytes] = set()
    for _ in range(_TRIES):
        order = random.permutation(n_features)
        if len(seen) == n:
            return
        if not (order == own).any() and order.tobytes() not in seen:
            seen.add(order.tobytes())
            yield order


def renamed(trial: Trial, order: NDArray[np.intp]) -> Trial:
    """The trial where feature i is what was measured as feature ``order[i]``."""
    cells = trial.cells.copy()
    columns = cells.var_names.astype(str).get_indexer(trial.links.index)
    source = np.arange(cells.n_vars)
    source[columns] = columns[order]
    values = sparse.csr_matrix(cells.X) if sparse.issparse(cells.X) else np.asarray(cells.X)
    cells.X = values[:, source]
    return Trial(
        cells,
        trial.reference,
        trial.rows,
        trial.linked,
        trial.measured[:, order],
        trial.of_reference,
    )


def _mean_correlation(
    trial: Trial, folds: list[list[str]], params: IntegrateParams, seed: int
) -> NDArray[np.float64]:
    """Rank correlation of every held-out feature; folds that cannot be integrated have none."""
    found = [np.zeros(0)]
    for hidden in folds:
        try:
            fold = predicted_fold(trial, hidden, params, seed=seed)
        except InputError:
            continue
        places = trial.links.index.get_indexer(pd.Index(fold.names))
        found.append(rank_correlated(fold.values, trial.measured[:, places]))
    return np.concatenate(found)
