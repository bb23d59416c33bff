"""The two presets of napari-gluer, on the same arrays as everybody."""

import numpy as np
import pandas as pd
from anndata import AnnData
from benchmarks.accuracy.exchange import Clock, Inputs, Outputs
from scipy import sparse

import napari_gluer as ng
from napari_gluer import slots
from napari_gluer.expression import expression
from napari_gluer.integration.linking import cell_features, reference_features

TYPE = "cell_type"


def default(inputs: Inputs, seed: int, clock: Clock) -> Outputs:
    """``preset="default"``."""
    return integrated_by(inputs, ng.IntegrateParams(), seed, clock)


def paper(inputs: Inputs, seed: int, clock: Clock) -> Outputs:
    """``preset="paper"``."""
    return integrated_by(inputs, ng.IntegrateParams(preset="paper"), seed, clock)


def integrated_by(inputs: Inputs, params: ng.IntegrateParams, seed: int, clock: Clock) -> Outputs:
    """Co-embedding, types and imputed targets with any parameters."""
    reference, cells = tables(inputs)
    with clock("integration"):
        integrated = ng.integrate(cells, reference, params, seed=seed)
    types = imputed = None
    with clock("transfer"):
        if len(inputs.reference_types):
            found = ng.transfer_labels(integrated, reference, TYPE, unmatched="named")[
                slots.transferred(TYPE)
            ]
            types = found.astype(object).fillna("").to_numpy(str)
        if inputs.targets:
            imputed = _imputed(integrated, reference, inputs)
    return Outputs(
        slots.info(integrated)[slots.REFERENCE_FACTORS],
        integrated.obsm[slots.EMBEDDING],
        types,
        imputed,
    )


def _imputed(integrated: AnnData, reference: AnnData, inputs: Inputs) -> np.ndarray:
    genes = sorted({gene for target in inputs.targets for gene in target})
    values = pd.DataFrame(ng.impute(integrated, reference, genes), columns=genes)
    return np.column_stack([values[target].mean(axis=1) for target in inputs.targets])


def tables(inputs: Inputs) -> tuple[AnnData, AnnData]:
    """Reference and cells as AnnData; checked to link into the very arrays the others get."""
    reference = AnnData(
        inputs.expression,
        obs=pd.DataFrame(index=[f"reference {i}" for i in range(len(inputs.reference))]),
        var=pd.DataFrame(index=inputs.genes),
    )
    if len(inputs.reference_types):
        reference.obs[TYPE] = inputs.reference_types
    slots.note(reference, **{slots.KIND: slots.LOG1P})
    cells = AnnData(
        sparse.csr_matrix(inputs.cells),
        obs=pd.DataFrame(index=[f"cell {i}" for i in range(len(inputs.cells))]),
        var=pd.DataFrame(
            {slots.GENES: [";".join(genes) for genes in inputs.genes_of_features]},
            index=inputs.features,
        ),
    )
    slots.note(cells, **{slots.KIND: slots.LOG1P})
    links = ng.linked_features(cells, reference, least_detected=0)
    if list(links.index) != inputs.features:
        raise ValueError("The features link otherwise than in the problem.")
    of_reference = reference_features(expression(reference), links).toarray()
    np.testing.assert_allclose(of_reference, inputs.reference, atol=1e-4)
    of_cells = cell_features(cells, links)
    np.testing.assert_allclose(of_cells.toarray(), inputs.cells, atol=1e-4)
    return reference, cells
