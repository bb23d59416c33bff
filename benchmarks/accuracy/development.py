"""`default` beside baselines on the development sets: ``benchmarks/accuracy/development.py``.

The defaults were chosen on these very sets, so the numbers say where the method stands, not how it
will do on other data. Prints Markdown: mean ± standard deviation over the seeds. Data are read from
``../shared/data`` beside the checkout, or from the folder that ``NAPARI_GLUER_SHARED_DATA`` names.
"""

import os
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from anndata import AnnData
from numpy.typing import NDArray
from sklearn.utils.extmath import randomized_svd

import napari_gluer as ng
from napari_gluer.expression import expression
from napari_gluer.integration.features import standardized
from napari_gluer.integration.linking import cell_features, reference_features
from napari_gluer.neighbours import nearest_by_distance, unit_rows

ROOT = Path(__file__).resolve().parents[2]
DATA = Path(os.environ.get("NAPARI_GLUER_SHARED_DATA", ROOT.parent / "shared" / "data"))
SEEDS = (0, 1, 2)
VOTERS = 15
COMPONENTS = 30
NUCLEI = 3000

Array = NDArray[np.float32]
Embedding = tuple[Array, Array]


@dataclass(frozen=True, eq=False)
class Problem:
    """Reference, cells, the cells' true types, and whether row i of both is one cell."""

    reference: AnnData
    cells: AnnData
    types: NDArray[np.str_]
    paired: bool


def snareseq(seed: int) -> Problem:
    folder = DATA / "snareseq_mouse_cortex"
    reference = ng.read_reference(folder / "rna.h5ad")
    cells = ng.read_cells(folder / "gene_activity.h5ad", kind="activity")
    typed = np.flatnonzero(reference.obs["cell_type"] != "Mis")
    kept = np.sort(np.random.default_rng(seed).choice(typed, NUCLEI, replace=False))
    return _paired(reference[kept].copy(), cells[kept].copy())


def citeseq(_seed: int) -> Problem:
    folder = DATA / "citeseq_pbmc_bremsc"
    reference = ng.read_reference(folder / "rna.h5ad")
    cells = ng.read_cells(folder / "adt.h5ad")
    typed = (reference.obs["cell_type"] != "unknown").to_numpy()
    return _paired(reference[typed].copy(), cells[typed].copy())


def _paired(reference: AnnData, cells: AnnData) -> Problem:
    types = reference.obs["cell_type"].astype(str).to_numpy()
    return Problem(reference, cells, types, paired=True)


def seqfish(_seed: int) -> Problem:
    folder = DATA / "seqfish_zhu_tasic"
    reference = ng.read_reference(folder / "tasic_scrna_113.h5ad")
    cells = ng.read_cells(folder / "seqfish_113.h5ad")
    return Problem(reference, cells, cells.obs["svm_label"].astype(str).to_numpy(), paired=False)


def default(problem: Problem, seed: int) -> Embedding:
    return _gluer(problem, ng.IntegrateParams(), seed)


def paper(problem: Problem, seed: int) -> Embedding:
    return _gluer(problem, ng.IntegrateParams(preset="paper"), seed)


def _gluer(problem: Problem, params: Any, seed: int) -> Embedding:
    cells = ng.integrate(problem.cells, problem.reference, params, seed=seed)
    return cells.uns["gluer"]["reference_factors"], cells.obsm["X_gluer"]


def cosine(problem: Problem, _seed: int) -> Embedding:
    reference, cells = _standardized_features(problem)
    return unit_rows(reference), unit_rows(cells)


def svd_cosine(problem: Problem, seed: int) -> Embedding:
    reference, cells = _standardized_features(problem)
    stacked = np.concatenate([reference, cells])
    rank = min(COMPONENTS, *stacked.shape)
    U, S, _ = randomized_svd(stacked, rank, n_iter=4, random_state=seed)
    joint = unit_rows((U * S).astype(np.float32))
    return joint[: len(reference)], joint[len(reference) :]


def _standardized_features(problem: Problem) -> Embedding:
    """The normalised linked features that `integrate` starts from, z-scored within each side."""
    links = ng.linked_features(problem.cells, problem.reference)
    sides = (
        reference_features(expression(problem.reference), links),
        cell_features(problem.cells, links),
    )
    reference, cells = (standardized(side) for side in sides)
    return reference, cells


PROBLEMS: dict[str, Callable[[int], Problem]] = {
    "SNARE-seq, 3,000 nuclei": snareseq,
    "CITE-seq, 10 proteins": citeseq,
    "seqFISH ← Tasic, 113 genes": seqfish,
}
METHODS: dict[str, Callable[[Problem, int], Embedding]] = {
    "`default`": default,
    "`paper`": paper,
    "cosine of standardised features": cosine,
    f"joint SVD {COMPONENTS}, cosine": svd_cosine,
}


def scores(problem: Problem, embedding: Embedding) -> dict[str, float]:
    """What is judged; NaN where the truth is not known."""
    reference, cells = embedding
    same = np.arange(len(reference))
    pairs = np.column_stack([same, same])
    known = pd.Categorical(problem.reference.obs["cell_type"].astype(str))
    near, _ = nearest_by_distance(cells, reference, VOTERS)
    votes = np.stack([(known.codes[near] == i).sum(axis=1) for i in range(len(known.categories))])
    voted = np.asarray(known.categories)[votes.argmax(axis=0)]
    return {
        "accuracy": ng.integration_accuracy(reference, cells, pairs)
        if problem.paired
        else float("nan"),
        "types": float((voted == problem.types).mean()),
        "mixing": ng.mixed_neighbours(reference, cells),
    }


def row(name: str, problems: list[Problem], method: Callable[..., Embedding]) -> str:
    found = []
    start = time.perf_counter()
    for seed, problem in zip(SEEDS, problems, strict=True):
        found.append(scores(problem, method(problem, seed)))
    seconds = (time.perf_counter() - start) / len(SEEDS)
    table = pd.DataFrame(found)
    cells = [_cell(table[column]) for column in table]
    return f"| {name} | {' | '.join(cells)} | {seconds:.0f} |"


def _cell(values: "pd.Series[float]") -> str:
    return "–" if values.isna().any() else f"{values.mean():.3f} ± {values.std():.3f}"


def main() -> None:
    for name, load in PROBLEMS.items():
        try:
            problems = [load(seed) for seed in SEEDS]
        except ng.InputError as error:
            print(f"{name}: not run. {error}\n", file=sys.stderr)
            continue
        sizes = (
            f"{problems[0].reference.n_obs:,} reference cells, {problems[0].cells.n_obs:,} cells"
        )
        print(f"**{name}** ({sizes})\n")
        print("| method | integration accuracy | right type | mixed neighbours | seconds |")
        print("|---|---|---|---|---|")
        for method, embed in METHODS.items():
            print(row(method, problems, embed), flush=True)
        print()


if __name__ == "__main__":
    main()
