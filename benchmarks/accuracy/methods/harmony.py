"""Harmony (harmonypy) on the joint truncated SVD of the standardised features."""

import numpy as np
from benchmarks.accuracy.exchange import Clock, Inputs, Outputs
from benchmarks.accuracy.methods.baselines import joint_components

PACKAGE = "harmonypy"


def harmony(inputs: Inputs, seed: int, clock: Clock) -> Outputs:
    """``run_harmony`` with its defaults; the data set is the batch."""
    import harmonypy  # noqa: PLC0415 - only in its own environment
    import pandas as pd  # noqa: PLC0415

    n_reference = len(inputs.reference)
    source = ["reference"] * n_reference + ["cells"] * len(inputs.cells)
    with clock("integration"):
        joint = joint_components(inputs, seed)
        found = harmonypy.run_harmony(
            joint,
            pd.DataFrame({"source": source}),
            ["source"],
            verbose=False,
            random_state=seed,
            ncores=1,
        )
    mixed = np.asarray(found.Z_corr, np.float32)
    mixed = mixed if len(mixed) == len(source) else mixed.T
    return Outputs(mixed[:n_reference], mixed[n_reference:])
