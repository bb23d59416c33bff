"""Expected and found reliability of genes: ``python -m benchmarks.trust.reliability``.

The truth is the cells' own RNA (hidden transcriptomes of the paired sets: the 500 most variable
genes), what the simulation knows, or, for seqFISH, every fifth measured gene. The line from the
correlation within the reference to the one found is fitted on two data sets and reported on the
third; seqFISH, where cells are placed so badly that the line says nothing, has no part in it. *With
a validation*: what `gene_reliability` says when it is given the held-out genes of the same cells.
"""

import argparse
import warnings
from dataclasses import dataclass

import numpy as np
from anndata import AnnData
from benchmarks.accuracy import datasets
from benchmarks.accuracy.problems import dense, variable_genes
from scipy.stats import rankdata, spearmanr

import napari_gluer as ng
from napari_gluer.expression import expression
from napari_gluer.integration.linking import cell_features
from napari_gluer.trust.intervals import covered, prediction_intervals
from napari_gluer.trust.reliability import gene_reliability

NAMES = ("citeseq", "snareseq", "sample")
SEQFISH, GENE_FOLDS = "seqfish", 5
FOLDS = 3
INTERVALS_OF = 40


@dataclass(frozen=True, eq=False)
class Found:
    """Genes of one data set and seed."""

    data: str
    within: np.ndarray
    predicted: np.ndarray
    truth: np.ndarray
    inside: np.ndarray
    validated: np.ndarray
    every: float
    expressed: float


def tables(name: str, seed: int) -> tuple[AnnData, AnnData, list[str], np.ndarray]:
    """Reference, cells, genes to judge, and their true values."""
    if name == "sample":
        reference, cells, true = datasets.simulated(seed)
        links = ng.linked_features(cells, reference, least_detected=0)
        linked = {gene for genes in links["genes"] for gene in genes}
        values = dense(true.X)
        known = set(expression(reference).genes) - linked
        judged = ((values > 0).mean(axis=0) >= 0.1) & true.var_names.isin(known)
        return reference, cells, list(true.var_names[judged]), values[:, judged]
    if name == SEQFISH:
        return held_out_genes(seed)
    pair = datasets.citeseq() if name == "citeseq" else datasets.some_nuclei(0)
    reference, cells = pair
    order = np.random.default_rng(0).permutation(reference.n_obs)
    query = np.sort(order[seed % FOLDS :: FOLDS])
    others = np.setdiff1d(order, query)
    known = expression(reference[others].copy())
    genes, values = variable_genes(expression(reference[query].copy()), known, 500)
    return reference[others].copy(), cells[query].copy(), genes, values


def held_out_genes(seed: int) -> tuple[AnnData, AnnData, list[str], np.ndarray]:
    """A fifth of the genes of seqFISH, as measured, and the cells without them."""
    reference, cells, _ = datasets.typed_tables(SEQFISH, seed)
    links = ng.linked_features(cells, reference, least_detected=0)
    hidden = np.random.default_rng(0).permutation(len(links))[seed % GENE_FOLDS :: GENE_FOLDS]
    values = dense(cell_features(cells, links))[:, hidden]
    left = cells[:, ~cells.var_names.isin(links.index[hidden])].copy()
    return reference, left, [links["genes"].iloc[i][0] for i in hidden], values


def rank_correlations(one: np.ndarray, other: np.ndarray) -> np.ndarray:
    """Spearman's, column by column."""
    sides = []
    for side in (one, other):
        ranks = rankdata(side, axis=0)
        ranks -= ranks.mean(axis=0)
        lengths = np.linalg.norm(ranks, axis=0)
        sides.append(np.divide(ranks, lengths, out=np.zeros_like(ranks), where=lengths > 0))
    return np.asarray((sides[0] * sides[1]).sum(axis=0))


def found(name: str, seed: int) -> Found:
    """One integration, judged."""
    reference, cells, genes, values = tables(name, seed)
    result = ng.integrate(cells, reference, seed=seed)
    table = gene_reliability(result, reference, genes)
    validation = ng.validate_genes(cells, reference, seed=seed)
    validated = gene_reliability(result, reference, genes, validation=validation)["predicted"]
    truth = rank_correlations(ng.impute(result, reference, genes), values)
    inside = ((truth >= table["low"]) & (truth <= table["high"])).to_numpy()
    shares = []
    for i in np.argsort(-(values > 0).mean(axis=0), kind="stable")[:INTERVALS_OF]:
        low, high = prediction_intervals(result, reference, genes[i])
        shares.append(covered(low, high, values[:, i]))
    every, expressed = np.mean(shares, axis=0)
    columns = (table["within_reference"].to_numpy(), table["predicted"].to_numpy())
    scaled = validated.to_numpy()
    return Found(name, *columns, truth, inside, scaled, float(every), float(expressed))


def line(runs: list[Found]) -> tuple[float, float]:
    """Slope and intercept; every run counts the same."""
    weights = np.concatenate([np.full(len(run.truth), len(run.truth) ** -0.5) for run in runs])
    within = np.concatenate([run.within for run in runs])
    truth = np.concatenate([run.truth for run in runs])
    slope, intercept = np.polyfit(within, truth, 1, w=weights)
    return float(slope), float(intercept)


def main() -> None:
    """Run and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seeds", nargs="+", type=int, default=[0, 1, 2])
    given = parser.parse_args()
    warnings.simplefilter("ignore")
    runs = [found(name, seed) for name in (*NAMES, SEQFISH) for seed in given.seeds]
    fitted = [run for run in runs if run.data != SEQFISH]
    print(
        "| data | genes | Spearman of expected and found | mean found | mean error, rotated line "
        "| with a validation | in the 90 % interval | cells in a gene's 90 % interval "
        "| those that express it |"
    )
    print("|---|---|---|---|---|---|---|---|---|")
    for name in (*NAMES, SEQFISH):
        own = [run for run in runs if run.data == name]
        slope, intercept = line([run for run in fitted if run.data != name])
        rows = [
            (
                spearmanr(run.predicted, run.truth).statistic,
                run.truth.mean(),
                np.abs(intercept + slope * run.within - run.truth).mean(),
                np.abs(run.validated - run.truth).mean(),
                run.inside.mean(),
                run.every,
                run.expressed,
            )
            for run in own
        ]
        mean, spread = np.mean(rows, axis=0), np.std(rows, axis=0, ddof=1)
        told = " | ".join(f"{a:.2f} ± {b:.2f}" for a, b in zip(mean, spread, strict=True))
        print(f"| {name} | {len(own[0].truth)} | {told} |")
    slope, intercept = line(fitted)
    print(f"\nOn the three: slope {slope:.2f}, intercept {intercept:.3f}.")


if __name__ == "__main__":
    main()
