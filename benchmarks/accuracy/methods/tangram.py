"""Tangram: a soft map of reference cells onto the cells; it has no common embedding."""

import numpy as np
from benchmarks.accuracy.exchange import Clock, Inputs, Outputs

PACKAGE = "tangram-sc"


def tangram(inputs: Inputs, seed: int, clock: Clock) -> Outputs:
    """``map_cells_to_space(mode="cells")``; types and targets are projected with its map."""
    import anndata as ad  # noqa: PLC0415 - only in its own environment
    import tangram as tg  # noqa: PLC0415

    reference, cells = ad.AnnData(inputs.reference), ad.AnnData(inputs.cells)
    for side in (reference, cells):
        side.var_names = [f"feature{i}" for i in range(side.n_vars)]
    with clock("integration"):
        tg.pp_adatas(reference, cells, genes=None)
        mapped = tg.map_cells_to_space(
            reference,
            cells,
            mode="cells",
            density_prior="uniform",
            num_epochs=1000,
            device="cpu",
            random_state=seed,
            verbose=False,
        )
    shares = np.asarray(mapped.X, np.float32).T
    types = imputed = None
    with clock("transfer"):
        if len(inputs.reference_types):
            names, codes = np.unique(inputs.reference_types, return_inverse=True)
            types = names[(shares @ np.eye(len(names), dtype=np.float32)[codes]).argmax(axis=1)]
        if inputs.targets:
            imputed = shares @ inputs.target_values()
    return Outputs(types=types, imputed=imputed)
