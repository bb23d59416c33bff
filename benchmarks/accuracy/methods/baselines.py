"""What a method must beat: the standardised linked features themselves, and their joint SVD."""

import numpy as np
from benchmarks.accuracy.exchange import Array, Clock, Inputs, Outputs

COMPONENTS = 30


def cosine(inputs: Inputs, _seed: int, clock: Clock) -> Outputs:
    """Features standardised within each side, rows of length 1: distances are cosines."""
    with clock("integration"):
        return Outputs(
            unit_rows(standardised(inputs.reference)), unit_rows(standardised(inputs.cells))
        )


def joint_svd(inputs: Inputs, seed: int, clock: Clock) -> Outputs:
    """The same after a truncated SVD of both sides together."""
    with clock("integration"):
        joint = joint_components(inputs, seed)
    return Outputs(joint[: len(inputs.reference)], joint[len(inputs.reference) :])


def joint_components(inputs: Inputs, seed: int) -> Array:
    """Unit rows in 30 joint singular vectors, the reference first."""
    from sklearn.utils.extmath import randomized_svd  # noqa: PLC0415 - not in every environment

    stacked = np.concatenate([standardised(inputs.reference), standardised(inputs.cells)])
    rank = min(COMPONENTS, *stacked.shape)
    U, S, _ = randomized_svd(stacked, rank, n_iter=4, random_state=seed)
    return unit_rows((U * S).astype(np.float32))


def standardised(values: Array) -> Array:
    """Columns of mean 0 and variance 1; constant ones are 0."""
    centred = values - values.mean(axis=0, dtype=np.float64)
    spread = centred.std(axis=0)
    return np.asarray(centred / np.where(spread > 0, spread, 1), np.float32)


def unit_rows(values: Array) -> Array:
    """Rows of length 1; rows of zeros stay."""
    lengths = np.linalg.norm(values, axis=1, keepdims=True)
    return np.asarray(values / np.where(lengths > 0, lengths, 1), np.float32)
