"""Hand over to scanpy and squidpy: nothing is converted, the table is theirs already."""

from importlib.util import find_spec
from pathlib import Path

import scanpy as sc

import napari_gluer as ng

tissue = ng.sample_tissue(seed=0)
cells = ng.clean(ng.measure(tissue.image, tissue.labels)[:600].copy())
cells = ng.integrate(cells, tissue.reference, seed=0)
types = ng.transfer_labels(cells, tissue.reference, "cell_type")
cells.obs[types.columns] = types

# scanpy: neighbours in the co-embedding, not in the few markers.
sc.pp.neighbors(cells, use_rep="X_gluer", n_neighbors=15)
sc.tl.diffmap(cells, n_comps=5)
print(cells.obsm["X_diffmap"].shape)

# Imputed genes as a table of their own; the label still says which cell of the image each row is.
genes = ["CST3", "NKG7", "CD79A"]
imputed = sc.AnnData(ng.impute(cells, tissue.reference, genes), obs=cells.obs, obsm=cells.obsm)
imputed.var_names = genes
print(imputed.to_df().groupby(cells.obs["cell_type_transferred"], observed=True).mean().round(2))

# squidpy, where it is installed: which types lie beside which. Cells without a type are no type.
placed = cells[~cells.obs["gluer_unmatched"]].copy()
if find_spec("squidpy"):
    import squidpy as sq

    sq.gr.spatial_neighbors(placed, coord_type="generic", delaunay=True)
    sq.gr.nhood_enrichment(placed, cluster_key="cell_type_transferred", seed=0)

ng.write_cells(placed, Path("to_scanpy") / "cells.h5ad")  # opens in both
