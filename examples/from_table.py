"""From a table of cells with positions, without an image: cells are drawn as discs."""

from pathlib import Path

import numpy as np
import pandas as pd

import napari_gluer as ng

# Stands for your file: any .h5ad with cells × markers, and x and y in obs or obsm["spatial"].
tissue = ng.sample_tissue(seed=0)
measured = ng.measure(tissue.image, tissue.labels)[:600].copy()
out = Path("from_table")
ng.write_cells(measured, out / "measured.h5ad")

cells = ng.read_cells(out / "measured.h5ad")
print(cells.uns["gluer"]["kind"], "values, as", cells.var["genes"].to_dict())
labels, cells = ng.draw_cells(cells)
cells = ng.clean(cells)
cells = ng.integrate(cells, tissue.reference, seed=0)
cells = ng.cluster(cells, ng.ClusterParams(resolution=0.5))
print(cells.obs["cluster"].value_counts())

picture = np.asarray(ng.paint(labels, cells, ng.impute(cells, tissue.reference, "NKG7")))
print(f"NKG7 painted on {labels.max()} discs: {picture.shape} pixels")

# Reference and cells in one table, for scanpy's plots too: a cluster of one source alone is one
# that the other lacks, or that the integration did not bring together.
joint = ng.coembed(cells, tissue.reference, ng.CoembedParams(layout=ng.Umap(n_neighbors=15)))
print(pd.crosstab(joint.obs["cluster"], joint.obs["source"]))
