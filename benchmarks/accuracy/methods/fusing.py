"""MaxFuse, called as its tutorial does; its licence is for non-commercial use."""

import numpy as np
from benchmarks.accuracy.exchange import Array, Clock, Inputs, Outputs
from benchmarks.accuracy.methods.baselines import standardised

PACKAGE = "maxfuse"
GENES = 2000
MOST_CELLS = 8000
PANEL = 100
"""Up to so many features the cells are as in the tutorial (antibodies), which reduces them less."""


def maxfuse(inputs: Inputs, seed: int, clock: Clock) -> Outputs:
    """The reference's variable genes are its active features; matches give types and values."""
    import maxfuse as mf  # noqa: PLC0415 - only in its own environment

    np.random.seed(seed)  # noqa: NPY002, TID251 - the one way to seed what it draws itself
    with clock("integration"):
        shared = [standardised(side) for side in (inputs.reference, inputs.cells)]
        active = [standardised(_variable(inputs)), shared[1]]
        wide = 40 if active[1].shape[1] > PANEL else None
        sizes = [_reduced(40, active[0]), wide or _reduced(15, active[1])]
        few = [_reduced(limit, side) for limit, side in zip((25, 20), shared, strict=True)]
        fusor = mf.model.Fusor(
            shared_arr1=shared[0],
            shared_arr2=shared[1],
            active_arr1=active[0],
            active_arr2=active[1],
        )
        fusor.split_into_batches(
            max_outward_size=MOST_CELLS, matching_ratio=4, metacell_size=2, seed=seed, verbose=False
        )
        fusor.construct_graphs(
            svd_components1=sizes[0],
            svd_components2=sizes[1],
            resolution1=2,
            resolution2=2,
            leiden_seed=seed,
            verbose=False,
        )
        fusor.find_initial_pivots(svd_components1=few[0], svd_components2=few[1], verbose=False)
        fusor.refine_pivots(
            wt1=0.3,
            wt2=0.3,
            svd_components1=sizes[0],
            svd_components2=wide,
            cca_components=min(25, *(side.shape[1] - 1 for side in active)),
            n_iters=1,
            verbose=False,
        )
        fusor.filter_bad_matches(target="pivot", filter_prop=0.5, verbose=False)
        reference, cells = fusor.get_embedding(active[0], active[1])
    types = imputed = None
    with clock("transfer"):
        fusor.propagate(svd_components1=sizes[0], svd_components2=wide, verbose=False)
        fusor.filter_bad_matches(target="propagated", filter_prop=0.0, verbose=False)
        matched = _best(fusor.get_matching(order=(2, 1), target="full_data"), len(cells))
        if len(inputs.reference_types):
            types = inputs.reference_types[matched]
        if inputs.targets:
            imputed = inputs.target_values()[matched]
    return Outputs(np.asarray(reference), np.asarray(cells), types, imputed)


def _reduced(limit: int, side: Array) -> int | None:
    """Singular vectors to reduce to; None leaves the features, where they are few."""
    return limit if side.shape[1] > limit else None


def _variable(inputs: Inputs) -> Array:
    """The most variable genes of the reference, dense."""
    mean = np.asarray(inputs.expression.mean(axis=0)).ravel()
    square = np.asarray(inputs.expression.multiply(inputs.expression).mean(axis=0)).ravel()
    order = np.argsort(mean**2 - square, kind="stable")[:GENES]
    return np.asarray(inputs.expression[:, np.sort(order)].toarray(), np.float32)


def _best(matching: list[np.ndarray], n_cells: int) -> np.ndarray:
    """The best-scored reference cell of every cell."""
    rows, columns, marks = (np.asarray(part) for part in matching)
    order = np.argsort(marks, kind="stable")
    best = np.full(n_cells, -1)
    best[columns[order]] = rows[order]
    if (best < 0).any():
        raise ValueError(f"{(best < 0).sum()} cells have no match.")
    return best
